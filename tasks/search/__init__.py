"""Search: which options of training reach the lowest loss and forget least."""
