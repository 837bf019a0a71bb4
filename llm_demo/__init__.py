"""The backend of a demo that shows how a language model writes: tokens, scores, strategies."""
