"""Transforms between the crop that is read from disk and the patch that is trained on."""

from rogseg.datasets.transforms.base import IntensityTransform, Transform
from rogseg.datasets.transforms.centre_crop import CentreCrop
from rogseg.datasets.transforms.clip_to_box import ClipToBox
from rogseg.datasets.transforms.random_affine import RandomAffine
from rogseg.datasets.transforms.random_corruption import RandomCorruption
from rogseg.datasets.transforms.random_gamma import RandomGamma
from rogseg.datasets.transforms.random_mirror import RandomMirror
from rogseg.datasets.transforms.smoothing_noise import SmoothingNoise

__all__ = [
    "CentreCrop",
    "ClipToBox",
    "IntensityTransform",
    "RandomAffine",
    "RandomCorruption",
    "RandomGamma",
    "RandomMirror",
    "SmoothingNoise",
    "Transform",
]
