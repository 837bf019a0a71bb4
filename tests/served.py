"""Served: `python app.py` in a process of its own, and what the system knows of it; or a page from this process."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import httpx
import psutil

ROOT = Path(__file__).parents[1]
START_SECONDS = 300
END_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Served:
    """A running app.

    Attributes:
        log: what it prints.
    """

    url: str
    process: subprocess.Popen
    log: Path

    @property
    def runs(self) -> bool:
        """Whether it is still there."""
        return self.process.poll() is None

    @property
    def memory(self) -> float:
        """Megabytes that it has resident."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    @property
    def threads(self) -> int:
        """How many it has."""
        return psutil.Process(self.process.pid).num_threads()

    @property
    def files(self) -> int:
        """How many it has open, connections included."""
        return psutil.Process(self.process.pid).num_fds()

    @property
    def queued(self) -> int:
        """Events that wait in the queue."""
        return httpx.get(f"{self.url}/gradio_api/queue/status", timeout=30).json()["queue_size"]

    @property
    def tracebacks(self) -> list[str]:
        """The last line of each traceback that it printed."""
        return re.findall(r"^Traceback .*\n(?:[ ].*\n)*(.*)", self.log.read_text("utf-8", "replace"), re.MULTILINE)

    def settle(self, idle: float, seconds: float) -> float:
        """Wait at most so long until it uses little; returns the share of a core that it used at last."""
        process = psutil.Process(self.process.pid)
        deadline = time.monotonic() + seconds
        used = process.cpu_percent(interval=2) / 100
        while used > idle and time.monotonic() < deadline:
            used = process.cpu_percent(interval=2) / 100
        return used


@contextmanager
def serve(folder: Path, **variables: str) -> Iterator[Served]:
    """Start the app, on the embedded model unless told otherwise, and wait until it answers; ends it.

    Args:
        folder: where it may write; the model comes from `LLM_DEMO_CACHE` all the same.
        variables: of its environment.
    """
    port, log = free_port(), folder / "log.txt"
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_DEMO_", "GRADIO_"))}
    ours = {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "LLM_DEMO_CACHE": os.environ.get("LLM_DEMO_CACHE", ""),
        "LLM_DEMO_DTYPE": "float32",
        "LLM_DEMO_DEVICE": "cpu",
        "HF_HUB_OFFLINE": "1",
        # Beside the visitors on few cores, more threads wait for each other.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=bare | ours | variables, stdout=output, stderr=output
        )
    served = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait(served)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def launched(page: gr.Blocks, **options: object) -> Iterator[str]:
    """Serve a page from this process; yields its address.

    Its port is our choice: where two processes look for one at once, Gradio's search may give both the same.

    Args:
        options: more of `launch`.
    """
    port = free_port()
    quiet = {"prevent_thread_lock": True, "quiet": True, "ssr_mode": False}
    page.launch(server_name="127.0.0.1", server_port=port, **quiet, **options)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        page.close()


def _wait(served: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while served.runs and time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            httpx.get(served.url, timeout=5).raise_for_status()
            return
        time.sleep(0.2)
    raise TimeoutError(f"the app does not serve:\n{served.log.read_text('utf-8', 'replace')[-3000:]}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
