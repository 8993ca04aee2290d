"""What a network makes of a case: scores that count where the case does, the measures of labels, the clean record."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.attacks.model_state import evaluation_mode
from rogseg.cases import Case, LogitFn
from rogseg.evaluation.case_record import TARGET_VOLUME, CaseRecord, PerClass
from rogseg.metrics import Measure, measure_classes, volume_ml

__all__ = ["clean_labels", "clean_record", "measured", "measured_case", "scored_model"]


def scored_model(model: LogitFn, case: Case) -> LogitFn:
    """A model whose scores count only where the case does: elsewhere they say background, whatever the input.

    They say it as surely as the surest score of the clean case, so that scale-free objectives stay what they are, and
    say it of every volume alike: an objective must not move with voxels that do not count.

    Args:
        model: scores of a whole case.
        case: with the voxels that may move and count; its targets must be background elsewhere.
    """
    if case.movable is None:
        return model
    counts = case.movable
    surest: list[Tensor] = []

    def scores_that_count(inputs: Tensor) -> Tensor:
        scores = model(inputs)
        if not surest:
            with torch.no_grad():  # most searches begin with the clean case, whose scores are there then
                clean = scores if torch.equal(inputs[:1], case.inputs) else model(case.inputs)
            surest.append(clean.detach().abs().amax())
        background = torch.zeros_like(scores)
        background[:, :1] = surest[0]
        return torch.where(counts, scores, background)

    return scores_that_count


def clean_labels(model: LogitFn, case: Case) -> Tensor:
    """The labels (1, D, H, W) of a case without attack, as its clean record measures them."""
    with torch.no_grad(), evaluation_mode(model):
        return scored_model(model, case)(case.inputs).argmax(1)


def clean_record(
    model: LogitFn, case: Case, measures: Sequence[Measure], class_indices: Sequence[Sequence[int]], seed: int
) -> CaseRecord:
    """A case as the network segments it without attack, with how large each class is where the voxels have a size.

    In evaluation mode, as attacks ask it: in training mode batch norm is another network, and learns from the case.

    Raises:
        ValueError: the network's outputs are not finite, or a measure asks for a size that nothing says.
    """
    begin = time.perf_counter()
    with torch.no_grad(), evaluation_mode(model):
        scores = scored_model(model, case)(case.inputs)
    if not torch.isfinite(scores).all():
        raise ValueError(
            f"case {case.case_id!r}: the network gave outputs that are not finite, so every label would be an "
            "accident: its weights are damaged or the case's intensities are"
        )
    taken = measured_case(scores.argmax(1), case, measures, class_indices)
    assert case.targets is not None, "cases were checked when they were loaded"
    if case.spacing is not None:
        target, spacing = case.targets[0].cpu().numpy(), case.spacing
        taken[TARGET_VOLUME] = tuple(volume_ml(np.isin(target, of_class), spacing) for of_class in class_indices)
    return CaseRecord.of_clean(case.case_id, taken, seed=seed, seconds=time.perf_counter() - begin, notes=case.notes)


def measured_case(
    labels: Tensor, case: Case, measures: Sequence[Measure], class_indices: Sequence[Sequence[int]]
) -> dict[str, PerClass]:
    """The measures of labels (1, D, H, W) of a case.

    Raises:
        ValueError: a measure asks for the size of voxels, and nothing says it.
    """
    assert case.targets is not None, "cases were checked when they were loaded"
    prediction, target = (part[0].to(torch.uint8).cpu().numpy() for part in (labels, case.targets))
    if case.spacing is None and any(measure.unit for measure in measures):
        raise ValueError(
            f"case {case.case_id!r}: nothing says how large its voxels are, which "
            f"{', '.join(measure.name for measure in measures if measure.unit)} asks for; give it a spacing "
            "[mm], or take measures without a unit"
        )
    return measured(measures, prediction, target, case.spacing or (1.0, 1.0, 1.0), class_indices)


def measured(
    measures: Sequence[Measure],
    prediction: NDArray[np.uint8],
    target: NDArray[np.uint8],
    spacing: tuple[float, float, float],
    class_indices: Sequence[Sequence[int]],
) -> dict[str, PerClass]:
    """The measures of label maps (D, H, W), as attacks see them.

    A class that the target lacks has a value only of measures that have one, too, where nothing of it is predicted: an
    attack can take nothing of such a class away, and a mean after it would be over other cases than the one before.
    """
    taken: dict[str, PerClass] = measure_classes(measures, prediction, target, spacing, class_indices)
    lacking = [not np.isin(target, indices).any() for indices in class_indices]
    if not any(lacking):
        return taken
    rightly = measure_classes(measures, np.zeros_like(prediction), target, spacing, class_indices)
    return {
        name: tuple(
            None if lacks and right is None else value
            for lacks, right, value in zip(lacking, rightly[name], values, strict=True)
        )
        for name, values in taken.items()
    }
