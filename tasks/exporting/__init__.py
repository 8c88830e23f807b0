"""From a tuned model to what other programs load, with proof that it still answers alike."""
