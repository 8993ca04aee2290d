"""How a bundle's inferer slides its network over volumes."""

from typing import Any

from rogseg.systems.monai_bundle.allowed_names import plain_name
from rogseg.systems.monai_bundle.config_file import ABSENT, BundleConfig

__all__ = ["read_windows"]

SLIDING = ("SlidingWindowInferer", "SlidingWindowInfererAdapt")
KEYS = ("roi_size", "overlap", "mode", "sigma_scale", "sw_batch_size", "padding_mode", "cval")


def read_windows(config: BundleConfig, multiple_of: int) -> dict[str, Any]:
    """The inferer as `Windows` has it.

    Args:
        config: of the bundle.
        multiple_of: what its preprocessing pads to [voxels].

    Raises:
        ValueError: it is of another kind, or slides, blends or pads in a way that is not followed.
    """
    inferer = config.raw("inferer")
    kind = plain_name(inferer.get("_target_")) if isinstance(inferer, dict) else None
    if inferer is ABSENT or kind == "SimpleInferer":
        return {"multiple_of": multiple_of}
    where = f"{config.path}: inferer"
    if not isinstance(inferer, dict) or kind not in SLIDING:
        raise ValueError(f"{where} is {str(kind)[:60]}; followed are SimpleInferer and {', '.join(SLIDING)}")
    if multiple_of > 1:
        raise ValueError(f"{where} slides windows, and DivisiblePad before it moves them; take DivisiblePad out")
    value = {key: config.value(f"inferer#{key}") for key in inferer if key in KEYS}
    size, overlap = value.get("roi_size"), value.get("overlap", 0.25)
    size = [size] * 3 if isinstance(size, int) else size
    if not isinstance(size, list) or len(size) != 3 or not all(type(length) is int and length > 0 for length in size):
        raise ValueError(f"{where}: roi_size must be three positive whole numbers, got {size!r}")
    if isinstance(overlap, list) and len(set(overlap)) == 1:
        overlap = overlap[0]
    if value.get("padding_mode", "constant") != "constant" or value.get("cval", 0) != 0:
        raise ValueError(f"{where}: volumes are padded with 0 here, not by padding_mode and cval of another kind")
    return {
        "size": size,
        "overlap": overlap,
        "blend": value.get("mode", "constant"),
        "sigma_scale": value.get("sigma_scale", 0.125),
        "batch": value.get("sw_batch_size", 1),
    }
