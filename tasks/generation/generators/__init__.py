"""The kinds of rows: one plug-in a file."""
