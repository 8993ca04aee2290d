"""Which cases are trained on, which select the checkpoint, and which are only reported on."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

__all__ = ["Fold", "make_folds", "published_fold", "seeded_folds", "split_for_selection"]


@dataclasses.dataclass(frozen=True)
class Fold:
    """The training and validation cases of one fold; validation cases are reported on and decide nothing."""

    train: tuple[str, ...]
    validation: tuple[str, ...]


@functools.cache
def _published() -> dict[str, Any]:
    text = resources.files("rogseg.storage").joinpath("published_folds.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def published_fold(task_name: str) -> Fold | None:
    """Fold 0 that the ROG authors published for an MSD task (such as ``Task04_Hippocampus``), None for other tasks."""
    entry = _published().get(task_name)
    return None if entry is None else Fold(tuple(entry["train"]), tuple(entry["validation"]))


def seeded_folds(case_ids: Sequence[str], num_folds: int = 5, seed: int = 0) -> tuple[Fold, ...]:
    """Shuffled k-fold cross-validation; the order of `case_ids` does not matter.

    Raises:
        ValueError: there are fewer cases than folds, fewer than two folds, or an id comes twice.
    """
    if num_folds < 2:
        raise ValueError(f"num_folds must be at least 2, got {num_folds}")
    ordered = _shuffled(case_ids, seed)
    if len(ordered) < num_folds:
        raise ValueError(f"{len(ordered)} cases cannot be split into {num_folds} folds; label more cases")
    return tuple(_fold(ordered, ordered[start::num_folds]) for start in range(num_folds))


def make_folds(task_name: str, case_ids: Sequence[str], num_folds: int = 5, seed: int = 0) -> tuple[Fold, ...]:
    """All folds of a task: the published fold 0 where there is one, seeded folds for the rest.

    Of a published task the cases that are here keep their side (some may be missing), and folds 1, 2, ... split the
    published training part, so that every case is validated on once. A task whose name is published but whose cases
    are others is split by seed. Small tasks get as many folds as they have cases.

    Raises:
        ValueError: there are fewer than two cases.
    """
    if len(case_ids) < 2:
        raise ValueError(f"task {task_name!r} has {len(case_ids)} labelled cases; a split needs at least 2")
    published = published_fold(task_name)
    if published is not None:
        here = set(case_ids)
        train = [case_id for case_id in published.train if case_id in here]
        validation = [case_id for case_id in published.validation if case_id in here]
        if train and validation and len(train) + len(validation) == len(here):
            others = _shuffled(train, seed)
            parts = [others[start :: num_folds - 1] for start in range(min(num_folds - 1, len(others)))]
            return tuple(_fold([*train, *validation], part) for part in (validation, *parts))
    return seeded_folds(case_ids, min(num_folds, len(case_ids)), seed)


def split_for_selection(
    train_ids: Sequence[str], fraction: float = 0.1, seed: int = 0
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split training cases into those to fit and those, at least one, that select the checkpoint.

    Raises:
        ValueError: `fraction` is not between 0 and 1, or there are fewer than two cases.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1, got {fraction}")
    ordered = _shuffled(train_ids, seed)
    if len(ordered) < 2:
        raise ValueError(f"{len(ordered)} training cases cannot be split; checkpoint selection needs at least 2")
    num_selection = min(max(1, round(fraction * len(ordered))), len(ordered) - 1)
    fold = _fold(ordered, ordered[:num_selection])
    return fold.train, fold.validation


def _shuffled(case_ids: Sequence[str], seed: int) -> list[str]:
    ordered = sorted(case_ids)
    if len(set(ordered)) != len(ordered):
        raise ValueError("a case id comes twice in the list to split")
    return [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered))]


def _fold(case_ids: Sequence[str], validation: Sequence[str]) -> Fold:
    return Fold(tuple(sorted(set(case_ids) - set(validation))), tuple(sorted(validation)))
