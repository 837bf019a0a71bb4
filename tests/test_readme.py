"""The README is true: its front matter keeps the Spaces' rules, and whoever follows it gets what it promises."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from huggingface_hub import SpaceHardware

from llm_demo.config import Config
from llm_demo.models.catalogue import CARDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FRONT = yaml.safe_load(README.split("---\n")[1])
REQUIREMENTS = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines())

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
SPDX = {"apache-2.0", "mit", "bsd-3-clause"}  # of those that the hub knows, the ones that ours may be


def text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def ids(value: object) -> bool:
    return isinstance(value, list) and all(HUB_ID.fullmatch(one) for one in value)


# Key -> whether its value is allowed. A key that is not here has no meaning to a Space.
# Source: https://huggingface.co/docs/hub/spaces-config-reference
RULES: dict[str, Callable[[object], bool]] = {
    "title": text,
    "emoji": lambda value: text(value) and not value.isascii() and len(value) <= 2,
    "colorFrom": COLOURS.__contains__,
    "colorTo": COLOURS.__contains__,
    "sdk": "gradio".__eq__,
    "sdk_version": REQUIREMENTS["gradio"].__eq__,
    "python_version": lambda value: value in ("3.11", "3.12", "3.13"),
    "app_file": "app.py".__eq__,
    "models": ids,
    "datasets": ids,
    "license": SPDX.__contains__,
    "suggested_hardware": {hardware.value for hardware in SpaceHardware}.__contains__,
    "startup_duration_timeout": lambda value: bool(re.fullmatch(r"[1-9]\d*[smh]", value)),
    "short_description": lambda value: text(value) and len(value) <= 60,  # the hub refuses more
    "tags": lambda value: isinstance(value, list) and all(map(text, value)),
    "pinned": lambda value: isinstance(value, bool),
    "header": {"mini", "default"}.__contains__,
    "fullWidth": lambda value: isinstance(value, bool),
    "preload_from_hub": lambda value: isinstance(value, list) and all(map(text, value)),
    "disable_embedding": False.__eq__,
}


def test_the_front_matter_comes_first():
    assert README.startswith("---\n")


@pytest.mark.parametrize("key", FRONT)
def test_a_setting_of_the_space_is_one_and_has_a_value_that_is_allowed(key):
    assert key in RULES
    assert RULES[key](FRONT[key]), f"{key}: {FRONT[key]!r}"


def test_the_space_names_the_models_that_it_offers():
    assert set(FRONT["models"]) == {card.published_as for card in CARDS}


def test_every_requirement_is_pinned_to_a_release():
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in REQUIREMENTS.values())


def test_every_picture_is_there():
    pictures = re.findall(r"\]\((\.readme/[^)]+)\)", README)

    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []


def test_the_map_names_files_that_there_are():
    tree = README.split("## Map of the files\n```\n")[1].split("```")[0]
    package = tree.split("llm_demo/\n")[1].split("\ntests/")[0]
    names = re.findall(r"(?:^  |;  | beside |^ {21})([a-z_0-9]+(?:\.py|/))", package, re.MULTILINE)

    assert len(names) > 20
    assert [name for name in names if not list((ROOT / "llm_demo").rglob(name.rstrip("/")))] == []


# --- "Add to it", followed to the letter ---


def section(title: str) -> str:
    """Return what stands under a heading of `Add to it`."""
    return README.split(f"\n### {title}\n")[1].split("\n#")[0]


ADDITIONS = ("A strategy", "A lesson", "A model", "A language")
BLOCK = re.compile(r"```(?:python|json)\n(.*?)```", re.DOTALL)
NEW_FILE = re.compile(r"`([\w/]+\.py)`:\n```python\n(.*?)```", re.DOTALL)
COPY = re.compile(r"Copy `([^`]+)` to `([^`]+)`")
ENTRY = re.compile(r"(?:`([^`]+)`(, imported,)?|as below,) in `(\w+)` of (?:each )?`([^`]+)`")


@pytest.mark.parametrize("title", ADDITIONS)
def test_to_add_something_takes_ten_lines_at_most(title):
    lines = [line for line in section(title).splitlines() if line and not line.startswith("```")]

    assert len(lines) <= 10


def follow(title: str, root: Path) -> None:
    """Do in a copy of the tree what a section of the README says."""
    words = section(title)
    made = ""
    for path, code in NEW_FILE.findall(words):
        (root / path).write_text(code, "utf-8")
        made = ".".join(Path(path).with_suffix("").parts)
    for source, target in COPY.findall(words):
        shutil.copy(root / source, root / target)
    entries = ENTRY.findall(words)
    assert entries
    for entry, imported, name, pattern in entries:
        files = sorted(root.glob(pattern))
        assert files, f"{title}: no {pattern}"
        for file in files:
            join(file, name, entry or BLOCK.search(words)[1])
            if imported:
                bring_in(file, f"from {made} import {made.rpartition('.')[2]}")


def join(file: Path, name: str, entry: str) -> None:
    """Put an entry at the end of a collection: a block of a locale, or a tuple or dict of a module."""
    source = file.read_text("utf-8")
    if file.suffix == ".json":
        table = json.loads(source)
        table[name] |= json.loads(f"{{{entry}}}")
        file.write_text(json.dumps(table, ensure_ascii=False, indent=2) + "\n", "utf-8")
        return
    lines = source.encode().splitlines(keepends=True)
    value = next(
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and name in {target.id for target in getattr(node, "targets", [getattr(node, "target", None)])}
    )
    end = sum(map(len, lines[: value.end_lineno - 1])) + value.end_col_offset - 1  # in bytes, as `ast` counts
    before, bracket = source.encode()[:end].decode().rstrip(), source.encode()[end:].decode()
    comma = "" if before.endswith((",", "(", "{")) else ","
    file.write_text(f"{before}{comma}\n    {entry},\n{bracket}", "utf-8")


def bring_in(file: Path, line: str) -> None:
    """Put an import before the others."""
    source = file.read_text("utf-8")
    file.write_text(re.sub(r"^from ", f"{line}\nfrom ", source, count=1, flags=re.MULTILINE), "utf-8")


LOOK = """
import json, sys
from pathlib import Path

from app import build_app
from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.i18n import preferred, translator
from llm_demo.lessons.decoding import LESSONS
from llm_demo.lessons.lesson import find
from llm_demo.sampling import Sampling
from llm_demo.snippets import snippet

config = Config(cache=Path(sys.argv[1]), device="cpu", dtype="float32", job_seconds=600)
engine = Engine.load("SmolLM2-135M-Instruct", config)
second = engine.generate("The capital of France is", Sampling("runner_up", max_new_tokens=4), 2)
lesson = find("D14", LESSONS)
columns = engine.compare(lesson.prompt, lesson.samplings, 1)
page = json.dumps(build_app(engine).get_config_file(), default=str, ensure_ascii=False)
print(json.dumps({
    "picked": [[step.chosen.token_id, step.top[1].token_id] for step in second.steps],
    "columns": [len(trace.steps) for trace in columns],
    "read": [preferred("fr", None, "es"), translator("fr")("page.title")],
    "on the page": [text in page for text in ("Second best", "D14 · Counting", "SmolLM2-1.7B", "Français")],
    "code": snippet("model", "a", Sampling("runner_up"), translator("en")),
    "cards": list(engine.cards),
}))
"""
CHECKS = ("tests/test_i18n.py", "tests/test_arrows.py", "tests/lessons/test_lesson.py", "tests/tabs/test_naming.py")


@pytest.mark.slow
def test_whoever_follows_the_readme_gets_what_it_promises(tmp_path):
    for name in ("app.py", "llm_demo", "tests", ".pytest.ini"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for title in ADDITIONS:
        follow(title, tmp_path)

    cache = Config.from_env({name: os.environ.get(name, "") for name in ("LLM_DEMO_CACHE",)}).cache
    told = _run(["-c", LOOK, str(cache)], tmp_path)
    seen = json.loads(told.splitlines()[-1])
    assert len(seen["picked"]) == 4
    assert all(chosen == second for chosen, second in seen["picked"])
    assert seen["columns"] == [50, 50]
    assert seen["read"] == ["fr", "How a language model writes"]
    assert seen["on the page"] == [True] * 4
    assert seen["code"].startswith("# Transformers has no such strategy")
    assert seen["cards"][-1] == "SmolLM2-1.7B"
    _run(["-m", "pytest", "-q", "-n", "0", *CHECKS], tmp_path)


def _run(arguments: list[str], folder: Path) -> str:
    """Run Python in a folder; return what it printed, and fail with what it complained of."""
    environ = os.environ | {"OMP_NUM_THREADS": "1"}  # other tests run beside this one
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
