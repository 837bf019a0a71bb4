"""Talk: an answer that would fetch, run or lead somewhere does nothing in a real browser, and is readable."""

from collections.abc import Iterator

import gradio as gr
import pytest
from playwright.sync_api import Page, expect

from llm_demo.chat import Message
from llm_demo.i18n import translator
from llm_demo.tabs import STYLE
from llm_demo.tabs.talk import render
from tests.served import launched

EVIL = "http://evil.test"
HOSTILE = f"""
<script>window.hacked=1</script><img src=x onerror=window.hacked=1><svg onload=window.hacked=1>
<iframe src={EVIL}/frame srcdoc="<script>top.hacked=1</script>"></iframe><style>@import url({EVIL}/a.css)</style>
<div style="background:url({EVIL}/b.png)">x</div><link rel=stylesheet href={EVIL}/c.css><base href={EVIL}>

![picture]({EVIL}/d.png) ![data](data:image/svg+xml;base64,PHN2Zy8+) [![e]({EVIL}/e.png)]({EVIL}/f)
[click](javascript:window.hacked=1) <{EVIL}/auto> [ref][there] {EVIL}/bare

[there]: {EVIL}/there

$\\href{{javascript:window.hacked=1}}{{x}}$ $\\style{{background:url({EVIL}/g.png)}}{{x}}$
$\\text{{</math><img src=x onerror=window.hacked=1>}}$ ${{window.hacked=1}} {{{{window.hacked=1}}}}

```"><img src=x onerror=window.hacked=1>
</code></pre><script>window.hacked=1</script>
"""
READABLE = """# Receta

Una **lista** con `código`:

1. uno
2. dos

| fruta | precio |
|-------|-------:|
| pera  | 2      |

$$
\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}
$$

```python
print("hola")"""


@pytest.fixture(scope="module")
def shown(browser) -> Iterator[Page]:
    """A page of Gradio's with both answers in the component that the Chat tab has, its requests written down."""
    turns = [Message("user", HOSTILE), Message("assistant", HOSTILE)]
    turns += [Message("user", "?"), Message("assistant", READABLE)]
    with gr.Blocks(analytics_enabled=False) as app:
        gr.HTML(render(turns, HOSTILE, translator("es")), elem_id="chat-talk")
    with launched(app, css_paths=STYLE) as url:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        page.goto(url)
        expect(page.locator("#chat-talk .bubble.bot").last).to_contain_text("Receta")
        page.wait_for_timeout(500)  # what would be fetched would have been asked for
        yield page
        page.close()


def test_nothing_is_fetched_and_nothing_runs(shown):
    host = shown.url.split("/")[2]

    assert [url for url in shown.requested if url.split("/")[2] != host or url.endswith("/x")] == []
    assert shown.evaluate("window.hacked") is None


def test_nothing_in_a_bubble_can_be_followed_or_loaded(shown):
    active = "a, img, svg, iframe, script, style, link, base, form, input, object, embed, [href], [src], [onerror]"

    expect(shown.locator("#chat-talk .bubble").first).to_be_visible()
    expect(shown.locator(f"#chat-talk :is({active})")).to_have_count(0)


def test_a_visitors_words_are_as_typed(shown):
    assert shown.locator("#chat-talk .bubble.user").first.text_content() == HOSTILE


def test_addresses_are_read_as_words(shown):
    said = shown.locator("#chat-talk div.bubble.bot").first

    for words in (f"picture ({EVIL}/d.png)", "click (javascript:window.hacked=1)", f"[there]: {EVIL}/there"):
        expect(said).to_contain_text(words)


def test_a_table_a_formula_and_code_are_drawn(shown):
    said = shown.locator("#chat-talk .bubble.bot").last

    expect(said.locator("ol > li")).to_have_text(["uno", "dos"])
    expect(said.locator("th")).to_have_text(["fruta", "precio"])
    expect(said.locator("pre")).to_have_text('print("hola")')
    fraction = said.locator("mfrac").bounding_box()
    numerator, denominator = (said.locator(f"mfrac > :nth-child({place})").bounding_box() for place in (1, 2))
    assert numerator["y"] + numerator["height"] <= denominator["y"] + 1  # one over the other: the browser knows MathML
    assert fraction["height"] > 20


def test_it_fits_a_telephone(shown):
    assert shown.evaluate("document.documentElement.scrollWidth") == 390
