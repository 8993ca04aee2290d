"""Mini-batches: how cases become one, and how it moves."""

import dataclasses

import pytest
import torch

from rogseg.cases import Batch, Case, IntensityBox


def case(name: str, *, upper: float = 1.0, size: int = 4) -> Case:
    generator = torch.Generator().manual_seed(len(name))
    return Case(
        name,
        torch.rand(1, 2, size, 3, 2, generator=generator),
        torch.ones(1, size, 3, 2, dtype=torch.uint8),
        IntensityBox.per_channel([0.0, -1.0], [upper, upper]),
    )


def test_stacked_cases_keep_their_own_box_and_targets_become_indices() -> None:
    padded = dataclasses.replace(case("second", upper=2.0), movable=torch.zeros(1, 1, 4, 3, 2, dtype=torch.bool))
    batch = Batch.stack([case("first"), padded])
    assert batch.case_ids == ("first", "second")
    assert batch.targets.dtype == torch.int64
    assert batch.box.width.flatten().tolist() == [1, 2, 2, 3]
    assert batch.movable.flatten(1).all(dim=1).tolist() == [True, False]


def test_some_cases_of_a_batch() -> None:
    batch = Batch.stack([case("first"), case("second", upper=2.0), case("third", upper=3.0)])
    chosen = batch.of_cases(torch.tensor([True, False, True]))
    assert chosen.case_ids == ("first", "third")
    assert torch.equal(chosen.inputs, batch.inputs[[0, 2]])
    assert chosen.box.upper[:, 0].flatten().tolist() == [1, 3]
    assert len(chosen.targets) == len(chosen.movable) == 2


def test_cases_that_are_no_batch_are_named() -> None:
    with pytest.raises(ValueError, match=r"'first'.*batch_size 1"):
        Batch.stack([case("first"), case("other", size=5)])
    with pytest.raises(ValueError, match=r"without a label.*'bare'"):
        Batch.stack([dataclasses.replace(case("bare"), targets=None)])


def test_a_batch_moves_and_its_box_is_not_asked_for_values_again() -> None:
    moved = Batch.stack([case("first"), case("second")]).to(torch.device("meta"))  # has no values to ask for
    assert {moved.inputs.device.type, moved.targets.device.type, moved.box.lower.device.type} == {"meta"}
    assert moved.box.upper.shape == (2, 2, 1, 1, 1)
