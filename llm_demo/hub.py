"""Whether the Hugging Face hub answers, decided within seconds: its own clients retry for half a minute."""

import logging
import threading
from typing import Literal

from huggingface_hub import HfApi
from huggingface_hub.utils import httpx

PROBE_SECONDS = 4.0

log = logging.getLogger(__name__)


def answers(kind: Literal["model", "dataset"], repo: str, revision: str | None, seconds: float = PROBE_SECONDS) -> bool:
    """Ask the hub for a repository's revision, in a thread: looking a host's name up knows no time limit."""
    found = threading.Event()
    done = threading.Event()

    def ask() -> None:
        try:
            HfApi().repo_info(repo, revision=revision, repo_type=kind, timeout=seconds)
            found.set()
        except (OSError, ValueError, httpx.HTTPError) as error:
            log.info("The hub does not answer for %s: %s", repo, error)
        finally:
            done.set()

    threading.Thread(target=ask, name="hub-probe", daemon=True).start()
    done.wait(seconds)
    return found.is_set()
