"""Curation: duplicates out, related rows into groups, and the audit of a split."""
