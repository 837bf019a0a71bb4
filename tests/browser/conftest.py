"""The app as a visitor meets it: `python app.py` on the embedded model, in a real Chromium."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from filelock import FileLock
from gradio_client import Client
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from llm_demo.i18n import translator
from tests.served import free_port

ROOT = Path(__file__).parents[2]
QWEN3 = ROOT.parent / "shared" / "tokenizers" / "qwen3"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
START_SECONDS = 120  # until the page is served
PATIENCE = 30_000  # milliseconds until what should appear has appeared, on a busy machine
INSTALL_SECONDS = 600
SETTLED = """() => {
  const waits = JSON.parse(document.querySelector('[data-waits]').dataset.waits);
  return waits.opening.every((number) => window.settled?.done.has(number));
}"""
UNCOVERED = """element => {
  const box = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
}"""

expect.set_options(timeout=PATIENCE)
StartApp = Callable[..., str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try again, later, what fails here, and say so: a browser beside other work on two cores is late at times."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=3))


@pytest.fixture(scope="session")
def start_app(tmp_path_factory) -> Iterator[StartApp]:
    """Start `python app.py` with the given variables on top of ours; returns its address once it serves."""
    # Neither the operator's settings nor their copies of the hub's data decide what these tests see.
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_DEMO_", "GRADIO_"))}
    running: list[subprocess.Popen] = []

    def start(**variables: str) -> str:
        port, log = free_port(), tmp_path_factory.mktemp("app") / "log.txt"
        ours = {
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "LLM_DEMO_DTYPE": "float32",
            "LLM_DEMO_DEVICE": "cpu",
            "LLM_DEMO_CACHE": os.environ.get("LLM_DEMO_CACHE", ""),
            "HF_HOME": str(tmp_path_factory.mktemp("hub")),
            "HF_HUB_OFFLINE": "1",
            "LLM_DEMO_DRAFT_MODEL": "SmolLM2-135M-Instruct",  # its own drafter: every guess is right
            "OMP_NUM_THREADS": "1",  # beside a browser on two cores, more threads wait for each other
        }
        with log.open("w") as output:
            app = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=bare | ours | variables, stdout=output, stderr=output
            )
        running.append(app)
        _wait_until_served(f"http://127.0.0.1:{port}", app, log)
        return f"http://127.0.0.1:{port}"

    yield start
    for app in running:
        app.terminate()
    for app in running:
        try:
            app.wait(timeout=10)
        except subprocess.TimeoutExpired:
            app.kill()
            app.wait()


@pytest.fixture(scope="session")
def address(start_app: StartApp) -> str:
    """The app on the embedded model, ready to answer, for all tests that need no other."""
    extra = {"LLM_DEMO_EXTRA_MODELS": f"Qwen3={QWEN3}"} if QWEN3.is_dir() else {}
    url = start_app(**extra)
    _client(url).predict("a", api_name="/tokenize")  # waits for the model
    return url


@pytest.fixture(scope="session")
def client(address: str) -> Client:
    """The same app, asked by a program."""
    return _client(address)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        with FileLock(Path(tempfile.gettempdir()) / "llm-demo-chromium.lock"):  # one of the processes installs it
            chromium = _open_chromium(playwright)
        yield chromium
        chromium.close()


class Visitor:
    """A browser window of one person.

    Attributes:
        page: the window.
        t: the words that this person should be reading.
        errors: exceptions of scripts, and errors on the console; there should be none.
    """

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.t = translator(language)
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location['url']}")

    def reload(self) -> None:
        """Open the page anew; what leaving it cuts off, of which Gradio's client complains, is no error."""
        assert self.errors == []
        self.page.reload()
        self.errors.clear()

    def open_tab(self, name: str) -> None:
        """Open a tab by its key, from the menu where a narrow window has no room for it."""
        self._open(self.page.locator("body"), self.t(f"{name}.title"))
        expect(self.shown(f"[id^={name}-]").first).to_be_visible()

    def open_section(self, tabs: str, key: str) -> None:
        """Open one of the tabs inside a tab: of the element with the id `tabs`, the one that a key names."""
        self._open(self.page.locator(f"#{tabs}"), self.t(key))

    def _open(self, within: Locator, title: str) -> None:
        tab = within.get_by_role("tab", name=title, exact=True)
        expect(within.get_by_role("tab").first).to_be_visible()
        if not tab.is_visible():
            within.locator(".overflow-menu button").first.click()
            tab = within.locator(".overflow-dropdown button", has_text=title)
        tab.click()

    def shown(self, selector: str) -> Locator:
        """Return what matches a selector and can be seen."""
        return self.page.locator(selector).locator("visible=true")

    def choose(self, box: str, name: str) -> None:
        """Choose an option by its name from the list with the id `box`."""
        self.page.locator(f"#{box} input").click()
        expect(self.page.get_by_role("listbox")).to_have_count(1)  # the one closed before may still be folding up
        self.page.get_by_role("option", name=name, exact=True).click()

    def choose_lesson(self, panel: str, lesson_id: str) -> None:
        """Choose a lesson from the list of the panel whose elements' ids begin so."""
        lesson = self.unfold_lessons(panel).locator(f"input[value='{lesson_id}']")
        lesson.check()

    def unfold_lessons(self, panel: str) -> Locator:
        """Return the list of a panel's lessons, unfolded."""
        lessons = self.page.locator(f"#{panel}-lesson")
        fold = self.page.locator(f"#{panel}-lessons")
        expect(fold).to_be_visible()
        if not lessons.is_visible():
            fold.get_by_role("button").first.click()
        expect(lessons).to_be_visible()
        return lessons

    def wait_until_still(self, element: Locator) -> str:
        """Return an element's text once it has not changed for 2 seconds: what was on its way may still arrive."""
        before, now = None, element.inner_text()
        while now != before:
            self.page.wait_for_timeout(2000)
            before, now = now, element.inner_text()
        return now

    def set_knob(self, key: str, value: float) -> None:
        """Type a value into the slider of the open tab that a key of the locale names, once the page has settled."""
        self.page.wait_for_function(SETTLED)  # what is typed before may be undone by what the page still does
        box = self.shown(f'input[type=number][aria-label="number input for {self.t(key)}"]').first
        box.fill(str(value))
        box.press("Tab")

    def expect_in_sight(self, element: Locator) -> None:
        """Expect that an element is visible and that nothing lies over its middle."""
        expect(element).to_be_visible()
        element.scroll_into_view_if_needed()
        assert element.evaluate(UNCOVERED), "something covers it"

    def tick_labels(self, chart: Locator) -> Locator:
        """Return the labels of a chart's rows, the first on top."""
        return chart.locator(".ytick text")

    def expect_toast(self, sentence: str) -> None:
        """Expect a message of trouble with exactly this text."""
        expect(self.page.get_by_test_id("toast-text").filter(has_text=sentence).last).to_have_text(sentence)


Enter = Callable[..., AbstractContextManager[Visitor]]


@pytest.fixture(scope="session")
def enter(browser: Browser, request: pytest.FixtureRequest) -> Enter:
    """Open the page in a window of its own: `with enter(query="?lang=en") as visitor`; a script runs before its own.

    Leaving it fails the test where a script has failed.
    """

    @contextmanager
    def opened(
        query: str = "", locale: str = "es-ES", width: int = 1280, reads: str = "es", url: str = "", script: str = ""
    ) -> Iterator[Visitor]:
        context = browser.new_context(viewport={"width": width, "height": 1000}, locale=locale)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(script)
        visitor = Visitor(context.new_page(), reads)
        try:
            visitor.page.goto((url or request.getfixturevalue("address")) + "/" + query)
            expect(visitor.page.get_by_role("tab", name=visitor.t("tokenizer.title"), exact=True)).to_be_visible()
            yield visitor
            assert visitor.errors == []
        finally:
            context.close()

    return opened


@pytest.fixture
def visitor(enter: Enter) -> Iterator[Visitor]:
    """A person who reads Spanish, on the page just opened, its first tokens on the screen."""
    with enter() as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


@pytest.fixture(scope="session")
def qwen3() -> str:
    """The key of Qwen3's tokenizer."""
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")
    return "Qwen3"


def _client(url: str) -> Client:
    return Client(url, verbose=False, analytics_enabled=False)


def _wait_until_served(url: str, app: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and app.poll() is None:
        with suppress(URLError, ConnectionError, TimeoutError), urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    pytest.fail(f"the app does not serve {url}:\n{log.read_text()[-3000:]}")


def _open_chromium(playwright: Playwright) -> Browser:
    """Open a Chromium of this machine, or install one first, as a user would."""
    own = playwright.chromium.executable_path
    reasons: list[str] = []
    for find in (_on_path, lambda: own, lambda: _install_with_playwright(own), _install_with_apt):
        path = find()
        if path and Path(path).exists():
            try:
                return playwright.chromium.launch(executable_path=path, args=FLAGS)
            except PlaywrightError as error:
                reasons.append(f"{path}: {error}")
    reason = "there is no Chromium, and none could be installed\n" + "\n".join(reasons)
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


def _on_path() -> str | None:
    names = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
    return next(filter(None, map(shutil.which, names)), None)


def _install_with_playwright(path: str) -> str:
    _try([sys.executable, "-m", "playwright", "install", "chromium"])
    return path


def _install_with_apt() -> str | None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _try(["apt-get", "update"])
        _try(["apt-get", "install", "--yes", "chromium"])
    return shutil.which("chromium")


def _try(command: list[str]) -> None:
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, timeout=INSTALL_SECONDS, capture_output=True, check=False)
