"""Greedy decoding that ends where its text says so."""

from llm_demo.request import Request
from llm_demo.sampling import Sampling


def test_a_text_ends_right_after_what_the_pattern_describes(make_engine):
    engine = make_engine()
    greedy = Sampling("greedy", max_new_tokens=30)
    whole = engine.generate("hola", greedy)
    text = engine.tokenizer.decode(whole.token_ids[:12])
    wanted = engine.tokenizer.decode(whole.token_ids[10:12])
    assert text.count(wanted) == 1  # else this test would prove nothing

    import re

    (cut,) = engine.generate_many([Request("hola", greedy, until=re.escape(wanted))])

    assert cut.token_ids == whole.token_ids[:12]
    assert cut.steps == whole.steps[:12]


def test_a_pattern_that_never_comes_changes_nothing(make_engine):
    engine = make_engine()
    greedy = Sampling("greedy", max_new_tokens=20)

    (one,) = engine.generate_many([Request("hola", greedy, until="never written")])

    assert one.token_ids == engine.generate("hola", greedy).token_ids
