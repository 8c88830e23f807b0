"""Augmentation: more training rows by rule, each linked to its parent."""
