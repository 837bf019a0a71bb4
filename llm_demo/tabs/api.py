"""The named endpoints: what a notebook gets through `gradio_client`, as plain JSON.

A sentence of trouble comes in the language that the client accepts.
"""

import math
from collections.abc import Callable, Sequence
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
from llm_demo.quiz.evaluation import Settings, summarize
from llm_demo.quiz.quiz import Quiz
from llm_demo.rates import Rate
from llm_demo.request import Request, check_bounds, check_tokenized
from llm_demo.sampling import Sampling
from llm_demo.tabs.door import address_of_request
from llm_demo.tabs.site import Site, spoken
from llm_demo.tokens import tokenize as split
from llm_demo.trace import Trace

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

    def traces(runner: Engine, requests: Sequence[Request], top_k: int, request: gr.Request | None) -> list[Trace]:
        """Return a trace a request; of one visitor's calls one runs at a time."""
        decisions = runner.stream_many(requests, top_k, _visitor(request))
        collected = runner.collect(requests)
        for decision in decisions:
            collected.add(decision)
        return collected.finished()

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
            return traces(runner_of(model, request), [one], top_k, request)[0].steps[0].to_dict()

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
            return traces(runner, [Request(prompt, _sampling(sampling))], top_k, request)[0].to_dict()

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
            return [trace.to_dict() for trace in traces(runner, asked, top_k, request)]

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
            trace = traces(runner, [Request(prompt, settings)], SHOWN, request)[0]
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
            written = traces(runner, make_requests(variants, _sampling(sampling), count), SHOWN, request)
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

    def quiz_question(
        language: str = "es", category: str | None = None, seed: int = 0, request: gr.Request | None = None
    ) -> dict:
        """Draw a question; the answer is not in it.

        Args:
            language: a code like es or en.
            category: of MMLU-ProX; any where it is left out.
            seed: of the draw.
        """
        with told(request):
            question = quiz.draw(language, category, seed)
            return {
                "question_id": question.question_id,
                "language": question.language,
                "category": question.category,
                "question": question.question,
                "options": dict(zip(question.letters, question.options, strict=True)),
                "source": question.source,
            }

    def quiz_answer(
        question_id: int, language: str, letter: str, model: str | None = None, request: gr.Request | None = None
    ) -> dict:
        """Answer a question and see what the model answers.

        Args:
            question_id: as quiz_question gave it.
            language: a code like es or en.
            letter: your answer.
            model: a key of the catalogue; the loaded model where it is left out.
        """
        with told(request):
            done = quiz.answer(quiz.bank(language).find(question_id), letter, model, _visitor(request))
            return {
                "gold": done.question.answer,
                "correct": done.visitor_is_right,
                "model_letter": done.scores.best,
                "letter_probs": dict(zip(done.scores.letters, done.scores.probs, strict=True)),
                "letter_mass": done.scores.mass,
            }

    def quiz_evaluate(
        language: str = "es",
        category: str | None = None,
        n: int = 20,
        seed: int = 0,
        mode: str = "direct",
        model: str | None = None,
        request: gr.Request | None = None,
    ) -> dict:
        """Put a model to several questions; returns its accuracy with an interval.

        Args:
            language: a code like es or en.
            category: of MMLU-ProX; all where it is left out.
            n: how many questions.
            seed: of the draw.
            mode: direct, rotated, two_tokens, cot_0 or cot_5.
            model: a key of the catalogue; the loaded model where it is left out.
        """
        with told(request):
            categories = () if category in (None, "") else (category,)
            begun = quiz.begin(Settings(language, categories, n, seed, mode, model or ""))
            *_, done = quiz.evaluate(begun, _visitor(request))
            summary = summarize(done)
            return {
                "n": summary.accuracy.count,
                "accuracy": summary.accuracy.value,
                "interval": list(summary.accuracy.interval),
                "chance": summary.chance,
                "by_category": {name: asdict(share) for name, share in summary.by_category},
                "letters": summary.letters,
                "unparsed": summary.unparsed,
            }

    endpoints: dict[str, Callable] = {
        "tokenize": tokenize,
        "next_token": next_token,
        "generate": generate,
        "compare": compare,
        "chat": chat,
        "ablate": ablate,
        "quiz_question": quiz_question,
        "quiz_answer": quiz_answer,
        "quiz_evaluate": quiz_evaluate,
    }
    for name, endpoint in endpoints.items():
        gr.api(endpoint, api_name=name)


def _sampling(settings: dict | None) -> Sampling:
    return Sampling.from_dict({} if settings is None else settings)


def _visitor(request: gr.Request | None) -> str:
    return (request.session_hash or "") if request else ""
