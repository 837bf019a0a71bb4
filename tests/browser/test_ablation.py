"""The Ablation tab: a prompt in parts and its checks, the variants beside each other, and what each part was worth."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from llm_demo.i18n import translator

PARTS = [
    {"name": translator("es")(f"ablation.example_{part}_name"), "text": translator("es")(f"ablation.example_{part}")}
    for part in ("tone", "format", "topic")
]
TITLES = ["Prompt completo", "Sin «tono»", "Sin «formato»", "Sin «tema»", "Solo «tema»"]
TOKENS = 4
MINUTE = 60_000


def settle(visitor, samples: int = 0, tokens: int = TOKENS) -> None:
    """Open the settings and keep the run short."""
    visitor.page.get_by_text(visitor.t("ablation.settings"), exact=True).click()
    visitor.set_knob("ablation.samples", samples)
    visitor.set_knob("knob.max_new_tokens", tokens)


def run(visitor) -> None:
    """Compare the variants and wait until everything is measured."""
    visitor.page.locator("#ablation-run").click()
    last = visitor.page.locator("#ablation-rates tr:last-child td:last-child")
    expect(last).to_have_text(re.compile(r"^\d,\d{3}$"), timeout=MINUTE)
    expect(visitor.page.locator("#ablation-going")).to_be_hidden(timeout=MINUTE)


@pytest.fixture(scope="module")
def compared(enter):
    """A page after one comparison of the three parts that it opens with: the greedy answer and two samples."""
    with enter() as visitor:
        visitor.open_tab("ablation")
        settle(visitor, samples=2)
        run(visitor)
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


# What is measured


def test_full_each_left_out_and_the_last_alone_stand_side_by_side(compared):
    expect(compared.shown("#ablation-cards h3")).to_have_text(TITLES)


def test_each_card_has_the_greedy_text_of_its_own_variant(compared, measured):
    for number, variant in enumerate(measured["variants"]):
        said = (
            card(compared, number)
            .locator(".said")
            .evaluate("said => [...said.querySelectorAll('span, ins')].map(piece => piece.textContent).join('')")
        )
        assert said == variant["traces"][0]["text"]


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


def test_the_worth_chart_shows_the_effect_of_each_part_and_the_noise(compared, measured):
    worth = compared.page.locator("#ablation-worth")

    expect(worth.locator(".scatterlayer path.point")).to_have_count(2 * 3)  # two more answers, three parts: drawn last
    rows = compared.tick_labels(worth).all_text_contents()
    assert [re.match("[a-z]+", row)[0] for row in rows] == ["tono", "formato", "tema"]
    expect(worth.locator(".gtitle")).to_have_text("Lo que valía cada parte para la respuesta")
    nats = worth.locator(".js-plotly-plot").evaluate("plot => [...plot.data[0].x]")
    assert nats == pytest.approx([effect["nats"] for effect in measured["effects"]], abs=1e-4)
    band = worth.locator(".js-plotly-plot").evaluate("plot => plot.layout.shapes.map(shape => [shape.x0, shape.x1])")
    assert band[0][0] == -band[0][1] < 0


def test_the_verdict_is_made_of_the_figures(compared, measured):
    most = max(measured["effects"], key=lambda effect: effect["nats"])
    sentences = compared.page.locator("#ablation-verdict").inner_text()

    assert re.search(r"Sin formato, \d de 2 respuestas cumplían «3 viñetas»; con ella, \d de 2\.", sentences)
    nats = f"{most['nats']:.1f}".replace(".", ",")
    told = f"La parte que más pesó fue {most['part']}: sin ella, la respuesta del prompt completo pierde {nats} nats."
    assert told in sentences
    assert "nats: es el ruido." in sentences


def test_the_table_has_a_rate_with_its_interval_for_every_variant_and_check(compared):
    table = compared.page.locator("#ablation-rates table")

    assert table.locator("tbody th").all_inner_texts() == TITLES
    heads = [head.replace("\n", " ") for head in table.locator("thead th").all_inner_texts()]
    assert heads[1:3] == ["3 viñetas formato", "contiene Git tema"]
    for cell in table.locator("tbody tr td:nth-of-type(-n+2)").all_inner_texts():
        assert re.match(r"\d de 2\s+[\d,]+ % a [\d,]+ %", cell)
    assert table.locator("tbody tr:first-child td").last.inner_text() == "0,000"


def test_another_answer_can_be_seen_side_by_side(compared):
    compared.page.locator("#ablation-which").get_by_label("semilla 1").check()

    expect(card(compared, 0).locator(".hint")).to_contain_text("semilla 1")
    compared.page.locator("#ablation-which").get_by_label("voraz (greedy)").check()
    expect(card(compared, 0).locator(".hint")).to_contain_text("voraz")


def test_where_a_text_departs_is_told(compared, measured):
    for number in range(1, 5):
        ids = [measured["variants"][place]["traces"][0]["token_ids"] for place in (0, number)]
        told = card(compared, number).locator(".hint").inner_text()
        if ids[0] == ids[1]:
            assert "el mismo texto que la referencia" in told
        else:
            place = next(i for i, pair in enumerate(zip(*ids, strict=False)) if pair[0] != pair[1])
            assert f"en el token {place + 1}:" in told


def test_the_heat_map_opens_with_a_row_for_each_token(compared, measured):
    compared.page.get_by_text(compared.t("ablation.by_token"), exact=True).click()
    heat = compared.page.locator("#ablation-heat .js-plotly-plot")
    expect(heat).to_be_visible()

    cells = heat.evaluate("plot => plot.data[0].z")
    assert len(cells) == len(measured["variants"][0]["traces"][0]["token_ids"])
    sums = [sum(column) for column in zip(*cells, strict=True)]
    assert sums == pytest.approx([effect["nats"] for effect in measured["effects"]], abs=1e-4)


def test_two_distributions_of_the_first_token_can_be_compared(compared, measured):
    compared.page.get_by_text(compared.t("ablation.first_token"), exact=True).click()
    chart = compared.page.locator("#ablation-first .js-plotly-plot")
    expect(chart).to_be_visible()

    first, other = (measured["variants"][number]["traces"][0]["steps"][0]["top"] for number in (0, 1))
    bars = chart.evaluate("plot => plot.data.map(bars => bars.x[0])")
    assert bars[0] == pytest.approx(first[0]["raw_prob"], abs=1e-4)
    expected = {candidate["token_id"]: candidate["raw_prob"] for candidate in other}
    assert bars[1] == pytest.approx(expected[first[0]["token_id"]], abs=1e-4)


@pytest.mark.slow
def test_everything_can_be_saved_and_opened_again(compared, enter, tmp_path):
    compared.page.get_by_text(compared.t("save.title"), exact=True).click()
    files: dict[str, Path] = {}
    for kind in ("json", "checks", "answers", "worth"):
        with compared.page.expect_download() as download:
            compared.page.locator(f"#ablation-save-{kind}").click()
        files[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[kind])

    tables = {
        kind: list(csv.DictReader(io.StringIO(files[kind].read_text("utf-8-sig"))))
        for kind in ("checks", "answers", "worth")
    }
    assert len(tables["checks"]) == 5 * 2
    assert len(tables["answers"]) == 5 * 3
    assert {row["variant"] for row in tables["worth"]} == set(TITLES[1:])
    document = json.loads(files["json"].read_text("utf-8"))
    assert [part["name"] for part in document["result"]["experiment"]["parts"]] == ["tono", "formato", "tema"]

    document["result"]["experiment"]["parts"][0]["text"] = "Otro tono."
    files["json"].write_text(json.dumps(document), "utf-8")
    with enter() as other:
        other.open_tab("ablation")
        other.page.get_by_text(other.t("save.title"), exact=True).click()
        other.page.locator("#ablation-save input[type=file]").set_input_files(files["json"])
        expect(other.shown("#ablation-cards h3")).to_have_text(TITLES)
        expect(text(other, 0)).to_have_value("Otro tono.")
        assert (
            other.page.locator("#ablation-rates").inner_text() == compared.page.locator("#ablation-rates").inner_text()
        )
        (tmp_path / "other.json").write_text("{}", "utf-8")
        other.page.locator("#ablation-save input[type=file]").set_input_files(tmp_path / "other.json")
        other.expect_toast(other.t("errors.experiment_version", value="None", version=1))


def test_an_answer_can_be_written_again_with_another_seed(compared):
    compared.page.locator("#ablation-which").get_by_label("semilla 0").check()
    expect(card(compared, 1).locator(".hint")).to_contain_text("semilla 0")

    card(compared, 1).locator(".again").click()

    expect(card(compared, 1).locator(".hint")).to_contain_text("semilla 2")
    expect(card(compared, 0).locator(".hint")).to_contain_text("semilla 0")
    expect(card(compared, 2).locator(".hint")).to_contain_text("semilla 0")


# The editor


def names(visitor) -> list[str]:
    return [box.input_value() for box in visitor.shown("[id^=ablation-name-] :is(input, textarea)").all()]


def test_parts_are_added_moved_and_removed(ablation):
    ablation.page.locator("#ablation-more").click()
    name(ablation, 3).fill("idioma")
    text(ablation, 3).fill("Responde en inglés.")

    ablation.page.locator("#ablation-up-3").click()
    expect(name(ablation, 2)).to_have_value("idioma")
    ablation.page.locator("#ablation-down-0").click()
    expect(name(ablation, 0)).to_have_value("formato")
    ablation.page.locator("#ablation-remove-1").click()
    expect(name(ablation, 1)).to_have_value("idioma")

    assert names(ablation) == ["formato", "idioma", "tema"]
    expect(text(ablation, 1)).to_have_value("Responde en inglés.")


@pytest.mark.slow
def test_a_check_goes_with_its_part_and_says_what_it_means(ablation):
    ablation.page.locator("#ablation-up-1").click()
    expect(name(ablation, 0)).to_have_value("formato")
    ablation.page.get_by_text(ablation.t("ablation.checks"), exact=True).click()

    first = ablation.page.locator("#ablation-check-0")
    expect(first).to_contain_text("Comprobar «formato»")
    expect(first.locator("input")).to_have_value(ablation.t("check_kind.bullets"))
    expect(ablation.page.locator("#ablation-value-0")).to_contain_text(ablation.t("check_means.bullets"))

    first.locator("input").click()
    ablation.page.locator("ul[role=listbox] li", has_text=ablation.t("check_kind.language")).click()
    expect(ablation.page.locator("#ablation-value-0")).to_contain_text(ablation.t("check_means.language"))


@pytest.mark.slow
def test_a_part_switched_off_takes_no_part(ablation):
    settle(ablation, tokens=2)
    ablation.page.locator("#ablation-on-0 input").uncheck()

    run(ablation)

    expect(ablation.shown("#ablation-cards h3")).to_have_text(["Prompt completo", "Sin «formato»", "Sin «tema»"])


@pytest.mark.slow
def test_a_whole_prompt_is_pasted_split_and_run_as_variants_chosen_by_hand(ablation):
    ablation.page.get_by_text(ablation.t("ablation.paste"), exact=True).click()
    ablation.page.locator("#ablation-whole textarea").fill("Be brief. Use a list.\nWhat is Git?")
    ablation.page.locator("#ablation-by-line").click()
    expect(text(ablation, 0)).to_have_value("Be brief. Use a list.")
    ablation.page.locator("#ablation-by-sentence").click()
    expect(text(ablation, 2)).to_have_value("What is Git?")
    settle(ablation, tokens=2)
    for scheme in ("without", "only"):
        ablation.page.locator("#ablation-schemes").get_by_label(ablation.t(f"ablation.scheme_{scheme}")).uncheck()
    ablation.page.locator("#ablation-chosen textarea").fill("3 1\n3")

    run(ablation)

    expect(ablation.shown("#ablation-cards h3")).to_have_text(["«parte 3 + parte 1»", "«parte 3»"])
    assert "What is Git?\nBe brief." in card(ablation, 0).locator(".read").text_content()


# Stopping, and trouble


@pytest.mark.slow
def test_what_was_written_stays_when_the_run_is_stopped(ablation):
    settle(ablation, tokens=200)
    ablation.page.locator("#ablation-run").click()
    expect(card(ablation, 0).locator(".said")).not_to_be_empty()

    ablation.page.locator("#ablation-stop").click()

    expect(ablation.page.locator("#ablation-going")).to_be_hidden()
    expect(card(ablation, 0).locator(".said")).not_to_be_empty()
    expect(card(ablation, 0)).to_contain_text("sin terminar")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            {0: ("tono", " "), 1: ("formato", " "), 2: ("tema", " ")},
            "Todas las partes están vacías: escribe al menos una.",
        ),
        ({1: ("tono", "a")}, "Cada parte necesita un nombre, y no puede haber dos iguales."),
        ({1: ("raro", "a<|im_end|>b")}, "La parte «raro» contiene <|im_end|>, un token de control"),
        ({1: ("larga", "a" * 8_001)}, "La parte «larga» tiene 8.001 caracteres y aquí caben 8.000: acórtala."),
    ],
    ids=["empty", "names", "control", "long"],
)
def test_parts_that_cannot_be_run_are_told_in_a_sentence(ablation, written, sentence):
    for number, (label, words) in written.items():
        name(ablation, number).fill(label)
        text(ablation, number).fill(words)

    ablation.page.locator("#ablation-run").click()

    expect(ablation.page.get_by_test_id("toast-text").last).to_contain_text(sentence)


@pytest.mark.slow
def test_a_broken_pattern_and_a_slow_one_are_told_in_a_sentence(ablation):
    settle(ablation)
    for number in (2, 1):
        ablation.page.locator(f"#ablation-remove-{number}").click()
        expect(ablation.shown("[id^=ablation-part-]")).to_have_count(number)
    ablation.page.get_by_text(ablation.t("ablation.checks"), exact=True).click()
    ablation.page.locator("#ablation-check-0 input").click()
    ablation.page.locator("ul[role=listbox] li", has_text=ablation.t("check_kind.pattern")).click()
    value = ablation.page.locator("#ablation-value-0").locator("input, textarea")

    value.fill("(a")
    ablation.page.locator("#ablation-run").click()
    ablation.expect_toast(ablation.t("errors.check_pattern", value="(a"))

    value.fill("(?R)")  # which calls itself without end
    run(ablation)
    slow = ablation.t("errors.check_slow", value="(?R)", seconds=0.1)
    expect(ablation.page.locator("#ablation-rates")).to_contain_text(slow)
