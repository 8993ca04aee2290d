"""MONAI bundles: loaded without running code from their files, attacked through the exact gradient of their windows."""

from rogseg.systems.monai_bundle.system import MonaiBundle

__all__ = ["MonaiBundle"]
