"""An attack on a plain module with an image and labels as arrays, without a case, a plan or a file."""

import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rogseg.attacks.base import Attack
from rogseg.attacks.counted_model import CountedModel
from rogseg.attacks.criteria import Criterion, DiceBelow
from rogseg.attacks.foreground import case_dice
from rogseg.attacks.input_checks import check_box, check_inputs, check_targets
from rogseg.attacks.model_state import evaluation_mode
from rogseg.attacks.result import AttackResult
from rogseg.attacks.threats import ThreatModel
from rogseg.cases import LogitFn
from rogseg.metrics import mean_foreground_dice

__all__ = ["attack_arrays"]

Numbers = NDArray[Any] | Tensor
SUM_TOLERANCE = 1e-3  # what rounding in float16 leaves of a sum of probabilities


def attack_arrays(
    attack: Attack,
    model: LogitFn,
    image: Numbers,
    label: Numbers,
    threat: ThreatModel,
    criterion: Criterion | None = None,
    *,
    seed: int = 0,
) -> AttackResult:
    """Attack one image.

    Args:
        attack: what to attack with.
        model: a module, or any callable, from (1, C, D, H, W) to logits (1, K, D, H, W).
        image: (C, D, H, W) or (D, H, W), as the network takes it, inside the threat's box.
        label: (D, H, W) class indices.
        threat: ball and box.
        criterion: when the image has fallen; None is a mean Dice under half of the clean one.
        seed: of all randomness.

    Raises:
        ValueError: shapes, values or the box do not fit, the model gives probabilities, or nothing says what to ask of
            a label without foreground or a network that finds nothing of it.
    """
    if not isinstance(attack, Attack):
        raise ValueError(f"attack is a {type(attack).__name__}, not an attack such as APGD(); the model comes second")
    if not callable(model):
        raise ValueError(f"model is a {type(model).__name__}; give a module, or a function from volumes to logits")
    if not isinstance(threat, ThreatModel):
        raise ValueError(
            f"threat is a {type(threat).__name__}; give for instance LinfThreat.from_fraction(8 / 255, (0, 1))"
        )
    if criterion is not None and not isinstance(criterion, Criterion):
        raise ValueError(f"criterion is a {type(criterion).__name__}; give for instance DiceBelow(0.5)")
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise ValueError(f"seed is {seed!r}, it must be a whole number of at least 0 and below 2^63")
    inputs, targets = _tensor(image).float(), _tensor(label)
    if inputs.ndim not in (3, 4) or targets.ndim != 3:
        raise ValueError(
            f"image and label have shapes {tuple(inputs.shape)} and {tuple(targets.shape)}, expected (C, D, H, W) or "
            "(D, H, W), and (D, H, W)"
        )
    inputs, targets = (inputs[None] if inputs.ndim == 3 else inputs)[None], targets[None]
    if targets.is_floating_point() and (targets == targets.round()).all():
        targets = targets.long()
    if isinstance(model, nn.Module) and (parameter := next(model.parameters(), None)) is not None:
        inputs, targets = inputs.to(parameter.device), targets.to(parameter.device)
        if parameter.dtype == torch.float64:
            inputs = inputs.double()
        elif parameter.is_floating_point() and parameter.dtype != torch.float32:
            raise ValueError(
                f"the model computes in {parameter.dtype}, in which moves of epsilon are rounded away: call "
                "model.float(), or give a function that casts what it is given and what it gives"
            )
    check_inputs(inputs)
    check_targets(inputs, targets)
    check_box(inputs, threat)
    with torch.no_grad(), evaluation_mode(model):
        logits = CountedModel(model, int(targets.long().max()))(inputs)
    if attack.needs_gradient and logits.min() >= 0 and ((logits.sum(1) - 1).abs() < SUM_TOLERANCE).all():
        raise ValueError(
            "the model gives probabilities (softmax), whose gradient is blunt where it is certain: leave the last "
            "layer away, or give `lambda volumes: model(volumes).clamp_min(1e-38).log()`"
        )
    clean_dice = case_dice(logits, targets.long())
    if criterion is None:
        clean = float(mean_foreground_dice(clean_dice)[0])
        if clean != clean:
            raise ValueError("the label has no foreground, so there is no Dice to attack: give a criterion")
        if clean == 0:
            raise ValueError(
                "the network finds nothing of the label, so there is nothing to attack: check how the image is scaled "
                "and which class is which"
            )
        criterion = DiceBelow(clean / 2)
    generator = torch.Generator(inputs.device).manual_seed(seed)
    result = attack(model, inputs, targets, threat, criterion, generator=generator)
    return dataclasses.replace(result, clean_dice=clean_dice)


def _tensor(values: Numbers) -> Tensor:
    if np.ma.isMaskedArray(values):
        raise ValueError("a masked array does not say what its hidden voxels are: fill them, array.filled(value)")
    # A copy: numpy's arrays may be read-only or run backwards, which PyTorch does not take.
    found = values.detach() if isinstance(values, Tensor) else np.array(values)
    if isinstance(found, np.ndarray):
        if found.dtype.kind not in "buif":
            raise ValueError(f"an array of {found.dtype} holds neither intensities nor classes; give plain numbers")
        found = torch.from_numpy(found.astype(np.float64) if found.dtype == np.longdouble else found)
    if found.is_complex():
        raise ValueError("complex numbers are no intensities; take their magnitude")
    return found
