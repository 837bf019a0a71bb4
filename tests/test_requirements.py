"""What the app needs can be installed, ready built, on every Python that a Space may have, beside what a Space adds."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PYTHONS = ("3.11", "3.12", "3.13")
SECONDS = 900
GRADIO = next(line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("gradio=="))
# As the log of a Space's build shows it; the extra `mcp` holds pydantic and mcp below their newest versions.
SPACE_ADDS = (GRADIO.replace("==", "[oauth,mcp]=="), "uvicorn>=0.14.0", "websockets>=10.4", "spaces")


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_the_requirements_have_a_solution(version, tmp_path):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    wanted = ["--python-version", version, "--only-binary=:all:", "--target", str(tmp_path)]
    done = subprocess.run(
        [*command, *wanted, "-r", str(ROOT / "requirements.txt"), *SPACE_ADDS],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
