"""Training: one trainer, many methods of making weights trainable."""
