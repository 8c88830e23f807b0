"""Takes personal data and secrets out of texts before anything leaves the machine."""
