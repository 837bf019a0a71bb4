"""The app as a Space serves it: behind a proxy, in a frame of another site's page, on a disk that cannot be written.

One app serves all of these tests: started on a read-only file system, and reached under `/demo` alone.
"""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Frame, Page, expect
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from llm_demo.config import Config
from llm_demo.i18n import translator

pytestmark = pytest.mark.slow

ES = translator("es")
PATIENCE = 30_000  # milliseconds
PATH = "/demo"
SECONDS = 60
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "host")
# As huggingface.co frames a Space: https://huggingface.co/docs/hub/spaces-embed
FRAME = """<!doctype html><title>Class</title>
<iframe src="http://127.0.0.1:{port}/demo/?lang=es" width="1200" height="900" allow="clipboard-read; clipboard-write"
 sandbox="allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-same-origin
 allow-scripts"></iframe>"""
DENIED = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""


@dataclass
class Front:
    """A reverse proxy that shows an app under `/demo`, and besides a page of another site that frames it.

    Attributes:
        target: the app's own address.
        strays: paths that were asked for and are not under `/demo`.
        port: of the proxy.
    """

    target: str
    strays: list[str] = field(default_factory=list)
    port: int = 0

    async def forward(self, request: Request) -> Response:
        path = request.url.path
        if path == "/favicon.ico":
            return Response(status_code=204)
        if path == "/class.html":
            return HTMLResponse(FRAME.format(port=self.port))
        if not path.startswith(PATH):
            self.strays.append(path)
            return Response(status_code=404)
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        headers |= {"x-forwarded-host": request.headers["host"], "x-forwarded-proto": "http"}
        passed = self._client.build_request(
            request.method,
            self.target + path.removeprefix(PATH),
            params=request.query_params,
            headers=headers,
            content=request.stream(),
        )
        answer = await self._client.send(passed, stream=True)
        told = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
        return StreamingResponse(answer.aiter_raw(), answer.status_code, told, background=BackgroundTask(answer.aclose))

    def start(self) -> uvicorn.Server:
        self._client = httpx.AsyncClient(timeout=SECONDS)
        everything = Route("/{path:path}", self.forward, methods=["GET", "HEAD", "POST"])
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=[everything]), port=0, log_level="error"))
        threading.Thread(target=server.run, daemon=True).start()
        deadline = time.monotonic() + SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        return server


@dataclass(frozen=True)
class Space:
    front: Front
    refused: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.front.port}{PATH}"


@pytest.fixture(scope="module")
def space(start_app, tmp_path_factory) -> Iterator[Space]:
    """The app on a read-only disk, behind the proxy."""
    folder = tmp_path_factory.mktemp("space")
    scratch, refused = folder / "scratch", folder / "refused.txt"
    scratch.mkdir()
    cache = Config.from_env({name: os.environ.get(name, "") for name in ("LLM_DEMO_CACHE",)}).cache
    target = start_app(
        GRADIO_ROOT_PATH=PATH,
        LLM_DEMO_FRAME_ANCESTORS="http://localhost:*",
        PYTHONPATH=str(Path(__file__).parents[1] / "read_only"),
        HOME=str(folder / "home"),
        HF_HOME=str(scratch / "hub"),
        TMPDIR=str(scratch),
        TORCHINDUCTOR_CACHE_DIR=str(scratch / "torch"),  # torch has told this process, and so its children, another
        LLM_DEMO_CACHE=str(cache),
        WRITABLE=os.pathsep.join([str(scratch), str(cache)]),
        REFUSED=str(refused),
    )
    front = Front(target)
    server = front.start()
    yield Space(front, refused)
    server.should_exit = True


def generate(page: Page | Frame) -> None:
    """Have the three strategies of the Decoding tab write, and wait for the last one's figure."""
    expect(page.locator(".token").first).to_be_visible(timeout=3 * PATIENCE)
    page.get_by_role("tab", name=ES("decoding.title"), exact=True).click()
    tokens = page.locator(f'#decoding-knobs input[aria-label="number input for {ES("knob.max_new_tokens")}"]')
    tokens.fill("6")
    tokens.press("Tab")
    page.locator("#decoding-run").click()
    expect(page.locator("#decoding-slot-2 .ytick text").first).to_be_visible(timeout=3 * PATIENCE)


def test_behind_a_proxy_nothing_is_asked_for_outside_its_path(space, enter):
    with enter(url=space.url) as visitor:
        generate(visitor.page)
        visitor.page.locator("#decoding-save > button").click()
        with visitor.page.expect_download() as saved:
            visitor.page.locator("#decoding-save-json").click()
        written = visitor.page.locator("#decoding-slot-0 .token").all_inner_texts()
        visitor.reload()
        visitor.open_tab("decoding")
        visitor.page.locator("#decoding-save > button").click()
        visitor.page.locator("#decoding-save input[type=file]").set_input_files(
            {"name": "saved.json", "mimeType": "application/json", "buffer": saved.value.path().read_bytes()}
        )

        expect(visitor.page.locator("#decoding-slot-0 .token")).to_have_text(written, use_inner_text=True)

    assert space.front.strays == []


def test_in_a_frame_of_another_site_without_storage_all_works(space, browser: Browser):
    context = browser.new_context(
        viewport={"width": 1300, "height": 1000}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.add_init_script(DENIED)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"http://localhost:{space.front.port}/class.html")  # 127.0.0.1 is another site
    framed = page.locator("iframe").element_handle().content_frame()

    generate(framed)
    framed.locator("#decoding-code-box > button").click()
    code = framed.locator("#decoding-code .cm-content")
    expect(code).to_contain_text("generate")
    framed.locator("#decoding-code").get_by_role("button", name="Copy").click()

    assert framed.evaluate("navigator.clipboard.readText()").split() == code.inner_text().split()
    # A link that opened inside the frame would show nothing: most sites refuse to be framed.
    expect(framed.locator("a[href^=http]:not([target=_blank])")).to_have_count(0)
    assert errors == []
    context.close()


def test_nothing_was_written_outside_the_cache(space):
    assert not space.refused.exists(), space.refused.read_text()
