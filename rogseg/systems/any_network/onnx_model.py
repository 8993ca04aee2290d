"""ONNX files as systems: labels like any other, but no gradient."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rogseg.foreign import checked_name, open_regular
from rogseg.registry import SYSTEMS
from rogseg.systems.any_network.network_system import NetworkSystem, Settings, installed

__all__ = ["OnnxModel"]

NUMBERS = {"tensor(float)": torch.float32, "tensor(float16)": torch.float16, "tensor(double)": torch.float64}
MAX_BYTES = 2**31  # of one message of Protocol Buffers
FAULTS = (
    "Fail", "InvalidArgument", "NoSuchFile", "NoModel", "EngineError", "RuntimeException", "InvalidProtobuf",
    "NotImplemented", "InvalidGraph",
)  # fmt: skip


@SYSTEMS.register_module()
class OnnxModel(NetworkSystem):
    """A network in an ONNX file, run by ONNX Runtime on the CPU.

    The format holds a graph of known operators and no code. It has no gradient, so only attacks that query it can be
    made, and a report says that no white-box attack was.

    Args:
        file: the model; tensors that it keeps in other files lie beside it.
        inputs: see `TorchModule`.
        windows: see `TorchModule`.
        outputs: see `TorchModule`; ``key`` is the name of an output or its number.
        threads: of ONNX Runtime; 0 takes all cores.
        name: what a person calls it; None takes the file's name.

    Raises:
        ValueError: ONNX Runtime is not installed, the file is damaged, or takes other windows.
    """

    differentiable = False

    def __init__(
        self,
        file: str | Path,
        inputs: Settings,
        windows: Settings,
        outputs: Settings,
        threads: int = 0,
        name: str | None = None,
    ) -> None:
        path = Path(file)
        versions = installed(("onnx", "onnxruntime"), "onnx", path)
        open_regular(path.absolute(), "name the ONNX file").close()
        digest = _digest(path)
        network = _OnnxNetwork(path, outputs.get("key"), threads)
        super().__init__(
            kind="onnx",
            name=name or path.stem,
            network=network,
            inputs=inputs,
            windows=windows,
            outputs=outputs,
            device="cpu",
            digest=digest,
            options={},
            versions=versions,
        )
        network.check(len(self.channels), self.window_size)


class _OnnxNetwork:
    """(B, C, d, h, w) -> a tensor, or all outputs by name or number."""

    def __init__(self, path: Path, key: int | str | None, threads: int) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        self.path, self.key = path, key
        self.faults = tuple(getattr(state, fault) for fault in FAULTS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors, which are raised as well
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except self.faults as error:
            raise ValueError(f"{path}: ONNX Runtime cannot use it ({_reason(error)}); export it again") from error
        entries = self.session.get_inputs()
        if len(entries) != 1 or entries[0].type not in NUMBERS or len(entries[0].shape) != 5:
            found = [(entry.name, entry.type, entry.shape) for entry in entries]
            raise ValueError(f"{path}: a network of one input (B, C, D, H, W) of numbers is expected, it takes {found}")
        self.entry, self.dtype = entries[0], NUMBERS[entries[0].type]

    def check(self, channels: int, window: tuple[int, int, int] | None) -> None:
        """Hold the input's shape against what the network will be given; an axis without a number takes any length."""
        given = (None, channels, *(window or (None,) * 3))
        for axis, (fixed, wanted) in enumerate(zip(self.entry.shape, given, strict=True)):
            if isinstance(fixed, int) and wanted not in (None, fixed):
                key = "inputs.channels" if axis == 1 else "windows.size"
                raise ValueError(f"{self.path}: its input is {self.entry.shape}, which does not fit {key}, {wanted}")

    def __call__(self, windows: Tensor) -> Any:
        values = windows.detach().to("cpu", self.dtype).contiguous().numpy()
        try:
            found = self.session.run(None, {self.entry.name: values})
        except self.faults as error:
            raise ValueError(_reason(error)) from error
        tensors = [torch.from_numpy(array).to(windows) for array in found]
        if len(tensors) == 1 and self.key is None:
            return tensors[0]
        names = [output.name for output in self.session.get_outputs()]
        return tuple(tensors) if isinstance(self.key, int) else dict(zip(names, tensors, strict=True))


def _digest(path: Path) -> str:
    """SHA-256 over the file and those that it keeps tensors in.

    Raises:
        ValueError: it is no ONNX file, or names a file that lies elsewhere.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import external_data_helper

    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path}: more than 2 GiB, which no ONNX file holds: its weights go into files beside it")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except DecodeError as error:
        raise ValueError(f"{path}: not an ONNX file ({_reason(error)}); export it again") from error
    others = {
        entry.value
        for tensor in external_data_helper._get_all_tensors(model)  # in subgraphs and attributes, too
        if tensor.data_location == onnx.TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    content = hashlib.sha256()
    for part in (path, *(path.parent / checked_name(other, path) for other in sorted(others))):
        with open_regular(part, "copy it beside the ONNX file") as file:
            content.update(hashlib.file_digest(file, "sha256").digest())
    return content.hexdigest()


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
