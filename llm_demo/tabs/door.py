"""Door: the page as every event and endpoint enters it, whatever way it came.

What is asked too often, or is not what a page of ours sends, ends here in a sentence; so does whatever went wrong
inside, and the log gets to know where, but not what the visitor wrote.
"""

import math
import warnings

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState
from starlette.middleware import Middleware

from llm_demo.config import Config
from llm_demo.errors import InputError, RateError
from llm_demo.gate import TOLD, Gate
from llm_demo.i18n import LANGUAGES, Translate, preferred, translator
from llm_demo.incident import report
from llm_demo.rates import Rate, address_of
from llm_demo.tabs.leaving import forget
from llm_demo.tabs.site import spoken

WHAT_THEY_SEND: dict[type, tuple[type, ...]] = {  # a component's kind -> the JSON of its value
    gr.Textbox: (str,),
    gr.Slider: (int, float),
    gr.Number: (int, float),
    gr.Checkbox: (bool,),
    gr.File: (dict,),
    gr.UploadButton: (dict,),
    gr.CheckboxGroup: (list,),
}
DEEPEST = 20  # lists and objects inside one another


class Door(gr.Blocks):
    """A page whose events are checked before they reach anybody, and that never shows what went wrong inside."""

    def __init__(self, config: Config, **options: object) -> None:
        """
        Args:
            config: the operator's.
            options: of `gr.Blocks`.
        """
        super().__init__(**options)
        self._bounds = config
        self._visitor_jobs = Rate(config.max_visitor_jobs)
        self._address_jobs = Rate(config.max_address_jobs)

    def launch(self, *args: object, **options: object) -> tuple:
        """Serve it, as Gradio does, behind a `Gate`."""
        # They quote what a visitor sent.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"gradio\.components")
        served = dict(options.pop("app_kwargs", None) or {})
        served["middleware"] = [Middleware(Gate, config=self._bounds), *served.get("middleware", ())]
        options.setdefault("max_file_size", f"{self._bounds.max_upload_mb}mb")
        # Gradio asks for its own page as it starts, and gives up after three seconds; a busy machine may take longer.
        return super().launch(*args, app_kwargs=served, _frontend=False, **options)

    async def process_api(self, block_fn: BlockFunction, inputs: list, *args: object, **options: object) -> dict:
        """Run an event, as Gradio does; each piece of what it yields comes through here again."""
        request: gr.Request = options["request"]
        t = self._language_of(block_fn, inputs, request)
        sent: dict = {}
        try:
            with spoken(t, html=block_fn.api_visibility == "private"):
                if options.get("iterator") is None:
                    self._admit(block_fn, request, options.get("event_id"))
                sent = await super().process_api(block_fn, inputs, *args, **options)
                return sent
        except gr.Error:
            request.request.scope[TOLD] = True
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong inside ends here
            report(error, f"event {block_fn._id} ({block_fn.name})")
            raise gr.Error(t("errors.unexpected"), title=t("error"), print_exception=False) from None
        finally:
            # No page will ever be closed that a program's call belonged to.
            if _without_page(request, options.get("event_id")) and not sent.get("is_generating"):
                forget(self, request.session_hash)

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list, *args: object, **options: object) -> list:
        """Return what a function gets; DemoError for what none of our pages would send."""
        # Further values are ignored by Gradio; components that a browser keeps for itself send null.
        if len(inputs) < len(block_fn.inputs):
            raise InputError("bad_request")
        for component, value in zip(block_fn.inputs, inputs, strict=False):
            _check(component, value)
        try:
            read = await super().preprocess_data(block_fn, inputs, *args, **options)
        except Exception as error:
            raise InputError("bad_request") from error
        # A box that nobody has written in may send null.
        boxes = [isinstance(component, gr.Textbox) for component in block_fn.inputs]
        return ["" if box and value is None else value for box, value in zip(boxes, read, strict=False)] + read[
            len(boxes) :
        ]

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list | dict, state: SessionState | None
    ) -> list[object]:
        """Return what the page is sent, as Gradio does.

        A component that changes is made anew for its session, with a number of its own under which it would then be
        kept for as long as the page is open, and so would each that follows it: it keeps the number that it has.
        """
        sent = await super().postprocess_data(block_fn, predictions, state)
        for component in block_fn.outputs if state else ():
            if not component.stateful and component._id in state:
                state[component._id]._id = component._id
        return sent

    def _language_of(self, block_fn: BlockFunction, inputs: list, request: gr.Request) -> Translate:
        """Return the language that a visitor reads: the tabs' events begin with it, a program accepts one."""
        first = inputs[0] if inputs and block_fn.api_visibility == "private" else None
        chosen = first if isinstance(first, str) and first in LANGUAGES else None
        return translator(preferred(chosen, request.headers.get("accept-language"), self._bounds.language))

    def _admit(self, block_fn: BlockFunction, request: gr.Request, event_id: str | None) -> None:
        """Count a job; RateError where there are too many. Clicks that do not wait in line are no jobs."""
        if not block_fn.queue:
            return
        address = address_of_request(request, self._bounds)
        session = address if _without_page(request, event_id) else request.session_hash
        running = sum(
            event.fn is block_fn and address_of_request(event.request, self._bounds) == address
            for job in self._queue.active_jobs
            for event in job or ()
        )
        if running > self._bounds.max_address_running:
            raise RateError("too_many_here")
        seconds = self._address_jobs.take(address)
        if session != address:
            seconds = seconds or self._visitor_jobs.take(session or "")
        if seconds:
            raise RateError("too_fast", seconds=math.ceil(seconds))


def address_of_request(request: gr.Request, config: Config) -> str:
    """Return whose address a request counts for."""
    peer = request.client.host if request.client else None
    return address_of(peer, request.headers.get("x-forwarded-for"), config.trusted_proxies)


def visitor_of(request: gr.Request | None) -> str:
    """Return whose call it is, empty for nobody's."""
    return (request.session_hash or "") if request else ""


def _without_page(request: gr.Request, event_id: str | None) -> bool:
    """Tell whether a program calls without a session of its own: Gradio then calls that by the number of the event."""
    return request.session_hash == event_id


def _check(component: object, value: object) -> None:
    """Refuse what a component never sends: InputError."""
    kinds = next((kinds for kind, kinds in WHAT_THEY_SEND.items() if isinstance(component, kind)), None)
    if isinstance(component, (gr.Radio, gr.Dropdown)):
        # A list that fills up later has places or names in it.
        kinds = tuple({type(choice) for _, choice in component.choices}) or (str, int)
        if isinstance(component, gr.Dropdown) and component.multiselect:
            kinds = (list,)
    if kinds is None or (value is None and kinds != (dict,)):  # only a file is always there
        return
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise InputError("bad_request")
    _check_text(value)


def _check_text(value: object, depth: int = 0) -> None:
    """Refuse half a character anywhere, which JSON can carry and UTF-8 cannot, and what is nested too deep."""
    if depth > DEEPEST:
        raise InputError("bad_request")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError("half_character") from error
    elif isinstance(value, (list, dict)):
        for inner in value.items() if isinstance(value, dict) else value:
            for one in inner if isinstance(inner, tuple) else (inner,):
                _check_text(one, depth + 1)
