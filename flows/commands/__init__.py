"""The verbs of the `temper` command, a few to a file; each imports what it needs when called."""
