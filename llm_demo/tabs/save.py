"""Save: what was generated as files, and a file taken back. The files are made in the browser and never kept here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.tabs.naming import names_of
from llm_demo.tabs.site import Site
from llm_demo.trace_files import LoadedTraces, from_json, to_csv, to_json

DOWNLOAD = """(text) => {
  if (!text) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: '%s' }));
  link.download = '%s';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}"""
SPREADSHEET = "\ufeff"  # tells spreadsheets that the text is UTF-8


@dataclass(frozen=True, slots=True)
class Save:
    """The components of the section."""

    json: gr.Button
    csv: gr.Button
    upload: gr.UploadButton
    json_text: gr.Textbox
    csv_text: gr.Textbox

    def wire(self, site: Site, found: gr.State, take: Callable, outputs: Sequence[gr.components.Component]) -> None:
        """Let the buttons write what `found` holds, and `take` show what a file held."""

        def write_json(t: Translate, result: LoadedTraces | None) -> str:  # noqa: ARG001 - every event is told
            if result is None:
                raise InputError("nothing_to_save")
            return to_json(result.traces, result.prompt, result.samplings, result.model)

        def write_csv(t: Translate, result: LoadedTraces | None) -> str:
            if result is None:
                raise InputError("nothing_to_save")
            return SPREADSHEET + to_csv(result.traces, names_of(result.samplings, t))

        def read(t: Translate, path: str) -> dict:
            return take(t, from_json(Path(path).read_bytes(), site.engine.config))

        for button, write, carrier, kind, name in (
            (self.json, write_json, self.json_text, "application/json", "decoding.json"),
            (self.csv, write_csv, self.csv_text, "text/csv", "candidates.csv"),
        ):
            written = site.on([button.click], write, [found], [carrier], show_progress="hidden")
            written.success(None, carrier, None, js=DOWNLOAD % (kind, name), api_visibility="private")
        site.on([self.upload.upload], read, [self.upload], outputs, show_progress="hidden")


def build(site: Site) -> Save:
    """Add the section to the enclosing container."""
    with site.add(gr.Accordion, {"label": "save.title"}, open=False, elem_id="decoding-save"), gr.Row():
        json = site.add(gr.Button, {"value": "save.json"}, size="sm", elem_id="decoding-save-json")
        csv = site.add(gr.Button, {"value": "save.csv"}, size="sm", elem_id="decoding-save-csv")
        upload = site.add(
            gr.UploadButton, {"label": "save.open"}, file_types=[".json"], size="sm", elem_id="decoding-open"
        )
        texts = [gr.Textbox(visible="hidden", elem_id=f"decoding-{kind}-text") for kind in ("json", "csv")]
    return Save(json, csv, upload, *texts)
