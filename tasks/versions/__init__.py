"""Versions of a dataset: found by name, and compared."""
