"""What is kept of pages that were closed: the last few, and nothing of those before."""

import time

import httpx
import pytest

from app import build_app
from llm_demo.tabs.leaving import KEPT
from tests import apart
from tests.served import launched
from tests.window import Layout, Window

pytestmark = pytest.mark.slow  # it serves a page of its own

SECONDS = 30


@pytest.fixture
def page(make_engine):
    app = build_app(make_engine(extra_models={"tiny": "/nowhere"}))
    with launched(app):
        yield app


async def visit(url: str, times: int) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS) as client:
        layout = Layout((await client.get("/config")).json())
        async with Window(client, layout):  # somebody who stays
            for _ in range(times):
                async with Window(client, layout):
                    pass


def test_of_closed_pages_the_last_few_are_kept_and_whoever_stays_is(page):
    apart.run(visit(page.local_url, KEPT + 6))

    sessions = page.state_holder.session_data
    deadline = time.monotonic() + SECONDS
    while len(sessions) > KEPT + 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert KEPT - 1 <= len(sessions) <= KEPT + 1
