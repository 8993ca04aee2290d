"""What is evaluated: trained networks of any kind behind one interface."""

from rogseg.systems.any_network import OnnxModel, TorchModule, TorchProgram
from rogseg.systems.base import System, SystemChannel, SystemClass, SystemIdentity
from rogseg.systems.case_source import (
    CaseSource,
    GivenCases,
    Protocol,
    RawCases,
    StoredCases,
    crop_case,
    foreground_window,
)
from rogseg.systems.monai_bundle import MonaiBundle
from rogseg.systems.nnunet import NNUNetSystem
from rogseg.systems.prepared_case import stored_case
from rogseg.systems.rogseg_system import RogsegSystem
from rogseg.systems.trainable import TrainableNetwork

__all__ = [
    "CaseSource",
    "GivenCases",
    "MonaiBundle",
    "NNUNetSystem",
    "OnnxModel",
    "Protocol",
    "RawCases",
    "RogsegSystem",
    "StoredCases",
    "System",
    "SystemChannel",
    "SystemClass",
    "SystemIdentity",
    "TorchModule",
    "TorchProgram",
    "TrainableNetwork",
    "crop_case",
    "foreground_window",
    "stored_case",
]
