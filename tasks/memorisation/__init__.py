"""Memorisation: what a model gives away of its training rows, word by word."""
