"""MMLU-ProX Lite from the hub, or its copy of an earlier visit; a quick answer where neither is had."""

import logging
import threading
from collections.abc import Mapping

REPO = "li-lab/MMLU-ProX-Lite"
REVISION = "e82aafb9460529687d3c7e51b401d8dd1dd309dd"
PROBE_SECONDS = 4.0

log = logging.getLogger(__name__)


class OutOfReachError(Exception):
    """The hub does not answer and no copy of the rows is on this machine. No visitor reads this."""


def fetch_hub(language: str) -> list[Mapping[str, object]]:
    """Return the rows of the test split in a language.

    The hub is asked first with a short limit, because `load_dataset` tries five times over 23 seconds.

    Raises:
        OutOfReachError: within about `PROBE_SECONDS` where there is no network; at once under HF_HUB_OFFLINE.
    """
    import datasets  # a second to import: not at the app's start
    from datasets.exceptions import DatasetsError
    from datasets.packaged_modules.cache.cache import Cache
    from huggingface_hub.utils import httpx

    datasets.disable_progress_bars()
    try:
        if not datasets.config.HF_HUB_OFFLINE and _answers(PROBE_SECONDS):
            return datasets.load_dataset(REPO, language, split="test", revision=REVISION).to_list()
        name = REPO.partition("/")[2]
        copy = Cache(dataset_name=name, repo_id=REPO, config_name=language, version="0.0.0", hash=REVISION)
        return copy.as_dataset(split="test").to_list()
    except (OSError, ValueError, DatasetsError, httpx.HTTPError) as error:
        raise OutOfReachError(f"{REPO} ({language}): {error}") from error


def _answers(seconds: float) -> bool:
    """Ask the hub for the pinned revision, in a thread: looking a host's name up knows no time limit."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import httpx

    found = threading.Event()
    done = threading.Event()

    def ask() -> None:
        try:
            HfApi().dataset_info(REPO, revision=REVISION, timeout=seconds)
            found.set()
        except (OSError, ValueError, httpx.HTTPError) as error:
            log.info("The hub does not answer for %s: %s", REPO, error)
        finally:
            done.set()

    threading.Thread(target=ask, name="quiz-hub-probe", daemon=True).start()
    done.wait(seconds)
    return found.is_set()
