"""Memory: what was freed goes back to the system, of which the C library keeps what lies between blocks in use."""

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> bool:
    """Hand freed memory back; returns whether there was any.

    Source: https://man7.org/linux/man-pages/man3/malloc_trim.3.html, which other libraries than glibc do not have.
    """
    return bool(_trim()(0))


@cache
def _trim() -> Callable[[int], int]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # no such function, no such library, a system that has none to name
        return lambda _kept: 0
