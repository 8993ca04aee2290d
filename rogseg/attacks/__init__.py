"""Attacks on volumetric segmentation networks: threat models, objectives, criteria, attacks."""
