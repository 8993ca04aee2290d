"""Reports of accuracy and robustness."""
