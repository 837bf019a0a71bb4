"""A short soak: a few visitors for a few seconds, each with the answers that they get alone."""

import subprocess
import sys

import pytest

from tests.served import ROOT
from tests.soak import main


@pytest.mark.slow
def test_four_visitors_get_their_own_answers():
    words = ["--visitors", "4", "--minutes", "0.25", "--pause", "1"]
    call = [sys.executable, "-m", "tests.soak", *words]
    soak = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)

    assert soak.returncode == 0, soak.stdout + soak.stderr
    assert "errors: 0, mixed: 0" in soak.stdout


@pytest.mark.parametrize("arguments", [["--visitors", "101"], ["--minutes", "61"], ["--pause", "0"]])
def test_what_is_out_of_bounds_starts_nothing(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
