"""Incident: what the log gets to know of a failure, which is where it was, and not what a visitor wrote."""

import logging
import traceback

log = logging.getLogger(__name__)

LONGEST = 5  # exceptions that led to one another, and of each the innermost calls


def report(error: BaseException, what: str) -> None:
    """Log an exception's kinds and places. Its own words stay out: they may quote what was typed, or a secret.

    Args:
        error: with those that led to it.
        what: what failed, in words of ours.
    """
    kinds: list[str] = []
    places: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(kinds) < LONGEST:
        kinds.append(type(seen).__name__)
        frames = traceback.extract_tb(seen.__traceback__)[-LONGEST:]
        places += [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        seen = seen.__cause__ or seen.__context__
    log.error("%s failed: %s\n  %s", what, " from ".join(kinds), "\n  ".join(places))
