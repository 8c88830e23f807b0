"""Existing datasets come in, finished datasets go out."""
