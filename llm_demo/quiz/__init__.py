"""The MMLU-ProX quiz: questions, the prompts made of them, and how a model's letter is read."""
