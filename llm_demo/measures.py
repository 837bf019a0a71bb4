"""What `bench` measures: our loop and its peer taking turns, crowds of visitors, and the machine itself."""

import platform
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

import torch
from transformers import PreTrainedModel

from llm_demo.ablation.experiment import make_requests
from llm_demo.ablation.parts import Part
from llm_demo.ablation.variants import make_variants
from llm_demo.engine import Engine
from llm_demo.sampling import Sampling

PROMPTS = (  # of visitors who arrive together, each with a prompt of another length
    "Once upon a time, in a small village by the sea, there lived a fisherman who",
    "La capital de España es",
    "Question: Why is the sky blue?\nAnswer:",
    "Érase una vez un niño que vivía con su abuela en una casa al borde del bosque y",
)
PROMPT = PROMPTS[0]
EXAM = "The following are questions about nature, each with its answer.\n\nQuestion: Why is the sea salty?\nAnswer:"
EXAM += " Rivers wash salts out of the rocks, and the sun takes the water away again.\n\nQuestion: "
QUESTIONS = [f"Why do {them}?\nAnswer:" for them in ["birds sing", "cats purr", "bees dance", "stars twinkle"]]
QUESTIONS += [f"What are {them} made of?\nAnswer:" for them in ["clouds", "shells", "comets", "pearls"]]
ANSWERS = (" Nobody knows.", " Of water and dust.", " Because it helps them to live.", " To find one another at night.")
ABLATED = [
    Part("tone", "Explain in a friendly and simple tone."),
    Part("format", "Answer with three bullet points."),
    Part("topic", "What is Git useful for?"),
]
SAMPLES = 4  # of each of their five variants
TOP_K = 10  # candidates recorded at every step
CROWD = 16  # visitors whose throughput and fairness are figures by themselves
MATRIX = (32_768, 4_096)  # 512 MB in float32: more than most processors' caches hold

Speeds = Mapping[str, Sequence[float]]
Arrivals = list[list[float]]  # for each visitor of a crowd, the seconds from the request to each token


def compared(tokens: int) -> list[Sampling]:
    """Return the six strategies that are decoded together, or one after another."""
    return [
        Sampling(strategy="greedy", max_new_tokens=tokens),
        Sampling(max_new_tokens=tokens),
        Sampling(max_new_tokens=tokens, temperature=0.7),
        Sampling(max_new_tokens=tokens, top_k=50),
        Sampling(max_new_tokens=tokens, top_p=0.9),
        Sampling(max_new_tokens=tokens, temperature=1.3, min_p=0.1),
    ]


def ours(engine: Engine, samplings: Sequence[Sampling], top_k: int = TOP_K) -> int:
    """Decode together, recording the top candidates of every step; return the number of new tokens."""
    return sum(len(trace.token_ids) for trace in engine.compare(PROMPT, samplings, top_k))


def peer(engine: Engine, samplings: Sequence[Sampling], model: PreTrainedModel | None = None) -> int:
    """Run transformers' bare `generate` once for each, nothing recorded; return the number of new tokens.

    It runs where our own loop does, in the one thread that computes.

    Args:
        engine: whose model, unless another is given.
        samplings: at least one.
        model: with the same tokenizer.
    """
    model = model or engine.model
    inputs = engine.tokenizer(PROMPT, return_tensors="pt").to(model.device)

    def generate(sampling: Sampling) -> int:
        knobs = {name: getattr(sampling, name) for name in ("temperature", "top_k", "top_p", "min_p")}
        output = model.generate(
            **inputs,
            do_sample=sampling.draws,
            max_new_tokens=sampling.max_new_tokens,
            eos_token_id=model.config.get_text_config().vocab_size,  # no token: the text gets its full length
            pad_token_id=0,
            **(knobs if sampling.draws else {}),
        )
        return output.shape[1] - inputs.input_ids.shape[1]

    return sum(engine.call(partial(generate, sampling)) for sampling in samplings)


def in_turn(runs: int, works: Mapping[str, Callable[[], int]]) -> Speeds:
    """Return tokens a second of each work, run by run; they take turns, and turns at being first."""
    speeds = {name: [] for name in works}
    names = list(works)
    for run in range(runs):
        first = run % len(names)
        for name in names[first:] + names[:first]:
            begun = time.perf_counter()
            speeds[name].append(works[name]() / (time.perf_counter() - begun))
    return speeds


def ratio(speeds: Speeds, mine: str, theirs: str) -> float:
    """Return how many times as fast, the median of the runs."""
    return median(my / their for my, their in zip(speeds[mine], speeds[theirs], strict=True))


def single_stream(engine: Engine, plain: PreTrainedModel, runs: int, tokens: int) -> Speeds:
    """Measure one greedy row: with the top 10 recorded, with the one candidate that must be, and two bare peers.

    Args:
        engine: the default.
        plain: the same model as transformers loads it, in float32.
        runs, tokens: of each.
    """
    greedy = [Sampling(strategy="greedy", max_new_tokens=tokens)]
    works = {
        "traced": lambda: ours(engine, greedy),
        "untraced": lambda: ours(engine, greedy, top_k=1),
        "generate": lambda: peer(engine, greedy),
        "float32_generate": lambda: peer(engine, greedy, plain),
    }
    return in_turn(runs, works)


def compare_six_speedup(engine: Engine, runs: int, tokens: int) -> float:
    """Measure six strategies decoded together against six `generate` calls, in tokens a second of all six."""
    samplings = compared(tokens)
    works = {"together": lambda: ours(engine, samplings), "calls": lambda: peer(engine, samplings)}
    return ratio(in_turn(runs, works), "together", "calls")


def batch_log_probs_speedup(engine: Engine, runs: int) -> float:
    """Measure 4 answers to each of 8 questions, all after one beginning, scored together against one by one."""
    pairs = [(EXAM + question, answer) for question in QUESTIONS for answer in ANSWERS]
    works = {
        "together": lambda: len(engine.batch_log_probs(pairs)),
        "apart": lambda: len([engine.log_probs(*pair) for pair in pairs]),
    }
    return ratio(in_turn(runs, works), "together", "apart")


def ablation_speedup(engine: Engine, runs: int, tokens: int) -> float:
    """Measure the samples of a prompt's variants decoded together against one by one, in tokens a second of all."""
    variants = make_variants(engine.tokenizer, ABLATED)
    requests = make_requests(variants, Sampling(max_new_tokens=tokens), SAMPLES)
    works = {
        "together": lambda: sum(len(trace.token_ids) for trace in engine.generate_many(requests, TOP_K)),
        "apart": lambda: sum(len(engine.generate_many([one], TOP_K)[0].token_ids) for one in requests),
    }
    return ratio(in_turn(runs, works), "together", "apart")


def visit(engine: Engine, number: int, tokens: int, all_here: threading.Barrier) -> list[float]:
    """Stream one continuation as a visitor does; return the seconds from the request to each token."""
    sampling = Sampling(max_new_tokens=tokens, seed=number)
    all_here.wait()
    begun = time.perf_counter()
    steps = engine.stream(PROMPTS[number % len(PROMPTS)], sampling, TOP_K)
    return [time.perf_counter() - begun for _ in steps]


def crowd(engine: Engine, n: int, tokens: int) -> Arrivals:
    """Let n visitors ask at the same moment, each with a prompt and a seed."""
    all_here = threading.Barrier(n)
    with ThreadPoolExecutor(n) as pool:
        visits = [pool.submit(visit, engine, number, tokens, all_here) for number in range(n)]
        return [visit.result() for visit in visits]


def crowds(engine: Engine, runs: int, tokens: int, sizes: Sequence[int]) -> dict[int, list[Arrivals]]:
    """Let crowds of all sizes come in turn, run by run."""
    results = {n: [] for n in sizes}
    for _ in range(runs):
        for n in sizes:
            results[n].append(crowd(engine, n, tokens))
    return results


def throughput(arrivals: Arrivals) -> float:
    """Return the tokens a second of a whole crowd, until its last token."""
    return sum(map(len, arrivals)) / max(times[-1] for times in arrivals)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile; of a single value, that value."""
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def summary(n: int, runs: Sequence[Arrivals]) -> dict[str, float]:
    """Put one size of crowd into figures: seconds over all runs and visitors, the median run's tokens a second."""
    everybody = [times for arrivals in runs for times in arrivals]
    first = [times[0] for times in everybody]
    gaps = [after - before for times in everybody for before, after in pairwise(times)] or [0.0]
    return {
        "n": n,
        "tokens_per_second": median(map(throughput, runs)),
        "first_token_p50": percentile(first, 50),
        "first_token_p95": percentile(first, 95),
        "gap_p50": percentile(gaps, 50),
        "gap_p95": percentile(gaps, 95),
    }


def crowd_vs_one(results: Mapping[int, Sequence[Arrivals]]) -> float | None:
    """Return the throughput of `CROWD` visitors as a multiple of one visitor's; None where either was not asked for."""
    if not {1, CROWD} <= results.keys():
        return None
    runs = zip(results[CROWD], results[1], strict=True)
    return median(throughput(many) / throughput(one) for many, one in runs)


def slowest_vs_median(results: Mapping[int, Sequence[Arrivals]]) -> float | None:
    """Return when the last of `CROWD` visitors has its whole text, as a multiple of when the middle one has."""
    if CROWD not in results:
        return None
    ends = [[times[-1] for times in arrivals] for arrivals in results[CROWD]]
    return median(max(times) / median(times) for times in ends)


def peak_memory_mb(device: torch.device) -> float | None:
    """Return the most memory held so far: the GPU's where the model is there, else the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return None
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def bytes_per_token(plain: PreTrainedModel, number_format: str) -> float:
    """Return the bytes of weights that one token of a single row has to read; of the embedding it reads one line.

    Args:
        plain: the model as transformers loads it: only its shapes count.
        number_format: the one whose bytes are asked for.
    """
    embedding, head = (layer.weight for layer in (plain.get_input_embeddings(), plain.get_output_embeddings()))
    weights = sum(weight.numel() for weight in plain.parameters())
    if head is not embedding:
        weights -= embedding.numel()
    return weights * getattr(torch, number_format).itemsize


def bandwidth(device: torch.device) -> float:
    """Return the bytes a second that this machine reads: a large float32 matrix times a vector, the best of 9."""
    matrix = torch.ones(MATRIX, device=device)
    vector = torch.ones(MATRIX[1], device=device)
    seconds = []
    for _ in range(9):
        begun = time.perf_counter()
        matrix.mv(vector)[0].item()  # `item` waits for a GPU
        seconds.append(time.perf_counter() - begun)
    return matrix.nbytes / min(seconds)


def processor(device: torch.device) -> str:
    """Return the name of what computes."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if sys.platform == "linux" else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{(names or [platform.processor() or platform.machine()])[0]}, {torch.get_num_threads()} threads"
