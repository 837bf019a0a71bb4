"""The named endpoints: what a notebook gets through `gradio_client`, as plain JSON.

A sentence of trouble comes in the language that the client accepts.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace

import gradio as gr

from llm_demo.ablation.experiment import check_samples, make_requests
from llm_demo.ablation.parts import check_texts, read_parts
from llm_demo.ablation.variants import make_variants
from llm_demo.ablation.worth import measure
from llm_demo.chat import fit, read_messages, split_thinking
from llm_demo.engine import Engine
from llm_demo.errors import InputError, RateError
from llm_demo.i18n import preferred, translator
from llm_demo.quiz.quiz import Quiz
from llm_demo.rates import Rate
from llm_demo.request import Request, check_bounds, check_tokenized
from llm_demo.sampling import Sampling
from llm_demo.tabs.api_quiz import quiz_endpoints
from llm_demo.tabs.door import address_of_request, visitor_of
from llm_demo.tabs.site import Site, spoken
from llm_demo.tokens import tokenize as split

SHOWN = 10  # candidates of a step, where a call does not say


def build(site: Site, quiz: Quiz) -> None:
    """Add every endpoint to the enclosing page."""
    engine = site.engine
    config = engine.config

    def told(request: gr.Request | None) -> AbstractContextManager[None]:
        language = request.headers.get("accept-language") if request else None
        return spoken(translator(preferred(None, language, config.language)), html=False)

    openings = Rate(config.max_address_models)

    def runner_of(model: str | None, request: gr.Request | None) -> Engine:
        """Return a model's engine; RateError where too many were opened."""
        if not engine.is_open(model):
            seconds = openings.take(address_of_request(request, config) if request else "")
            if seconds:
                raise RateError("too_many_models", seconds=math.ceil(seconds))
        return engine.of(model)

    def tokenize(text: str, model: str | None = None, request: gr.Request | None = None) -> dict:
        """Split a text into tokens with the tokenizer of any model of the catalogue.

        Args:
            text: plain text.
            model: a key of the catalogue; the loaded model where it is left out.
        """
        with told(request):
            check_tokenized(text, config)
            found = split(engine.tokenizer_of(model), text)
            return {
                "model": model or engine.loaded.card.key,
                "tokens": [
                    {"index": t.index, "id": t.id, "piece": t.piece, "text": t.text, "bytes": list(t.bytes)}
                    for t in found.tokens
                ],
                "n_chars": found.n_chars,
                "n_bytes": found.n_bytes,
            }

    def next_token(
        prompt: str,
        model: str | None = None,
        sampling: dict | None = None,
        top_k: int = 10,
        request: gr.Request | None = None,
    ) -> dict:
        """Decide the token after a prompt; returns a Step: the token, and the likeliest ones with their probabilities.

        Args:
            prompt: plain text, sent to the model as it is.
            model: a key of the catalogue; the loaded model where it is left out.
            sampling: strategy (greedy, sample, beam…), max_new_tokens, temperature, top_k, top_p, seed and so on.
            top_k: candidates to tell of each step.
        """
        with told(request):
            settings = _sampling(sampling)
            check_bounds([Request(prompt, settings)], top_k, config)  # one token is decided, but no bound is waived
            one = Request(prompt, replace(settings, max_new_tokens=1))
            return runner_of(model, request).generate_many([one], top_k, visitor_of(request))[0].steps[0].to_dict()

    def generate(
        prompt: str,
        model: str | None = None,
        sampling: dict | None = None,
        top_k: int = 10,
        request: gr.Request | None = None,
    ) -> dict:
        """Continue a prompt; returns a Trace: the text, and each decision with its candidates.

        Args:
            prompt: plain text, sent to the model as it is.
            model: a key of the catalogue; the loaded model where it is left out.
            sampling: strategy (greedy, sample, beam…), max_new_tokens, temperature, top_k, top_p, seed and so on.
            top_k: candidates to tell of each step.
        """
        with told(request):
            runner = runner_of(model, request)
            asked = [Request(prompt, _sampling(sampling))]
            return runner.generate_many(asked, top_k, visitor_of(request))[0].to_dict()

    def compare(
        prompt: str,
        model: str | None = None,
        samplings: list | None = None,
        top_k: int = 10,
        request: gr.Request | None = None,
    ) -> list:
        """Continue a prompt in several ways at once; returns a list of Traces.

        Args:
            prompt: plain text, sent to the model as it is.
            model: a key of the catalogue; the loaded model where it is left out.
            samplings: a list of objects like the `sampling` of generate.
            top_k: candidates to tell of each step.
        """
        with told(request):
            runner = runner_of(model, request)
            if not isinstance(samplings, list) or not 1 <= len(samplings) <= config.max_compared:
                raise InputError("samplings", limit=config.max_compared)
            asked = [Request(prompt, Sampling.from_dict(one)) for one in samplings]
            return [trace.to_dict() for trace in runner.generate_many(asked, top_k, visitor_of(request))]

    def chat(
        messages: list,
        model: str | None = None,
        sampling: dict | None = None,
        system: str = "",
        thinking: bool = False,
        request: gr.Request | None = None,
    ) -> dict:
        """Answer a conversation: a list of {"role", "content"}, the last one the user's.

        Where it outgrows the model's context its oldest messages are left out.

        Args:
            messages: the conversation.
            model: a key of the catalogue; the loaded model where it is left out.
            sampling: strategy (greedy, sample, beam…), max_new_tokens, temperature, top_k, top_p, seed and so on.
            system: the system message; none where empty.
            thinking: whether a model that can think is to do so first.
        """
        with told(request):
            runner = runner_of(model, request)
            if not isinstance(system, str):
                raise InputError("system_text")
            if not isinstance(thinking, bool):
                raise InputError("thinking_switch", value=repr(thinking)[:40])
            settings = _sampling(sampling)
            prompt = fit(runner, read_messages(messages), settings.max_new_tokens, system, thinking).prompt
            trace = runner.generate_many([Request(prompt, settings)], SHOWN, visitor_of(request))[0]
            reasoning, text = split_thinking(trace.text, prompt)
            return {"text": text, "reasoning": reasoning, "trace": trace.to_dict()}

    def ablate(
        parts: list,
        model: str | None = None,
        sampling: dict | None = None,
        samples: int = 1,
        request: gr.Request | None = None,
    ) -> dict:
        """Run a prompt with and without each of its parts, a list of {"name", "text"}.

        Args:
            parts: objects with a name and a text; together, in order, they are the prompt.
            model: a key of the catalogue; the loaded model where it is left out.
            sampling: strategy (greedy, sample, beam…), max_new_tokens, temperature, top_k, top_p, seed and so on.
            samples: texts of each variant.
        """
        with told(request):
            runner = runner_of(model, request)
            count = check_samples(samples, config.max_samples)
            given = read_parts(parts, config.max_parts)
            check_texts(given, runner.tokenizer, config)
            variants = make_variants(runner.tokenizer, given)
            asked = make_requests(variants, _sampling(sampling), count)
            written = runner.generate_many(asked, SHOWN, visitor_of(request))
            effects = measure(runner, variants, written[0])
            return {
                "variants": [
                    {
                        "name": variant.name,
                        "prompt": variant.prompt,
                        "traces": [trace.to_dict() for trace in written[place * count : (place + 1) * count]],
                    }
                    for place, variant in enumerate(variants)
                ],
                "effects": [asdict(effect) for effect in effects],
            }

    endpoints: dict[str, Callable] = {
        "tokenize": tokenize,
        "next_token": next_token,
        "generate": generate,
        "compare": compare,
        "chat": chat,
        "ablate": ablate,
        **quiz_endpoints(quiz, told),
    }
    for name, endpoint in endpoints.items():
        gr.api(endpoint, api_name=name)


def _sampling(settings: dict | None) -> Sampling:
    return Sampling.from_dict({} if settings is None else settings)
