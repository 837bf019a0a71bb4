"""Keep: an experiment as files, made in the browser and never kept here, and one taken back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from llm_demo.ablation.experiment import Result
from llm_demo.ablation.files import answers_csv, checks_csv, from_json, to_json, worth_csv
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.tabs.findings import name_of
from llm_demo.tabs.save import DOWNLOAD, SPREADSHEET
from llm_demo.tabs.site import Site

TABLES = {"checks": checks_csv, "answers": answers_csv, "worth": worth_csv}


@dataclass(frozen=True, slots=True)
class Keep:
    """The components of the section: a button for each file and, unseen, the text that it writes."""

    buttons: dict[str, tuple[gr.Button, gr.Textbox]]
    upload: gr.UploadButton

    def wire(self, site: Site, found: gr.State, take: Callable, outputs: Sequence[gr.components.Component]) -> None:
        """Let the buttons write what `found` holds, and `take` show what a file held."""

        def writing(name: str) -> Callable:
            def write(t: Translate, result: Result | None) -> str:
                if result is None:
                    raise InputError("nothing_to_save")
                if name == "json":
                    return to_json(result)
                return SPREADSHEET + TABLES[name](result, [name_of(one, t) for one in result.experiment.variants])

            return write

        def read(t: Translate, path: str) -> dict:
            return take(t, from_json(Path(path).read_bytes(), site.engine.config))

        for name, (button, carrier) in self.buttons.items():
            written = site.on([button.click], writing(name), [found], [carrier], show_progress="hidden")
            kind, file = ("application/json", "ablation.json") if name == "json" else ("text/csv", f"{name}.csv")
            written.success(None, carrier, None, js=DOWNLOAD % (kind, file), api_visibility="private")
        site.on([self.upload.upload], read, [self.upload], outputs, show_progress="hidden")


def build(site: Site) -> Keep:
    """Add the section to the enclosing container."""
    with site.add(gr.Accordion, {"label": "save.title"}, open=False, elem_id="ablation-save"), gr.Row():
        made = {
            name: site.add(gr.Button, {"value": key}, size="sm", min_width=160, elem_id=f"ablation-save-{name}")
            for name, key in (
                ("json", "save.json"),
                ("checks", "ablation.save_checks"),
                ("answers", "ablation.save_answers"),
                ("worth", "ablation.save_worth"),
            )
        }
        upload = site.add(
            gr.UploadButton,
            {"label": "save.open"},
            file_types=[".json"],
            size="sm",
            min_width=160,
            elem_id="ablation-open",
        )
        carriers = [gr.Textbox(visible="hidden", elem_id=f"ablation-{name}-text") for name in made]
    buttons = {name: (button, carrier) for (name, button), carrier in zip(made.items(), carriers, strict=True)}
    return Keep(buttons, upload)
