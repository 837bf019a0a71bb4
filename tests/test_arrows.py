"""Which part may import which. The rules stand here; a test reads every import and fails on any other arrow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the top down. A part may import any part of a lower layer.
LAYERS = (
    {"app"},
    {"tabs", "bench", "measures", "harness"},
    {
        "gate",
        "engine",
        "zero",
        "ablation",
        "adherence",
        "quiz",
        "chat",
        "tokens",
        "charts",
        "snippets",
        "lessons",
        "links",
    }
    | {"comparison", "trace_files", "microscope", "conversation", "chat_files", "sentiment", "attention", "embedding"}
    | {"languages", "template", "tally", "remote"},
    {"batching", "crowd", "prompt", "prefill", "jobs", "traces", "request", "decoding", "models", "startup", "shelf"}
    | {"fields", "offers"},
    {"sampling", "trace", "rows", "replay", "hub", "strict_json", "spreadsheet", "rooms", "poll"},
    {"errors", "config", "stats", "rates", "incident", "memory", "ranking", "slots", "turns"},
    {"i18n"},
)
# Beside its own layer's others, a part may import these alone.
SIDEWAYS = {
    "zero": {"engine"},
    "ablation": {"engine", "chat", "adherence"},
    "chat": {"engine"},
    "conversation": {"engine", "chat"},
    "lessons": {"ablation", "adherence"},
    "links": {"ablation", "adherence", "lessons", "quiz"},
    "quiz": {"engine", "chat"},
    "attention": {"engine", "tokens"},
    "embedding": {"engine", "tokens"},
    "chat_files": {"chat"},
    "sentiment": {"engine", "chat"},
    "bench": {"measures", "harness"},
    "charts": {"tokens"},
    "template": {"chat", "tokens"},
    "tally": {"engine", "quiz"},
    "batching": {"prefill", "crowd", "jobs", "decoding"},
    "crowd": {"jobs"},
    "jobs": {"decoding"},
    "traces": {"jobs", "decoding"},
    "prefill": {"jobs"},
    "remote": {"tokens"},
    "engine": {"remote"},
    "request": {"models"},
    "startup": {"models"},
    "sampling": {"trace"},
    "rows": {"replay"},
    "rooms": {"poll"},
    "config": {"errors"},
}
# A library and the parts that may import it; the others are free to all.
LIBRARIES = {
    "gradio": {"app", "tabs"},
    "plotly": {"charts"},
    "lm_eval": {"harness"},
    "openai": {"remote", "engine"},
}
# Nobody in tabs/ imports one of these; their shared helpers have other names.
TABS = {"tokenizer", "chat", "decoding", "ablation", "quiz"}


def part_of(module: str) -> str:
    """Return `tabs` of `llm_demo.tabs.chat`; the part of app.py is `app`."""
    names = module.split(".")
    return names[1] if names[0] == "llm_demo" and len(names) > 1 else names[0]


def layer_of(part: str) -> int | None:
    return next((depth for depth, parts in enumerate(LAYERS) if part in parts), None)


def trouble(importer: str, imported: str) -> str | None:
    """Tell what is wrong with an arrow between two modules; None where it is allowed."""
    mine, theirs = part_of(importer), part_of(imported)
    if theirs in LIBRARIES:
        return None if mine in LIBRARIES[theirs] else f"only {sorted(LIBRARIES[theirs])} may"
    if not imported.startswith(("llm_demo.", "app")):
        return None
    above, below = layer_of(mine), layer_of(theirs)
    if above is None or below is None:
        return f"{mine if above is None else theirs} stands in no layer"
    if mine == theirs:
        is_a_tab = mine == "tabs" and imported.removeprefix("llm_demo.tabs.").split(".")[0] in TABS
        return "tabs do not import each other" if is_a_tab else None
    if above < below or theirs in SIDEWAYS.get(mine, ()):
        return None
    return f"{theirs} stands above {mine}" if above > below else f"{mine} and {theirs} stand side by side"


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    for file in (root / "app.py", *sorted((root / "llm_demo").rglob("*.py"))):
        if file.exists():
            names = file.relative_to(root).with_suffix("").parts
            yield ".".join(names[:-1] if names[-1] == "__init__" else names), file


def imports(module: str, file: Path, known: set[str]) -> Iterator[str]:
    """Yield every module that a file imports, inside functions too."""
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*start, *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in known else source


def forbidden(root: Path) -> list[str]:
    """Return one sentence for every arrow of a tree that no rule allows."""
    files = dict(modules(root))
    return [
        f"{module} imports {imported}: {reason}"
        for module, file in files.items()
        for imported in imports(module, file, set(files))
        if (reason := trouble(module, imported))
    ]


def test_every_import_follows_the_rules():
    assert forbidden(ROOT) == []


def test_every_part_of_the_tree_stands_in_a_layer():
    parts = {part_of(module) for module, _ in modules(ROOT)} - {"llm_demo"}

    assert parts - set().union(*LAYERS) == set()


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("llm_demo/engine.py", "import gradio as gr", "llm_demo.engine imports gradio"),
        ("llm_demo/tabs/chat.py", "from plotly.graph_objects import Figure", "llm_demo.tabs.chat imports plotly"),
        ("llm_demo/charts/steps.py", "def f():\n    from gradio import Plot", "llm_demo.charts.steps imports gradio"),
        ("llm_demo/trace.py", "from llm_demo.sampling import draw", "llm_demo.trace imports llm_demo.sampling"),
        ("llm_demo/config.py", "from llm_demo.engine import Engine", "llm_demo.config imports llm_demo.engine"),
        ("llm_demo/i18n.py", "from llm_demo import errors", "llm_demo.i18n imports llm_demo.errors"),
        ("llm_demo/engine.py", "from llm_demo.tabs import site", "llm_demo.engine imports llm_demo.tabs.site"),
        ("llm_demo/engine.py", "from llm_demo.quiz import rows", "llm_demo.engine imports llm_demo.quiz"),
        ("llm_demo/decoding/beam.py", "from ..batching import Worker", "llm_demo.decoding.beam imports llm_demo.b"),
        ("llm_demo/tabs/chat.py", "from . import quiz", "llm_demo.tabs.chat imports llm_demo.tabs.quiz"),
        ("llm_demo/tabs/chat.py", "from llm_demo.tabs.quiz import x", "llm_demo.tabs.chat imports llm_demo.tabs.quiz"),
        ("llm_demo/tabs/site.py", "from llm_demo.tabs import chat", "llm_demo.tabs.site imports llm_demo.tabs.chat"),
        ("llm_demo/tabs/chat.py", "import app", "llm_demo.tabs.chat imports app"),
        ("llm_demo/engine.py", "from llm_demo.bench import measure", "llm_demo.engine imports llm_demo.bench"),
        ("llm_demo/engine.py", "import llm_demo.new_part", "llm_demo.engine imports llm_demo.new_part"),
    ],
)
def test_a_wrong_arrow_is_found(tmp_path, name, text, sentence):
    others = dict.fromkeys(["errors", "quiz/rows", "tabs/site", "tabs/chat", "tabs/quiz"], "")
    tree(tmp_path, {f"llm_demo/{other}.py": "" for other in others} | {name: text})

    (found,) = forbidden(tmp_path)

    assert found.startswith(sentence)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.py", "import gradio\nfrom llm_demo.tabs import chat\nfrom llm_demo.config import Config"),
        ("llm_demo/tabs/chat.py", "import gradio\nfrom llm_demo.tabs import site\nfrom llm_demo import i18n"),
        ("llm_demo/tabs/chat.py", "from llm_demo.chat import Message\nfrom llm_demo.quiz import rows"),
        ("llm_demo/charts/steps.py", "import plotly.graph_objects\nfrom llm_demo.trace import Step"),
        ("llm_demo/quiz/quiz.py", "from llm_demo.engine import Engine\nfrom .rows import Question"),
        ("llm_demo/batching.py", "from llm_demo.decoding.feed import Feed\nfrom llm_demo.rows import Rows"),
        ("llm_demo/decoding/beam.py", "from llm_demo.decoding import feed\nfrom ..sampling import Sampling"),
        ("llm_demo/errors.py", "from llm_demo.i18n import translator"),
        ("llm_demo/bench.py", "from llm_demo.engine import Engine\nimport torch"),
    ],
)
def test_a_right_arrow_is_left_alone(tmp_path, name, text):
    assert forbidden(tree(tmp_path, {name: text, "llm_demo/quiz/rows.py": ""})) == []


def test_no_rule_allows_a_circle():
    for part, beside in SIDEWAYS.items():
        assert all(layer_of(part) == layer_of(other) for other in beside)
        assert not any(part in SIDEWAYS.get(other, ()) for other in beside)
