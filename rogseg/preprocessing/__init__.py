"""From raw NIfTI volumes to stored cases."""
