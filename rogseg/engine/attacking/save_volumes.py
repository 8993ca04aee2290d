"""Attacked cases as the report's viewer shows them: image, perturbation, target and both predictions in one file."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.attacks import AttackResult
from rogseg.cases import Case
from rogseg.engine.attacking.measured_case import clean_labels, measured_case
from rogseg.evaluation.case_record import CLEAN, DICE
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice
from rogseg.report.volumes import VOLUMES, SavedVolume
from rogseg.storage import CaseProperties
from rogseg.systems import System

__all__ = ["VolumeWriter", "on_record_alone"]


class VolumeWriter:
    """Writes ``volumes/<case>_<attack>_<epsilon>.npz`` beside the records, for some cases.

    Args:
        records: folder of the records.
        system: what is attacked.
        name: of the attack.
        case_ids: of which cases; the page shows as many as it can carry.
        label_of: epsilon -> how it is written, with its unit and norm.
    """

    def __init__(
        self, records: Path, system: System, name: str, case_ids: Sequence[str], label_of: Callable[[float], str]
    ) -> None:
        self.records, self.system, self.name = records, system, name
        self.case_ids, self.label_of = frozenset(case_ids), label_of

    def write(self, case: Case, epsilon: float, result: AttackResult) -> None:
        """Write one result, where its case is one of those to be kept.

        Raises:
            ValueError: the case does not say how large its voxels are.
        """
        if case.case_id not in self.case_ids:
            return
        if case.spacing is None or case.targets is None:
            raise ValueError(f"case {case.case_id!r}: a picture of it needs its spacing and its label")
        lower, width, unit = _raw_range(case, self.system)
        # From network units to raw units, channel by channel.
        share = (case.inputs - case.box.lower) / case.box.width
        moved = (result.adversarial - case.inputs) / case.box.width
        clean = clean_labels(self.system.model, case)
        scale, start = (torch.tensor(v, device=share.device).reshape(1, -1, 1, 1, 1) for v in (width, lower))
        volume = SavedVolume(
            case_id=case.case_id,
            system=self.system.identity.name,
            attack=self.name,
            strength=epsilon,
            label=self.label_of(epsilon),
            image=(start + share * scale)[0].float().cpu().numpy(),
            perturbation=(moved * scale)[0].float().cpu().numpy(),
            target=case.targets[0].byte().cpu().numpy(),
            clean=clean[0].byte().cpu().numpy(),
            attacked=result.prediction[0].byte().cpu().numpy(),
            lower=tuple(lower),
            upper=tuple(low + wide for low, wide in zip(lower, width, strict=True)),
            spacing=case.spacing,
            unit=unit,
            axes=case.axes,
            channels=tuple(channel.name for channel in self.system.channels),
            clean_dice=self._dice(clean, case),
            attacked_dice=self._dice(result.prediction, case),
        )
        volume.save(_path(self.records, case.case_id, self.name, epsilon))

    def _dice(self, labels: Tensor, case: Case) -> NDArray[np.float64]:
        """Of each class, as records measure it; NaN where it has none."""
        measured = measured_case(labels, case, (Dice(),), self.system.class_indices)[DICE]
        return np.array([math.nan if dice is None else dice for dice in measured])


def on_record_alone(records: RecordFolder, name: str, case_ids: Sequence[str]) -> list[str]:
    """Those of the cases that an attack of this name has on record without a volume for the viewer."""
    attacked = {(one.case_id, one.strength) for one in records.records if one.condition != CLEAN}
    without = {case_id for case_id, e in attacked if not _path(records.directory, case_id, name, e).is_file()}
    return [case_id for case_id in case_ids if case_id in without]


def _path(records: Path, case_id: str, name: str, epsilon: float) -> Path:
    return records / VOLUMES / f"{case_id}_{name}_{epsilon:.5f}.npz"


def _raw_range(case: Case, system: System) -> tuple[list[float], list[float], str]:
    """Lower bound and width of the box, in raw units where the case says both, else in network units."""
    if isinstance(case.properties, CaseProperties) and case.raw_width:
        unit = system.channels[0].unit.removesuffix(" of the case")
        return list(case.properties.raw_lower), list(case.raw_width), unit
    return case.box.lower.flatten().tolist(), case.box.width.flatten().tolist(), "network units"
