"""Talk: whose bubble is whose, what stays plain, and where the thoughts are."""

from html.parser import HTMLParser

from llm_demo.chat import Message
from llm_demo.i18n import translator
from llm_demo.tabs.talk import render

ES = translator("es")
MARKED = "**a** <b>b</b>\n[c](https://evil.test)"


class Bubbles(HTMLParser):
    """The bubbles of a conversation: tag, attributes, and all the text inside."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if "bubble" in (dict(attrs).get("class") or "").split():
            self.found.append((tag, dict(attrs)))
            self.texts.append("")
        elif self.found:
            self.inside.append(tag)

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data


def said(*turns: str, thoughts: str = "") -> Bubbles:
    roles = ("user", "assistant")
    return Bubbles(render([Message(roles[place % 2], turn) for place, turn in enumerate(turns)], thoughts, ES))


def test_an_empty_conversation_says_so():
    assert render([], "", ES) == f'<p class="hint">{ES("chat.empty")}</p>'


def test_a_visitors_words_stay_as_they_were_typed():
    bubbles = said(MARKED)

    assert bubbles.texts == [MARKED]
    assert bubbles.inside == []
    assert bubbles.found[0][1]["class"] == "bubble user"


def test_a_models_words_are_markdown_without_html_or_links():
    bubbles = said("", MARKED)

    assert bubbles.inside == ["span", "p", "strong", "br", "span"]  # the first stands for the message not yet there
    assert bubbles.texts[1].strip() == "a <b>b</b>\nc (https://evil.test)"


def test_each_bubble_tells_whose_it_is():
    bubbles = said("hola", "qué tal", "bien")

    assert [attributes["data-testid"] for _, attributes in bubbles.found] == ["user", "bot", "user"]
    assert [attributes["aria-label"] for _, attributes in bubbles.found] == ["Tú", "El modelo", "Tú"]


def test_thoughts_stand_before_the_last_answer_and_are_folded_once_it_begins():
    thinking = said("hola", "", thoughts="**Uf**")
    answering = said("hola", "qué", thoughts="**Uf**")

    assert [tag for tag, _ in answering.found] == ["div", "details", "div"]
    assert "open" in thinking.found[1][1]
    assert "open" not in answering.found[1][1]
    assert answering.texts[1].startswith("PensamientosUf")


def test_hostile_thoughts_are_words():
    bubbles = said("hola", "qué", thoughts="</details><img src=x onerror=window.hacked=1>")

    assert bubbles.inside == ["summary", "div", "p", "p"]
    assert bubbles.texts[1].strip().endswith("</details><img src=x onerror=window.hacked=1>")
