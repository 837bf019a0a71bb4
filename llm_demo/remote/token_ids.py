"""TokenIds: servers that take a text as token ids and tell its tokens so: vLLM, and whatever speaks as it does."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from openai.types import Completion
from openai.types.completion_choice import Logprobs

from llm_demo.offers import Offers
from llm_demo.remote.dialect import IMPOSSIBLE, Ids, Told, check_read, told
from llm_demo.remote.endpoint import Body, Endpoint
from llm_demo.remote.filters import VLLM
from llm_demo.remote.line import Tell, unheard
from llm_demo.sampling import Sampling

# What is left out of a request, vLLM takes from the model's own generation_config.
PLAIN = {"presence_penalty": 0.0, "frequency_penalty": 0.0}
PLAIN_BEYOND = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "return_tokens_as_token_ids": True}
MARK = "token_id:"
TEXTS = 16  # of one request that scores


@dataclass(frozen=True, slots=True)
class TokenIds:
    """See `dialect.Dialect`.

    Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, the completions and what vLLM takes
    beyond OpenAI's parameters.

    Attributes:
        endpoint: the server.
        model: the name that it serves the model by.
        decode: token ids to text.
    """

    endpoint: Endpoint
    model: str
    decode: Callable[..., str]
    offers: Offers
    order: tuple[str, ...] = VLLM

    async def stream(
        self, ids: Ids, sampling: Sampling, top: int, stops: Ids, tell: Tell = unheard
    ) -> AsyncIterator[Told]:
        top = self._within(top)
        body = self._body(ids, sampling.max_new_tokens, logprobs=top)
        beyond = {
            "repetition_penalty": sampling.repetition_penalty,
            "stop_token_ids": list(stops),
            "return_token_ids": True,
        }
        if sampling.draws:
            body |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed}
            beyond |= {"top_k": sampling.top_k or -1, "min_p": sampling.min_p}
        body["extra_body"] |= beyond
        async with aclosing(self.endpoint.stream(body, tell)) as choices:
            async for choice in choices:
                read = getattr(choice, "prompt_token_ids", None)
                if read is not None:
                    check_read(ids, read, self.decode)
                for one in read_tokens(choice.logprobs, top):
                    yield one

    async def score(self, pairs: Sequence[tuple[Ids, Ids]], top: int, tell: Tell = unheard) -> list[list[Told]]:
        top = self._within(top)
        found: list[list[Told]] = []
        for begin in range(0, len(pairs), TEXTS):
            some = pairs[begin : begin + TEXTS]
            body = self._body([[*prompt, *ids] for prompt, ids in some], 1)
            body["extra_body"] |= {"prompt_logprobs": top}
            answer: Completion = await self.endpoint.complete(body, tell)
            choices = sorted(answer.choices, key=lambda choice: choice.index)
            for choice, (prompt, ids) in zip(choices, some, strict=True):
                found.append(_scored(choice.prompt_logprobs[len(prompt) :], ids, top))
        return found

    async def next(self, ids: Ids, top: int, tell: Tell = unheard) -> tuple[tuple[int, float], ...]:
        top = self._within(top)
        body = self._body(list(ids), 1, logprobs=top) | {"temperature": 1.0}
        answer = await self.endpoint.complete(body, tell)
        (one,) = read_tokens(answer.choices[0].logprobs, top)
        return one.top

    def _body(self, prompt: Sequence[object], tokens: int, **more: object) -> dict[str, object]:
        common = {"model": self.model, "prompt": list(prompt), "max_tokens": tokens, "temperature": 0.0, "top_p": 1.0}
        return {**common, **PLAIN, **more, "extra_body": dict(PLAIN_BEYOND)}

    def _within(self, top: int) -> int:
        most = self.offers.candidates
        return min(top, most) if most else top


def read_tokens(logprobs: Logprobs | None, asked: int) -> Iterator[Told]:
    """Yield the tokens of a choice, each written `token_id:` and its number."""
    if logprobs is None:
        return
    for token, log_prob, top in zip(logprobs.tokens, logprobs.token_logprobs, logprobs.top_logprobs, strict=True):
        yield told(_number(token), log_prob, ((_number(text), value) for text, value in top.items()), asked)


def _number(token: str) -> int:
    return int(token.removeprefix(MARK))


def _scored(places: Sequence[Body], ids: Ids, asked: int) -> list[Told]:
    """Read `prompt_logprobs`: for each token, id -> what is told of it, the likeliest and the token itself."""
    found: list[Told] = []
    for place, token in zip(places, ids, strict=True):
        pairs = {int(one): max(of["logprob"], IMPOSSIBLE) for one, of in place.items()}
        found.append(told(token, pairs[token], pairs.items(), asked))
    return found
