"""Near-duplicates in corpora that do not fit in memory."""
