"""Decoding strategies: one readable file each, all of them generators that a worker runs together."""
