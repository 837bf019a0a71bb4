"""Our speed beside transformers' own, as ratios: `python -m llm_demo.bench [--json FILE] [--runs 5] [--tokens 40]`.

Each figure compares two ways of doing one thing on one machine in one run, the two taken in turn, so that
whatever else the machine does meanwhile weighs on both alike.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

import torch

from llm_demo.engine import Engine
from llm_demo.sampling import Sampling

PROMPT = "Once upon a time, in a small village by the sea, there lived a fisherman who"
PROMPTS = (  # of visitors who arrive together, each with a prompt of another length
    PROMPT,
    "La capital de España es",
    "Question: Why is the sky blue?\nAnswer:",
    "Érase una vez un niño que vivía con su abuela en una casa al borde del bosque y",
)
VISITORS = (1, 4, 8)
TOP_K = 10  # candidates recorded at every step


def compared(tokens: int) -> list[Sampling]:
    """Return the six strategies that are decoded together, or one after another."""
    return [
        Sampling(strategy="greedy", max_new_tokens=tokens),
        Sampling(strategy="greedy", max_new_tokens=tokens, repetition_penalty=1.2),
        Sampling(strategy="greedy", max_new_tokens=tokens, no_repeat_ngram_size=3),
        Sampling(max_new_tokens=tokens, temperature=0.7),
        Sampling(max_new_tokens=tokens, top_k=50),
        Sampling(max_new_tokens=tokens, top_p=0.9),
    ]


@dataclass(frozen=True, slots=True)
class Timed:
    """How long something took, and how many tokens came of it."""

    tokens: int
    seconds: float

    @property
    def speed(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds


def timed(work: Callable[[], int]) -> Timed:
    """Time something that returns how many tokens it made."""
    begun = time.perf_counter()
    tokens = work()
    return Timed(tokens, time.perf_counter() - begun)


def peer(engine: Engine, sampling: Sampling) -> int:
    """Run transformers' bare `generate`, nothing recorded; return the number of new tokens, which is forced."""
    inputs = engine.tokenizer(PROMPT, return_tensors="pt").to(engine.model.device)
    drawn = {"temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p}
    output = engine.model.generate(
        **inputs,
        do_sample=sampling.draws,
        max_new_tokens=sampling.max_new_tokens,
        min_new_tokens=sampling.max_new_tokens,
        repetition_penalty=sampling.repetition_penalty,
        no_repeat_ngram_size=sampling.no_repeat_ngram_size,
        **(drawn if sampling.draws else {}),
    )
    return len(output[0].tolist()) - inputs.input_ids.shape[1]


def in_turn(runs: int, ours: Callable[[], int], theirs: Callable[[], int]) -> float:
    """Return the median over the runs of our speed to theirs; they take turns, and turns at being first."""
    ratios = []
    for run in range(runs):
        if run % 2:
            our, their = timed(ours), timed(theirs)
        else:
            their, our = timed(theirs), timed(ours)
        ratios.append(our.speed / their.speed)
    return median(ratios)


def traced_vs_generate(engine: Engine, runs: int, tokens: int) -> float:
    """Measure our loop, which records the top 10 at every step, against a bare `generate`: both greedy, one row.

    1.0 is as fast; below it is what recording costs.
    """
    greedy = Sampling(strategy="greedy", max_new_tokens=tokens)
    return in_turn(
        runs,
        lambda: len(engine.generate(PROMPT, greedy, TOP_K).token_ids),
        lambda: peer(engine, greedy),
    )


def compare_six_speedup(engine: Engine, runs: int, tokens: int) -> float:
    """Measure six strategies decoded together against six `generate` calls, in tokens a second of all six."""
    samplings = compared(tokens)
    return in_turn(
        runs,
        lambda: sum(len(trace.token_ids) for trace in engine.compare(PROMPT, samplings, TOP_K)),
        lambda: sum(peer(engine, sampling) for sampling in samplings),
    )


def visit(engine: Engine, prompt: str, sampling: Sampling, all_here: threading.Barrier) -> list[float]:
    """Stream one continuation as a visitor does; return the seconds from the request to each token."""
    all_here.wait()
    begun = time.perf_counter()
    return [time.perf_counter() - begun for _ in engine.stream(prompt, sampling, TOP_K)]


def crowd(engine: Engine, n: int, tokens: int) -> tuple[Timed, list[list[float]]]:
    """Let n visitors ask at the same moment; return the whole and each one's arrival times."""
    all_here = threading.Barrier(n)
    sampling = Sampling(max_new_tokens=tokens, top_p=0.9)
    with ThreadPoolExecutor(n) as pool:
        begun = time.perf_counter()
        visits = [
            pool.submit(visit, engine, PROMPTS[i % len(PROMPTS)], replace(sampling, seed=i), all_here) for i in range(n)
        ]
        arrivals = [visit.result() for visit in visits]
        return Timed(sum(map(len, arrivals)), time.perf_counter() - begun), arrivals


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile; of a single value, that value."""
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def visitors(engine: Engine, runs: int, tokens: int) -> list[dict[str, float]]:
    """Measure what visitors who arrive together wait for: the first token, and each gap to the next one.

    The sizes of the crowd take turns. Times are in seconds, their percentiles over all runs and visitors; tokens
    a second are of the whole crowd, the median of the runs.
    """
    results = {n: [] for n in VISITORS}
    for _ in range(runs):
        for n in VISITORS:
            results[n].append(crowd(engine, n, tokens))
    return [summary(n, results[n]) for n in VISITORS]


def summary(n: int, results: Sequence[tuple[Timed, list[list[float]]]]) -> dict[str, float]:
    """Put the runs of one size of crowd into figures."""
    arrivals = [times for _, crowd in results for times in crowd]
    first = [times[0] for times in arrivals]
    gaps = [after - before for times in arrivals for before, after in pairwise(times)] or [0.0]
    return {
        "n": n,
        "tokens_per_second": median(whole.speed for whole, _ in results),
        "first_token_p50": percentile(first, 50),
        "first_token_p95": percentile(first, 95),
        "gap_p50": percentile(gaps, 50),
        "gap_p95": percentile(gaps, 95),
    }


def peak_memory_mb(engine: Engine) -> float | None:
    """Return the most memory held so far: the GPU's where the model is there, else the process's."""
    if engine.model.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    if sys.platform == "win32":
        return None
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def measure(engine: Engine, runs: int, tokens: int) -> dict[str, object]:
    """Take every figure, each after a short run to warm up."""
    engine.compare(PROMPT, compared(4), TOP_K)
    peer(engine, Sampling(strategy="greedy", max_new_tokens=4))
    return {
        "model": engine.loaded.card.key,
        "device": engine.model.device.type,
        "dtype": str(engine.model.dtype).removeprefix("torch."),
        "runs": runs,
        "tokens": tokens,
        "traced_vs_generate": traced_vs_generate(engine, runs, tokens),
        "compare_six_speedup": compare_six_speedup(engine, runs, tokens),
        "visitors": visitors(engine, runs, tokens),
        "peak_memory_mb": peak_memory_mb(engine),
    }


def table(figures: dict[str, object]) -> str:
    """Return the figures as the lines that a person reads."""
    head = "{model} on {device} in {dtype}, {tokens} tokens, {runs} runs".format(**figures)
    memory = figures["peak_memory_mb"]
    lines = [
        head,
        f"{'own loop, top 10 recorded : bare generate':44}{figures['traced_vs_generate']:8.2f}",
        f"{'six strategies together : six generate calls':44}{figures['compare_six_speedup']:8.2f}",
        f"{'peak memory, MB':44}{'unknown' if memory is None else f'{memory:.0f}':>8}",
        "visitors  tokens/s  first token p50  p95   gap p50    p95  (seconds)",
    ]
    lines += [
        f"{row['n']:8}{row['tokens_per_second']:10.1f}{row['first_token_p50']:17.3f}{row['first_token_p95']:7.3f}"
        f"{row['gap_p50']:8.3f}{row['gap_p95']:7.3f}"
        for row in figures["visitors"]
    ]
    return "\n".join(lines)


def at_least(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers for `argparse`."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise ValueError
        return number

    read.__name__ = f"whole number from {least}"  # argparse quotes it
    return read


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the operator's model, or the machine's default, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m llm_demo.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--runs", type=at_least(5), default=5, help="of each figure; the median counts (5 or more)")
    parser.add_argument("--tokens", type=at_least(2), default=40, help="generated by each row")
    options = parser.parse_args(arguments)

    engine = Engine.load()
    try:
        figures = measure(engine, options.runs, options.tokens)
    finally:
        engine.close()
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
