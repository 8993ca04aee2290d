"""Train, attack and defend volumetric medical segmentation networks."""

__version__ = "0.1.0"
