"""The quiz behind the screen: which question comes next, what the model reads, who was right."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import pytest

from llm_demo.config import Config
from llm_demo.decoding.feed import Weighed
from llm_demo.errors import InputError, QuizDataError
from llm_demo.quiz.evaluation import Settings
from llm_demo.quiz.quiz import Quiz
from llm_demo.quiz.reply import WAYS


class FakeTokenizer:
    """Knows conversations, and writes them down plainly; each text is one token."""

    chat_template = "of its own"
    added_tokens_decoder: ClassVar[dict] = {}  # no control tokens

    def apply_chat_template(self, turns, tokenize, add_generation_prompt, enable_thinking):
        assert not tokenize
        assert add_generation_prompt
        assert not enable_thinking
        return "".join(f"[{turn['role']}]{turn['content']}" for turn in turns) + "[assistant]"

    def __call__(self, text, add_special_tokens):
        assert not add_special_tokens
        return SimpleNamespace(input_ids=[ord(text.strip()) + 1_000 * text.startswith(" ")])

    def decode(self, ids):
        return chr(ids[0] % 1_000)


class FakeEngine:
    """Gives each letter the probability that it is told to give, "B" as much as " B"."""

    def __init__(self, config: Config, probs: dict[str, float]) -> None:
        self.config = config
        self.tokenizer = FakeTokenizer()
        self.loaded = SimpleNamespace(context=1_000, card=SimpleNamespace(key="fake"), number_format="float32")
        self.probs = probs
        self.prompts: list[str] = []
        self.visitors: list[str] = []

    def of(self, model):
        assert model in (None, "", "fake")
        return self

    def within(self, config):
        assert config.max_new_tokens == self.config.max_quiz_tokens
        return self

    def encode(self, prompt):
        return tuple(range(len(prompt)))

    def weigh(self, asked, top_k, visitor):
        for place, (prompt, ids) in enumerate(asked):
            self.prompts.append(prompt)
            self.visitors.append(visitor)
            log_probs = tuple(math.log(self.probs[self.tokenizer.decode([id_])] / 2) for id_ in ids)
            yield place, Weighed(log_probs, ((66, math.log(0.15)),))


class BaseTokenizer:
    """Knows no conversations."""

    chat_template = None


@pytest.fixture
def engine(tmp_path) -> FakeEngine:
    """A model that thinks B likeliest, and six questions of which B is right."""

    def row(number: int) -> str:
        category = "math" if number <= 4 else "law"
        options = {"option_0": "one", "option_1": "two", "option_2": "three"}
        written = {"question_id": number, "question": f"Question {number}?", "answer": "B", "category": category}
        return json.dumps({**written, **options, "src": "test"})

    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(row, range(1, 7))), "utf-8")
    return FakeEngine(Config(quiz_data=file), {"A": 0.1, "B": 0.3, "C": 0.2})


@pytest.fixture
def quiz(engine) -> Quiz:
    return Quiz(engine)


def test_the_same_seed_draws_the_same_question(quiz):
    assert quiz.draw("en", None, 3) == quiz.draw("en", None, 3)
    assert len({quiz.draw("en", None, seed).question_id for seed in range(50)}) == 6


def test_a_question_that_was_seen_is_not_drawn_again_while_there_are_others(quiz):
    seen: list[int] = []
    for _ in range(6):
        seen.append(quiz.draw("en", None, 0, frozenset(seen)).question_id)

    assert sorted(seen) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("last", range(1, 7))
@pytest.mark.parametrize("seed", [0, 1, 2, 40])
def test_the_one_question_left_is_found(quiz, last, seed):
    assert quiz.draw("en", None, seed, frozenset(range(1, 7)) - {last}).question_id == last


def test_once_all_were_seen_they_begin_again(quiz):
    assert quiz.draw("en", None, 0, frozenset(range(1, 7))).question_id in range(1, 7)


def test_a_category_has_questions_of_its_own(quiz):
    assert {quiz.draw("en", "law", seed).question_id for seed in range(30)} == {5, 6}


@pytest.mark.parametrize("every", [None, ""])
def test_no_category_means_all(quiz, every):
    assert len({quiz.draw("en", every, seed).category for seed in range(30)}) == 2


@pytest.mark.parametrize(
    ("language", "category", "seed", "key"),
    [
        ("xx", None, 0, "quiz_language"),
        ("", None, 0, "quiz_language"),
        (None, None, 0, "quiz_language"),
        ("en", "magic", 0, "quiz_category"),
        ("en", None, "0", "quiz_seed"),
        ("en", None, 1.5, "quiz_seed"),
        ("en", None, math.nan, "quiz_seed"),
        ("en", None, True, "quiz_seed"),
        ("en", None, None, "quiz_seed"),
    ],
)
def test_a_draw_asked_wrongly_is_refused(quiz, language, category, seed, key):
    with pytest.raises(InputError) as caught:
        quiz.draw(language, category, seed)

    assert caught.value.key == key


@pytest.mark.parametrize(("letter", "right"), [("B", True), (" b ", True), ("A", False)])
def test_a_visitors_letter_is_judged(quiz, letter, right):
    done = quiz.answer(quiz.draw("en", None, 0), letter)

    assert (done.letter, done.visitor_is_right) == (letter.strip().upper(), right)


def test_the_models_letter_is_its_likeliest(quiz, engine):
    done = quiz.answer(quiz.draw("en", None, 0), "A")

    assert done.scores.best == "B"
    assert done.scores.probs == pytest.approx((1 / 6, 3 / 6, 2 / 6))
    assert done.scores.mass == pytest.approx(0.6)
    assert done.model_is_right


def test_a_model_that_prefers_another_letter_is_wrong(engine):
    engine.probs = {"A": 0.5, "B": 0.3, "C": 0.2}
    quiz = Quiz(engine)

    assert not quiz.answer(quiz.draw("en", None, 0), "B").model_is_right


@pytest.mark.parametrize(
    ("letter", "key"),
    [("D", "quiz_letter"), ("AB", "quiz_letter"), (5, "quiz_letter"), ("", "quiz_no_letter"), (None, "quiz_no_letter")],
)
def test_a_letter_beyond_the_options_is_refused_before_the_model_runs(quiz, engine, letter, key):
    with pytest.raises(InputError) as caught:
        quiz.answer(quiz.draw("en", None, 0), letter)

    assert caught.value.key == key
    assert engine.prompts == []


def test_a_chat_model_reads_the_question_through_its_template_and_without_thinking(quiz, engine):
    question = quiz.bank("en").find(1)

    quiz.answer(question, "A")

    instruction = "Answer with the letter of the correct option only (A-C), without any explanation."
    assert engine.prompts == [f"[user]Question: Question 1?\nA. one\nB. two\nC. three\n\n{instruction}[assistant]"]


def test_a_base_model_reads_the_question_as_plain_text(quiz, engine):
    engine.tokenizer = BaseTokenizer()

    assert quiz.prompt(quiz.bank("es").find(1)) == "Pregunta: Question 1?\nA. one\nB. two\nC. three\nRespuesta:"


def test_the_prompt_holds_every_option_and_not_which_is_right(quiz):
    question = quiz.bank("en").find(1)

    assert quiz.prompt(question) == quiz.prompt(replace(question, answer="C"))


def test_a_bank_is_read_once(quiz, engine):
    bank = quiz.bank("en")
    engine.config.quiz_data.unlink()

    assert quiz.bank("en") is bank


def test_a_file_that_is_gone_is_told(quiz, engine):
    engine.config.quiz_data.unlink()

    with pytest.raises(QuizDataError) as caught:
        quiz.draw("en", None, 0)

    assert caught.value.key == "quiz_file_missing"


# --- evaluations ---


def questions(evaluation) -> list[int]:
    return [reply.question.question_id for reply in evaluation.replies]


def run(quiz, settings: Settings, visitor: str = ""):
    *_, whole = quiz.evaluate(quiz.begin(settings), visitor)
    return whole


def test_an_evaluation_asks_the_questions_of_its_seed_in_their_order(quiz):
    whole = run(quiz, Settings("en", n=6, seed=3))

    assert whole.is_whole
    assert questions(whole) == [question.question_id for question in quiz.bank("en").order((), 3)]
    assert sorted(questions(whole)) == [1, 2, 3, 4, 5, 6]
    assert questions(run(quiz, Settings("en", n=2, seed=3))) == questions(whole)[:2]


def test_an_evaluation_of_some_categories_asks_them_alone(quiz):
    assert sorted(questions(run(quiz, Settings("en", ("law",), n=6)))) == [5, 6]


def test_the_model_that_answers_is_named(quiz):
    assert quiz.begin(Settings("en", n=1)).model == "fake"


def test_a_stopped_evaluation_goes_on_and_ends_like_one_that_ran_through(engine, monkeypatch):
    monkeypatch.setitem(WAYS, "direct", 2)  # small jobs, so that there is a middle
    quiz = Quiz(engine)
    through = run(quiz, Settings("en", n=6))
    running = quiz.evaluate(quiz.begin(Settings("en", n=6)))
    stopped = next(state for state in running if len(state.replies) == 3)
    running.close()
    asked = len(engine.prompts)

    *_, resumed = quiz.evaluate(stopped)

    assert resumed.replies == through.replies
    assert len(engine.prompts) - asked == 3  # what was answered is not asked again


def test_one_visitor_has_one_evaluation_running(quiz):
    running = quiz.evaluate(quiz.begin(Settings("en", n=6)), "ana")
    next(running)

    assert run(quiz, Settings("en", n=1), "eva").is_whole
    assert next(running)  # another visitor's ended nothing

    assert run(quiz, Settings("en", n=1), "ana").is_whole
    with pytest.raises(InputError) as caught:
        next(running)
    assert caught.value.key == "quiz_replaced"


def test_the_visitor_of_an_evaluation_is_told_to_the_engine(quiz, engine):
    run(quiz, Settings("en", n=2), "ana")

    assert engine.visitors == ["ana", "ana"]


def test_a_question_too_long_for_the_model_counts_as_unparsed(quiz, engine):
    engine.loaded.context = 20

    whole = run(quiz, Settings("en", n=6))

    assert [(reply.letter, reply.finish) for reply in whole.replies] == [(None, "long")] * 6
    assert engine.prompts == []


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (Settings("en", n=0), "quiz_count"),
        (Settings("en", n=201), "quiz_count"),
        (Settings("en", n=21, way="cot_0"), "quiz_count"),
        (Settings("en", n=True), "quiz_count"),
        (Settings("en", n=None), "quiz_count"),
        (Settings("xx"), "quiz_language"),
        (Settings("en", ("magic",)), "quiz_category"),
        (Settings("en", seed=None), "quiz_seed"),
        (Settings("en", way="guess"), "quiz_way"),
        (Settings("en", way=None), "quiz_way"),
    ],
)
def test_an_evaluation_asked_wrongly_is_refused(quiz, settings, key):
    with pytest.raises(InputError) as caught:
        quiz.begin(settings)

    assert caught.value.key == key


def test_every_order_of_the_options_is_asked_where_the_way_says_so(quiz, engine):
    *_, reply = quiz.ask(quiz.bank("en").find(1), "rotated")

    assert len(engine.prompts) == len(set(engine.prompts)) == 3
    assert reply.scores.probs == pytest.approx((1 / 3, 1 / 3, 1 / 3))  # a model that looks at letters alone
    assert [order.best for order in reply.orders] == ["B", "B", "B"]
