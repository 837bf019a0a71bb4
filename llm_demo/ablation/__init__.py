"""Ablation: a prompt in named parts, its variants, what became of each, and what each part was worth."""
