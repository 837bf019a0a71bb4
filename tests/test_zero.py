"""Jobs on ZeroGPU: each in a process that a stand-in for `spaces` forks, with results as at home."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import httpx
import psutil
import pytest
import torch
from gradio_client import Client

from llm_demo.config import ZERO, Config
from llm_demo.engine import Engine
from llm_demo.errors import DeadlineError, InputError, SettingsError
from llm_demo.models.catalogue import EMBEDDED, GPU_DEFAULT
from llm_demo.models.loader import choose_device, choose_format, default_card
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace
from llm_demo.zero import Order, ZeroEngine, lender, seconds
from tests.served import free_port

ROOT = Path(__file__).parents[1]
START_SECONDS = 300
PROMPT = "One, two, one, two, one,"
GREEDY = Sampling("greedy", max_new_tokens=6)


class Lent:
    """What a test holds of ZeroGPU.

    Attributes:
        gpu: `spaces.GPU`.
        log: a line for each GPU that was asked for: the seconds.
    """

    def __init__(self, gpu: Callable, log: Path) -> None:
        self.gpu = gpu
        self.log = log

    @property
    def asked(self) -> list[int]:
        return [int(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def lent(monkeypatch, tmp_path) -> Iterator[Lent]:
    """A Space on ZeroGPU hardware: CUDA seems to be there, and must not be touched in this process."""
    monkeypatch.syspath_prepend(Path(__file__).parent / "zero_gpu")
    monkeypatch.setenv("ZERO_GPU_LOG", str(tmp_path / "log.txt"))
    gpu, spaces = lender({"SPACES_ZERO_GPU": "true"}), import_module("spaces")
    spaces.pretend(spaces.OUTSIDE)
    yield Lent(gpu, tmp_path / "log.txt")
    spaces.pretend(spaces.INSIDE)
    spaces.stop_all()
    del sys.modules["spaces"]


@pytest.fixture
def watched(watch):
    """The tiny model; its passes in this process are seen."""
    return watch()


@pytest.fixture
def home(make_engine, make_tiny_model) -> Engine:
    """The usual engine on the same model, to compare with."""
    return make_engine(make_tiny_model())


@pytest.fixture
def away(lent, home, watched, tiny_folder) -> Iterator[ZeroEngine]:
    """An engine whose jobs run in another process; a folder with the same model is beside its own."""
    models = {"tiny": "/nowhere", "beside": str(tiny_folder)}
    config = replace(home.config, device=ZERO, dtype="float32", extra_models=models)
    loaded = replace(home.loaded, model=watched.model)
    engine = ZeroEngine(config, lambda _report: loaded, lend=lent.gpu)
    yield engine
    engine.close()


def plain(trace: Trace) -> Trace:
    return replace(trace, seconds=0.0)


@pytest.mark.parametrize(
    "sampling",
    [
        GREEDY,
        Sampling("sample", max_new_tokens=6, temperature=1.5, top_p=0.9, seed=3),
        Sampling("beam", max_new_tokens=6, num_beams=3),
        Sampling("prompt_lookup", max_new_tokens=6),
    ],
    ids=lambda sampling: sampling.strategy,
)
def test_a_job_in_another_process_decides_what_it_would_at_home(home, away, watched, sampling):
    assert plain(away.generate(PROMPT, sampling)) == plain(home.generate(PROMPT, sampling))
    assert watched.passes == []  # not one pass of the model was made in this process


def test_steps_arrive_one_by_one_and_the_same_process_serves_the_next_job(home, away, lent):
    long = replace(GREEDY, max_new_tokens=500)

    steps = away.stream(PROMPT, long)
    first = next(steps)
    steps.close()  # the visitor has seen enough

    assert first == next(home.stream(PROMPT, long))
    assert plain(away.generate(PROMPT, GREEDY)) == plain(home.generate(PROMPT, GREEDY))
    assert len(import_module("spaces").running) == 1
    assert lent.asked == [35, 11]  # 10 seconds to begin with, and 50 ms for each token that may be written


def test_two_jobs_at_once_have_a_process_each(home, away):
    one, two = away.stream(PROMPT, GREEDY), away.stream("Three, four,", GREEDY)

    begun = [next(one), next(two)]

    assert begun == [next(home.stream(PROMPT, GREEDY)), next(home.stream("Three, four,", GREEDY))]
    assert len(import_module("spaces").running) == 2
    one.close(), two.close()


def test_reading_and_scoring_are_sent_out_too(home, away, watched):
    pairs = [(PROMPT, " two"), ("Three,", (52, 53))]
    asked = [(PROMPT, (50, 51)), ("Three,", (52,))]

    assert torch.equal(away.look(PROMPT, (50,)), home.look(PROMPT, (50,)))
    assert away.batch_log_probs(pairs) == home.batch_log_probs(pairs)
    assert list(away.weigh(asked)) == list(home.weigh(asked))
    assert watched.passes == []


def test_no_gpu_is_asked_for_what_is_refused_or_never_read(away, lent):
    with pytest.raises(SettingsError):
        away.stream_many([], top_k=0)
    with pytest.raises(InputError):
        away.generate(" ", GREEDY)
    with pytest.raises(InputError):
        away.weigh([(PROMPT, (10**6,))])
    away.stream(PROMPT, GREEDY)

    assert lent.asked == []


def test_what_a_person_can_be_told_comes_back_whole(away):
    late = away.within(replace(away.config, job_seconds=0))

    with pytest.raises(InputError) as blank:
        away.look(" ")
    with pytest.raises(DeadlineError) as deadline:
        late.generate(PROMPT, GREEDY)

    assert str(blank.value) == str(InputError("empty_prompt"))
    assert str(deadline.value) == str(DeadlineError("deadline", seconds="0"))


def test_a_model_beside_the_default_is_run_by_the_same_task(away, lent, tiny_folder, home):
    beside = away.of("beside")

    assert beside.generate(PROMPT, GREEDY).text == home.generate(PROMPT, GREEDY).text  # the folder holds the same
    assert beside.loaded.card.key == "beside"
    assert len(lent.asked) == 1


def test_the_page_says_what_it_runs_on(away):
    assert away.device == "ZeroGPU"
    assert away.model.device.type == "cpu"


def test_weights_wait_on_the_cpu_as_a_gpu_wants_them():
    config = Config(device=ZERO)

    assert default_card(config).key == GPU_DEFAULT
    assert choose_device(config) == "cpu"
    assert choose_format(config, "cpu") == "bfloat16"  # not what the CPU itself would take


@pytest.mark.parametrize(("passes", "expected"), [(1, 11), (200, 20), (512, 36), (5_000, 60)])
def test_a_gpu_is_asked_for_as_long_as_the_job_may_take(passes, expected):
    assert seconds("key", Config(), Order("look", (), passes)) == expected


@pytest.mark.parametrize("environ", [{}, {"SPACES_ZERO_GPU": "false"}, {"SPACES_ZERO_GPU": ""}])
def test_elsewhere_nobody_lends_a_gpu(environ):
    assert lender(environ) is None


def test_where_the_package_is_missing_nobody_lends_a_gpu_either():
    assert lender({"SPACES_ZERO_GPU": "true"}) is None


# --- the app itself ---


@pytest.mark.slow
def test_the_app_serves_from_processes_that_are_lent_a_gpu(tmp_path):
    log, port = tmp_path / "asked.txt", free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_DEMO_", "GRADIO_"))}
    environ |= {
        "LLM_DEMO_CACHE": str(Config.from_env({"LLM_DEMO_CACHE": os.environ.get("LLM_DEMO_CACHE", "")}).cache),
        "LLM_DEMO_MODEL": EMBEDDED,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "tests" / "zero_gpu"),
        "SPACES_ZERO_GPU": "true",
        "ZERO_GPU_LOG": str(log),
        "GRADIO_SERVER_PORT": str(port),
    }
    with subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL) as app:
        try:
            client = client_of(f"http://127.0.0.1:{port}")
            trace = client.predict("The capital of France is", None, {"strategy": "greedy"}, api_name="/generate")
        finally:
            for lent in psutil.Process(app.pid).children():  # of ZeroGPU's stand-in, and they outlive the app
                lent.kill()
            app.terminate()

    assert trace["text"].startswith(" Paris.")
    assert len(log.read_text().splitlines()) == 1


def client_of(url: str) -> Client:
    """Return a client of an app that may still be starting."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return Client(url, verbose=False, analytics_enabled=False)
        except httpx.TransportError:
            assert time.monotonic() < deadline, f"nothing is served at {url}"
            time.sleep(0.5)
