"""A two-dimensional network that sees a volume as planes along several views."""

from rogseg.models.multi_planar.multi_planar_segmentor import MultiPlanarSegmentor
from rogseg.models.multi_planar.planar_unet import PlanarUNet

__all__ = ["MultiPlanarSegmentor", "PlanarUNet"]
