"""Makes question-answer rows from chunks, by rules and by a language model."""
