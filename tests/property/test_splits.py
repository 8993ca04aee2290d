from hypothesis import given, settings
from hypothesis import strategies as st

from rogseg.storage import make_folds, seeded_folds, split_for_selection

CASES = st.sets(st.text("abc_01", min_size=1, max_size=6), min_size=2, max_size=40).map(sorted)


@settings(max_examples=100, deadline=None)
@given(CASES, st.integers(2, 6), st.integers(0, 5))
def test_every_case_is_validated_once_and_never_trained_on_in_its_fold(
    cases: list[str], wanted: int, seed: int
) -> None:
    folds = seeded_folds(cases, min(wanted, len(cases)), seed)
    assert sorted(name for fold in folds for name in fold.validation) == cases
    for fold in folds:
        assert fold.train
        assert fold.validation
        assert sorted(fold.train + fold.validation) == cases
    sizes = [len(fold.validation) for fold in folds]
    assert max(sizes) - min(sizes) <= 1


@settings(max_examples=100, deadline=None)
@given(CASES, st.floats(0.01, 0.99), st.integers(0, 5))
def test_selection_cases_come_from_training_only(cases: list[str], fraction: float, seed: int) -> None:
    fold = make_folds("mine", [*cases, "one more case"])[0]
    if len(fold.train) < 2:
        return
    fit, selection = split_for_selection(fold.train, fraction, seed)
    assert fit
    assert selection
    assert sorted(fit + selection) == sorted(fold.train)
    assert not set(selection) & set(fold.validation)
