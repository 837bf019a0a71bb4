"""Chat save: a conversation as a file. It is made in the browser and never kept here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from llm_demo.chat_files import ChatRecord, to_json, to_markdown
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.tabs.save import DOWNLOAD
from llm_demo.tabs.site import Site


@dataclass(frozen=True, slots=True)
class ChatSave:
    """The buttons, and the hidden boxes that carry a file's text to the browser."""

    json: gr.Button
    markdown: gr.Button
    json_text: gr.Textbox
    markdown_text: gr.Textbox

    def wire(
        self, site: Site, gather: Callable[..., ChatRecord], inputs: Sequence[gr.components.Component | gr.State]
    ) -> None:
        """Let the buttons write what `gather` makes of the values of `inputs`; nothing where it has no turns."""

        def write_json(t: Translate, *values: object) -> str:  # noqa: ARG001 - every event is told
            return to_json(_said(gather(*values)))

        def write_markdown(t: Translate, *values: object) -> str:
            return to_markdown(_said(gather(*values)), t)

        for button, write, carrier, kind, name in (
            (self.json, write_json, self.json_text, "application/json", "conversation.json"),
            (self.markdown, write_markdown, self.markdown_text, "text/markdown", "conversation.md"),
        ):
            written = site.on([button.click], write, inputs, [carrier], show_progress="hidden")
            written.success(None, carrier, None, js=DOWNLOAD % (kind, name), api_visibility="private")


def build(site: Site) -> ChatSave:
    """Add the buttons to the enclosing container."""
    with gr.Row():
        json = site.add(gr.Button, {"value": "chat_save.json"}, size="sm", elem_id="chat-save-json")
        markdown = site.add(gr.Button, {"value": "chat_save.markdown"}, size="sm", elem_id="chat-save-markdown")
    texts = [gr.Textbox(visible="hidden", elem_id=f"chat-{kind}-text") for kind in ("json", "markdown")]
    return ChatSave(json, markdown, *texts)


def _said(record: ChatRecord) -> ChatRecord:
    if not record.turns:
        raise InputError("nothing_to_save")
    return record
