"""Chat files: everything that is known of a conversation, for programs and for people."""

import json

import pytest
from markdown_it import MarkdownIt

from llm_demo.chat import Message
from llm_demo.chat_files import ChatRecord, Turn, to_json, to_markdown
from llm_demo.i18n import translator
from llm_demo.sampling import Sampling

ES, EN = translator("es"), translator("en")
ASKED = Turn(Message("user", "¿Cuánto es «1 + 1»? 😀"))
ANSWERED = Turn(Message("assistant", "Es **2**."), "Uno y uno…\n\nson dos.", -1.25, (5, 6, 2))
RECORD = ChatRecord("Qwen3-0.6B", "Sé breve.", Sampling(temperature=0.7, top_p=0.9, seed=7), True, (ASKED, ANSWERED))


def test_json_holds_all_that_is_known():
    assert json.loads(to_json(RECORD)) == {
        "model": "Qwen3-0.6B",
        "system": "Sé breve.",
        "thinking": True,
        "settings": {
            "strategy": "sample", "max_new_tokens": 50, "temperature": 0.7, "top_k": 0, "top_p": 0.9, "min_p": 0.0,
            "repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "num_beams": 1, "length_penalty": 1.0,
            "penalty_alpha": 0.0, "num_draft_tokens": 0, "seed": 7, "typical_p": 1.0, "do_sample": False,
            "early_stopping": False,
        },
        "turns": [
            {"role": "user", "content": "¿Cuánto es «1 + 1»? 😀"},
            {
                "role": "assistant", "content": "Es **2**.", "reasoning": "Uno y uno…\n\nson dos.", "log_prob": -1.25,
                "token_ids": [5, 6, 2],
            },
        ],
    }  # fmt: skip


def test_the_settings_of_a_file_make_the_same_sampling():
    assert Sampling.from_dict(json.loads(to_json(RECORD))["settings"]) == RECORD.sampling


def test_letters_stay_letters_in_json():
    assert "¿Cuánto es «1 + 1»? 😀" in to_json(RECORD)


def test_json_refuses_an_infinite_log_probability():
    endless = ChatRecord("m", "", Sampling(), False, (Turn(Message("assistant", "x"), log_prob=float("-inf")),))

    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(endless)


def test_markdown_in_full():
    assert (
        to_markdown(RECORD, ES)
        == """\
# Conversación con un modelo de lenguaje

## Ajustes

- Modelo: `Qwen3-0.6B`
- strategy: `sample`
- max_new_tokens: `50`
- temperature: `0.7`
- top_k: `0`
- top_p: `0.9`
- seed: `7`
- thinking: `True`

## Mensaje de sistema (system)

Sé breve.

## Tú

¿Cuánto es «1 + 1»? 😀

## El modelo

> **Pensamientos**
>
> Uno y uno…
>
> son dos.

Es **2**.

*3 tokens · log-probabilidad -1,25 nats*
"""
    )


def test_markdown_lists_what_acts():
    greedy = ChatRecord("m", "", Sampling("greedy", repetition_penalty=1.2, temperature=0.7), False, (ASKED,))

    text = to_markdown(greedy, EN)

    assert "- strategy: `greedy`\n- max_new_tokens: `50`\n- repetition_penalty: `1.2`\n- thinking" in text
    assert "temperature" not in text
    assert "System message" not in text


@pytest.mark.parametrize(
    "text",
    ["```python\nx = 1", "~~~\nx", "````\n```\nx", "```\na\n```\n~~~", "    ```\n```", "```\nx\n``` y", "``` a`b\n```"],
)
def test_a_block_of_code_cut_off_ends_before_the_next_turn(text):
    cut = ChatRecord("m", "", Sampling(), False, (Turn(Message("assistant", text), "```\nthought"), ASKED))

    tokens = MarkdownIt().parse(to_markdown(cut, EN))

    headings = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings[-2:] == ["The model", "You"]
    blocks = [token.content for token in MarkdownIt().parse(text) if token.type == "fence"]
    found = [token.content for token in tokens if token.type == "fence"]
    assert [block.strip() for block in found] == ["thought", *(block.strip() for block in blocks)]


def test_whole_blocks_of_code_are_left_alone():
    text = "```\na\n```\n\n~~~\nb\n~~~~\nend"

    assert f"\n\n{text}\n" in to_markdown(ChatRecord("m", "", Sampling(), False, (Turn(Message("user", text)),)), EN)
