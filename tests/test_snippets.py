"""Snippets: the code that is shown, run as it stands, prints what the engine wrote."""

import ast
import contextlib
import io
import shutil

import pytest
from transformers import GenerationConfig

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.errors import SettingsError
from llm_demo.i18n import translator
from llm_demo.models.embedded import embedded_folder
from llm_demo.sampling import Sampling
from llm_demo.snippets import snippet

EN = translator("en")
PROMPT = "uno dos tres uno dos"
DETERMINISTIC = [
    Sampling("greedy"),
    Sampling("greedy", repetition_penalty=1.3),
    Sampling("greedy", no_repeat_ngram_size=2),
    Sampling("beam", num_beams=2),
    Sampling("beam", num_beams=4, length_penalty=2.0),
    Sampling("beam", num_beams=3, early_stopping=True, repetition_penalty=1.2),
    Sampling("prompt_lookup"),
    Sampling("prompt_lookup", num_draft_tokens=3, repetition_penalty=1.1),
    Sampling("speculative"),
    Sampling("speculative", num_draft_tokens=2),
    Sampling("contrastive", penalty_alpha=0.6, top_k=4, max_new_tokens=20),
    Sampling("contrastive", penalty_alpha=0.3, top_k=3, repetition_penalty=1.2, no_repeat_ngram_size=3),
    Sampling(top_k=1, seed=7),
]
DRAWN = [
    Sampling(temperature=0.7, top_p=0.9, seed=3),
    Sampling(top_k=20, min_p=0.05, typical_p=0.9),
    Sampling("prompt_lookup", do_sample=True),
    Sampling("speculative", do_sample=True, temperature=0.8),
]


def run(code: str) -> tuple[str, dict]:
    """Paste the code into a notebook; return what it printed, and its variables."""
    variables: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, variables)
    return printed.getvalue(), variables


@pytest.fixture(scope="module")
def folders(tmp_path_factory, make_tiny_model, tiny_tokenizer) -> dict[str, str]:
    """A tiny model, another that drafts for it, and the first again with defaults that would change every text."""
    made = {}
    for name, seed in (("model", 0), ("draft", 1)):
        made[name] = tmp_path_factory.mktemp("snippets") / name
        make_tiny_model(seed).save_pretrained(made[name])
        tiny_tokenizer.save_pretrained(made[name])
    made["sampler"] = made["model"].parent / "sampler"
    shutil.copytree(made["model"], made["sampler"])
    GenerationConfig(
        do_sample=True, temperature=0.6, top_k=20, top_p=0.95, repetition_penalty=1.3, eos_token_id=256
    ).save_pretrained(made["sampler"])
    return {name: str(folder) for name, folder in made.items()}


@pytest.fixture(scope="module")
def tiny(folders):
    config = Config(device="cpu", dtype="float32", draft_model="draft", extra_models={"draft": folders["draft"]})
    loaded = Engine.load(folders["model"], config)
    yield loaded
    loaded.close()


# --- the text ---


@pytest.mark.parametrize("sampling", DETERMINISTIC, ids=str)
def test_it_prints_the_engines_text(folders, tiny, sampling):
    code = snippet(folders["model"], PROMPT, sampling, EN, folders["draft"], tiny.loaded.stop_ids)

    assert run(code)[0] == tiny.generate(PROMPT, sampling).text + "\n"


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling("beam", num_beams=4, length_penalty=2.0, max_new_tokens=8),
        Sampling("contrastive", penalty_alpha=0.6, top_k=4, max_new_tokens=8),
        Sampling("prompt_lookup", repetition_penalty=1.3, max_new_tokens=8),
    ],
    ids=lambda sampling: sampling.strategy,
)
def test_it_prints_the_real_models_text(engine, sampling):
    folder = embedded_folder(engine.config.cache, lambda stage: None)

    printed, _ = run(snippet(str(folder), "Lista de colores: rojo, azul", sampling, EN))

    assert printed == engine.generate("Lista de colores: rojo, azul", sampling).text + "\n"


def test_a_text_ends_where_the_engine_ends_it(engine):
    folder = embedded_folder(engine.config.cache, lambda stage: None)
    prompt = "Question: What is the capital of France?\nAnswer:"  # this model has nothing to say to it
    sampling = Sampling("contrastive", penalty_alpha=0.0, top_k=2)

    printed, variables = run(snippet(str(folder), prompt, sampling, EN))

    trace = engine.generate(prompt, sampling)
    assert trace.finish_reason == "stop"
    assert variables["output"].shape[1] == len(trace.prompt_ids) + len(trace.token_ids)
    assert printed == trace.text + "\n"


@pytest.mark.parametrize("strategy", ["greedy", "prompt_lookup", "speculative"])
def test_the_models_own_defaults_do_not_leak_in(folders, tiny, strategy):
    code = snippet(folders["sampler"], PROMPT, Sampling(strategy), EN, folders["sampler"])

    assert run(code)[0] == tiny.generate(PROMPT, Sampling("greedy")).text + "\n"


def test_sampling_among_one_is_greedy(folders, tiny):
    printed, _ = run(snippet(folders["sampler"], PROMPT, Sampling(top_k=1, seed=5), EN))

    assert printed == tiny.generate(PROMPT, Sampling("greedy")).text + "\n"


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("sampling", DRAWN, ids=str)
def test_drawing_code_runs_and_says_what_part_of_the_draw_is_ours(folders, sampling, language):
    t = translator(language)
    code = snippet(folders["model"], PROMPT, sampling, t, folders["draft"])

    assert run(code)[0] == run(code)[0]  # its seed is in it
    comment = " ".join(line.removeprefix("# ") for line in code.splitlines() if line.startswith("#"))
    assert t("snippet.draw") in comment


@pytest.mark.parametrize("sampling", DETERMINISTIC[:-1], ids=str)
def test_code_that_draws_nothing_does_not_speak_of_drawing(sampling):
    code = snippet("a/b", PROMPT, sampling, EN, "a/c")

    assert "manual_seed" not in code
    assert "draw" not in code


# --- the knobs ---


def knobs(sampling: Sampling) -> dict[str, str]:
    """Return the named arguments that `generate` is called with, as written."""
    tree = ast.parse(snippet("a/b", PROMPT, sampling, EN, "a/c"))
    (call,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "model.generate"
    ]
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg}


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling("greedy", temperature=0.5, top_k=7), {"do_sample": "False"}),
        (Sampling(), {"do_sample": "True", "top_k": "0"}),  # transformers itself would keep 50
        (
            Sampling(temperature=0.5, top_k=7, top_p=0.8, min_p=0.1, typical_p=0.9, num_beams=3),
            {
                "do_sample": "True",
                "temperature": "0.5",
                "top_k": "7",
                "top_p": "0.8",
                "min_p": "0.1",
                "typical_p": "0.9",
            },
        ),
        (
            Sampling("beam", num_beams=4, length_penalty=2.0, early_stopping=True, top_p=0.5),
            {"do_sample": "False", "num_beams": "4", "length_penalty": "2.0", "early_stopping": "True"},
        ),
        (Sampling("beam", num_beams=2, no_repeat_ngram_size=3), {"num_beams": "2", "no_repeat_ngram_size": "3"}),
        (Sampling("prompt_lookup"), {"prompt_lookup_num_tokens": "10"}),
        (Sampling("prompt_lookup", num_draft_tokens=3), {"prompt_lookup_num_tokens": "3"}),
        (
            Sampling("speculative", repetition_penalty=1.2),
            {"assistant_model": "assistant", "repetition_penalty": "1.2"},
        ),
    ],
    ids=str,
)
def test_only_the_knobs_that_matter_are_written(sampling, expected):
    assert knobs(sampling) == {"do_sample": "False", "max_new_tokens": "50"} | expected


def test_speculative_code_needs_a_drafter():
    with pytest.raises(SettingsError) as caught:
        snippet("a/b", PROMPT, Sampling("speculative"), EN)
    assert caught.value.key == "no_draft"


# --- what visitors write ---

HOSTILE = [
    'it\'s "quoted" \'\'\'three times\'\'\' """and again"""',
    "')\nimport os\nprint('broken out')\n(\"",
    "a backslash \\ and one at the end \\",
    "line\r\nline\rline\n\n",
    "separators \u2028 and \u2029 and \x85 and \x0b\x0c",
    "{braces} {0!r} %s # no comment",
    "right to left \u202e and nothing \x00 \u200b",
    "ñ ¿qué? 中文 🙂",
    " \n ",
]


@pytest.mark.parametrize("prompt", HOSTILE)
def test_the_text_tokenized_is_the_prompt(folders, tiny, prompt):
    printed, variables = run(snippet(folders["model"], prompt, Sampling("greedy", max_new_tokens=1), EN))

    assert variables["prompt"] == prompt
    assert variables["inputs"].input_ids[0].tolist() == tiny.tokenizer(prompt).input_ids
    assert "broken out" not in printed


@pytest.mark.parametrize("source", HOSTILE)
def test_a_source_stays_a_name(source):
    code = snippet(source, PROMPT, Sampling("speculative"), EN, draft=source)

    quoted = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert quoted.count(source) == 2
    plain = snippet("a/b", PROMPT, Sampling("speculative"), EN, draft="a/b")
    assert len(ast.parse(code).body) == len(ast.parse(plain).body)
