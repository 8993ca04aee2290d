"""Where raw data comes from: the public archives and a phantom generator."""
