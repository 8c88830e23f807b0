"""Evaluation: base and tuned model on the same rows, and what lies between them."""
