"""Whole volumes and patches of stored cases."""
