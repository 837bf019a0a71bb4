"""MMLU-ProX from the hub, or its copy of an earlier visit; a quick answer where neither is had."""

from collections.abc import Mapping

from llm_demo.hub import answers

# Key of `config.QUIZ_SETS` -> repository and pinned revision.
SOURCES = {
    "lite": ("li-lab/MMLU-ProX-Lite", "e82aafb9460529687d3c7e51b401d8dd1dd309dd"),
    "full": ("li-lab/MMLU-ProX", "8e6106a6c6ce1c5027e66cc338143cf997b2aa09"),
}


class OutOfReachError(Exception):
    """The hub does not answer and no copy of the rows is on this machine. No visitor reads this."""


def fetch_hub(language: str, quiz_set: str, split: str) -> list[Mapping[str, object]]:
    """Return the rows of a language.

    The hub is asked first with a short limit, because `load_dataset` tries five times over 23 seconds.

    Args:
        language: a configuration of the data set.
        quiz_set: a key of `SOURCES`.
        split: "test", or "validation": five worked examples a category.

    Raises:
        OutOfReachError: within seconds where there is no network; at once under HF_HUB_OFFLINE.
    """
    import datasets  # a second to import: not at the app's start
    from datasets.exceptions import DatasetsError
    from datasets.packaged_modules.cache.cache import Cache
    from huggingface_hub.utils import httpx

    datasets.disable_progress_bars()
    repo, revision = SOURCES[quiz_set]
    try:
        if not datasets.config.HF_HUB_OFFLINE and answers("dataset", repo, revision):
            return datasets.load_dataset(repo, language, split=split, revision=revision).to_list()
        name = repo.partition("/")[2]
        copy = Cache(dataset_name=name, repo_id=repo, config_name=language, version="0.0.0", hash=revision)
        return copy.as_dataset(split=split).to_list()
    except (OSError, ValueError, DatasetsError, httpx.HTTPError) as error:
        raise OutOfReachError(f"{repo} ({language}): {error}") from error
