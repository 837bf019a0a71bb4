"""Prompt Ablation tab: every variant beside the others, and what each part was worth.

One comparison of the example serves the tests that only look at it.
"""

import re

import pytest
from playwright.sync_api import expect

TOKENS = 8
TONE = "Explica con un tono cercano y sencillo."
FORMAT = "Responde con tres puntos breves."
TOPIC = "¿Para qué sirve Git en un proyecto de IA generativa?"
PARTS = [{"name": "tono", "text": TONE}, {"name": "formato", "text": FORMAT}, {"name": "tema", "text": TOPIC}]
TITLES = ["Prompt completo", "Sin «tono»", "Sin «formato»", "Sin «tema»", "Solo «tema»"]


@pytest.fixture(scope="module")
def compared(enter):
    """The tab after one comparison of the three parts that it opens with."""
    with enter() as visitor:
        visitor.open_tab("ablation")
        visitor.set_knob("knob.max_new_tokens", TOKENS)
        visitor.page.locator("#ablation-run").click()
        expect(visitor.page.locator("#ablation-worth .ytick text").first).to_be_visible()
        yield visitor


@pytest.fixture(scope="module")
def measured(client) -> dict:
    """The same comparison, asked by a program."""
    return client.predict(PARTS, None, {"strategy": "greedy", "max_new_tokens": TOKENS}, api_name="/ablate")


@pytest.fixture
def ablation(visitor):
    """The tab before anything was compared."""
    visitor.open_tab("ablation")
    return visitor


def card(visitor, number: int):
    return visitor.page.locator(f"#ablation-card-{number}")


def name(visitor, number: int):
    return visitor.page.locator(f"#ablation-name-{number}").locator("input, textarea")


def text(visitor, number: int):
    return visitor.page.locator(f"#ablation-text-{number}").locator("input, textarea")


def test_full_each_left_out_and_the_last_alone_stand_side_by_side(compared):
    expect(compared.shown("#ablation-cards h3")).to_have_text(TITLES)
    expect(compared.shown("#ablation-cards .js-plotly-plot")).to_have_count(5)


def test_each_card_has_the_text_and_the_first_token_of_its_own_variant(compared, measured):
    for number, variant in enumerate(measured["variants"]):
        trace = variant["traces"][0]
        titles = [token.get_attribute("title") for token in card(compared, number).locator(".token").all()]
        assert [int(re.search(r"id (\d+)", title)[1]) for title in titles] == trace["token_ids"]
        expect(card(compared, number).locator(".gtitle")).to_have_text("El primer token de la respuesta")
        chosen = compared.tick_labels(card(compared, number)).filter(has_text="▶")
        expect(chosen).to_have_text([f"▶ {card(compared, number).locator('.token').first.inner_text()}"])


def test_each_card_tells_the_prompt_that_was_sent(compared, measured):
    prompts = [card(compared, number).locator(".read").text_content() for number in range(5)]

    assert prompts == [variant["prompt"] for variant in measured["variants"]]
    assert [[part["text"] in prompt for part in PARTS] for prompt in prompts] == [
        [True, True, True],
        [False, True, True],
        [True, False, True],
        [True, True, False],
        [False, False, True],
    ]


def test_the_worth_chart_shows_the_effect_of_each_part(compared, measured):
    worth = compared.page.locator("#ablation-worth")

    expect(compared.tick_labels(worth)).to_have_text(["tono", "formato", "tema"])
    expect(worth.locator(".gtitle")).to_have_text("Lo que valía cada parte para la respuesta")
    nats = worth.locator(".js-plotly-plot").evaluate("plot => [...plot.data[0].x]")
    assert nats == pytest.approx([effect["nats"] for effect in measured["effects"]], abs=1e-3)


def test_the_verdict_names_the_part_that_weighed_most(compared, measured):
    most = max(measured["effects"], key=lambda effect: effect["nats"])

    nats = f"{most['nats']:.1f}".replace(".", ",")
    expect(compared.page.locator("#ablation-verdict")).to_have_text(
        f"La parte que más pesó fue {most['part']}: sin ella, la respuesta del prompt completo pierde {nats} nats."
    )


def test_a_part_can_be_added_and_takes_part(ablation):
    ablation.page.locator("#ablation-more").click()
    name(ablation, 3).fill("idioma")
    text(ablation, 3).fill("Responde en inglés.")
    ablation.set_knob("knob.max_new_tokens", 2)

    ablation.page.locator("#ablation-run").click()

    expect(ablation.shown("#ablation-cards h3")).to_have_text(
        ["Prompt completo", "Sin «tono»", "Sin «formato»", "Sin «tema»", "Sin «idioma»", "Solo «idioma»"]
    )
    expect(ablation.tick_labels(ablation.page.locator("#ablation-worth"))).to_have_count(4)


def test_a_part_can_be_removed_and_is_left_out(ablation):
    ablation.page.locator("#ablation-fewer").click()
    expect(name(ablation, 2)).to_have_count(0)
    ablation.set_knob("knob.max_new_tokens", 2)

    ablation.page.locator("#ablation-run").click()

    expect(ablation.shown("#ablation-cards h3")).to_have_text(["Prompt completo", "Sin «tono»", "Sin «formato»"])
    expect(ablation.tick_labels(ablation.page.locator("#ablation-worth"))).to_have_text(["tono", "formato"])


def test_one_part_always_stays(ablation):
    for left in (2, 1, 1):
        ablation.page.locator("#ablation-fewer").click()
        expect(ablation.shown("[id^=ablation-name-]")).to_have_count(left)


def test_empty_parts_are_told_in_a_sentence(ablation):
    for number in range(3):
        text(ablation, number).fill("  ")

    ablation.page.locator("#ablation-run").click()

    ablation.expect_toast("Todas las partes están vacías: escribe al menos una.")


def test_two_parts_of_one_name_are_told_in_a_sentence(ablation):
    name(ablation, 1).fill("tono")

    ablation.page.locator("#ablation-run").click()

    ablation.expect_toast("Cada parte necesita un nombre, y no puede haber dos iguales.")
