"""Our speed beside transformers' own, as ratios: `python -m llm_demo.bench [--json FILE] [--picture FILE.html]`.

`--harness es,en` compares the quiz's letters with those of lm-evaluation-harness instead; see `harness.py`.

Each figure compares two ways of doing one thing on one machine in one run, the two taken in turn, so that
whatever else the machine does meanwhile weighs on both alike. `default` is the model as this machine and the
operator's settings run it, beside it the same in float32, and beside both what transformers itself loads in float32.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from llm_demo.charts import crowd_chart
from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.engine.local import LocalEngine
from llm_demo.harness import Agreement, agree, told
from llm_demo.measures import (
    ANSWERS,
    CROWD,
    EXAM,
    TOP_K,
    ablation_speedup,
    bandwidth,
    batch_log_probs_speedup,
    bytes_per_token,
    compare_six_speedup,
    compared,
    crowd_vs_one,
    crowds,
    ours,
    peak_memory_mb,
    peer,
    processor,
    ratio,
    single_stream,
    slowest_vs_median,
    summary,
)
from llm_demo.models.catalogue import ModelCard
from llm_demo.models.files import Report, locate
from llm_demo.models.loader import Loaded, load, load_default

LEAST_RUNS = 5  # below it a median says nothing
FINE = 5  # times as many for one stream, which is told to a hundredth


def endless(config: Config, card: ModelCard | None = None) -> Engine:
    """Run a model, or the machine's default, that ends no text by itself, so that everybody makes as many tokens."""

    def read(report: Report) -> Loaded:
        loaded = load(card, config, report) if card else load_default(config, report)
        return replace(loaded, stop_ids=frozenset())

    return LocalEngine(config, read)


def measure(default: Engine, runs: int, tokens: int, sizes: Sequence[int]) -> dict[str, object]:
    """Take every figure, each after a short run to warm up, and close the engine.

    One engine stands at a time: the peak of memory is the default's own, and nobody's idle threads slow another.
    Figures of the default beside our float32 are None where the default is float32. `bandwidth_share` is the bytes of
    weights that a token reads, times the tokens a second of a single traced stream, by `bandwidth`; on a processor
    whose cache holds the weights it may pass 1.
    """
    loaded, device = default.loaded, default.model.device
    differ = loaded.number_format != "float32"
    with closing(default):
        warm_up(default)
        crowds_default = crowds(default, runs, tokens, sizes)
        memory = peak_memory_mb(device)
        batch_speedup = batch_log_probs_speedup(default, runs)
        six_default = compare_six_speedup(default, runs, tokens)
        if not differ:
            ablation = ablation_speedup(default, runs, tokens)
        plain = default.call(partial(as_transformers_loads_it, default))
        peer(default, compared(2), plain)
        speeds = single_stream(default, plain, FINE * runs, tokens)
        reading = bytes_per_token(plain, loaded.number_format) * median(speeds["traced"])
        del plain
    if differ:
        with closing(endless(replace(default.config, dtype="float32"), loaded.card)) as float32:
            warm_up(float32)
            crowds_float32 = crowds(float32, runs, tokens, sizes)
            six_float32 = compare_six_speedup(float32, runs, tokens)
            ablation = ablation_speedup(float32, runs, tokens)
    else:
        crowds_float32, six_float32 = crowds_default, six_default
    return {
        "model": loaded.card.key,
        "device": device.type,
        "processor": processor(device),
        "dtype": loaded.number_format,
        "runs": runs,
        "tokens": tokens,
        "single_stream_tokens_per_second": {name: median(values) for name, values in speeds.items()},
        "traced_vs_generate": ratio(speeds, "traced", "generate"),
        "untraced_vs_generate": ratio(speeds, "untraced", "generate"),
        "default_vs_float32_generate": ratio(speeds, "traced", "float32_generate"),
        "compare_six_speedup": six_float32,
        "compare_six_speedup_default": six_default if differ else None,
        "batch_log_probs_speedup": batch_speedup,
        "ablation_speedup": ablation,
        f"crowd_{CROWD}_vs_1": crowd_vs_one(crowds_float32),
        f"slowest_vs_median_{CROWD}": slowest_vs_median(crowds_float32),
        "visitors": [summary(n, crowds_float32[n]) for n in sizes],
        "visitors_default": [summary(n, crowds_default[n]) for n in sizes] if differ else None,
        "peak_memory_mb": memory,
        "bandwidth_share": reading / bandwidth(device),
    }


def as_transformers_loads_it(engine: Engine) -> PreTrainedModel:
    """Return the model in float32, its products left as they are."""
    source = locate(engine.loaded.card, engine.config, lambda _stage: None)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, use_safetensors=True)
    return model.to(engine.model.device).eval()


def warm_up(engine: Engine) -> None:
    """Do once, in small, what is measured; `--tokens` allows no fewer than these 2."""
    ours(engine, compared(2))
    peer(engine, compared(2))
    crowds(engine, 1, 2, [8])
    engine.log_probs(EXAM, ANSWERS[0])


def beside_harness(config: Config, languages: Sequence[str]) -> list[Agreement]:
    """Compare the quiz's letters with the harness's, in float32."""
    with closing(Engine.load("", replace(config, dtype="float32", quiz_seconds=3_600))) as engine:
        plain = engine.call(partial(as_transformers_loads_it, engine))
        return [agree(engine, plain, language) for language in languages]


RATIOS = {
    "traced_vs_generate": "one stream, top 10 recorded : bare generate",
    "untraced_vs_generate": "one stream, 1 candidate recorded : bare generate",
    "default_vs_float32_generate": "one stream, top 10 recorded : generate in float32",
    "compare_six_speedup": "six together : six generate calls, float32",
    "compare_six_speedup_default": "six together : six generate calls, default",
    "batch_log_probs_speedup": "32 continuations scored : one by one",
    "ablation_speedup": "20 samples of 5 variants together : one by one, float32",
    f"crowd_{CROWD}_vs_1": f"tokens/s of {CROWD} visitors : of one, float32",
    f"slowest_vs_median_{CROWD}": f"last of {CROWD} visitors done : the middle one, float32",
    "bandwidth_share": "share of the memory bandwidth, one stream",
    "peak_memory_mb": "peak memory of the default, MB",
}
COLUMNS = "visitors  tokens/s  first token p50    p95  gap p50    p95  (milliseconds)"


def table(figures: Mapping[str, object]) -> str:
    """Return the figures as the lines that a person reads."""
    lines = [
        "{model} in {dtype} on {device}: {processor}".format(**figures),
        "{tokens} tokens, median of {runs} runs, of one stream {fine}".format(**figures, fine=FINE * figures["runs"]),
    ]
    for name, words in RATIOS.items():
        value = figures[name]
        lines.append(f"{words:56}{'-' if value is None else format(value, '.2f' if value < 100 else '.0f'):>8}")
    for words, rows in curves(figures).items():
        lines.append(f"{COLUMNS}, {words}")
        for row in rows:
            first, first_95, gap, gap_95 = [1_000 * row[name] for name in list(row)[2:]]
            lines.append(
                f"{row['n']:8}{row['tokens_per_second']:10.1f}{first:17.0f}{first_95:7.0f}{gap:9.0f}{gap_95:7.0f}"
            )
    return "\n".join(lines)


def curves(figures: Mapping[str, object]) -> dict[str, list[dict[str, float]]]:
    """Return number format -> its rows about visitors."""
    found = {"float32": figures["visitors"]}
    if figures["visitors_default"]:
        found[figures["dtype"]] = figures["visitors_default"]
    return found


def whole(text: str, least: int = 1) -> int:
    """Read a whole number for `argparse`."""
    number = int(text)
    if number < least:
        raise argparse.ArgumentTypeError(f"{text} is below {least}")
    return number


def html_file(text: str) -> Path:
    """Read the name of a picture for `argparse`."""
    if not text.endswith(".html"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .html")
    return Path(text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the operator's model, or the machine's default, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m llm_demo.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--picture", type=html_file, metavar="FILE.html", help="draw what visitors wait for here")
    parser.add_argument("--runs", type=whole, default=LEAST_RUNS, help=f"of each figure, {LEAST_RUNS} or more")
    parser.add_argument("--tokens", type=partial(whole, least=2), default=40, help="generated by each row")
    parser.add_argument(
        "--visitors",
        type=lambda text: [whole(number) for number in text.split(",")],
        default=[1, 4, 8, CROWD, 32],
        help="sizes of the crowds, with commas between",
    )
    parser.add_argument("--quick", action="store_true", help="allow fewer runs: a look, not a measurement")
    parser.add_argument(
        "--harness",
        type=lambda text: text.split(","),
        metavar="LANGUAGES",
        help="compare the quiz with lm-evaluation-harness in these languages, and nothing else",
    )
    options = parser.parse_args(arguments)
    if options.harness:
        print(told(beside_harness(Config.from_env(os.environ), options.harness)))
        return
    if options.runs < LEAST_RUNS and not options.quick:
        parser.error(f"--runs below {LEAST_RUNS} is no measurement; --quick allows it")

    config = Config.from_env(os.environ)
    config = replace(config, job_seconds=3_600, max_new_tokens=options.tokens, max_compared=6, max_top_k=TOP_K)
    figures = measure(endless(config), options.runs, options.tokens, options.visitors)
    print(table(figures))
    if options.runs < LEAST_RUNS:
        print(f"This is no measurement: {options.runs} runs, and {LEAST_RUNS} are the least.")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if options.picture:
        title = "{model} on {processor}".format(**figures)
        words = ("visitors at once", "tokens a second, all together", "gap between tokens, p95, milliseconds")
        crowd_chart(curves(figures), title, *words).write_html(options.picture, include_plotlyjs=True)


if __name__ == "__main__":
    main()
