"""What a scanner does to an image: a volume in raw units and a severity in, a volume out."""

from rogseg.corruptions.base import NUM_SEVERITIES, Calibrated, Corruption, Severities, checked_severity, find_parameter
from rogseg.corruptions.contrast import BiasField, ContrastInversion, Gamma, WindowShift
from rogseg.corruptions.ct_artefacts import BeamHardening, MetalStreaks
from rogseg.corruptions.k_space import Ghosting, GibbsRinging, KSpaceSpikes
from rogseg.corruptions.movement import Motion, Rotation, Scaling
from rogseg.corruptions.noise import DoseNoise, GaussianNoise, RicianNoise
from rogseg.corruptions.resolution import Blur, ChannelDropped, DownSampling, MissingSlices, ThickSlices
from rogseg.corruptions.scan import MODALITIES, Modality, Scan, modality_of

__all__ = [
    "MODALITIES",
    "NUM_SEVERITIES",
    "BeamHardening",
    "BiasField",
    "Blur",
    "Calibrated",
    "ChannelDropped",
    "ContrastInversion",
    "Corruption",
    "DoseNoise",
    "DownSampling",
    "Gamma",
    "GaussianNoise",
    "Ghosting",
    "GibbsRinging",
    "KSpaceSpikes",
    "MetalStreaks",
    "MissingSlices",
    "Modality",
    "Motion",
    "RicianNoise",
    "Rotation",
    "Scaling",
    "Scan",
    "Severities",
    "ThickSlices",
    "WindowShift",
    "checked_severity",
    "find_parameter",
    "modality_of",
]
