"""What the pipeline does: one package a stage, pure functions inside, a thin task beside."""
