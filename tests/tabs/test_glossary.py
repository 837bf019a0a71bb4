"""The glossary and the notes of theory: every link in them, and in all other words of the page, leads somewhere."""

import re
from pathlib import Path

import pytest

from llm_demo.i18n import LANGUAGES, keys, translator
from llm_demo.tabs import glossary

TABS = ("tokenizer", "chat", "decoding", "ablation", "quiz")
A_SCREEN = 230  # words


def links(text: str) -> list[str]:
    """Return where the links of a text in Markdown or HTML lead inside the page."""
    return re.findall(r'(?:\]\(|href=")#([\w-]+)', text)


def all_links(language: str) -> set[str]:
    t = translator(language)
    return {link for key in keys(language) for link in links(t(key))}


def element_ids() -> set[str]:
    """Return the ids that the code of the tabs gives to their parts."""
    code = "\n".join(file.read_text("utf-8") for file in Path(glossary.__file__).parent.glob("*.py"))
    return set(re.findall(r'id="([\w-]+)"', code)) | {f"{tab}-background" for tab in TABS} | {"tokenizer-inside"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_that_is_linked_is_in_the_glossary(language):
    linked = {link.removeprefix("term-") for link in all_links(language) if link.startswith("term-")}

    assert linked - set(glossary.TERMS) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_that_is_linked_is_on_the_page(language):
    seen = {link.removeprefix("see-") for link in all_links(language) if link.startswith("see-")}

    assert len(seen) > 10
    assert seen - element_ids() == set()


def test_every_term_is_explained_and_nothing_else_is():
    assert {key.rsplit(".", 1)[1] for key in keys("es") if key.startswith("glossary.means.")} == set(glossary.TERMS)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_note_fits_a_screen_and_points_to_what_shows_it(language, tab):
    note = translator(language)(f"background.{tab}.text")

    assert len(note.split()) <= A_SCREEN
    assert any(link.startswith("term-") for link in links(note))
    assert any(link.startswith(f"see-{tab}") or link == "see-classify" for link in links(note))


@pytest.mark.parametrize("tab", TABS)
def test_a_note_has_the_same_links_in_both_languages(tab):
    es, en = (links(translator(language)(f"background.{tab}.text")) for language in ("es", "en"))

    assert sorted(es) == sorted(en)


def test_the_terms_stand_in_the_order_of_the_alphabet_whatever_their_accents():
    names = re.findall(r"<dt[^>]*>(.)", glossary.render(translator("es")))

    assert len(names) == len(glossary.TERMS)
    assert names == sorted(names, key=str.casefold)
    assert {"a", "b", "l", "t"} <= set(names)


def test_a_link_in_an_explanation_is_html_and_the_rest_is_text():
    assert glossary.linked("a < b, [un token](#term-token)") == 'a &lt; b, <a href="#term-token">un token</a>'
    assert glossary.linked("[x](javascript:alert)") == "[x](javascript:alert)"
