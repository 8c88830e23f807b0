"""Wiring: flows that read like a table of contents, and the `temper` command."""
