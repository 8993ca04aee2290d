"""What an evaluation takes of a case, checked: a source of somebody's own may give anything."""

import dataclasses

import torch
from torch import Tensor

from rogseg.attacks.input_checks import check_inputs, check_targets
from rogseg.cases import Case
from rogseg.systems import CaseSource, Protocol, System
from rogseg.systems.case_source import crop_case, foreground_window

__all__ = ["evaluated_case"]


def evaluated_case(cases: CaseSource, case_id: str, system: System, protocol: Protocol) -> Case:
    """What the protocol evaluates of a case, background where nothing counts.

    Raises:
        ValueError: the case cannot be used, has no label, or the system has no patch.
    """
    case = cases.load(case_id)
    if case.targets is None:
        raise ValueError(f"case {case.case_id!r} has no label, so an attack on it cannot be scored; leave it out")
    _check_tensors(case, case.targets)
    if case.movable is not None:
        case = dataclasses.replace(case, targets=case.targets.masked_fill(~case.movable[:, 0], 0))
    assert case.targets is not None, "checked above"
    highest, number = int(case.targets.max()), len(system.label_values)
    if highest >= number:
        raise ValueError(
            f"case {case.case_id!r}: its label holds class {highest}, and {system.identity.name} has {number} with the "
            "background; give it labels of the task that it was trained on"
        )
    if protocol == "volume":
        return case
    if system.window_size is None:
        raise ValueError(f"{system.identity.name} sees whole volumes, so it has no patch: take --protocol volume")
    return crop_case(case, foreground_window(case.targets[0], system.window_size))


def _check_tensors(case: Case, targets: Tensor) -> None:
    """What a source of somebody's own may get wrong, and what would else be scored as it is."""
    try:
        check_inputs(case.inputs)
        check_targets(case.inputs, targets)
        expected = (1, 1, *case.inputs.shape[2:])
        if case.movable is not None and (case.movable.dtype != torch.bool or case.movable.shape != expected):
            raise ValueError(
                f"movable is {case.movable.dtype} of {tuple(case.movable.shape)}, expected bool {expected}"
            )
    except ValueError as error:
        raise ValueError(f"case {case.case_id!r}: {error}") from error
