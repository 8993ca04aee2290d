import json
from pathlib import Path

import pytest

from rogseg.storage import Fold, extend_folds, make_folds, published_fold, seeded_folds, split_for_selection
from tests.shared_data import shared_path

NAMES = [f"case_{number:02d}" for number in range(23)]
SIZES = {
    "Task01_BrainTumour": (339, 145),
    "Task02_Heart": (16, 4),
    "Task03_Liver": (94, 37),
    "Task04_Hippocampus": (208, 52),
    "Task05_Prostate": (22, 10),
    "Task06_Lung": (44, 19),
    "Task07_Pancreas": (225, 57),
    "Task08_HepaticVessel": (212, 91),
    "Task09_Spleen": (33, 8),
    "Task10_Colon": (88, 38),
}


@pytest.mark.parametrize("name", SIZES)
def test_published_folds_have_their_sizes_and_do_not_overlap(name: str) -> None:
    fold = published_fold(name)
    assert fold is not None
    assert (len(fold.train), len(fold.validation)) == SIZES[name]
    assert not set(fold.train) & set(fold.validation)


def test_published_folds_agree_with_the_facts() -> None:
    facts = json.loads(shared_path("facts/msd_tasks.json").read_text())
    for name, entry in facts.items():
        assert published_fold(name) == Fold(tuple(entry["fold0"]["train"]), tuple(entry["fold0"]["val"]))


def test_other_tasks_have_no_published_fold() -> None:
    assert published_fold("Task90_Phantom") is None


def test_seeded_folds_validate_every_case_once() -> None:
    folds = seeded_folds(NAMES, num_folds=5, seed=1)
    assert sorted(name for fold in folds for name in fold.validation) == NAMES
    assert [len(fold.validation) for fold in folds] == [5, 5, 5, 4, 4]
    for fold in folds:
        assert sorted(fold.train + fold.validation) == NAMES


def test_folds_depend_on_the_seed_and_not_on_the_order() -> None:
    assert seeded_folds(NAMES, seed=1) == seeded_folds(NAMES[::-1], seed=1)
    assert seeded_folds(NAMES, seed=1) != seeded_folds(NAMES, seed=2)


def test_published_task_keeps_fold_0_and_validates_every_case_once() -> None:
    published = published_fold("Task09_Spleen")
    assert published is not None
    everyone = published.train + published.validation
    folds = make_folds("Task09_Spleen", everyone)
    assert folds[0] == Fold(tuple(sorted(published.train)), tuple(sorted(published.validation)))
    assert sorted(name for fold in folds for name in fold.validation) == sorted(everyone)


def test_part_of_a_published_task_keeps_its_sides() -> None:
    published = published_fold("Task09_Spleen")
    assert published is not None
    folds = make_folds("Task09_Spleen", published.train[:4] + published.validation[:2])
    assert set(folds[0].train) == set(published.train[:4])
    assert set(folds[0].validation) == set(published.validation[:2])


def test_published_name_with_other_cases_is_split_by_seed() -> None:
    assert make_folds("Task09_Spleen", NAMES) == seeded_folds(NAMES)


def test_small_tasks_get_as_many_folds_as_cases() -> None:
    assert make_folds("mine", ["a", "b", "c"]) == seeded_folds(["a", "b", "c"], num_folds=3)
    with pytest.raises(ValueError, match="at least 2"):
        make_folds("mine", ["a"])


def test_selection_takes_its_share_from_training() -> None:
    fit, selection = split_for_selection(NAMES, fraction=0.2, seed=0)
    assert len(selection) == 5
    assert sorted(fit + selection) == NAMES
    assert split_for_selection(["a", "b"], 0.9)[0]  # one is always left to fit
    assert len(split_for_selection(NAMES[:3], 0.01)[1]) == 1


@pytest.mark.parametrize(
    ("case_ids", "num_folds", "message"),
    [(["a", "b"], 3, "label more cases"), (["a", "b"], 1, "at least 2"), (["a", "a", "b"], 2, "twice")],
)
def test_impossible_folds_are_refused(case_ids: list[str], num_folds: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        seeded_folds(case_ids, num_folds)


@pytest.mark.parametrize(("case_ids", "fraction"), [(["a"], 0.1), (["a", "b"], 0.0), (["a", "b"], 1.0)])
def test_impossible_selections_are_refused(case_ids: list[str], fraction: float) -> None:
    with pytest.raises(ValueError):
        split_for_selection(case_ids, fraction)


def test_folds_file_travels_with_the_package() -> None:
    package = Path(__file__).resolve().parents[3] / "rogseg" / "storage" / "published_folds.json"
    assert package.stat().st_size < 60_000


def _sides(folds: tuple[Fold, ...]) -> dict[str, tuple[bool, ...]]:
    return {name: tuple(name in fold.validation for fold in folds) for name in folds[0].train + folds[0].validation}


@pytest.mark.parametrize("task", ["mine", "Task04_Hippocampus", "Task09_Spleen"])
@pytest.mark.parametrize("new", ["case_000", "zzz", "aaa"])
def test_one_more_case_leaves_every_old_one_on_its_side(task: str, new: str) -> None:
    published = published_fold(task)
    names = NAMES if published is None else [*published.train, *published.validation]
    before = make_folds(task, names)
    after = extend_folds(task, before, [*names, new])
    sides = _sides(after)
    assert {name: sides[name] for name in names} == _sides(before)
    assert sum(sides[new]) == 1  # validated on once, like all others
    for old, fold in zip(before, after, strict=True):
        ours = split_for_selection(fold.train, added=fold.added)
        theirs = split_for_selection(old.train)
        assert set(theirs[0]) <= set(ours[0])
        assert set(theirs[1]) <= set(ours[1])
    if published is not None:
        assert after[0].validation == before[0].validation
        assert make_folds(task, [*names, new]) == after


def test_cases_that_leave_take_nobody_along() -> None:
    before = make_folds("mine", NAMES)
    more = extend_folds("mine", before, [*NAMES, "new_1", "new_2"])
    assert extend_folds("mine", more, NAMES) == before
    fewer = extend_folds("mine", before, NAMES[1:])
    assert _sides(fewer) == {name: side for name, side in _sides(before).items() if name != NAMES[0]}
    with pytest.raises(ValueError, match="none of the validation cases of fold 2 is left; bring them back"):
        extend_folds("mine", before, sorted(set(NAMES) - set(before[2].validation)))


def test_other_cases_altogether_are_split_anew() -> None:
    assert extend_folds("mine", make_folds("mine", NAMES), ["x", "y", "z"]) == make_folds("mine", ["x", "y", "z"])


def test_later_cases_select_by_their_own_name_at_the_given_rate() -> None:
    added = [f"late_{number}" for number in range(2000)]
    fit, selection = split_for_selection([*NAMES, *added], 0.2, 0, added)
    assert set(fit) | set(selection) == {*NAMES, *added}
    assert abs(len(set(selection) & set(added)) / 2000 - 0.2) < 4 * (0.2 * 0.8 / 2000) ** 0.5
    assert split_for_selection([*NAMES, *added[:50]], 0.2, 0, added[:50])[1] == tuple(
        sorted(set(selection) - set(added[50:]))
    )


@pytest.mark.parametrize(
    ("train", "validation", "message"),
    [(("a", "b"), ("b",), "in training and in validation"), (("a", "a"), ("b",), "twice"), ((), ("a",), "no training")],
)
def test_folds_that_leak_are_refused(train: tuple[str, ...], validation: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fold(train, validation)
