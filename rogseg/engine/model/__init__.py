"""Trained networks as Python objects: from a file or from the model zoo."""
