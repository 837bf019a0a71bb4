"""Our speed beside transformers' own, as ratios: `python -m llm_demo.bench [--json FILE] [--picture FILE.html]`.

Each figure compares two ways of doing one thing on one machine in one run, the two taken in turn, so that
whatever else the machine does meanwhile weighs on both alike. `default` is the model as this machine and the
operator's settings run it; the float32 copy beside it is what transformers would run on any machine.
"""

import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import torch
from transformers import PreTrainedModel

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.models.loader import Loaded
from llm_demo.sampling import Sampling

PROMPT = "Once upon a time, in a small village by the sea, there lived a fisherman who"
EXAM = "The following are questions about nature, each with its answer.\n\nQuestion: Why is the sea salty?\nAnswer:"
EXAM += " Rivers wash salts out of the rocks, and the sun takes the water away again.\n\nQuestion: "
QUESTIONS = [f"Why do {them}?\nAnswer:" for them in ["birds sing", "cats purr", "bees dance", "stars twinkle"]]
QUESTIONS += [f"What are {them} made of?\nAnswer:" for them in ["clouds", "shells", "comets", "pearls"]]
ANSWERS = (" Nobody knows.", " Of water and dust.", " Because it helps them to live.", " To find one another at night.")
LEAST_RUNS = 5  # below it a median says nothing
INT4_BITS = 5  # a weight: 4, and two bfloat16 numbers for each group of 32; the output head has two such halves
MATRIX = (32_768, 4_096)  # 512 MB in float32: more than a processor's cache holds

Speeds = Mapping[str, Sequence[float]]


def endless(loaded: Loaded, config: Config) -> Engine:
    """Run a model that ends no text by itself, so that everybody makes as many tokens."""
    return Engine(config, lambda _report: replace(loaded, stop_ids=frozenset()))


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


def peer(engine: Engine, samplings: Sequence[Sampling]) -> int:
    """Run transformers' bare `generate` once for each, nothing recorded; return the number of new tokens."""
    inputs = engine.tokenizer(PROMPT, return_tensors="pt").to(engine.model.device)
    count = 0
    for sampling in samplings:
        knobs = {name: getattr(sampling, name) for name in ("temperature", "top_k", "top_p", "min_p")}
        output = engine.model.generate(
            **inputs,
            do_sample=sampling.draws,
            max_new_tokens=sampling.max_new_tokens,
            eos_token_id=-1,  # no token: the text goes on to its full length
            pad_token_id=0,
            **(knobs if sampling.draws else {}),
        )
        count += output.shape[1] - inputs.input_ids.shape[1]
    return count


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


def single_stream(default: Engine, float32: Engine, runs: int, tokens: int) -> Speeds:
    """Measure one greedy row: with the top 10 recorded, with the one candidate that must be, and two bare peers."""
    greedy = [Sampling(strategy="greedy", max_new_tokens=tokens)]
    works = {
        "traced": lambda: ours(default, greedy),
        "untraced": lambda: ours(default, greedy, top_k=1),
        "generate": lambda: peer(default, greedy),
    }
    if float32 is not default:
        works["float32_generate"] = lambda: peer(float32, greedy)
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


def peak_memory_mb(device: torch.device) -> float | None:
    """Return the most memory held so far: the GPU's where the model is there, else the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return None
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def bytes_per_token(float32: PreTrainedModel, number_format: str) -> float:
    """Return the bytes of weights that one token of a single row has to read; of the embedding it reads one line.

    Args:
        float32: the model, or any other format's but int4: only its shapes count.
        number_format: the one whose bytes are asked for.
    """
    embedding, head = (layer.weight for layer in (float32.get_input_embeddings(), float32.get_output_embeddings()))
    weights = sum(weight.numel() for weight in float32.parameters())
    if head is not embedding:
        weights -= embedding.numel()
    if number_format == "int4":
        return (weights + head.numel()) * INT4_BITS / 8
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


def measure(default: Engine, runs: int, tokens: int, sizes: Sequence[int]) -> dict[str, object]:
    """Take every figure, each after a short run to warm up.

    The default stands alone at first, so that the peak of memory is its own. Figures of the default beside float32
    are None where the default is float32. `bandwidth_share` is the bytes of weights that a token reads, times the
    tokens a second of a single traced stream, by `bandwidth`; on a processor whose cache holds the weights it may
    pass 1.
    """
    loaded, device = default.loaded, default.model.device
    warm_up(default)
    crowds_default = crowds(default, runs, tokens, sizes)
    memory = peak_memory_mb(device)
    float32 = default if loaded.number_format == "float32" else in_float32(default)
    try:
        differ = float32 is not default
        if differ:
            warm_up(float32)
        crowds_float32 = crowds(float32, runs, tokens, sizes) if differ else crowds_default
        speeds = single_stream(default, float32, runs, tokens)
        reading = bytes_per_token(float32.model, loaded.number_format) * median(speeds["traced"])
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
            "default_vs_float32_generate": ratio(speeds, "traced", "float32_generate") if differ else None,
            "compare_six_speedup": compare_six_speedup(float32, runs, tokens),
            "compare_six_speedup_default": compare_six_speedup(default, runs, tokens) if differ else None,
            "batch_log_probs_speedup": batch_log_probs_speedup(default, runs),
            f"crowd_{CROWD}_vs_1": crowd_vs_one(crowds_float32),
            f"slowest_vs_median_{CROWD}": slowest_vs_median(crowds_float32),
            "visitors": [summary(n, crowds_float32[n]) for n in sizes],
            "visitors_default": [summary(n, crowds_default[n]) for n in sizes] if differ else None,
            "peak_memory_mb": memory,
            "bandwidth_share": reading / bandwidth(device),
        }
    finally:
        if float32 is not default:
            float32.close()


def in_float32(engine: Engine) -> Engine:
    """Run the same model a second time, in float32."""
    config = replace(engine.config, dtype="float32")
    return endless(load(engine.loaded.card, config, lambda _stage: None), config)


def warm_up(engine: Engine) -> None:
    """Do once, in small, what is measured."""
    ours(engine, compared(4))
    peer(engine, compared(4))
    crowds(engine, 1, 4, [8])
    engine.log_probs(EXAM, ANSWERS[0])


RATIOS = {
    "traced_vs_generate": "one stream, top 10 recorded : bare generate",
    "untraced_vs_generate": "one stream, 1 candidate recorded : bare generate",
    "default_vs_float32_generate": "one stream, top 10 recorded : generate in float32",
    "compare_six_speedup": "six together : six generate calls, float32",
    "compare_six_speedup_default": "six together : six generate calls, default",
    "batch_log_probs_speedup": "32 continuations scored : one by one",
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
        "{tokens} tokens, median of {runs} runs".format(**figures),
    ]
    for name, words in RATIOS.items():
        value = figures[name]
        lines.append(f"{words:52}{'-' if value is None else format(value, '.2f' if value < 100 else '.0f'):>8}")
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
    found = {"float32": figures["visitors"], figures["dtype"]: figures["visitors_default"]}
    return {number_format: rows for number_format, rows in found.items() if rows}


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
    options = parser.parse_args(arguments)
    if options.runs < LEAST_RUNS and not options.quick:
        parser.error(f"--runs below {LEAST_RUNS} is no measurement; --quick allows it")

    config = Config.from_env(os.environ)
    config = replace(config, job_seconds=3_600, max_new_tokens=options.tokens, max_compared=6, max_top_k=TOP_K)
    engine = endless(load_default(config, lambda _stage: None), config)
    try:
        figures = measure(engine, options.runs, options.tokens, options.visitors)
    finally:
        engine.close()
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
