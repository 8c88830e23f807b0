"""The front: methods, mitigations, strengths and learning rates, learning against forgetting."""
