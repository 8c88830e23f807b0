"""Text as sets that can be compared: normalisation, shingles, n-grams, template text, overlap."""
