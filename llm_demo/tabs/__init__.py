"""The screen: layout and event wiring only; every number comes from the backend."""

from pathlib import Path

STYLE = sorted(Path(__file__).parent.glob("*.css"))
