"""Link: what the browser tells of its address, and what a visitor is given of a link."""

import json
import re
from html import unescape
from urllib.parse import unquote

import pytest

from llm_demo.i18n import translator
from llm_demo.links import Link
from llm_demo.tabs.link import address_html, file_html, place

T = translator("en")
SPACE = "https://someone-demo.hf.space/"


def told(base: object, at: object = "") -> str:
    return json.dumps({"base": base, "at": at})


def test_the_browser_tells_where_it_is_and_which_section_is_open():
    assert place(told(SPACE, "decoding-race")) == (SPACE, "decoding-race")


@pytest.mark.parametrize(
    "where",
    [
        None,
        5,
        "",
        "{",
        "[]",
        "null",
        told(None),
        told(5),
        told("javascript:alert(1)//"),
        told("https://" + "a" * 293),
        told("http://["),
    ],
)
def test_what_is_no_address_is_none(where):
    assert place(where)[0] == ""


def test_an_address_is_shown_as_text_with_its_code():
    html = address_html(f'{SPACE}?text="><script>', T)

    assert "<script>" not in html
    assert unescape(re.search(r'<input readonly value="([^"]*)"', html)[1]) == f'{SPACE}?text="><script>'
    assert html.count("<svg") == 1
    assert T("link.local") not in html


@pytest.mark.parametrize("base", ["http://127.0.0.1:7860/", "http://localhost/", "http://[::1]:7860/"])
def test_an_address_that_nobody_else_can_open_is_told(base):
    assert T("link.local") in address_html(f"{base}?lesson=D6", T)


def test_the_code_has_a_white_border_and_fills_its_place():
    svg = re.search(r"<svg.*?</svg>", address_html(SPACE, T))[0]

    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    assert f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/>' in svg
    assert (size - 2 * 4 - 17) % 4 == 0  # version v of a QR code has 17 + 4 v squares a side
    assert "M4 4.5h7" in svg  # the finder pattern begins behind four squares of border


def test_a_file_holds_the_link():
    html = file_html(Link("chat"), 3412, '{"a": "ñ<>&\\""}', T)

    assert "3,412" in html
    assert unquote(re.search(r'href="data:application/json,([^"]*)"', html)[1]) == '{"a": "ñ<>&\\""}'
