"""The parsers: one file a format, found by the registry in `tasks.ingestion.parser`."""
