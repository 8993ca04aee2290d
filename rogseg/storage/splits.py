"""Which cases are trained on, which select the checkpoint, and which are only reported on.

A split is drawn once. Cases that join a task later are added to it, so that every old case keeps its part: a network
that was trained before is never reported on cases that it has seen.
"""

import dataclasses
import functools
import json
import zlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

__all__ = ["Fold", "extend_folds", "make_folds", "published_fold", "seeded_folds", "split_for_selection"]


@dataclasses.dataclass(frozen=True)
class Fold:
    """The training and validation cases of one fold; validation cases are reported on and decide nothing.

    ``added`` are those of the training cases that joined after the split was drawn.

    Raises:
        ValueError: a case is on both sides or comes twice, or nothing is left to train on.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    added: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        both = sorted(set(self.train) & set(self.validation))
        if both:
            raise ValueError(f"the cases {both[:5]} are in training and in validation; every case has one side")
        if len({*self.train, *self.validation}) < len(self.train) + len(self.validation):
            raise ValueError("a case comes twice in a fold; list every case once")
        if not self.train:
            raise ValueError("a fold has no training case; label more cases, or mend the split")
        if not set(self.added) <= set(self.train):
            raise ValueError("cases are listed as added that are not in training; take them out of added")


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
    published training part, so that every case is validated on once; cases that were not published join as
    `extend_folds` says. A task whose name is published but whose cases are others is split by seed. Small tasks get as
    many folds as they have cases.

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
        if train and validation:
            others = _shuffled(train, seed)
            parts = [others[start :: num_folds - 1] for start in range(min(num_folds - 1, len(others)))]
            folds = tuple(_fold([*train, *validation], part) for part in (validation, *parts) if len(part) < len(here))
            return extend_folds(task_name, folds, case_ids)
    return seeded_folds(case_ids, min(num_folds, len(case_ids)), seed)


def extend_folds(task_name: str, folds: Sequence[Fold], case_ids: Sequence[str]) -> tuple[Fold, ...]:
    """The folds of a task that has gained or lost cases: every case that it already had keeps its part in each.

    A new case is validated on in the fold with the fewest validation cases and trained on in all others. The published
    fold of an MSD task takes no validation case, so that its results can be held against those of others.

    Raises:
        ValueError: the folds do not hold the same cases, or too few of these are left in one of them.
    """
    known = {*folds[0].train, *folds[0].validation}
    if any({*fold.train, *fold.validation} != known for fold in folds):
        raise ValueError("the folds do not split the same cases; delete splits.json to have the task split anew")
    here = set(case_ids)
    if not known & here:
        return make_folds(task_name, case_ids)
    published = published_fold(task_name)
    is_published = published is not None and set(folds[0].validation) <= set(published.validation)
    validation = [[case_id for case_id in fold.validation if case_id in here] for fold in folds]
    added = [[case_id for case_id in fold.added if case_id in here] for fold in folds]
    first = 1 if is_published and len(folds) > 1 else 0
    for case_id in sorted(here - known):
        chosen = None
        if not is_published or len(folds) > 1:
            chosen = min(range(first, len(folds)), key=lambda place: (len(validation[place]), place))
            validation[chosen].append(case_id)
        for place in range(len(folds)):
            if place != chosen:
                added[place].append(case_id)
    extended = []
    for place, part in enumerate(validation):
        if not part:
            raise ValueError(
                f"none of the validation cases of fold {place} is left; bring them back, or delete splits.json to have "
                "the task split anew (networks that were trained before must not be tested on the new split)"
            )
        extended.append(dataclasses.replace(_fold(sorted(here), part), added=tuple(sorted(added[place]))))
    return tuple(extended)


def split_for_selection(
    train_ids: Sequence[str], fraction: float = 0.1, seed: int = 0, added: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split training cases into those to fit and those, at least one, that select the checkpoint.

    Args:
        train_ids: of a fold.
        fraction: of the cases that select.
        seed: of the draw.
        added: those of the cases that joined the fold later (`Fold.added`): each is drawn by its own name, so that the
            others stay where they were.

    Raises:
        ValueError: `fraction` is not between 0 and 1, or there are fewer than two cases.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1, got {fraction}")
    ordered = [case_id for case_id in _shuffled(train_ids, seed) if case_id not in set(added)]
    if added:
        ordered = _shuffled(ordered, seed)  # as if the others had never come
    if len(ordered) < 2:
        raise ValueError(f"{len(ordered)} training cases cannot be split; checkpoint selection needs at least 2")
    num_selection = min(max(1, round(fraction * len(ordered))), len(ordered) - 1)
    drawn = [case_id for case_id in added if zlib.crc32(f"{seed} {case_id}".encode()) < fraction * 2**32]
    fold = _fold(train_ids, [*ordered[:num_selection], *drawn])
    return fold.train, fold.validation


def _shuffled(case_ids: Sequence[str], seed: int) -> list[str]:
    ordered = sorted(case_ids)
    if len(set(ordered)) != len(ordered):
        raise ValueError("a case id comes twice in the list to split")
    return [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered))]


def _fold(case_ids: Sequence[str], validation: Sequence[str]) -> Fold:
    return Fold(tuple(sorted(set(case_ids) - set(validation))), tuple(sorted(validation)))
