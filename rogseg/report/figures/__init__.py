"""Figures for papers: one style, PNG and SVG, each function from plain data to two files."""
