"""A small server that speaks vLLM's completions: its parameters, its answers and its errors, on a real model.

Written from https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html and the classes of
vllm/entrypoints/openai/completion/protocol.py. It reads the whole text anew for every token, so that none of its
numbers come from the code that it is there to test. `python -m tests.contract.fake` serves the embedded model.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

FLOOR = -9999.0


@dataclass(slots=True)
class Faults:
    """What goes wrong next; a test sets it.

    Attributes:
        busy: so many requests are refused as too many, with `busy_status`.
        failing: so many requests end in an internal error.
        break_after: the connection breaks after so many tokens; None for never.
        error_after: an error is streamed after so many tokens.
        garbage_after: what is streamed after so many tokens is no JSON.
        silent_after: nothing more comes after so many tokens.
        pause: seconds before each token.
        read_as: the token ids that it claims to have read; None for those that it was sent.
    """

    busy: int = 0
    busy_status: int = 429
    failing: int = 0
    break_after: int | None = None
    error_after: int | None = None
    garbage_after: int | None = None
    silent_after: int | None = None
    pause: float = 0.0
    read_as: list[int] | None = None


@dataclass(slots=True)
class Seen:
    """What the server saw.

    Attributes:
        asked: requests of any kind.
        bodies: of those for completions, refused ones too.
        streaming: streams that are open now.
        most: streams that were open at once.
        cancelled: streams whose listener went away.
    """

    asked: int = 0
    bodies: list[dict] = field(default_factory=list)
    streaming: int = 0
    most: int = 0
    cancelled: int = 0


class FakeServer:
    """Serves one model under one or several names, in a thread of its own.

    Attributes:
        url: what an operator would write into LLM_DEMO_ENDPOINT.
        faults, seen: see there.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        names: Sequence[str] = ("tiny",),
        max_logprobs: int = 20,
        logprobs_mode: str = "raw_logprobs",
        key: str = "",
        port: int = 0,
        remembers: bool = False,
        certificate: Path | None = None,
    ) -> None:
        """Begin to serve; with `remembers`, what a text begins with is not read again, as a larger model needs it.

        With a certificate, and its key in the same file, it speaks HTTPS.
        """
        self.faults, self.seen = Faults(), Seen()
        self._model, self._tokenizer, self._names = model, tokenizer, names
        self._max_logprobs, self._mode, self._key = max_logprobs, logprobs_mode, key
        self._past: dict[tuple[int, ...], DynamicCache] | None = {} if remembers else None
        self._context = model.config.max_position_embeddings
        app = FastAPI()
        app.get("/v1/models")(self._list)
        app.post("/v1/completions")(self._complete)
        options = {"log_level": "critical", "lifespan": "off", "ssl_certfile": certificate}
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, **options))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}/v1"

    def close(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join()

    async def _list(self, request: Request) -> Response:
        self.seen.asked += 1
        if not self._may(request):
            return _error(401, "Unauthorized")
        entries = [
            {
                "id": name,
                "object": "model",
                "created": 0,
                "owned_by": "vllm",
                "root": name,
                "max_model_len": self._context,
            }
            for name in self._names
        ]
        return JSONResponse({"object": "list", "data": entries})

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        self.seen.asked += 1
        self.seen.bodies.append(body)
        if not self._may(request):
            return _error(401, f"Incorrect API key provided: {request.headers.get('authorization')}")
        if self.faults.busy > 0:
            self.faults.busy -= 1
            return _error(self.faults.busy_status, "too many requests", {"retry-after": "0"})
        if self.faults.failing > 0:
            self.faults.failing -= 1
            return _error(500, "EngineCore encountered an issue")
        if wrong := self._wrong(body):
            return wrong
        if body.get("stream"):
            return StreamingResponse(self._stream(body), media_type="text/event-stream")
        several = isinstance(body["prompt"][0], list)
        prompts = body["prompt"] if several else [body["prompt"]]
        choices = [self._whole(index, ids, body) for index, ids in enumerate(prompts)]
        return JSONResponse(
            {"id": "cmpl-1", "object": "text_completion", "created": 0, "model": body["model"]} | {"choices": choices}
        )

    def _may(self, request: Request) -> bool:
        return not self._key or request.headers.get("authorization") == f"Bearer {self._key}"

    def _wrong(self, body: dict) -> Response | None:
        if body["model"] not in self._names:
            return _error(404, f"The model `{body['model']}` does not exist.")
        for name in ("logprobs", "prompt_logprobs"):
            asked = body.get(name)
            if asked is not None and self._max_logprobs >= 0 and not 0 <= asked <= self._max_logprobs:
                return _error(
                    400, f"Requested {name} of {asked}, which is greater than max allowed: {self._max_logprobs}"
                )
        if body.get("stream") and body.get("prompt_logprobs"):
            return _error(400, "`prompt_logprobs` are not available when `stream=True`.")
        prompts = body["prompt"] if isinstance(body["prompt"][0], list) else [body["prompt"]]
        if max(map(len, prompts)) + body["max_tokens"] > self._context:
            return _error(400, f"This model's maximum context length is {self._context} tokens.")
        return None

    async def _stream(self, body: dict) -> AsyncIterator[str]:
        self.seen.streaming += 1
        self.seen.most = max(self.seen.most, self.seen.streaming)
        ended = False
        try:
            ids, rng, faults = list(body["prompt"]), _rng(body), self.faults
            for count in range(body["max_tokens"]):
                await asyncio.sleep(faults.pause)
                if count == faults.break_after:
                    raise ConnectionResetError
                if count == faults.error_after:
                    yield f"data: {json.dumps({'error': {'message': 'EngineCore died', 'code': 500}})}\n\n"
                    break
                if count == faults.garbage_after:
                    yield "data: {not json\n\n"
                while count == faults.silent_after:
                    await asyncio.sleep(0.05)
                token, logprobs = self._next(ids, body, rng)
                ids.append(token)
                stopped = token in self._stops(body)
                reason = "stop" if stopped else "length" if count + 1 == body["max_tokens"] else None
                choice = {
                    "index": 0,
                    "text": "" if stopped else self._tokenizer.decode([token]),
                    "logprobs": logprobs,
                    "finish_reason": reason,
                    "stop_reason": None,
                }
                if body.get("return_token_ids"):
                    choice |= {"token_ids": [token]} | (
                        {"prompt_token_ids": faults.read_as or body["prompt"]} if not count else {}
                    )
                chunk = {"id": "cmpl-1", "object": "text_completion", "created": 0, "model": body["model"]}
                yield f"data: {json.dumps(chunk | {'choices': [choice]})}\n\n"
                if stopped:
                    break
            yield "data: [DONE]\n\n"
            ended = True
        finally:
            self.seen.streaming -= 1
            self.seen.cancelled += not ended

    def _whole(self, index: int, prompt: Sequence[int], body: dict) -> dict:
        ids, rng, tokens, told = list(prompt), _rng(body), [], []
        for _ in range(body["max_tokens"]):
            token, logprobs = self._next(ids, body, rng)
            ids.append(token)
            tokens.append(token)
            told.append(logprobs)
            if token in self._stops(body):
                break
        logprobs = (
            None
            if body.get("logprobs") is None
            else {name: [value for one in told for value in one[name]] for name in told[0]}
        )
        choice = {
            "index": index,
            "text": self._tokenizer.decode(tokens),
            "logprobs": logprobs,
            "finish_reason": "length",
        }
        if body.get("prompt_logprobs") is not None:
            choice["prompt_logprobs"] = self._prompt_logprobs(prompt, body["prompt_logprobs"])
        return choice

    def _prompt_logprobs(self, prompt: Sequence[int], count: int) -> list[dict | None]:
        rows = self._logits(prompt).log_softmax(-1)
        found: list[dict | None] = [None]
        for row, token in zip(rows, prompt[1:], strict=False):
            ids = dict.fromkeys([token, *row.topk(count).indices.tolist()])
            found.append({str(one): {"logprob": row[one].item(), "rank": 1, "decoded_token": ""} for one in ids})
        return found

    def _next(self, ids: Sequence[int], body: dict, rng: torch.Generator) -> tuple[int, dict | None]:
        """Return the next token and what is told of it: penalty, temperature, min-p, top-k, top-p, as vLLM does it."""
        logits = self._logits(ids)[-1] if self._past is None else self._remembered(tuple(ids))
        left = logits.clone()
        if (penalty := body.get("repetition_penalty", 1.0)) != 1.0:
            seen = torch.tensor(sorted(set(ids)))
            left[seen] = torch.where(left[seen] > 0, left[seen] / penalty, left[seen] * penalty)
        if temperature := body.get("temperature", 1.0):
            left = left / temperature
            probs = left.softmax(-1)
            left[probs < body.get("min_p", 0.0) * probs.max()] = -torch.inf
            if (k := body.get("top_k", -1)) > 0:
                left[left < left.topk(k).values[-1]] = -torch.inf
            falling, order = left.softmax(-1).sort(descending=True)
            left[order[falling.cumsum(-1) - falling >= body.get("top_p", 1.0)]] = -torch.inf
            token = int(torch.multinomial(left.softmax(-1), 1, generator=rng))
        else:
            token = int(left.argmax())
        told = {"raw_logits": logits, "processed_logits": left}.get(self._mode)
        if told is None:
            told = (logits if self._mode == "raw_logprobs" else left).log_softmax(-1)
        return token, self._told(told, token, body)

    def _told(self, told: Tensor, token: int, body: dict) -> dict | None:
        count = body.get("logprobs")
        if count is None:
            return None
        falling = told.topk(len(told) if count < 0 else count).indices.tolist()
        top = {_name(one): max(told[one].item(), FLOOR) for one in dict.fromkeys([token, *falling])}
        return {
            "text_offset": [0],
            "tokens": [_name(token)],
            "token_logprobs": [top[_name(token)]],
            "top_logprobs": [top],
        }

    def _stops(self, body: dict) -> set[int]:
        own = self._model.generation_config.eos_token_id
        return {*body.get("stop_token_ids", ()), *([own] if isinstance(own, int) else own or ())}

    def _remembered(self, ids: tuple[int, ...]) -> Tensor:
        past = self._past.pop(ids[:-1], None)
        fed = ids[-1:] if past else ids
        past = past or DynamicCache(config=self._model.config)
        with torch.inference_mode():
            logits = self._model(input_ids=torch.tensor([fed]), past_key_values=past, use_cache=True).logits[0, -1]
        self._past[ids] = past
        while len(self._past) > 32:
            del self._past[next(iter(self._past))]
        return logits.float()

    def _logits(self, ids: Sequence[int]) -> Tensor:
        with torch.inference_mode():
            return self._model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0].float()


def _name(token: int) -> str:
    return f"token_id:{token}"


def _rng(body: dict) -> torch.Generator:
    return torch.Generator().manual_seed(body.get("seed") or 0)


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    content = {"error": {"message": message, "type": "BadRequestError", "param": None, "code": status}}
    return JSONResponse(content, status, headers)


if __name__ == "__main__":
    from llm_demo.config import Config
    from llm_demo.engine import Engine

    local = Engine.load(
        "SmolLM2-135M-Instruct",
        Config.from_env(dict(os.environ) | {"LLM_DEMO_DTYPE": "float32", "LLM_DEMO_ENDPOINT": ""}),
    )
    name, port = "HuggingFaceTB/SmolLM2-135M-Instruct", int(os.environ.get("PORT", "8000"))
    server = FakeServer(local.model, local.tokenizer, [name], port=port, remembers=True)
    print(server.url, flush=True)
    threading.Event().wait()
