"""What a certificate says about a case in numbers: bounds on Dice and volume for every perturbation in the radius."""

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rogseg.cases import Case
from rogseg.certification.certificate import Certificate, Mask
from rogseg.certification.smoothing import Smoothing

__all__ = ["CertifiedCase", "RegionBounds", "certify_case", "dice_bounds"]


@dataclasses.dataclass(frozen=True)
class RegionBounds:
    """A class or a group of classes in one case; the bounds hold for every perturbation within the radius.

    Shares are of the target's voxels and add up to 1; they and Dice are None where the target has none, volumes where
    voxels have no size.

    Args:
        dice_lower: no perturbation brings Dice below.
        dice_upper: none brings it above.
        dice_smoothed: of the smoothed network without perturbation, an estimate.
        certified: share that is certain to be found.
        excluded: share that is certain to be missed.
        abstained: share about which nothing is certain.
        volume_lower: no perturbation makes the class smaller [ml].
        volume_upper: none makes it larger [ml].
        volume_smoothed: of the smoothed network without perturbation, an estimate [ml].
        volume_target: of the target [ml].
    """

    dice_lower: float | None
    dice_upper: float | None
    dice_smoothed: float | None
    certified: float | None
    excluded: float | None
    abstained: float | None
    volume_lower: float | None
    volume_upper: float | None
    volume_smoothed: float | None
    volume_target: float | None


@dataclasses.dataclass(frozen=True)
class CertifiedCase:
    """One case at one sigma and tau.

    Args:
        sigma: of the noise, as a fraction of the box's width.
        sigma_raw: the same per channel [raw units]; empty where the width is not known.
        tau: share of all noisy copies that has to agree.
        radius: Euclidean norm over the whole volume, in units of the box's width; the same for every case.
        radius_rms: the same as a root mean square over the values that may move, which is the epsilon of an L2 attack.
        radius_rms_raw: the same per channel [raw units].
        num_values: values that may move.
        accuracy: share of the voxels whose right class is certain.
        abstained: share of the voxels of which no single class is certain.
        fell_back: share of the voxels of which no class is certain, but a group is.
        classes: bounds of each foreground class, by name.
        groups: bounds of each group of classes, by name.
    """

    sigma: float
    sigma_raw: tuple[float, ...]
    tau: float
    radius: float
    radius_rms: float
    radius_rms_raw: tuple[float, ...]
    num_values: int
    accuracy: float
    abstained: float
    fell_back: float
    classes: Mapping[str, RegionBounds]
    groups: Mapping[str, RegionBounds]


def certify_case(
    certificate: Certificate,
    smoothing: Smoothing,
    case: Case,
    classes: Mapping[str, Sequence[int]],
    groups: Mapping[str, Sequence[int]],
) -> CertifiedCase:
    """All numbers of a case.

    Args:
        certificate: of its votes.
        smoothing: of its noise.
        case: with targets, which are background where nothing counts.
        classes: the class indices that make up each foreground class, by name.
        groups: the same of each group.

    Raises:
        ValueError: the case has no targets.
    """
    if case.targets is None:
        raise ValueError(f"case {case.case_id!r} has no label, so its certificate cannot be scored")
    targets, counted = case.targets[0].cpu().numpy(), certificate.questions.counted
    num_counted = int(counted.sum())
    singles = {index: certificate.holds({index}) for index in sorted(certificate.questions.everything)}
    right = sum(int((held & (targets == index)).sum()) for index, held in singles.items())
    certain = np.logical_or.reduce(list(singles.values()))
    grouped = [certificate.inside(group) for group in groups.values()]
    in_group = np.logical_or.reduce(grouped) if grouped else np.zeros_like(certain)
    radius, num_values = smoothing.radius(certificate.tau), num_counted * case.inputs.shape[1]
    rms = radius / math.sqrt(num_values)
    millilitres = None if case.spacing is None else math.prod(case.spacing) / 1000

    def bounds(regions: Mapping[str, Sequence[int]]) -> dict[str, RegionBounds]:
        return {name: _bounds_of(certificate, region, targets, millilitres) for name, region in regions.items()}

    return CertifiedCase(
        sigma=smoothing.sigma,
        sigma_raw=tuple(smoothing.sigma * width for width in case.raw_width),
        tau=certificate.tau,
        radius=radius,
        radius_rms=rms,
        radius_rms_raw=tuple(rms * width for width in case.raw_width),
        num_values=num_values,
        accuracy=right / num_counted,
        abstained=(num_counted - int(certain.sum())) / num_counted,
        fell_back=int((in_group & ~certain).sum()) / num_counted,
        classes=bounds(classes),
        groups=bounds(groups),
    )


def dice_bounds(inside: Mask, outside: Mask, target: Mask) -> tuple[float | None, float | None]:
    """The lowest and the highest Dice of any mask that holds ``inside`` and nothing of ``outside``; None for no target.

    Dice falls with every target voxel that is missed and with every other one that is found, so the lowest is that of
    a mask which takes every open voxel outside of the target and none in it.
    """
    size = int(target.sum())
    if size == 0:
        return None, None
    surely_hit, surely_false = int((inside & target).sum()), int((inside & ~target).sum())
    possibly_hit, possibly_false = int((~outside & target).sum()), int((~outside & ~target).sum())
    lower = 2 * surely_hit / (surely_hit + possibly_false + size)
    return lower, 2 * possibly_hit / (possibly_hit + surely_false + size)


def _bounds_of(
    certificate: Certificate, region: Collection[int], targets: NDArray[np.int64], millilitres: float | None
) -> RegionBounds:
    questions, target = certificate.questions, np.isin(targets, list(region))
    inside, outside = certificate.inside(region), certificate.outside(region)
    majority = questions.counted & (2 * questions.votes.answers_of(region) > questions.num_samples)
    lower, upper = dice_bounds(inside, outside, target)
    size = int(target.sum())
    found, missed = int((inside & target).sum()), int((outside & target).sum())

    def volume(mask: Mask) -> float | None:
        return None if millilitres is None else int(mask.sum()) * millilitres

    return RegionBounds(
        dice_lower=lower,
        dice_upper=upper,
        dice_smoothed=dice_bounds(majority, ~majority, target)[0],
        certified=found / size if size else None,
        excluded=missed / size if size else None,
        abstained=(size - found - missed) / size if size else None,
        volume_lower=volume(inside),
        volume_upper=volume(~outside),
        volume_smoothed=volume(majority),
        volume_target=volume(target),
    )
