"""Two hundred streams at once: whose is whose, none lost, and no memory kept."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from llm_demo.sampling import Sampling

STREAMS = 200
TOKENS = 20


@pytest.mark.slow
def test_two_hundred_streams_are_neither_mixed_nor_lost_and_leave_nothing_behind(serve):
    engine, server = serve(job_seconds=600, endpoint_seconds=120)
    server.faults.pause = 0.3  # so that all are open together, however slowly they begin

    def crowd() -> list[tuple[int, ...]]:
        all_here = threading.Barrier(STREAMS)

        def visit(number: int) -> tuple[int, ...]:
            all_here.wait()
            sampling = Sampling(seed=number, max_new_tokens=TOKENS)
            return tuple(step.chosen.token_id for step in engine.stream(f"visitor {number}", sampling))

        with ThreadPoolExecutor(STREAMS) as visitors:
            return list(visitors.map(visit, range(STREAMS)))

    first = crowd()
    memory = []
    for _ in range(3):
        assert crowd() == first
        gc.collect()
        memory.append(psutil.Process().memory_info().rss / 2**20)

    server.faults.pause = 0.0
    alone = [
        engine.generate(f"visitor {n}", Sampling(seed=n, max_new_tokens=TOKENS)).token_ids
        for n in range(0, STREAMS, 20)
    ]
    assert first[::20] == alone
    assert all(text[-1] == 256 or len(text) == TOKENS for text in first)  # 256 ends a text
    assert server.seen.most == STREAMS
    assert (server.seen.streaming, server.seen.cancelled) == (0, 0)
    assert memory[-1] - memory[0] < 20  # MiB
