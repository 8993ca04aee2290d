"""What measures speed: ratios in one run."""
