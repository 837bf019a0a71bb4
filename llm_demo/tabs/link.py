"""Link: what a tab holds as an address to copy and a QR code, and such an address opened: the same in each tab."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import quote, urlsplit

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.links import MAX_BYTES, Link, from_json, from_pairs, to_json, to_query
from llm_demo.tabs import qr
from llm_demo.tabs.site import Site

HERE = Path(__file__).parent
COPY, ARRIVE = ((HERE / name).read_text("utf-8") for name in ("link.js", "arrive.js"))
# The address that the visitor sees: inside a frame, the app's own and not that of the page around it.
WHERE = """(language, _where, ...held) => {
  const at = document.querySelector('#%s [role=tab][aria-selected=true]')?.dataset.tabId ?? '';
  return [language, JSON.stringify({ base: location.origin + location.pathname, at }), ...held];
}"""
# Presses the button of a tab that has just been filled; a reload of the page fills it and no more.
PRESS = """async (button) => {
  const query = location.search.replace(/([?&])run=1(&|$)/, '$1').replace(/[?&]$/, '');
  if (query !== location.search) history.replaceState(history.state, '', location.pathname + query + location.hash);
  for (let frame = 0; button && frame < 600; frame += 1) {
    const found = document.getElementById(button);
    if (found?.offsetParent && !found.disabled) return found.click();
    await new Promise(requestAnimationFrame);
  }
}"""
LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "::1")
MAX_BASE = 300
ON_LOADED = ("decoding", "ablation")  # these run on the loaded model alone


@dataclass(frozen=True, slots=True)
class Filled:
    """What a link changes on the page.

    Attributes:
        updates: component -> its new value or update.
        button: id of the element that runs it.
        ignored: values of the link that cannot be had here.
    """

    updates: Mapping[object, object]
    button: str
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """How a tab becomes a link, and a link the tab.

    Attributes:
        tab: its id.
        inputs: what `read` takes.
        read: language, whether it is to be run, open section and what `inputs` hold -> the link; no value need be
            what it should.
        outputs: what `fill` may change.
        fill: language and link -> what it changes; raises nothing but a ModelError.
        running: events that a link breaks off.
    """

    tab: str
    inputs: Sequence[gr.components.Component]
    read: Callable[..., Link]
    outputs: Sequence[object]
    fill: Callable[[Translate, Link], Filled]
    running: Sequence[gr.events.Dependency] = field(default=())


@dataclass(frozen=True, slots=True)
class Sharing:
    """A tab's form and its button that opens a file."""

    form: Form
    upload: gr.UploadButton


def build(site: Site, form: Form) -> Sharing:
    """Add "copy link" to the enclosing container."""
    engine = site.engine
    with gr.Row(elem_classes="share"):
        small = {"size": "sm", "min_width": 160, "scale": 0}
        copy = site.add(gr.Button, {"value": "link.copy"}, elem_id=f"{form.tab}-link", **small)
        run = site.add(
            gr.Checkbox, {"label": "link.run"}, container=False, min_width=200, elem_id=f"{form.tab}-link-run"
        )
        upload = site.add(
            gr.UploadButton, {"label": "link.open"}, file_types=[".json"], elem_id=f"{form.tab}-link-open", **small
        )
    shared = gr.HTML(js_on_load=COPY, elem_id=f"{form.tab}-shared", elem_classes="bare")
    where = gr.Textbox(visible="hidden")

    def make(t: Translate, where: str, run: bool, *held: object) -> str:
        base, section = place(where)
        link = form.read(t, bool(run), section, *held)
        address = f"{base}?{to_query(link, engine.config, engine.cards)}"
        if len(address.encode()) > MAX_BYTES:
            return file_html(link, len(address.encode()), to_json(link, engine.config, engine.cards), t)
        return address_html(address, t)

    site.on(
        [copy.click],
        make,
        [where, run, *form.inputs],
        [shared],
        js=WHERE % f"{form.tab}-sections",
        queue=False,
        show_progress="hidden",
        preprocess=False,
    )
    site.reword(lambda _t: "", [], [shared])
    return Sharing(form, upload)


def notice() -> gr.HTML:
    """Create the place where the reader of a link is told what became of it."""
    return gr.HTML(elem_id="link-notice", elem_classes="bare")


def follow(site: Site, tabs: gr.Tabs, told: gr.HTML, sharings: Sequence[Sharing]) -> None:
    """Open the link in the page's address once the page has settled, and those in files; call after all tabs.

    Args:
        site: what the tabs share.
        tabs: to be selected.
        told: of `notice`.
        sharings: of all tabs.
    """
    engine = site.engine
    forms = {sharing.form.tab: sharing.form for sharing in sharings}
    button = gr.Textbox(visible="hidden")
    outputs = list(dict.fromkeys([tabs, told, button, *(part for form in forms.values() for part in form.outputs)]))

    def show(t: Translate, link: Link | None, ignored: int) -> dict:
        if link is None:
            return {told: _notice(t("link.nothing")), button: ""}
        filled = forms[link.tab].fill(t, link)
        notes = _notes(link, ignored + filled.ignored, engine.loaded.card.key, t)
        return {
            **filled.updates,
            tabs: gr.Tabs(selected=link.tab),
            told: _notice(notes),
            button: filled.button if link.run else "",
        }

    def arrive(t: Translate, request: gr.Request) -> dict:
        return show(t, *from_pairs(_pairs(request), engine.config, engine.cards))

    def take(t: Translate, path: str) -> dict:
        return show(t, *from_json(Path(path).read_bytes(), engine.config, engine.cards))

    settled = site.settled(ARRIVE)
    running = [event for form in forms.values() for event in form.running]
    site.stop([sharing.upload.upload for sharing in sharings], running)
    came = [
        site.on([settled.input], arrive, [], outputs, show_progress="hidden"),
        *(
            site.on([sharing.upload.upload], take, [sharing.upload], outputs, show_progress="hidden")
            for sharing in sharings
        ),
    ]
    site.reword(lambda _t: "", [], [told])
    for event in came:
        event.success(None, [button], None, js=PRESS, api_visibility="private")


def _pairs(request: gr.Request) -> Iterable[tuple[str, str]]:
    return request.query_params.multi_items()


def _notes(link: Link, ignored: int, loaded: str, t: Translate) -> str:
    """Return what a reader of a link has to be told; empty where it is just as it was."""
    notes = [t("link.one_ignored") if ignored == 1 else t("link.ignored", count=t.number(ignored))] if ignored else []
    if link.model not in ("", loaded) and link.tab in ON_LOADED:
        notes.append(t("link.other_model", wanted=link.model, loaded=loaded))
    return " ".join(notes)


def _notice(sentences: str) -> str:
    return f'<div class="status" role="status">{escape(sentences)}</div>' if sentences else ""


def place(where: object) -> tuple[str, str]:
    """Return the address of the page and the open section, as the browser tells them; empty for what is neither."""
    try:
        told = json.loads(where) if isinstance(where, str) and len(where) < 2 * MAX_BASE else {}
        base, section = (told.get(name) if isinstance(told, dict) else "" for name in ("base", "at"))
        is_address = isinstance(base, str) and len(base) <= MAX_BASE and urlsplit(base).scheme in ("http", "https")
    except ValueError:
        return "", ""
    return base if is_address else "", section if isinstance(section, str) else ""


def address_html(address: str, t: Translate) -> str:
    """Return safe HTML: the link, what became of copying it, and its QR code, folded."""
    local = f'<p class="hint">{t("link.local")}</p>' if urlsplit(address).hostname in LOCAL else ""
    shown = escape(address)
    return (
        f'<div class="shared"><input readonly value="{shown}" aria-label="{escape(t("link.title"))}">'
        f'<p role="status"><span data-copied hidden>{t("link.copied")}</span>'
        f"<span data-select hidden>{t('link.select')}</span></p>{local}"
        f"<details><summary>{t('link.qr')}</summary>{qr.svg(address, t('link.qr_of'))}</details></div>"
    )


def file_html(link: Link, size: int, document: str, t: Translate) -> str:
    """Return safe HTML: that a link would be too long, and a file in its place."""
    told = t("link.long", size=t.number(size), limit=t.number(MAX_BYTES))
    return (
        f'<div class="shared"><p role="status">{told}</p><p><a class="file" download="{link.tab}.link.json" '
        f'href="data:application/json,{quote(document)}">{t("link.file")}</a></p></div>'
    )
