"""From record folders to the contents of a report."""
