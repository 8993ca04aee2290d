"""The training loop, its hooks, its data and its checkpoints."""
