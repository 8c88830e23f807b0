"""Examinations: each file holds one and registers it."""
