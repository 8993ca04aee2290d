"""Cases that are there already: another content is another case."""

import dataclasses
from typing import Any

import pytest
import torch

from rogseg.cases import Case, IntensityBox
from rogseg.systems import GivenCases


def case(seed: int = 0) -> Case:
    values = torch.rand(1, 1, 4, 4, 4, generator=torch.Generator().manual_seed(seed))
    targets = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    return Case("a", values, targets, IntensityBox.of((0.0, 1.0)), raw_width=(7.0,), spacing=(1.0, 1.0, 1.0))


def digest(given: Case) -> str:
    return GivenCases([given]).digest(given.case_id)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": case(1).inputs},
        {"targets": torch.ones(1, 4, 4, 4, dtype=torch.long)},
        {"targets": None},
        {"box": IntensityBox.of((0.0, 2.0))},
        {"movable": torch.ones(1, 1, 4, 4, 4, dtype=torch.bool)},
        {"spacing": (1.0, 1.0, 5.0)},
        {"spacing": None},
        {"raw_width": (8.0,)},
        {"raw_width": ()},
    ],
)
def test_whatever_decides_a_number_is_in_the_digest(change: dict[str, Any]) -> None:
    assert digest(dataclasses.replace(case(), **change)) != digest(case())


def test_the_same_case_has_the_same_digest() -> None:
    assert digest(case()) == digest(dataclasses.replace(case(), spacing=(1, 1, 1), raw_width=(7,)))
