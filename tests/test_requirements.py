"""What the app needs can be installed, ready built, on every Python that a Space may have."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PYTHONS = ("3.11", "3.12", "3.13")
SECONDS = 900


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_the_requirements_have_a_solution(version, tmp_path):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    wanted = ["--python-version", version, "--only-binary=:all:", "--target", str(tmp_path)]
    done = subprocess.run(
        [*command, *wanted, "-r", str(ROOT / "requirements.txt")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
