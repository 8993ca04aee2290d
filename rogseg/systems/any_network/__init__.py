"""Networks of anybody's: torch modules, exported programs and ONNX files, with windows and intensities as they say."""

from rogseg.systems.any_network.network_system import NetworkSystem
from rogseg.systems.any_network.onnx_model import OnnxModel
from rogseg.systems.any_network.torch_module import TorchModule
from rogseg.systems.any_network.torch_program import TorchProgram

__all__ = ["NetworkSystem", "OnnxModel", "TorchModule", "TorchProgram"]
