"""Probe: a few short requests that find out what a server takes and tells."""

import math

from openai.types import Completion
from transformers import PreTrainedTokenizerBase

from llm_demo.errors import ModelError
from llm_demo.offers import Offers
from llm_demo.remote.dialect import IMPOSSIBLE, Dialect, Ids
from llm_demo.remote.endpoint import Body, Endpoint
from llm_demo.remote.texts import Texts
from llm_demo.remote.token_ids import MARK, TokenIds

STRATEGIES = ("greedy", "sample")  # the others need the model's inside
EVERYONES = ("no_repeat_ngram_size", "typical_p")  # knobs that no server has
LADDER = (20, 10, 5)  # candidates: vLLM tells 20 unless its operator says otherwise, OpenAI 5
UNSURE = "The"  # a text after which no model is certain of one token
REFUSALS = ("engine_refused", "engine_failing")  # a request that it does not understand is some servers' failure


async def probe(endpoint: Endpoint, model: str, tokenizer: PreTrainedTokenizerBase, most: int) -> Dialect:
    """Return how a server is spoken to.

    Args:
        endpoint: the server.
        model: the name that it serves the model by.
        tokenizer: the model's.
        most: candidates that a screen may ever show.

    Raises:
        ModelError: it speaks no dialect known here, or fails.
    """
    ids = tuple(tokenizer(UNSURE, add_special_tokens=False).input_ids)
    answer = await _tried(endpoint, _asked(model, ids, 1))
    if answer and answer.choices[0].logprobs.tokens[0].startswith(MARK):
        candidates = 1
        for more in (-1, most + 1, *LADDER):  # one more than is shown tells what the filters leave at the edge
            if found := await _tried(endpoint, _asked(model, ids, more)):
                answer, candidates = found, more
                break
        told = {"candidates": max(candidates, 0), "whole": candidates < 0, "raw": _is_raw(answer)}
        offers = Offers(STRATEGIES, EVERYONES, logits=False, inside=False, **told)
        return TokenIds(endpoint, model, tokenizer.decode, offers)
    offers = Offers(STRATEGIES, (*EVERYONES, "repetition_penalty"), 0, whole=False, logits=False, inside=False)
    dialect = Texts(endpoint, model, tokenizer, offers)
    try:
        await dialect.next(ids, 2)
    except ModelError as error:
        if error.key not in REFUSALS:
            raise
        raise ModelError("engine_dialect", reason=error.values["reason"]) from error
    return dialect


async def _tried(endpoint: Endpoint, body: Body) -> Completion | None:
    """Return the answer to a request, None where the server does not take it."""
    try:
        return await endpoint.complete(body)
    except ModelError as error:
        if error.key not in REFUSALS:
            raise
        return None


def _asked(model: str, ids: Ids, candidates: int) -> dict[str, object]:
    """Return a request for one token, all others filtered out."""
    beyond = {"top_k": 1, "min_p": 0.0, "repetition_penalty": 1.0, "return_tokens_as_token_ids": True}
    return {
        "model": model,
        "prompt": list(ids),
        "max_tokens": 1,
        "temperature": 1.0,
        "top_p": 1.0,
        "logprobs": candidates,
        "extra_body": beyond,
    }


def _is_raw(answer: Completion) -> bool:
    """Tell whether the probabilities are the model's own: after its filters, the one token left is certain.

    Raises:
        ModelError: they are no probabilities at all, but logits.
    """
    logprobs = answer.choices[0].logprobs
    (log_prob,), (top,) = logprobs.token_logprobs, logprobs.top_logprobs
    mass = math.fsum(math.exp(min(value, 1.0)) for value in top.values() if value > IMPOSSIBLE)
    if log_prob > 0 or mass > 1.001:
        raise ModelError("engine_logits_mode")
    return log_prob < -1e-6
