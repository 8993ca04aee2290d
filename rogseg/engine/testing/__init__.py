"""Prediction in the raw grid and its accuracy."""
