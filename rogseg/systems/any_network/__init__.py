"""Networks of anybody's: torch modules, exported programs and ONNX files, with windows and intensities as they say."""

from rogseg.systems.any_network.network_system import NetworkSystem
from rogseg.systems.any_network.torch_module import TorchModule

__all__ = ["NetworkSystem", "TorchModule"]
