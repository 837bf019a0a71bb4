"""Site: what every tab shares, which is the engine, the words and the way to wire an event."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from html import escape
from inspect import isgeneratorfunction
from typing import TypeVar

import gradio as gr

from llm_demo.engine import Engine
from llm_demo.errors import DemoError
from llm_demo.i18n import LANGUAGES, Translate, translator

Part = TypeVar("Part")
Triggers = Sequence[Callable]


class Site:
    """Builds components whose words follow the visitor's language, and events that speak it.

    Attributes:
        app: the page.
        engine: the one door to the model.
        t: the words of the language that the page is built in; a visitor's own comes with each event.
        language: the radio that every event reads.
    """

    def __init__(self, app: gr.Blocks, engine: Engine) -> None:
        self.app = app
        self.engine = engine
        self.t = translator(engine.config.language)
        self.language = gr.Radio(
            [(name, code) for code, name in LANGUAGES.items()],
            value=engine.config.language,
            label="Idioma · Language",
            elem_id="language",
            container=False,
            render=False,
        )
        self._worded: list[tuple[object, Mapping[str, str]]] = []
        self._kept: list[gr.BrowserState] = []
        self._opening: list[gr.events.Dependency] = []
        self._rewording: list[gr.events.Dependency] = []

    def add(self, kind: Callable[..., Part], words: Mapping[str, str], **options: object) -> Part:
        """Create a component in the enclosing context.

        Args:
            kind: its class.
            words: property -> key of the locale; they change with the language.
            options: everything else, as it is.
        """
        component = kind(**{name: self.t(key) for name, key in words.items()}, **options)
        self._worded.append((component, words))
        return component

    def on(
        self,
        triggers: Triggers,
        work: Callable,
        inputs: Sequence[object] = (),
        outputs: Sequence[object] = (),
        **options: object,
    ) -> gr.events.Dependency:
        """Wire an event. `work` gets the visitor's Translate first, and may raise DemoError or be a generator."""
        if self.language.change in triggers:  # the page switches right after it opens: no change may be lost
            options.setdefault("trigger_mode", "always_last")
        event = gr.on(
            triggers,
            _told(work),
            [self.language, *inputs],
            list(outputs),
            api_visibility="private",
            **options,
        )
        if self.language.change in triggers:
            self._rewording.append(event)
        return event

    def greet(self, choose: Callable[[gr.Request], str]) -> None:
        """Set the language of a visitor who opens the page; call before any `on_open`."""
        self._greeted = self.app.load(
            choose, None, self.language, api_visibility="private", queue=False, show_progress="hidden"
        )

    def on_open(self, work: Callable, inputs: Sequence[object], outputs: Sequence[object]) -> None:
        """Wire what a page does when it opens, its visitor's language known by then."""
        self._opening.append(
            self._greeted.then(
                _told(work), [self.language, *inputs], list(outputs), api_visibility="private", show_progress="hidden"
            )
        )

    def kept(self, name: str) -> gr.BrowserState:
        """Create a list that the visitor's browser keeps, and nobody else, under a name."""
        kept = gr.BrowserState([], storage_key=f"llm_demo.{name}", secret="llm_demo", render=False)
        self._kept.append(kept)
        return kept

    def follow_language(self) -> None:
        """Change every word on the page when the radio changes; call once, after all tabs are built.

        An example in a text box changes with it as long as the visitor has not written over it.
        """
        boxes = [component for component, words in self._worded if _is_example(component, words)]

        def reword(t: Translate, *written: str) -> list[dict]:
            kept = dict(zip(map(id, boxes), written, strict=True))
            return [gr.update(**_words(words, kept.get(id(component)), t)) for component, words in self._worded]

        for kept in self._kept:  # here, and not in a tab: one that is not open reads no storage
            kept.render()
        components = [component for component, _ in self._worded]
        self.on([self.language.change], reword, boxes, components, queue=False, show_progress="hidden")
        titles = json.dumps({code: translator(code)("page.title") for code in LANGUAGES})
        name_page = f"(code) => {{ document.documentElement.lang = code; document.title = {titles}[code]; }}"
        for moment in (self.language.change, self._greeted.then):
            moment(None, self.language, None, js=name_page, api_visibility="private")

    def settled(self, script: str) -> gr.HTML:
        """Create an invisible component for a script that waits until a page has settled; call after all tabs.

        Settled is a page whose own events are over: those of `on_open`, and those of the language where its visitor is
        greeted in another than the page was built in. What changes the page before that may be undone by them.

        Args:
            script: finds their numbers in `data-waits`, and in `window.settled` those that are over.
        """
        over = """(...held) => {
          const settled = (window.settled ??= { done: new Set(), language: null });
          %s;
          document.dispatchEvent(new Event('settled'));
        }"""
        events = [*self._opening, *self._rewording]
        for number, event in enumerate(events):
            event.then(None, None, None, js=over % f"settled.done.add({number})", api_visibility="private")
        self._greeted.then(None, self.language, None, js=over % "settled.language = held[0]", api_visibility="private")
        opening = len(self._opening)
        waits = {
            "opening": list(range(opening)),
            "rewording": list(range(opening, len(events))),
            "language": self.engine.config.language,
        }
        return gr.HTML(
            f"<i data-waits='{json.dumps(waits)}'></i>", js_on_load=script, elem_classes="settled", padding=False
        )


def _is_example(component: object, words: Mapping[str, str]) -> bool:
    return isinstance(component, gr.Textbox) and "value" in words


def _words(words: Mapping[str, str], written: str | None, t: Translate) -> dict[str, str]:
    """Return a component's properties, less an example that a visitor has written over."""
    if written is not None and written not in {translator(code)(words["value"]) for code in LANGUAGES}:
        words = {name: key for name, key in words.items() if name != "value"}
    return {name: t(key) for name, key in words.items()}


@contextmanager
def spoken(t: Translate, html: bool = True) -> Iterator[None]:
    """Turn a DemoError into a message for the visitor: a toast, which renders HTML, or a program's plain text."""
    try:
        yield
    except DemoError as error:
        message = escape(error.message(t)) if html else error.message(t)  # it may quote what was typed
        raise gr.Error(message, title=t("error"), duration=None, print_exception=False) from error


def _told(work: Callable) -> Callable:
    if isgeneratorfunction(work):

        @wraps(work)
        def stream(language: str, *values: object) -> Iterator[object]:
            t = translator(language)
            with spoken(t):
                yield from work(t, *values)

        return stream

    @wraps(work)
    def answer(language: str, *values: object) -> object:
        t = translator(language)
        with spoken(t):
            return work(t, *values)

    return answer
