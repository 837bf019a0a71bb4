"""Parts: the editor of a prompt in parts, and of what is to be checked of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import gradio as gr

from llm_demo.ablation.parts import MAX_NAME, Part, read_parts, split
from llm_demo.adherence import KINDS, Check
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.tabs.site import Site

EXAMPLE = ("tone", "format", "topic")
EXAMPLE_CHECKS = {"format": ("bullets", "3"), "topic": ("contains", "Git")}
NO_CHECK = ""
QUICK = {"queue": False, "show_progress": "hidden"}


@dataclass(frozen=True, slots=True)
class Line:
    """One part as the editor holds it.

    Attributes:
        on: whether it takes part.
        kind: of its check; `NO_CHECK` for none.
    """

    name: str = ""
    text: str = ""
    on: bool = True
    kind: str = NO_CHECK
    value: str = ""


@dataclass(frozen=True, slots=True)
class _Slot:
    """The components of one part."""

    row: gr.Row
    on: gr.Checkbox
    name: gr.Textbox
    text: gr.Textbox
    up: gr.Button
    down: gr.Button
    remove: gr.Button
    check_row: gr.Row
    kind: gr.Dropdown
    value: gr.Textbox


@dataclass(frozen=True, slots=True)
class Parts:
    """The editor.

    Attributes:
        count: state, how many parts are on the screen.
    """

    count: gr.State
    slots: Sequence[_Slot]

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What `read` takes, in its order."""
        fields = [part for slot in self.slots for part in (slot.name, slot.text, slot.on, slot.kind, slot.value)]
        return [self.count, *fields]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What `shown` gives, in its order."""
        rows = [part for slot in self.slots for part in (slot.row, slot.check_row)]
        return [*self.inputs, *rows]

    def read(self, t: Translate, count: int, *values: object) -> tuple[list[Part], list[Check]]:
        """Return the parts that are switched on and their checks; a part without a name gets one.

        Raises:
            InputError: there are none, or they cannot be told apart, or a check cannot be read.
        """
        lines = [line for line in lines_of(count, *values) if line.on]
        named = [
            replace(line, name=line.name or t("ablation.nameless", number=number)) if line.text.strip() else line
            for number, line in enumerate(lines, start=1)
        ]
        parts = read_parts([{"name": line.name, "text": line.text} for line in named], len(self.slots))
        names = {part.name for part in parts}
        checks = [Check(line.name, line.kind, line.value) for line in named if line.kind and line.name in names]
        return parts, checks

    def shown(self, lines: Sequence[Line], t: Translate) -> list[object]:
        """Show parts: values for `outputs`."""
        fields: list[object] = []
        rows: list[object] = []
        for number in range(len(self.slots)):
            line = lines[number] if number < len(lines) else Line()
            visible = number < len(lines)
            kind, value = _worded(line, t)
            fields += [line.name, line.text, line.on, {**kind, "value": line.kind}, {**value, "value": line.value}]
            rows += [gr.update(visible=visible), gr.update(visible=visible)]
        return [len(lines), *fields, *rows]


def build(site: Site) -> Parts:
    """Add the editor to the enclosing container, with the example that the page opens with."""
    limit = site.engine.config.max_parts
    texts = [_text_row(site, number) for number in range(limit)]
    with gr.Row():
        more = site.add(gr.Button, {"value": "ablation.more"}, size="sm", elem_id="ablation-more")
    with site.add(gr.Accordion, {"label": "ablation.checks"}, open=False, elem_id="ablation-checks"):
        site.add(gr.Markdown, {"value": "ablation.checks_intro"})
        checks = [_check_row(site, number) for number in range(limit)]
    with site.add(gr.Accordion, {"label": "ablation.paste"}, open=False, elem_id="ablation-paste"):
        whole = site.add(
            gr.Textbox, {"label": "ablation.whole", "info": "ablation.whole_info"}, lines=4, elem_id="ablation-whole"
        )
        with gr.Row():
            by_line = site.add(gr.Button, {"value": "ablation.by_line"}, size="sm", elem_id="ablation-by-line")
            by_sentence = site.add(
                gr.Button, {"value": "ablation.by_sentence"}, size="sm", elem_id="ablation-by-sentence"
            )
    slots = [_Slot(*text, *check) for text, check in zip(texts, checks, strict=True)]
    parts = Parts(gr.State(len(EXAMPLE)), slots)
    _wire(site, parts, more)
    for button, by in ((by_line, "line"), (by_sentence, "sentence")):
        site.on([button.click], _splitting(parts, by), [whole], parts.outputs, **QUICK)
    return parts


def _text_row(site: Site, number: int) -> tuple[object, ...]:
    example = EXAMPLE[number] if number < len(EXAMPLE) else ""
    words = ({"value": f"ablation.example_{example}_name"}, {"value": f"ablation.example_{example}"})
    with gr.Row(visible=bool(example), elem_classes="part", elem_id=f"ablation-part-{number}") as row:
        on = site.add(gr.Checkbox, {"label": "ablation.on"}, value=True, min_width=90, elem_id=f"ablation-on-{number}")
        name = site.add(
            gr.Textbox,
            {"label": "ablation.name", **(words[0] if example else {})},
            scale=2,
            min_width=110,
            max_length=MAX_NAME,
            elem_id=f"ablation-name-{number}",
        )
        text = site.add(
            gr.Textbox,
            {"label": "ablation.text", **(words[1] if example else {})},
            scale=8,
            min_width=240,
            lines=1,
            max_lines=6,
            elem_id=f"ablation-text-{number}",
        )
        buttons = [
            gr.Button(sign, size="sm", min_width=36, elem_id=f"ablation-{name_of}-{number}", elem_classes="order")
            for sign, name_of in (("↑", "up"), ("↓", "down"), ("✕", "remove"))
        ]
    return row, on, name, text, *buttons


def _check_row(site: Site, number: int) -> tuple[object, ...]:
    example = EXAMPLE[number] if number < len(EXAMPLE) else ""
    kind, value = EXAMPLE_CHECKS.get(example, (NO_CHECK, ""))
    line = Line(site.t(f"ablation.example_{example}_name") if example else "", "", True, kind, value)
    with gr.Row(visible=bool(example), elem_classes="check") as row:
        kinds = gr.Dropdown(
            _kinds(site.t),
            value=kind,
            label=_label(line, site.t),
            min_width=180,
            elem_id=f"ablation-check-{number}",
        )
        given = gr.Textbox(
            value,
            label=site.t("ablation.value"),
            info=_info(kind, site.t),
            visible=bool(kind),
            min_width=180,
            elem_id=f"ablation-value-{number}",
        )
    return row, kinds, given


def _wire(site: Site, parts: Parts, more: gr.Button) -> None:
    limit = len(parts.slots)

    def add(t: Translate, *values: object) -> list[object]:
        lines = lines_of(*values)
        if len(lines) == limit:
            raise InputError("many_parts", count=limit + 1, limit=limit)
        return parts.shown([*lines, Line()], t)

    def move(number: int, by: int) -> Callable:
        def moved(t: Translate, *values: object) -> list[object]:
            lines = lines_of(*values)
            other = number + by
            if number < len(lines) and 0 <= other < len(lines):
                lines[number], lines[other] = lines[other], lines[number]
            return parts.shown(lines, t)

        return moved

    def remove(number: int) -> Callable:
        def removed(t: Translate, *values: object) -> list[object]:
            lines = lines_of(*values)
            return parts.shown([line for at, line in enumerate(lines) if at != number] or [Line()], t)

        return removed

    def reword(t: Translate, *values: object) -> list[object]:
        return [update for line in lines_of(limit, *values) for update in _worded(line, t)]

    quick = {**QUICK, "preprocess": False}
    site.on([more.click], add, parts.inputs, parts.outputs, **quick)
    for number, slot in enumerate(parts.slots):
        site.on([slot.up.click], move(number, -1), parts.inputs, parts.outputs, **quick)
        site.on([slot.down.click], move(number, 1), parts.inputs, parts.outputs, **quick)
        site.on([slot.remove.click], remove(number), parts.inputs, parts.outputs, **quick)
    checks = [part for slot in parts.slots for part in (slot.kind, slot.value)]
    # A check is called as its part is, which a visitor or another language may name anew.
    changes = [trigger for slot in parts.slots for trigger in (slot.name.change, slot.kind.input)]
    site.on(changes, reword, parts.inputs[1:], checks, **{**quick, "trigger_mode": "always_last"})
    site.reword(reword, parts.inputs[1:], checks)


def _splitting(parts: Parts, by: str) -> Callable:
    def fill(t: Translate, prompt: str) -> list[object]:
        texts = split(prompt or "", by, len(parts.slots))
        names = [t("ablation.nameless", number=number) for number in range(1, len(texts) + 1)]
        return parts.shown([Line(name, text) for name, text in zip(names, texts, strict=True)], t)

    return fill


def lines_of(count: int, *values: object) -> list[Line]:
    """Return the first `count` parts of what the fields hold; what a stranger sent instead of text is none."""
    found = []
    for start in range(0, 5 * count, 5):
        name, text, on, kind, value = values[start : start + 5]
        words = [word if isinstance(word, str) else "" for word in (name, text, kind, value)]
        found.append(Line(words[0].strip(), words[1], bool(on), *words[2:]))
    return found


def _worded(line: Line, t: Translate) -> tuple[dict, dict]:
    """Return the words of a part's check; what is chosen and written there stays."""
    kind = gr.update(choices=_kinds(t), label=_label(line, t))
    value = gr.update(label=t("ablation.value"), info=_info(line.kind, t), visible=bool(line.kind))
    return kind, value


def _label(line: Line, t: Translate) -> str:
    return t("ablation.check_of", part=line.name or "…")


def _info(kind: str, t: Translate) -> str:
    return t(f"check_means.{kind}") if kind in KINDS else ""


def _kinds(t: Translate) -> list[tuple[str, str]]:
    return [(t("ablation.no_check"), NO_CHECK), *((t(f"check_kind.{kind}"), kind) for kind in KINDS)]
