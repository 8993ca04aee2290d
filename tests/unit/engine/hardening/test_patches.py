"""Cases are prepared once and read as they were; patches lie where they should, whoever asks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rogseg.cases import Case, IntensityBox
from rogseg.engine.hardening.network_training import NetworkTraining, optimisation
from rogseg.engine.hardening.patches import PreparedPatches, patch_loader
from rogseg.engine.hardening.prepared_cases import PreparedCases
from rogseg.engine.hardening.trainee import Trainee
from rogseg.storage import RawCase
from rogseg.systems import System

SHAPE = (9, 10, 6)


class Preparing(System):
    """Makes a case of its number; counts."""

    def __init__(self, *, labelled: bool = True) -> None:
        self.labelled, self.count = labelled, 0

    def prepare(self, raw: RawCase) -> Case:
        self.count += 1
        number = int(raw.case_id[-1])
        values = torch.rand(1, 2, *SHAPE, generator=torch.Generator().manual_seed(number))
        targets = torch.zeros(1, *SHAPE, dtype=torch.long)
        targets[:, 2:4, 2:4, 2:4], targets[:, 8, 9, 5] = 1, 2
        movable = torch.ones(1, 1, *SHAPE, dtype=torch.bool)
        movable[:, :, 0] = False
        box = IntensityBox.per_channel([0.0, -1.0], [1.0, 1.0 + number])
        return Case(raw.case_id, values, targets if self.labelled else None, box, movable)

    logits = property(lambda self: None)

    def to_raw(self, logits: Tensor, case: Case) -> np.ndarray:
        raise NotImplementedError


def raw_cases(directory: Path, count: int = 3) -> list[RawCase]:
    cases = []
    for number in range(count):
        path = directory / f"case_{number}.nii"
        path.write_bytes(bytes([number]))
        cases.append(RawCase(f"case_{number}", (path,), path))
    return cases


def patches(
    directory: Path,
    size: tuple[int, int, int] | None,
    axes: Sequence[int] = (),
    length: int = 200,
    multiple_of: int = 1,
) -> PreparedPatches:
    source = PreparedCases(Preparing(), raw_cases(directory), "Task", directory / "prepared")
    return PreparedPatches([source.prepared(one) for one in source.case_ids], size, multiple_of, axes, length, seed=0)


def same(first: Tensor | None, second: Tensor | None) -> bool:
    return first is not None and second is not None and torch.equal(first, second)


def test_a_case_is_prepared_once_and_read_as_it_was(tmp_path: Path) -> None:
    system, raw = Preparing(), raw_cases(tmp_path)
    source = PreparedCases(system, raw, "Task", tmp_path / "prepared")
    for one in raw:
        expected = Preparing().prepare(one)
        for _ in range(2):
            case = source.load(one.case_id)
            assert torch.equal(case.inputs, expected.inputs)
            assert same(case.targets, expected.targets)
            assert same(case.movable, expected.movable)
            assert torch.equal(case.box.upper, expected.box.upper)
    assert system.count == 3
    # Another content is another case; what is known of it is read anew by the next run.
    raw[1].images[0].write_bytes(b"changed")
    PreparedCases(system, raw, "Task", tmp_path / "prepared").load("case_1")
    assert system.count == 4
    with pytest.raises(ValueError, match="'case_0' has no label"):
        PreparedCases(Preparing(labelled=False), raw, "Task", tmp_path / "other").load("case_0")


def test_half_of_the_patches_hold_foreground_and_each_class_as_often(tmp_path: Path) -> None:
    made = patches(tmp_path, (2, 2, 2))
    found = [made[0, index] for index in range(200)]
    assert all(case.inputs.shape == (1, 2, 2, 2, 2) for case in found)
    lesion = sum(bool((case.targets == 2).any()) for case in found if case.targets is not None)
    assert 35 < lesion < 70  # a quarter; by chance alone it would be 1 in 360
    assert {case.case_id for case in found[:3]} == {"case_0", "case_1", "case_2"}
    again = made[0, 7]
    assert torch.equal(again.inputs, found[7].inputs)
    assert not torch.equal(made[1, 7].inputs, found[7].inputs)


def test_a_patch_that_leaves_the_volume_is_padded_and_its_padding_does_not_move(tmp_path: Path) -> None:
    case = patches(tmp_path, (9, 10, 10))[0, 0]
    assert torch.equal(case.inputs[..., 2:-2], Preparing().prepare(RawCase(case.case_id, (), None)).inputs)
    assert case.movable is not None
    assert not case.inputs[..., :2].any()
    assert not case.movable[..., :2].any()
    assert not case.movable[..., -2:].any()
    assert not case.movable[:, :, 0].any()
    assert case.movable[:, :, 1:, :, 2:-2].all()


def test_whole_cases_are_padded_as_much_as_the_network_needs(tmp_path: Path) -> None:
    for index in range(3):
        case = patches(tmp_path, None, multiple_of=4)[0, index]
        whole = Preparing().prepare(RawCase(case.case_id, (), None))
        assert case.inputs.shape == (1, 2, 12, 12, 8)
        part = (..., slice(1, 10), slice(1, 11), slice(1, 7))  # of gaps of 3, 2 and 2
        assert torch.equal(case.inputs[part], whole.inputs)
        assert case.targets is not None
        assert same(case.targets[part], whole.targets)
        assert case.movable is not None
        assert same(case.movable[part], whole.movable)
        assert int(case.movable.sum()) == 8 * 10 * 6
        assert torch.equal(case.inputs.abs().sum(), whole.inputs.abs().sum())
    assert patches(tmp_path, (2, 2, 2), multiple_of=4)[0, 0].inputs.shape[2:] == (2, 2, 2)


def test_patches_are_mirrored_along_the_given_axes_alone(tmp_path: Path) -> None:
    made = patches(tmp_path, None, axes=(1,))
    flipped = set()
    for index in range(20):
        case = made[0, index]
        whole = Preparing().prepare(RawCase(case.case_id, (), None))
        mirrored = not torch.equal(case.inputs, whole.inputs)
        flipped.add(mirrored)
        assert torch.equal(case.inputs.flip(3) if mirrored else case.inputs, whole.inputs)
        assert case.targets is not None
        assert same(case.targets.flip(2) if mirrored else case.targets, whole.targets)
    assert flipped == {True, False}


def test_an_epoch_is_whole_mini_batches_with_a_box_for_each_case(tmp_path: Path) -> None:
    loader = patch_loader(patches(tmp_path, (4, 4, 4), length=6), batch_size=2)
    batches = list(loader)
    assert len(batches) == len(loader) == 3
    assert all(batch.inputs.shape == (2, 2, 4, 4, 4) for batch in batches)
    for batch in batches:
        numbers = [float(case_id[-1]) for case_id in batch.case_ids]
        assert (batch.box.upper[:, 1].flatten() - 1).tolist() == numbers


def test_a_rehearsal_leaves_statistics_and_modes_as_they_were(tmp_path: Path) -> None:
    cases = patches(tmp_path, (4, 4, 4)).cases
    place = torch.device("cpu")
    job = NetworkTraining(cases, (4, 4, 4), 1, 2, {}, optimisation(1e-3, place), place, seed=0)
    normed = torch.nn.BatchNorm3d(2)
    seen: list[bool] = []
    normed.register_forward_hook(lambda module, given, result: seen.append(module.training))
    network = torch.nn.Sequential(normed, torch.nn.Conv3d(2, 3, 1)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    job.rehearse(Trainee(network, lambda logits: logits, ((1,), (2,)), 3))
    assert seen == [True]
    assert not network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
