"""The quiz behind the screen: which question comes next, what the model reads, who was right."""

import json
import math
from dataclasses import replace

import pytest

from llm_demo.config import Config
from llm_demo.errors import InputError, QuizDataError
from llm_demo.quiz.quiz import Quiz


class FakeTokenizer:
    """Knows conversations, and writes them down plainly."""

    chat_template = "of its own"

    def apply_chat_template(self, turns, tokenize, add_generation_prompt, enable_thinking):
        assert not tokenize
        assert add_generation_prompt
        assert not enable_thinking
        return "".join(f"[{turn['role']}]{turn['content']}" for turn in turns) + "[assistant]"


class FakeEngine:
    """Gives each letter the probability that it is told to give, "B" as much as " B"."""

    def __init__(self, config: Config, probs: dict[str, float]) -> None:
        self.config = config
        self.tokenizer = FakeTokenizer()
        self.probs = probs
        self.prompts: set[str] = set()

    def batch_log_probs(self, pairs):
        self.prompts |= {prompt for prompt, _ in pairs}
        return [[math.log(self.probs[letter.strip()] / 2)] for _, letter in pairs]


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
    assert engine.prompts == set()


def test_a_chat_model_reads_the_question_through_its_template_and_without_thinking(quiz, engine):
    question = quiz.bank("en").find(1)

    quiz.answer(question, "A")

    instruction = "Answer with the letter of the correct option only (A-C), without any explanation."
    assert engine.prompts == {f"[user]Question: Question 1?\nA. one\nB. two\nC. three\n\n{instruction}[assistant]"}


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
