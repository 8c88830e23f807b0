"""Splitting: every group of related rows goes to one of train, validation and test."""
