"""The judges, one a file; each registers itself."""
