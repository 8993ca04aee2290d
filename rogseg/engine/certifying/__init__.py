"""Certificates of a system's cases, on record."""
