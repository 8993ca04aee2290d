"""Random and deterministic transforms of patches."""
