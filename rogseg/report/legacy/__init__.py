"""What each fault of the released evaluation does to its numbers."""
