"""Continual use: one document set after the other, each step from the last one's model."""
