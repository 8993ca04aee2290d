"""Components as a user would register them, each of which raises where it is called; for the table of own code."""

import os
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rogseg.attacks import Attack, Perturbation, Problem
from rogseg.corruptions import Corruption, Scan, Severities
from rogseg.metrics import Dice
from rogseg.registry import ATTACKS, CORRUPTIONS, METRICS
from tests.unit.systems.any_network.networks import TinyNetwork


class OwnError(Exception):
    """Of a kind that nobody else knows."""


def _library() -> None:
    torch.zeros(2) @ torch.zeros(3)


RAISE: dict[str, Callable[[], Any]] = {
    "AttributeError": lambda: os.no_such_name,  # type: ignore[attr-defined]
    "KeyError": lambda: dict[str, int]()["layer"],
    "OwnError": lambda: _raise(OwnError("mine")),
    "RuntimeError": _library,
    "SystemExit": lambda: sys.exit(0),
    "ValueError": lambda: float("x"),
    "ZeroDivisionError": lambda: 1 / 0,
}


def _raise(error: Exception) -> None:
    raise error


class RaisingNetwork(TinyNetwork):
    def __init__(self, error: str, *, early: bool = False) -> None:
        super().__init__()
        self.error = error
        if early:
            RAISE[error]()

    def forward(self, inputs: Tensor) -> Any:
        return RAISE[self.error]()


@ATTACKS.register_module()
class RaisingAttack(Attack):
    def __init__(self, error: str) -> None:
        super().__init__({"type": "CrossEntropy"})
        self.error = error

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        RAISE[self.error]()
        return Perturbation(problem.inputs)


@METRICS.register_module()
class RaisingMeasure(Dice):
    name = "raising"

    def __call__(self, prediction: Any, target: Any, spacing: Any) -> float:
        return float(RAISE["KeyError"]())


@CORRUPTIONS.register_module()
class RaisingCorruption(Corruption):
    severities = Severities(
        parameter="nothing", unit="%", neutral=0, levels=(1, 2, 3, 4, 5), extreme=9, source="our choice"
    )

    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        RAISE["AttributeError"]()
        return scan
