"""The screen: layout and event wiring only; every number comes from the backend."""

from pathlib import Path

STYLE = Path(__file__).parent / "style.css"
