"""Judges rows of any origin, each with a verdict of its own: by rules and by a language model."""
