"""One shape of record a file; each registers itself in `tasks.interchange.format`."""
