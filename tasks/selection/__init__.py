"""Selection: the rows that serve the objective, and what the dataset lacks for it."""
