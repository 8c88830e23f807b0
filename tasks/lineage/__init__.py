"""Lineage: where a row comes from, what a document has become, and a dataset without it."""
