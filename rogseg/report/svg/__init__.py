"""Charts of the page as SVG: a few kilobytes each, in the page's own colours, and ready for the mouse."""
