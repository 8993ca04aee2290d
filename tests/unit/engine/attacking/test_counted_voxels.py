"""Pictures and looks beside the records are of the voxels that the records count."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from rogseg.attacks import FGSM, DiceBelow, LinfThreat
from rogseg.cases import Case, IntensityBox
from rogseg.engine.attacking.measured_case import scored_model
from rogseg.engine.attacking.save_volumes import VolumeWriter
from rogseg.engine.hardening.look import LookSettings, look_at
from rogseg.report import SavedVolume
from rogseg.report.viewer_data import viewer_volume
from rogseg.systems import GivenCases, System
from rogseg.systems.base import SystemChannel


def bright_is_organ(volume: Tensor) -> Tensor:
    return torch.cat([0.5 - volume, volume - 0.5], dim=1)


def half_counted() -> tuple[Case, System]:
    """A case whose upper half does not count, where the network sees an organ as well."""
    inputs = torch.full((1, 1, 4, 4, 4), 0.9)
    movable = torch.zeros_like(inputs, dtype=torch.bool)
    movable[..., :2] = True
    case = Case(
        "a", inputs, movable[:, 0].long(), IntensityBox.of((0.0, 1.0)), movable=movable, spacing=(1.0, 1.0, 1.0)
    )
    system = SimpleNamespace(
        model=bright_is_organ,
        window_size=None,
        class_indices=((1,),),
        label_values=(0, 1),
        identity=SimpleNamespace(name="bright"),
        channels=(SystemChannel("MR", "MR", "scanner units of the case"),),
    )
    return case, cast("System", system)


def test_the_clean_map_of_a_saved_volume_is_background_where_nothing_counts(tmp_path: Path) -> None:
    case, system = half_counted()
    assert case.targets is not None
    result = FGSM()(
        scored_model(system.model, case),
        case.inputs,
        case.targets,
        LinfThreat.from_fraction(0.01, case.box),
        DiceBelow(0.5),
        generator=torch.Generator(),
    )
    VolumeWriter(tmp_path, system, "fgsm", ("a",), str).write(case, 0.01, result)
    (path,) = (tmp_path / "volumes").glob("*.npz")
    saved = SavedVolume.load(path)
    assert np.array_equal(saved.clean, saved.attacked)  # nothing was lost
    assert np.array_equal(saved.clean, saved.target)


def test_what_does_not_count_says_the_same_of_every_volume() -> None:
    """Else an objective moves with voxels that do not count, as the mean margin would."""
    case, _ = half_counted()
    asked = []

    def model(volume: Tensor) -> Tensor:
        asked.append(volume)
        return bright_is_organ(volume)

    scores = scored_model(model, case)
    first, again, clean = scores(case.inputs * 0.1), scores(case.inputs * 0.5), scores(case.inputs)
    outside = ~case.movable.expand_as(first)  # type: ignore[union-attr]
    assert torch.equal(first[outside], clean[outside])
    assert torch.equal(again[outside], clean[outside])
    assert clean[outside].max() == pytest.approx(0.4)  # the surest score of the clean case
    assert len(asked) == 4  # the clean case once more, since the first volume was another


def test_the_viewer_has_the_dice_of_the_records(tmp_path: Path) -> None:
    case, system = half_counted()
    system.class_indices = ((1,), (2,))  # type: ignore[misc]
    case = dataclasses.replace(case, targets=case.movable[:, 0].long())  # type: ignore[index]
    result = FGSM()(
        scored_model(bright_is_organ, case),
        case.inputs,
        case.targets,  # type: ignore[arg-type]
        LinfThreat.from_fraction(0.5, case.box),
        DiceBelow(0.5),
        generator=torch.Generator(),
    )
    VolumeWriter(tmp_path, system, "fgsm", ("a",), str).write(case, 0.5, result)
    (path,) = (tmp_path / "volumes").iterdir()
    saved = SavedVolume.load(path)
    assert viewer_volume(saved).about["dice"] == [[1.0, 0.0], [None, None]]
    older = dataclasses.replace(saved, clean_dice=np.empty(0), attacked_dice=np.empty(0))
    assert viewer_volume(older).about["dice"] == [[1.0, 0.0]]


def test_a_look_counts_what_an_evaluation_counts() -> None:
    case, system = half_counted()
    look = look_at(system, GivenCases([case]), ["a"], LookSettings(0.01, 0, torch.device("cpu")))
    assert look == {"a": (1.0, 1.0)}
