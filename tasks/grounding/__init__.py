"""Is a row's answer in its passage? Deterministic: words, numbers, names, negations, order."""
