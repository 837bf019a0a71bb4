"""The one door to a model, wherever it runs: in this process, or on a serving engine elsewhere."""

from llm_demo.engine.protocol import Engine

__all__ = ["Engine"]
