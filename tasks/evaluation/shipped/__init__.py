"""Small sets of our own: instructions that a rule can check, and what to refuse or not."""
