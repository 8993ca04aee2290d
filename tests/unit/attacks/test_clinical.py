"""Lesions one by one, volumes and classes that appear: criteria, objectives, and APGD on them."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks import APGD, ClassAppears, ClassVanished, LesionsMissed, LinfThreat, VolumeOff
from rogseg.attacks.lesions import lesion_labels
from rogseg.attacks.objectives import ChangeVolume, PlantClass, RemoveClass, RemoveLesions, ScaleFree
from rogseg.cases import IntensityBox


def two_lesions() -> Tensor:
    """A case with a lesion of 27 voxels and one of 2 that touch at a corner, and a case without."""
    targets = torch.zeros(2, 6, 6, 4, dtype=torch.int64)
    targets[0, 0:3, 0:3, 0:3] = 2
    targets[0, 4, 4, 1] = targets[0, 5, 5, 2] = 2
    targets[:, 3, 0, 0] = 1
    return targets


def sure(labels: Tensor, gap: float = 8.0) -> Tensor:
    return gap * F.one_hot(labels, 3).movedim(-1, 1).float()


def model(volume: Tensor) -> Tensor:
    """Classes by intensity: background near 0, organ near 1, lesion near 2."""
    return -8 * (volume - torch.arange(3.0).view(1, 3, 1, 1, 1)).square()


def test_lesions_are_connected_by_corners_and_known_once() -> None:
    targets = two_lesions()
    labels = lesion_labels(targets, 2)
    assert [int((labels[0] == lesion).sum()) for lesion in (1, 2)] == [27, 2]
    assert not labels[1].any()
    assert lesion_labels(targets, 2) is labels
    assert lesion_labels(targets.clone(), 2) is not labels


@pytest.mark.parametrize(("lost", "share", "missed", "fallen"), [
    ((), 0.1, 0.01, False),
    ((2,), 0.1, 1.0, False),
    ((2,), 0.1, 0.5, True),
    ((1, 2), 0.1, 1.0, True),
])  # fmt: skip
def test_a_case_falls_by_its_lesions_not_by_its_voxels(
    lost: tuple[int, ...], share: float, missed: float, fallen: bool
) -> None:
    targets = two_lesions()
    prediction = targets.clone()
    for lesion in lost:
        prediction[lesion_labels(targets, 2) == lesion] = 0
    criterion = LesionsMissed(share=share, missed=missed)
    assert criterion(sure(prediction), targets).tolist() == [fallen, False]
    assert criterion.applies(targets, 3).tolist() == [True, False]


def test_a_lesion_of_which_more_than_the_share_is_found_is_not_missed() -> None:
    targets = two_lesions()
    prediction = targets.clone()
    prediction[0, 0:3, 0:3, 0:3] = 0
    prediction[0, 4, 4, 1] = 0  # one voxel of two is left
    assert LesionsMissed(share=0.4)(sure(prediction), targets).tolist() == [False, False]
    assert LesionsMissed(share=0.5)(sure(prediction), targets).tolist() == [True, False]


def test_small_lesions_count_as_much_as_large_ones() -> None:
    """p of the lesion class is 1/3 in the large lesion and nearly 1 in the small one."""
    targets = two_lesions()
    logits = sure(targets, 30.0)
    logits[0, :, 0:3, 0:3, 0:3] = 0
    values = RemoveLesions()(logits, targets)
    assert float(values[0]) == pytest.approx((math.log(2 / 3) + math.log(2) - 30) / 2, rel=1e-5)
    assert float(values[1]) == 0
    leaf = logits.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(RemoveLesions()(leaf, targets).sum(), leaf)
    assert not gradient[1].any()
    assert float(gradient[0, 2, 4, 4, 1] / gradient[0, 2, 0, 0, 0]) == pytest.approx(27 / 2 * 3, rel=1e-3)


def test_volumes_are_signed() -> None:
    targets = two_lesions()
    larger, smaller = targets.clone(), targets.clone()
    larger[0, 0:3, 0:3, 3] = 2  # 9 more lesion voxels to 29
    smaller[0, 0:3, 0:3, 0] = 0
    for labels, over, under in ((targets, False, False), (larger, True, False), (smaller, False, True)):
        for target_class in (None, 2, -1):
            assert VolumeOff("over", 0.29, target_class)(sure(labels), targets)[0].item() is over
            assert VolumeOff("under", 0.29, target_class)(sure(labels), targets)[0].item() is under
    assert VolumeOff("over", 0.31, -1)(sure(larger), targets).tolist() == [True, False]
    assert VolumeOff("over", 0.32, -1)(sure(larger), targets).tolist() == [False, False]
    assert VolumeOff("over", 0.3, -1).applies(targets, 3).tolist() == [True, False]
    assert VolumeOff("over", 0.3).applies(targets, 3).tolist() == [True, True]
    sharp = ChangeVolume("over", -1)(sure(larger, 100.0), targets)
    assert sharp.tolist() == pytest.approx([9 / 29, 0.0])
    assert ChangeVolume("under", -1)(sure(larger, 100.0), targets)[0].item() == pytest.approx(-9 / 29)
    assert ChangeVolume("over")(sure(larger, 100.0), targets)[0].item() == pytest.approx(9 / 30)


def test_a_class_appears_only_where_none_is() -> None:
    targets = two_lesions()
    prediction = targets.clone()
    prediction[:, 5, 0, :] = 2
    assert ClassAppears(num_voxels=4)(sure(prediction), targets).tolist() == [False, True]
    assert ClassAppears(num_voxels=5)(sure(prediction), targets).tolist() == [False, False]
    assert ClassAppears().applies(targets, 3).tolist() == [False, True]
    odds = torch.linspace(-3, 1, 144).view(6, 6, 4)
    logits = torch.stack([torch.zeros_like(odds), torch.full_like(odds, -torch.inf), odds])[None]
    value = PlantClass(num_voxels=2)(logits, targets[1:])
    expected = (F.logsigmoid(odds.flatten()[-1]) + F.logsigmoid(odds.flatten()[-2])) / 2
    assert float(value) == pytest.approx(float(expected))
    everywhere = torch.full((1, 6, 6, 4), 2)
    assert float(PlantClass()(logits, everywhere)) == 0


@pytest.mark.parametrize("what", ["lesions", "over", "under", "appears"])
def test_apgd_reaches_each_aim_inside_the_ball(what: str) -> None:
    objective, criterion, case = {
        "lesions": (RemoveLesions(), LesionsMissed(), 0),
        "over": (ChangeVolume("over", 2), VolumeOff("over", 0.1, 2), 0),
        "under": (ChangeVolume("under", 2), VolumeOff("under", 0.2, 2), 0),
        "appears": (PlantClass(num_voxels=5), ClassAppears(num_voxels=4), 1),
    }[what]
    targets = two_lesions()[case, None]
    inputs = targets[:, None] * 0.75 + 0.15
    inputs[:, :, 5, 0] += 1.15  # background that looks nearly like a lesion
    assert not bool(criterion(model(inputs), targets))
    threat = LinfThreat.from_fraction(0.1, IntensityBox.per_channel([-1.0], [3.0]))
    result = APGD(ScaleFree(objective), num_iterations=15)(
        model, inputs, targets, threat, criterion, generator=torch.Generator().manual_seed(0)
    )
    assert bool(result.success)
    assert criterion.applies(targets, 3).tolist() == [True]


def test_an_average_over_voxels_leaves_the_small_lesion_alone() -> None:
    """What is lost first under a budget: the objective per lesion weighs the small one 13 times as much."""
    targets = two_lesions()[:1]
    leaves = [sure(targets, 4.0).requires_grad_() for _ in range(2)]
    gradients = [
        torch.autograd.grad(objective(leaf, targets).sum(), leaf)[0][0, 2, 4, 4, 1]
        for objective, leaf in zip((RemoveLesions(), RemoveClass()), leaves, strict=True)
    ]
    assert float(gradients[0] / gradients[1]) == pytest.approx(29 / (2 * 2))


def test_wrong_settings_are_named() -> None:
    for make, message in (
        (lambda: LesionsMissed(share=1.0), "share is 1"),
        (lambda: LesionsMissed(missed=0.0), "missed is 0"),
        (lambda: VolumeOff("above"), "'over' or 'under'"),  # type: ignore[arg-type]
        (lambda: VolumeOff("under", 1.5), "at most 1"),
        (lambda: ClassAppears(num_voxels=0), "at least 1"),
        (lambda: ChangeVolume("above"), "'over' or 'under'"),  # type: ignore[arg-type]
        (lambda: PlantClass(num_voxels=0), "at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(ValueError, match="foreground classes"):
        LesionsMissed(5)(sure(two_lesions()), two_lesions())
    assert ClassVanished(1).target_class == 1
