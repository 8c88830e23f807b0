"""The augmenters, one a file."""
