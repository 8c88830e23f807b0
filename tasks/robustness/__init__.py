"""Robustness: the test questions asked otherwise, which ought to change little."""
