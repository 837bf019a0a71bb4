"""MMLU-ProX Lite from the hub, or its copy of an earlier visit; a quick answer where neither is had."""

from collections.abc import Mapping

from llm_demo.hub import answers

REPO = "li-lab/MMLU-ProX-Lite"
REVISION = "e82aafb9460529687d3c7e51b401d8dd1dd309dd"


class OutOfReachError(Exception):
    """The hub does not answer and no copy of the rows is on this machine. No visitor reads this."""


def fetch_hub(language: str) -> list[Mapping[str, object]]:
    """Return the rows of the test split in a language.

    The hub is asked first with a short limit, because `load_dataset` tries five times over 23 seconds.

    Raises:
        OutOfReachError: within seconds where there is no network; at once under HF_HUB_OFFLINE.
    """
    import datasets  # a second to import: not at the app's start
    from datasets.exceptions import DatasetsError
    from datasets.packaged_modules.cache.cache import Cache
    from huggingface_hub.utils import httpx

    datasets.disable_progress_bars()
    try:
        if not datasets.config.HF_HUB_OFFLINE and answers("dataset", REPO, REVISION):
            return datasets.load_dataset(REPO, language, split="test", revision=REVISION).to_list()
        name = REPO.partition("/")[2]
        copy = Cache(dataset_name=name, repo_id=REPO, config_name=language, version="0.0.0", hash=REVISION)
        return copy.as_dataset(split="test").to_list()
    except (OSError, ValueError, DatasetsError, httpx.HTTPError) as error:
        raise OutOfReachError(f"{REPO} ({language}): {error}") from error
