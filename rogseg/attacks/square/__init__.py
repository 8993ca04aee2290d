"""The Square attack, a black box, and what it asks of a model that can evaluate a local change cheaply."""

from rogseg.attacks.square.queries import OpenCase, RegionModel
from rogseg.attacks.square.square import Square

__all__ = ["OpenCase", "RegionModel", "Square"]
