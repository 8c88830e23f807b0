"""What training and evaluation share: base models, prompts and label masks, the loss."""
