"""A conversation's values, and several voices that answer it."""

from pathlib import Path

import pytest

from llm_demo.chat import Message
from llm_demo.conversation import Answer, Conversation, Voice, replies
from llm_demo.errors import InputError, ModelError
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace

GREEDY = Sampling("greedy", max_new_tokens=6)


def answer(text: str, prompt: str = "p", finish_reason: str = "stop") -> Answer:
    trace = Trace((1,), (), (), text, finish_reason, 0.0, 1, 0.0)
    return Answer(Voice("", GREEDY), prompt, 0, trace)


def said(conversation: Conversation) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in conversation.history]


@pytest.fixture
def asked() -> Conversation:
    """Two answers to a first message, the second one kept."""
    one = Conversation().ask("one")
    return Conversation(one.turns, (answer("A"), answer("B")), kept=1)


def test_a_conversation_goes_on_with_the_answer_that_was_kept(asked):
    assert said(asked.ask("two")) == [("user", "one"), ("assistant", "B"), ("user", "two"), ("assistant", "")]
    assert said(asked.keep(0).ask("two"))[1] == ("assistant", "A")


def test_a_conversation_had_elsewhere_is_gone_on_with():
    taken_up = Conversation.taken_up((Message("user", "one"), Message("assistant", "A")))

    assert said(taken_up) == [("user", "one"), ("assistant", "A")]
    assert said(taken_up.ask("two")) == [*said(taken_up), ("user", "two"), ("assistant", "")]
    assert taken_up.again().turns == (Message("user", "one"),)


@pytest.mark.parametrize("turns", [(), (Message("user", "one"),), (Message("assistant", "A"),)])
def test_what_nobody_answered_is_no_conversation_to_take_up(turns):
    with pytest.raises(InputError):
        Conversation.taken_up(turns)


def test_what_follows_an_edited_message_is_dropped(asked):
    longer = Conversation(asked.ask("two").turns, (answer("C"),))

    assert said(longer.edit(0, "uno")) == [("user", "uno"), ("assistant", "")]
    assert said(longer.edit(1, "dos")) == [("user", "one"), ("assistant", "B"), ("user", "dos"), ("assistant", "")]


@pytest.mark.parametrize(("dropped", "kept"), [(0, "B"), (1, "A")])
def test_of_two_answers_the_other_stays(asked, dropped, kept):
    left = asked.drop(dropped)

    assert [one.said for one in left.answers] == [kept]
    assert left.kept == 0


def test_the_last_answer_cannot_be_dropped(asked):
    alone = asked.drop(0)

    assert alone.drop(0) == alone


def test_what_a_browser_makes_up_is_refused(asked):
    for work in (
        lambda: asked.keep(2),
        lambda: asked.drop(-1),
        lambda: asked.edit(1, "x"),
        lambda: asked.ask(" "),
        lambda: asked.edit(0, ""),
        lambda: Conversation().again(),
    ):
        with pytest.raises(InputError):
            work()


def test_thoughts_are_no_part_of_the_history():
    thought = Conversation((Message("user", "one"),), (answer("<think>hm</think>Yes"),))

    assert said(thought)[-1] == ("assistant", "Yes")
    assert thought.answers[0].thoughts == "hm"
    assert not thought.answers[0].is_cut


def test_half_a_character_waits_until_it_is_whole():
    assert answer("a\ufffd", finish_reason="cancelled").said == "a"
    assert answer("a\ufffd", finish_reason="length").said == "a\ufffd"


# --- voices ---


def last(engine, voices, **options) -> tuple[Answer, ...]:
    *_, answers = replies(engine, [Message("user", "Hi")], voices, **options)
    return answers


def test_voices_of_one_model_are_decoded_together(make_engine, watch):
    watched = watch()
    engine = make_engine(watched.model)
    voices = [Voice("", Sampling(max_new_tokens=6, seed=seed)) for seed in range(3)]

    answers = last(engine, voices)

    assert [one.trace for one in answers] != []
    assert len({one.trace.token_ids for one in answers}) == 3
    assert {rows for rows, _ in watched.passes[1:]} == {3}
    for one, voice in zip(answers, voices, strict=True):
        assert one.trace.token_ids == engine.generate("Hi", voice.sampling).token_ids


def test_answers_grow_from_nothing(make_engine):
    lengths = [
        len(one.trace.token_ids) for (one,) in replies(make_engine(), [Message("user", "Hi")], [Voice("", GREEDY)])
    ]

    assert lengths[0] == 0
    assert lengths == sorted(lengths)
    assert lengths[-1] == 6


def test_forced_tokens_begin_the_answer(make_engine):
    (one,) = last(make_engine(), [Voice("", GREEDY)], forced=(65, 66))

    assert one.trace.token_ids[:2] == (65, 66)
    assert one.forced == 2
    assert len(one.trace.token_ids) == 6


def test_another_model_answers_beside_the_loaded_one(make_engine, tiny_folder):
    engine = make_engine(extra_models={"other": str(tiny_folder)})

    mine, other = last(engine, [Voice("", GREEDY), Voice("other", GREEDY)])

    assert other.trace.token_ids == engine.of("other").generate("Hi", GREEDY).token_ids
    assert mine.trace.token_ids == engine.generate("Hi", GREEDY).token_ids


def test_a_model_that_cannot_be_had_is_told_before_anything_runs(make_engine, watch):
    watched = watch()
    engine = make_engine(watched.model, extra_models={"other": str(Path("/nowhere/at/all"))})

    with pytest.raises(ModelError):
        last(engine, [Voice("", GREEDY), Voice("other", GREEDY)])

    assert watched.passes == []


def test_more_answers_than_the_operator_allows_are_refused(make_engine):
    with pytest.raises(InputError) as caught:
        last(make_engine(max_answers=2), [Voice("", GREEDY)] * 4)

    assert caught.value.key == "many_answers"


def test_without_its_template_a_model_reads_the_text_alone(engine):
    with_it, without = last(engine, [Voice("", GREEDY), Voice("", GREEDY, plain=True)])

    assert without.prompt == "Hi"
    assert with_it.prompt.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
