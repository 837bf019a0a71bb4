"""What is said of several continuations: hand-written traces, the sentences worked out."""

import pytest

from llm_demo.comparison import partings
from llm_demo.i18n import translator
from llm_demo.sampling import Sampling
from llm_demo.tabs.versus import chips, fact_list, guesses, parting_choices, parting_list, parting_notes, twin_of
from llm_demo.trace import Candidate, Draft, Step, Trace

ES = translator("es")
GREEDY, LOOKUP = Sampling("greedy"), Sampling("prompt_lookup")


def trace(*texts: str, drafts: tuple[Draft, ...] = ()) -> Trace:
    """Return a continuation whose token ids are the letters' own numbers, each with a probability of e^-1."""
    steps = []
    for text in texts:
        chosen = Candidate(ord(text[0]), text, 0.3679, 0.3679)
        steps.append(Step(chosen, (chosen,), None, 1.0, -1.0))
    ids = tuple(step.chosen.token_id for step in steps)
    return Trace((1,), ids, tuple(steps), "".join(texts), "length", -1.0 * len(ids), len(ids), 2.0, drafts)


def test_the_token_where_texts_part_names_the_other_columns():
    found = partings([trace("a", "b", "c"), trace("a", "b", "d"), trace("x", "b", "c")])

    assert parting_notes(0, found, ES) == {2: "aquí deja de coincidir con 2", 0: "aquí deja de coincidir con 3"}
    assert parting_notes(2, found, ES) == {0: "aquí deja de coincidir con 1, 2"}


def test_every_pair_is_told_equal_or_parted():
    traces = [trace("a", "b"), trace("a", "b"), trace("a"), trace("a", "<")]
    html = parting_list(partings(traces), traces, ES)

    assert "1 y 2: el mismo texto, 2 tokens." in html
    assert "1 y 3 se separan en el paso 2: <b>b</b> frente a (el texto ya había terminado)." in html
    assert "1 y 4 se separan en el paso 2: <b>b</b> frente a <b>&lt;</b>." in html


def test_only_partings_with_two_tokens_can_be_drawn():
    found = partings([trace("a", "b"), trace("a"), trace("a", "c")])

    assert parting_choices(found, ES) == [("1 y 3, paso 2", "0-2")]


def test_a_continuation_in_numbers():
    html = fact_list(trace("a", "b", "c", "a", "b", "c"), ES)

    for fact in (
        "<b>6</b> tokens",
        'log-probabilidad</a> <b>-6,0</b> <a href="#term-nat">nats</a>',
        "<b>-1,00</b> nats por token",
        "perplejidad</a> <b>2,7</b>",
        'repetición <b>25,0 %</b> de <a href="#term-ngram">trigramas</a>',  # abc bca cab abc: three different of four
        "<b>3</b> tokens distintos",
        '<b>6</b> <a href="#term-forward_pass">pasadas</a> del modelo',
        "<b>3,0</b> tokens/s",
    ):
        assert fact in html


def test_a_text_without_tokens_has_no_perplexity():
    assert "perplejidad" not in fact_list(trace(), ES)


def test_guesses_are_marked_accepted_and_rejected():
    drafts = (Draft(0, (ord("a"), ord("x")), ("a", "<x>"), 1), Draft(2, (ord("c"),), ("c",), 1))
    copied = trace("a", "b", "c", "d", drafts=drafts)

    html = guesses(copied, LOOKUP, trace("a", "b", "c", "d"), ES)

    assert "Propuestos: 3. Aceptados (✓): 2. Pasadas ahorradas: 2." in html
    assert "Comprobado: el mismo texto que la columna voraz." in html
    marks = [part.split("<")[0] for part in html.split('">')[2:]]
    assert marks[1:] == ["✓a", "✕&lt;x&gt;", "b", "✓c", "d"]


@pytest.mark.parametrize(
    ("twin", "sampling", "sentence"),
    [
        (trace("a", "x"), LOOKUP, "El texto no coincide con el de la columna voraz."),
        (trace("a", "b", "c"), LOOKUP, "Comprobado: el mismo texto que la columna voraz."),  # as far as it goes
        (None, LOOKUP, "Añade una columna voraz"),
        (trace("z"), Sampling("prompt_lookup", do_sample=True), "Con sorteo, la distribución es la del modelo."),
    ],
)
def test_whether_the_text_is_the_greedy_one_is_checked(twin, sampling, sentence):
    assert sentence in guesses(trace("a", "b", drafts=(Draft(0, (), (), 0),)), sampling, twin, ES)


def test_a_strategy_that_guesses_nothing_has_no_guesses():
    assert guesses(trace("a"), GREEDY, None, ES) == ""


def test_the_greedy_twin_has_the_same_penalties():
    samplings = (LOOKUP, Sampling("greedy", repetition_penalty=1.3), Sampling("greedy", max_new_tokens=9))
    traces = (trace("a"), trace("b"), trace("c"))

    assert twin_of(0, samplings, traces) is traces[2]
    assert twin_of(0, samplings[:2], traces[:2]) is None


def test_chips_of_a_trace_of_another_model_need_no_tokenizer():
    (chip,) = chips(trace("\ufffd"), {0: "una nota"})

    assert (chip.token.id, chip.prob, chip.note) == (0xFFFD, 0.3679, "una nota")
