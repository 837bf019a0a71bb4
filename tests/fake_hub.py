"""FakeHub: a local server that speaks as much of the Hugging Face hub's protocol as a download takes, well or badly."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Serves one folder under every repository's name; how well, the names' ends tell.

    `silent` never answers, `broken` answers 500, `half` breaks off in the middle of its weights, and `mended` stops
    doing what it does once `mend` was called. Others are well.

    Attributes:
        address: `http://127.0.0.1:…`.
        asked: (method, path) of every request.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._over = threading.Event()
        self._mended = threading.Event()
        self.asked: list[tuple[str, str]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self)

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def open(self) -> Iterator["FakeHub"]:
        """Serve."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._server.shutdown()
            self._server.server_close()

    def mend(self) -> None:
        """Be well from now on."""
        self._mended.set()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request, or not."""
        self.asked.append((request.command, request.path))
        trouble = "" if self._mended.is_set() else request.path
        if "silent" in trouble:
            self._over.wait()
            request.close_connection = True
        elif "broken" in trouble:
            _send(request, 500, b"{}")
        elif request.path.startswith("/api/models/") and "/tree/" not in request.path:
            _send(request, 200, json.dumps({"id": "nobody/model", "sha": COMMIT, "siblings": []}).encode())
        else:
            self._send_file(request, cut="half" in trouble)

    def _send_file(self, request: BaseHTTPRequestHandler, cut: bool) -> None:
        file = self._folder / request.path.rpartition("/")[2]
        if "/resolve/" not in request.path or not file.is_file():
            _send(request, 404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            return
        content = file.read_bytes()
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        _send(request, 200, content, headers, cut=cut and file.suffix == ".safetensors")


def _send(
    request: BaseHTTPRequestHandler,
    status: int,
    content: bytes,
    headers: dict[str, str] | None = None,
    cut: bool = False,
) -> None:
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    if request.command == "GET":
        request.wfile.write(content[: len(content) // 2] if cut else content)
    request.close_connection = cut
