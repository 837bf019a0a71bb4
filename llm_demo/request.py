"""Request: one continuation asked for, and the bounds that it has to keep, whatever a screen sends."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_demo.config import Config
from llm_demo.errors import InputError, SettingsError
from llm_demo.models.loader import Loaded
from llm_demo.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Request:
    """One continuation asked for.

    Attributes:
        prompt: plain text, sent as it is.
        sampling: how to continue it.
        forced: tokens that the continuation has to begin with: "what if it had said…".
        until: a regular expression, ours and never a visitor's: where the text holds it, the continuation ends.
            Empty for none; greedy decoding and sampling only.
    """

    prompt: str
    sampling: Sampling
    forced: tuple[int, ...] = ()
    until: str = ""


def check_text(text: str, config: Config) -> None:
    """Refuse a text longer than `max_prompt_chars`, or with half a character in it, as JSON can carry: InputError."""
    _check(text, config.max_prompt_chars)


def check_tokenized(text: str, config: Config) -> None:
    """Refuse what is no text, empty, longer than `max_tokenized_chars` or with half a character in it: InputError."""
    if not isinstance(text, str) or not text:
        raise InputError("empty_text")
    _check(text, config.max_tokenized_chars)


def _check(text: str, limit: int) -> None:
    if len(text) > limit:
        raise InputError("long_prompt", length=len(text), limit=limit)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError("half_character") from error


def check_bounds(requests: Sequence[Request], top_k: int, config: Config) -> None:
    """Refuse more new tokens, or more candidates to show, than the operator allows: SettingsError."""
    limit = config.max_new_tokens
    for request in requests:
        if request.sampling.max_new_tokens > limit:
            wanted = request.sampling.max_new_tokens
            raise SettingsError("knob_whole", knob="max_new_tokens", value=wanted, low=1, high=limit)
    if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= config.max_top_k:
        raise SettingsError("knob_whole", knob="top_k", value=repr(top_k)[:40], low=1, high=config.max_top_k)


def check_strategy(request: Request, loaded: Loaded) -> None:
    """Refuse a strategy that needs what is not there: SettingsError; or forced tokens that are none: InputError."""
    if request.sampling.strategy == "speculative" and loaded.draft is None:
        raise SettingsError("no_draft", name=loaded.card.key)
    check_forced(request.forced, loaded)
    if len(request.forced) > request.sampling.max_new_tokens:
        raise InputError("many_forced", count=len(request.forced), limit=request.sampling.max_new_tokens)


def check_forced(forced: Sequence[int], loaded: Loaded) -> None:
    """Refuse what is no token of the model: InputError."""
    vocabulary = loaded.model.config.get_text_config().vocab_size
    for token_id in forced:
        if isinstance(token_id, bool) or not isinstance(token_id, int) or not 0 <= token_id < vocabulary:
            raise InputError("bad_id", value=repr(token_id)[:40], last=vocabulary - 1)


def check_context(tokens: int, loaded: Loaded) -> None:
    """Refuse a text that with its continuation would outgrow the model's context: InputError."""
    if tokens > loaded.context:
        raise InputError("context", tokens=tokens, context=loaded.context)
