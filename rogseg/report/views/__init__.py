"""What the sections of the page show, computed from the contents: the templates only place it."""
