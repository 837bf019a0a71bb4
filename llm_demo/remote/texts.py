"""Texts: the server of llama-cpp-python, which takes a text, cuts it itself and tells tokens by their text."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from itertools import takewhile

from openai.types.completion_choice import Logprobs
from transformers import PreTrainedTokenizerBase

from llm_demo.errors import ModelError
from llm_demo.offers import Offers
from llm_demo.remote.dialect import Ids, Told, check_read
from llm_demo.remote.endpoint import Endpoint
from llm_demo.remote.filters import LLAMA_CPP
from llm_demo.remote.line import Tell, unheard
from llm_demo.sampling import Sampling
from llm_demo.tokens import describe

SEEDS = 2**32  # it takes seeds below
CERTAIN = 1e5  # added to a token's logit; what is told of it stays the model's
PLAIN = {"temperature": 0.0, "top_p": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
PLAIN_BEYOND = {"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0}


class Texts:
    """See `dialect.Dialect`.

    Pieces of a character are written without it, so that several tokens share a text. As a candidate such a text ends
    the list of the likeliest. Where one is chosen, it is the token that is whole, unless another piece of a character
    follows; then the text cannot go on here.

    Source: https://llama-cpp-python.readthedocs.io/en/latest/server/ and `_create_completion` of llama_cpp/llama.py.

    Attributes:
        endpoint: the server, run with `--logits_all true`.
        model: the name that it serves the model by.
    """

    def __init__(self, endpoint: Endpoint, model: str, tokenizer: PreTrainedTokenizerBase, offers: Offers) -> None:
        self.endpoint = endpoint
        self.model = model
        self.offers = offers
        self.order = LLAMA_CPP
        self._tokenizer = tokenizer
        self._id_of, self._whole = _spelled(tokenizer)

    async def stream(
        self,
        ids: Ids,
        sampling: Sampling,
        top: int,
        stops: Ids,  # noqa: ARG002 - it knows its own
        tell: Tell = unheard,
    ) -> AsyncIterator[Told]:
        body = await self._body(ids, sampling.max_new_tokens, top)
        if sampling.draws:
            body |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed % SEEDS}
            body["extra_body"] |= {"top_k": sampling.top_k, "min_p": sampling.min_p}
        unsure: Told | None = None  # the last token, where only the next can tell that it was whole
        async with aclosing(self.endpoint.stream(body, tell)) as choices:
            async for choice in choices:
                for text, log_prob, of in _rows(choice.logprobs):
                    if text not in self._whole:
                        raise ModelError("engine_unnamed")
                    if unsure:
                        yield unsure
                    one, unsure = self._told(self._whole[text], text, log_prob, of, top), None
                    if text in self._id_of:
                        yield one
                    else:
                        unsure = one
        if unsure:
            raise ModelError("engine_unnamed")

    async def score(self, pairs: Sequence[tuple[Ids, Ids]], top: int, tell: Tell = unheard) -> list[list[Told]]:
        # An echo pairs each token with what is told of the one after it; to force the tokens one by one does not.
        return [
            [await self._forced((*prompt, *ids[:place]), token, top, tell) for place, token in enumerate(ids)]
            for prompt, ids in pairs
        ]

    async def next(self, ids: Ids, top: int, tell: Tell = unheard) -> tuple[tuple[int, float], ...]:
        # The end of the text, left to itself, would end it with nothing told.
        return (await self._forced(ids, next(iter(self._id_of.values())), top, tell)).top

    async def _forced(self, ids: Ids, token: int, top: int, tell: Tell) -> Told:
        body = await self._body(ids, 1, max(top, 1))
        answer = await self.endpoint.complete({**body, "logit_bias": {str(token): CERTAIN}}, tell)
        rows = list(_rows(answer.choices[0].logprobs))
        if len(rows) != 1:  # it ends the text, so that nothing is told of it
            raise ModelError("engine_unnamed")
        return self._told(token, *rows[0], top)

    async def _body(self, ids: Ids, tokens: int, top: int) -> dict[str, object]:
        """Return a request, after the server has told that it reads the text as these ids."""
        text = self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        read = await self.endpoint.post("extras/tokenize", {"model": self.model, "input": text})
        check_read(ids, read["tokens"], self._tokenizer.decode)
        common = {"model": self.model, "prompt": text, "max_tokens": tokens, "logprobs": top}
        return {**common, **PLAIN, "extra_body": dict(PLAIN_BEYOND)}

    def _told(self, token: int, text: str, log_prob: float, of: Mapping[str, float], asked: int) -> Told:
        known = dict(of)
        if len(known) > asked:
            known.pop(text, None)
        falling = sorted(known.items(), key=lambda pair: -pair[1])
        named = list(takewhile(lambda pair: pair[0] in self._id_of, falling))
        if len(known) < asked:  # two of them share a text, and only one of their values is left
            falling = named
        top = tuple((self._id_of[one], value) for one, value in named)
        return Told(token, log_prob, top, tuple(value for _, value in falling))


def _rows(logprobs: Logprobs | None) -> Iterator[tuple[str, float, Mapping[str, float]]]:
    """Yield text, log-probability and rivals of each token of a choice."""
    if logprobs is not None:
        yield from zip(logprobs.tokens, logprobs.token_logprobs, logprobs.top_logprobs, strict=True)


def _spelled(tokenizer: PreTrainedTokenizerBase) -> tuple[dict[str, int], dict[str, int]]:
    """Return text -> id, the text as the server writes it: of the tokens that have it alone, and of the whole ones."""
    alone: dict[str, int] = {}
    whole: dict[str, int] = {}
    shared: set[str] = set()
    signs = tokenizer.added_tokens_decoder  # written as nothing
    for token in describe(tokenizer, range(len(tokenizer))):
        spelled = b"" if token.id in signs else bytes(token.bytes)
        text = spelled.decode("utf-8", errors="ignore")
        if text in alone:
            shared.add(text)
        alone[text] = token.id
        if text and text.encode() == spelled:
            whole[text] = token.id
    return {text: one for text, one in alone.items() if text not in shared and text in whole}, whole
