"""Raw task folders, stored cases, splits and atomic files."""
