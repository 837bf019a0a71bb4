"""A short soak: a few visitors for a few seconds, each with the answers that they get alone."""

import pytest

from tests.soak import main


@pytest.mark.slow
def test_four_visitors_get_their_own_answers(capsys):
    assert main(["--visitors", "4", "--minutes", "0.25", "--pause", "1"]) == 0
    assert "errors: 0, mixed: 0" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--visitors", "101"], ["--minutes", "61"], ["--pause", "0"]])
def test_what_is_out_of_bounds_starts_nothing(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
