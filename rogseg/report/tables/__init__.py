"""Tables of a report: one model, written as Markdown, LaTeX and CSV."""
