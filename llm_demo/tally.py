"""Tally: a class's answers counted and set beside the model's own distribution."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from torch import Tensor
from transformers import PreTrainedTokenizerBase

from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.poll import NextToken, Outcome, Question, Row, WhichLetter
from llm_demo.prompt import encode, literal
from llm_demo.quiz.quiz import Quiz
from llm_demo.quiz.rows import Question as Drawn

SHOWN = 10  # of the model's likeliest tokens


def tally(engine: Engine, quiz: Quiz, question: Question, guesses: Sequence[str], visitor: str = "") -> Outcome:
    """Ask the model what the class was asked, and count.

    Args:
        engine: of tokens.
        quiz: of letters.
        question: what was asked.
        guesses: one each, tidy.
        visitor: who has it counted; one visitor's jobs run one after another.

    Raises:
        InputError, ModelError, DeadlineError: the model cannot answer.
    """
    if isinstance(question, NextToken):
        return tally_tokens(engine, question, guesses, visitor)
    return tally_letters(quiz, question, guesses, visitor)


def tally_tokens(engine: Engine, question: NextToken, guesses: Sequence[str], visitor: str = "") -> Outcome:
    """Count guesses by their first token.

    A guess may be a new word or go on with the last one, and nobody types the space that decides: of the two
    readings the one counts whose first token the model finds likelier.
    """
    logits = engine.look(question.prompt, question.forced, visitor)
    readings = {guess: _readings(engine.tokenizer, guess) for guess in set(guesses)}
    # In the model's own thread: see Engine.call.
    rows = engine.call(partial(_rows, logits, Counter(guesses), readings, engine.tokenizer.decode))
    return Outcome(rows, len(guesses), engine.loaded.card.key)


def tally_letters(quiz: Quiz, question: WhichLetter, guesses: Sequence[str], visitor: str = "") -> Outcome:
    """Count letters beside what the model gives each, read as everywhere in the quiz: `quiz.scoring`."""
    asked = quiz.bank(question.language).find(question.question_id)
    *_, reply = quiz.ask(asked, "direct", question.model, visitor)
    if reply.scores is None:
        raise InputError("quiz_too_long")
    votes, probs = Counter(guesses), reply.scores.probs
    rows = tuple(
        Row(letter, None, votes[letter], prob, 1 + sum(other > prob for other in probs))
        for letter, prob in zip(reply.scores.letters, probs, strict=True)
    )
    model = quiz.engine(question.model).loaded.card.key
    return Outcome(rows, len(guesses), model, asked.answer, reply.scores.mass)


def next_token(engine: Engine, prompt: str, control: bool = False) -> NextToken:
    """Make a question to a class of a prompt; InputError where a model could not continue it.

    Args:
        control: whether control tokens that are typed in it are meant.
    """
    prompt = prompt if control else literal(engine.tokenizer, prompt)
    engine.encode(prompt)
    return NextToken(prompt, (), prompt)


def continued(engine: Engine, question: NextToken, outcome: Outcome) -> NextToken:
    """Return the question after the model's own likeliest token; InputError where that ends the text."""
    token_id = outcome.first.token_id
    if token_id in engine.loaded.stop_ids:
        raise InputError("room_text_ends")
    forced = (*question.forced, token_id)
    return NextToken(question.prompt, forced, question.prompt + engine.tokenizer.decode(forced))


def another(quiz: Quiz, question: WhichLetter) -> WhichLetter:
    """Return the next question of the same order; the first again once all have been asked."""
    drawn = quiz.draw(question.language, question.category, question.seed, question.seen)
    return which_letter(drawn, question.model, question.category, question.seed, question.seen)


def which_letter(drawn: Drawn, model: str, category: str, seed: int, seen: Collection[int] = ()) -> WhichLetter:
    """Make a question to a class of one of the quiz's.

    Args:
        drawn: the quiz's.
        model: that is to answer too; a key of the catalogue, empty for the loaded one.
        category, seed: how the next ones are drawn; an empty category means any.
        seen: ids of those before it.
    """
    return WhichLetter(
        drawn.question,
        drawn.options,
        drawn.question_id,
        drawn.language,
        model,
        category,
        seed,
        frozenset({*seen, drawn.question_id}),
    )


def _readings(tokenizer: PreTrainedTokenizerBase, guess: str) -> tuple[int, ...]:
    """Return the first token of a guess as a new word, and as the rest of the last one."""
    starts = (encode(tokenizer, literal(tokenizer, text), special=False)[:1] for text in (f" {guess}", guess))
    return tuple(ids[0] for ids in starts if ids)


def _rows(
    logits: Tensor, votes: Counter[str], readings: Mapping[str, Sequence[int]], decode: Callable[[list[int]], str]
) -> tuple[Row, ...]:
    probs = logits.float().softmax(-1)
    written: dict[int, list[str]] = {}
    for guess, _ in votes.most_common():
        first = max(readings[guess], key=lambda token_id: probs[token_id].item())
        written.setdefault(first, []).append(guess)
    top = probs.topk(min(SHOWN, len(probs))).indices.tolist()
    rows = [
        Row(
            name=decode([token_id]),
            token_id=token_id,
            votes=sum(votes[guess] for guess in written.get(token_id, ())),
            prob=probs[token_id].item(),
            rank=1 + int((probs > probs[token_id]).sum()),
            written=tuple(written.get(token_id, ())),
        )
        for token_id in {*top, *written}
    ]
    return tuple(sorted(rows, key=lambda row: (row.rank, row.token_id)))
