"""Trained systems of any framework, made robust: fine-tuned under attack and written back in their own format."""
