"""Site: what every tab shares, which is the engine, the words and the way to wire an event."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from html import escape
from inspect import isgeneratorfunction
from typing import TypeVar

import gradio as gr
from gradio.events import EventListenerMethod, set_cancel_events

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
        self._followers: list[_Follower] = []

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
        options = self._spare(options)
        inputs = [self.language, *inputs]
        return gr.on(list(triggers), _told(work), inputs, list(outputs), api_visibility="private", **options)

    def reword(self, work: Callable, inputs: Sequence[object], outputs: Sequence[object]) -> None:
        """Have `work` show something anew when the language changes: quickly, with values as the browser sends them.

        What cannot be shown with these stays as it was.
        """
        self._followers.append(_Follower(work, inputs, outputs))

    @staticmethod
    def stop(triggers: Triggers, running: Sequence[gr.events.Dependency]) -> None:
        """Let triggers stop what is running.

        An event for each of them: of a list, Gradio's page stops the next when it has heard from the one before,
        and then also what was begun meanwhile. `gr.on` would add a second one each time, which does nothing, and each
        event makes every component of the page slower to draw.
        """
        targets = [EventListenerMethod(trigger.__self__, trigger.event_name) for trigger in triggers]
        for one in running:
            set_cancel_events(targets, [one])

    def greet(self) -> None:
        """Set the language of a visitor who opens the page, to what `?lang=` says or else the browser; call first.

        In the browser, so that the answer does not come after the visitor has chosen another.
        """
        choose = f"""() => [new URLSearchParams(location.search).get('lang'), ...navigator.languages]
            .map((tag) => (tag || '').split('-')[0].toLowerCase())
            .find((code) => {json.dumps(list(LANGUAGES))}.includes(code)) || '{self.engine.config.language}'"""
        self._greeted = self.app.load(None, None, self.language, js=choose, api_visibility="private")

    def then(
        self,
        first: gr.events.Dependency,
        work: Callable,
        inputs: Sequence[object],
        outputs: Sequence[object],
        **options: object,
    ) -> gr.events.Dependency:
        """Wire what follows an event; `work` as in `on`."""
        options = self._spare(options)
        return first.then(_told(work), [self.language, *inputs], list(outputs), api_visibility="private", **options)

    def _spare(self, options: dict[str, object]) -> dict[str, object]:
        """Let Gradio's page keep the state of an event that shows no progress at one component, not at every output.

        At each change of any event's state it goes through all that it keeps, and looks for each on the whole page.
        """
        hidden = options.get("show_progress") == "hidden"
        return {"show_progress_on": [self.language], **options} if hidden else options

    def on_open(
        self, work: Callable, inputs: Sequence[object], outputs: Sequence[object], js: str | None = None
    ) -> None:
        """Wire what a page does when it opens, its visitor's language known by then.

        `js` is given the language and may put in what the browser knows: it returns all values that `work` takes.
        """
        self._opening.append(self.then(self._greeted, work, inputs, outputs, show_progress="hidden", js=js))

    def kept(self, name: str) -> gr.BrowserState:
        """Create a list that the visitor's browser keeps, and nobody else, under a name."""
        kept = gr.BrowserState([], storage_key=f"llm_demo.{name}", secret="llm_demo", render=False)
        self._kept.append(kept)
        return kept

    def follow_language(self) -> None:
        """Change every word on the page when the radio changes; call once, after all tabs are built.

        An example in a text box changes with it as long as the visitor has not written over it. It is one event:
        Gradio's page works off the events of one trigger one after another, and draws everything each time.
        """
        boxes = [component for component, words in self._worded if _is_example(component, words)]

        def reword(t: Translate, *written: str) -> dict:
            kept = dict(zip(map(id, boxes), written, strict=True))
            return {component: gr.update(**_words(words, kept.get(id(component)), t)) for component, words in worded}

        worded = self._worded
        followers = [_Follower(reword, boxes, [component for component, _ in worded]), *self._followers]
        inputs = list(dict.fromkeys(component for one in followers for component in one.inputs))
        outputs = list(dict.fromkeys(component for one in followers for component in one.outputs))

        def follow(language: str, *values: object) -> list[object]:
            t, known = translator(language), dict(zip(inputs, values, strict=True))
            updates: dict[object, object] = {}
            for one in followers:
                for component, update in one.updates(t, known).items():
                    updates[component] = _merged(updates.get(component), update)
            return [updates.get(component, gr.skip()) for component in outputs]

        for kept in self._kept:  # here, and not in a tab: one that is not open reads no storage
            kept.render()
        titles = json.dumps({code: translator(code)("page.title") for code in LANGUAGES})
        name_page = f"(code) => {{ document.documentElement.lang = code; document.title = {titles}[code]; }}"
        for moment in (self.language.change, self._greeted.then):
            moment(None, self.language, None, js=name_page, api_visibility="private")
        self._reworded = self.language.change(
            follow,
            [self.language, *inputs],
            outputs,
            queue=False,
            trigger_mode="always_last",
            preprocess=False,
            api_visibility="private",
            **self._spare({"show_progress": "hidden"}),
        )

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
        events = [*self._opening, self._reworded]
        for number, event in enumerate(events):
            event.then(None, None, None, js=over % f"settled.done.add({number})", api_visibility="private")
        self._greeted.then(None, self.language, None, js=over % "settled.language = held[0]", api_visibility="private")
        waits = {
            "opening": list(range(len(self._opening))),
            "rewording": [len(self._opening)],
            "language": self.engine.config.language,
        }
        return gr.HTML(
            f"<i data-waits='{json.dumps(waits)}'></i>", js_on_load=script, elem_classes="settled", padding=False
        )


@dataclass(frozen=True, slots=True)
class _Follower:
    """What shows some components anew in another language."""

    work: Callable
    inputs: Sequence[object]
    outputs: Sequence[object]

    def updates(self, t: Translate, values: Mapping[object, object]) -> dict[object, object]:
        """Return what changes; nothing where it cannot be shown with these values."""
        try:
            said = self.work(t, *(values[component] for component in self.inputs))
        except DemoError:
            return {}
        if isinstance(said, dict) and "__type__" not in said:
            return said
        return dict(zip(self.outputs, [said] if len(self.outputs) == 1 else said, strict=True))


def _merged(earlier: object, later: object) -> object:
    """Put two updates of one component together."""
    if earlier is None:
        return later
    both = [update if isinstance(update, dict) else gr.update(value=update) for update in (earlier, later)]
    return {**both[0], **both[1]}


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
