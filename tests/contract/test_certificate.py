"""A server's certificate is checked before anything is sent to it, the key least of all."""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.engine.remote import RemoteEngine
from llm_demo.errors import ModelError
from llm_demo.sampling import Sampling
from tests.contract.fake import FakeServer

KEY = "a-secret-key"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An institution's own, which no machine knows."""
    return trustme.CA()


@pytest.fixture
def server(authority, tiny_model, tiny_tokenizer, tmp_path) -> Iterator[FakeServer]:
    file = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(file)
    found = FakeServer(tiny_model, tiny_tokenizer, key=KEY, certificate=file)
    yield found
    found.close()


def config_of(server: FakeServer, folder: Path) -> Config:
    return Config(endpoint=server.url, endpoint_key=KEY, extra_models={"tiny": str(folder)}, device="cpu")


def test_one_that_nobody_vouches_for_is_refused_and_is_sent_no_key(server, tiny_folder, caplog):
    caplog.set_level(logging.DEBUG)
    engine = RemoteEngine.open("", config_of(server, tiny_folder))
    with pytest.raises(ModelError) as caught:
        _ = engine.loaded
    engine.close()

    told = str(caught.value) + caplog.text + "".join(traceback.format_exception(caught.value))
    assert caught.value.key == "engine_certificate"
    assert "SSL_CERT_FILE" in str(caught.value)
    assert "CERTIFICATE_VERIFY_FAILED" in told  # the operator's traceback says what was wrong
    assert KEY not in told
    assert server.seen.asked == 0


def test_one_whose_authority_the_operator_names_is_taken(server, authority, tiny_folder, tmp_path, monkeypatch):
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    engine = Engine.load(config=config_of(server, tiny_folder))

    assert engine.generate("uno", Sampling("greedy", max_new_tokens=2)).token_ids
    assert server.seen.asked > 0
    engine.close()
