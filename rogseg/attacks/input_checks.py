"""What an attack refuses to work on, each with its remedy."""

import torch
from torch import Tensor

from rogseg.attacks.threats import ThreatModel
from rogseg.cases import IntensityBox

__all__ = ["check_box", "check_found", "check_inputs", "check_start", "check_targets"]

SLACK = 1e-6  # of the box's width: what rounding of the clipping may leave outside


def check_inputs(inputs: Tensor) -> None:
    """Inputs are a finite float32 or float64 tensor (B, C, D, H, W)."""
    if inputs.ndim != 5 or inputs.numel() == 0:
        raise ValueError(
            f"inputs have shape {tuple(inputs.shape)}, expected (B, C, D, H, W), nothing empty: "
            "add the missing axes with inputs[None]"
        )
    if inputs.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"inputs are {inputs.dtype}; an attack needs float32 or float64: call inputs.float()")
    if not torch.isfinite(inputs).all():
        raise ValueError("inputs hold NaN or infinity: check the case's image and its preprocessing")


def check_targets(inputs: Tensor, targets: Tensor) -> None:
    """Targets are class indices (B, D, H, W) on the grid and the device of the inputs."""
    expected = (inputs.shape[0], *inputs.shape[2:])
    if tuple(targets.shape) != expected:
        raise ValueError(
            f"targets have shape {tuple(targets.shape)}, expected (B, D, H, W) = {expected}: "
            "class indices without a channel axis"
        )
    if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
        raise ValueError(f"targets are {targets.dtype}, expected class indices: call targets.long()")
    if targets.device != inputs.device:
        raise ValueError(f"targets are on {targets.device}, inputs on {inputs.device}: move them to one device")
    if (targets.long() < 0).any():  # wide unsigned types know no comparison
        raise ValueError("targets hold a negative class: map ignored voxels to a class of the task first")


def check_box(inputs: Tensor, threat: ThreatModel) -> None:
    """Box and epsilon fit the batch, and the inputs lie in the box."""
    for name, value in (("box", threat.box.lower), ("box", threat.box.upper), ("epsilon", threat.epsilon)):
        if value.shape[0] not in (1, inputs.shape[0]) or value.shape[1] not in (1, inputs.shape[1]):
            raise ValueError(
                f"the {name} has shape {tuple(value.shape)}, which does not fit inputs {tuple(inputs.shape)}: "
                "give one row per case (or 1) and one column per channel (or 1)"
            )
    box: IntensityBox = threat.box
    slack = SLACK * box.width.to(inputs)
    if (inputs < box.lower.to(inputs) - slack).any() or (inputs > box.upper.to(inputs) + slack).any():
        raise ValueError(
            f"inputs in [{inputs.min():.6g}, {inputs.max():.6g}] lie outside the box: clip them first "
            "(threat.clip_to_box(inputs)), as the last transform of training does, "
            "and report the clean Dice of the clipped ones"
        )


def check_start(inputs: Tensor, start: Tensor) -> None:
    """A given start is a finite tensor of the inputs' shape."""
    if start.shape != inputs.shape or not torch.isfinite(start).all():
        raise ValueError(
            f"start has shape {tuple(start.shape)}, expected a finite tensor of the inputs' shape {tuple(inputs.shape)}"
        )


def check_found(inputs: Tensor, found: object, attack: str) -> None:
    """What a search hands back is a finite tensor of the inputs' shape, type and device."""
    if not isinstance(found, Tensor):
        raise ValueError(
            f"perturb of {attack} gave a {type(found).__name__} for the adversarial volume; let it end with `return "
            "Perturbation(volume)`, a tensor of the inputs' shape"
        )
    for name in ("shape", "dtype", "device"):
        theirs, ours = getattr(found, name), getattr(inputs, name)
        if theirs != ours:
            raise ValueError(
                f"perturb of {attack} gave a volume whose {name} is {theirs}, that of the inputs is {ours}: let it "
                "change intensities alone"
            )
    if not torch.isfinite(found).all():
        raise ValueError(f"perturb of {attack} gave a volume with NaN or infinity; look for a division by 0 in it")
