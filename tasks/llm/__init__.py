"""Language models behind an OpenAI-compatible endpoint: ask, read, remember."""
