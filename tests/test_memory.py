"""Memory: what was freed between blocks in use goes back to the system."""

import ctypes
import sys

import psutil
import pytest

from llm_demo.memory import give_back

COUNT, SIZE = 4000, 64 * 1024  # below the size from which the C library asks the system for each block


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="glibc alone")
def test_what_lies_freed_between_blocks_in_use_is_given_back():
    process = psutil.Process()
    blocks = [bytearray(b"x" * SIZE) for _ in range(COUNT)]
    kept = blocks[:: COUNT // 40]
    del blocks
    before = process.memory_info().rss

    assert give_back()

    assert before - process.memory_info().rss > 0.5 * COUNT * SIZE
    assert {len(block) for block in kept} == {SIZE}
