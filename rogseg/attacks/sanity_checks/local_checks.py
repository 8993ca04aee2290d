"""Questions to a network around a few clean volumes: raw outputs, one answer, a gradient that keeps its promise."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from rogseg.attacks.objectives.scale_free import mean_gap
from rogseg.attacks.sanity_checks.local_look import LocalLook, numbers
from rogseg.findings import Level, SanityFinding

__all__ = [
    "check_clamped",
    "check_deterministic",
    "check_gradients",
    "check_linear",
    "check_logits",
    "check_promise",
    "check_saturation",
    "check_smooth",
]

# Where the two highest logits are this far apart, the softmax gives the others under 1e-8.
SATURATED_GAP = 20.0
# Times the foreground's gap that the mean over all voxels may be. The sharpest temperature of `Strongest` is an 80th of
# the mean: from some hundred times on the foreground is flat to it, too.
SWAMPED = 300.0


def check_logits(logits: Tensor) -> SanityFinding:
    """Whether (B, K, D, H, W) logits are raw, rather than probabilities."""
    in_range = bool(((logits >= 0) & (logits <= 1)).all())
    sums = logits.sum(1)
    to_one = bool((sums - 1).abs().max() < 1e-3)
    return SanityFinding(
        "logits are not probabilities",
        "failed" if in_range else "ok",
        f"outputs from {logits.min().item():.4g} to {logits.max().item():.4g}, "
        f"sums over classes from {sums.min().item():.4g} to {sums.max().item():.4g}"
        + (": probabilities of a softmax" if in_range and to_one else ""),
        "a softmax or sigmoid inside the network flattens the gradient and makes attacks weak; hand over raw logits",
    )


def check_clamped(inputs: Tensor, logits: Tensor, counts: Tensor | None = None, *, limit: float = 0.2) -> SanityFinding:
    """Whether logits pile up at their highest or lowest value, with or without what the classes have in common.

    Voxels at the lowest or highest intensity do not count: air around a patient is constant, and so are its logits.

    Args:
        inputs: (B, C, D, H, W).
        logits: (B, K, D, H, W).
        counts: (B, 1, D, H, W) bool, the voxels that count, where others are given scores whatever the network says;
            None is all.
        limit: share of the voxels above which the check fails.
    """
    between = ((inputs > inputs.amin()) & (inputs < inputs.amax())).all(dim=1)
    counted = torch.ones_like(between) if counts is None else counts[:, 0]
    own = logits.movedim(1, -1)[counted]
    shares = max((_piled(values, between[counted]) for values in (own, own - own.mean(dim=1, keepdim=True))), key=max)
    return SanityFinding(
        "logits are not clamped",
        "failed" if max(shares) > limit else "ok",
        f"{100 * shares[0]:.3g} % of the voxels have the lowest logit of all, {100 * shares[1]:.3g} % the highest",
        "outputs that are cut off have no gradient there: hand over the logits before the clamp",
    )


def _piled(logits: Tensor, chosen: Tensor) -> tuple[float, float]:
    """Shares of the chosen ones of (N, K) logits that hold the lowest and the highest of all, up to rounding."""
    if not chosen.any():
        return 0.0, 0.0
    lowest, highest = logits.amin(), logits.amax()
    slack = 2 * torch.finfo(logits.dtype).eps * float(logits.abs().amax())
    piled = ((logits <= lowest + slack).any(1), (logits >= highest - slack).any(1))
    return float(piled[0][chosen].double().mean()), float(piled[1][chosen].double().mean())


def check_saturation(looks: Sequence[LocalLook]) -> SanityFinding:
    """How many foreground voxels are so certain that a loss on probabilities has no gradient in float32.

    On the clean volumes and after a step along the gradient: a network can be more certain where it is attacked.
    """
    clean = _foreground_gaps([look.logits for look in looks])
    stepped = _foreground_gaps([look.after_step for look in looks])
    shares = [float((gaps > SATURATED_GAP).double().mean()) for gaps in (clean, stepped)]
    share = max(shares)
    swamped = max(
        float(mean_gap(look.logits)) / max(float(_foreground_gaps([look.logits]).median()), 1e-30) for look in looks
    )
    return SanityFinding(
        "the softmax is not saturated",
        "failed" if share > 0.5 else "warning" if share > 0.25 or swamped > SWAMPED else "ok",
        f"gap between the two highest logits in the predicted foreground: median {clean.median().item():.4g}, over "
        f"{SATURATED_GAP:g} in {100 * shares[0]:.3g} % of the voxels, after a step of 2/255 of the box's width "
        f"{stepped.median().item():.4g} and {100 * shares[1]:.3g} %; the mean of all voxels is {swamped:.3g} times it",
        "cross-entropy, Dice and Jensen-Shannon are blind to such voxels: divide the logits by a constant, which "
        "changes no label, or take attacks that are scale-free (segmentation_ensemble, strongest); where the mean "
        f"of all voxels is more than {SWAMPED:g} times the foreground's, these see the background alone: divide the "
        "logits of each voxel by a number of its own, or take apgd_ce and apgd_dlr beside them",
    )


def _foreground_gaps(volumes: Sequence[Tensor]) -> Tensor:
    """Highest minus second logit of the voxels that are predicted foreground, or of all in a volume without."""
    found = []
    for logits in volumes:
        highest, classes = logits.topk(2, dim=1)
        gap, is_foreground = highest[:, 0] - highest[:, 1], classes[:, 0] > 0
        found.append(gap[is_foreground] if is_foreground.any() else gap.flatten())
    return torch.cat(found)


def check_deterministic(looks: Sequence[LocalLook]) -> SanityFinding:
    """Whether the same volume gives the same logits, asked twice, the second time with a gradient asked for."""
    largest, num_flipped, is_steady = 0.0, 0, True
    for look in looks:
        difference = (look.logits - look.again).abs().max().item()
        largest = max(largest, difference)
        num_flipped += int((look.logits.argmax(1) != look.again.argmax(1)).sum())
        # Atomics on a GPU reorder sums; a random layer changes far more than that.
        is_steady &= difference <= 1e-4 * max(look.logits.abs().max().item(), 1e-12)
    return SanityFinding(
        "the model is deterministic",
        "ok" if is_steady and num_flipped == 0 else "failed",
        f"largest difference {largest:.3g}, {num_flipped} voxels labelled differently",
        "dropout, noise at test time, or an answer that depends on the calls before or on whether a gradient is asked "
        "for: the attack follows another network than the one that is scored; switch it off or average over it",
    )


def check_gradients(looks: Sequence[LocalLook], *, limit: float = 0.5) -> SanityFinding:
    """How many elements of the inputs have no gradient of the cross-entropy, on the clean volumes and after a step.

    Args:
        looks: of some cases.
        limit: share of elements without gradient above which the check fails.
    """
    zero, bad = [0, 0], [0, 0]
    num_elements = 0
    for look in looks:
        given = next((one for one in (look.gradient, look.gradient_after) if one is not None), torch.zeros(1))
        num_elements += given.numel()
        for place, gradient in enumerate((look.gradient, look.gradient_after)):
            gradient = torch.zeros_like(given) if gradient is None else gradient
            zero[place] += int((gradient == 0).sum())
            bad[place] += int((~torch.isfinite(gradient)).sum())
    return SanityFinding(
        "gradients reach the inputs",
        "ok" if max(zero) <= limit * num_elements and not any(bad) else "failed",
        f"{zero[0]} of {num_elements} elements have zero gradient, {bad[0]} are not finite, after a step of 2/255 of "
        f"the box's width {zero[1]} and {bad[1]}"
        + ("; logits carry no gradient" if any(look.gradient is None for look in looks) else ""),
        "gradients vanish (saturated loss, rounding, quantised inputs, or away from clean volumes) and white-box "
        "attacks are blind; trust the margin or the black-box attack more, or rescale the logits",
    )


def check_linear(looks: Sequence[LocalLook]) -> SanityFinding:
    """Whether the cross-entropy rises by what its gradient promises over 1e-3 of the box's width, and over 1e-4.

    The shorter step is hardly bent, so it shows a gradient that lacks a part of the network.
    """
    shares, tiny = [look.small_share for look in looks], [look.tiny_share for look in looks]
    return SanityFinding(
        "a small step keeps the gradient's promise",
        _worst(
            "failed" if not 0.4 <= small <= 2.5 else "ok" if 0.7 <= small <= 1.5 and 0.9 <= short <= 1.1 else "warning"
            for small, short in zip(shares, tiny, strict=True)
        ),
        f"rise of the cross-entropy over its prediction: {numbers(shares)}, over a tenth of the step {numbers(tiny)} "
        "(a smooth network: 1)",
        "the gradient is not that of the network: shattered, replaced, scaled, flipped, or that of a part alone "
        "(detach); white-box attacks follow it to nowhere",
    )


def check_smooth(looks: Sequence[LocalLook]) -> SanityFinding:
    """Whether ten times the step changes the logits about ten times as much."""
    quotients = [
        look.small_change / look.tiny_change if look.tiny_change > 0 else (math.inf if look.small_change else math.nan)
        for look in looks
    ]
    return SanityFinding(
        "small steps change the logits in proportion",
        _worst("ok" if 5 <= quotient <= 20 else "warning" for quotient in quotients),
        f"change of the logits over a step of 1e-3 of the box's width, over that of 1e-4: {numbers(quotients)} "
        "(a smooth network: 10)",
        "steps, quantisation, noise that depends on the input, or low precision: small moves of an attack are lost in "
        "it",
    )


def check_promise(looks: Sequence[LocalLook]) -> SanityFinding:
    """Whether the gradient still leads upwards over 2/255 of the box's width, and is that of the network there, too.

    The mean of the gradients at both ends promises the rise between them: at 1, whatever the loss's curvature.
    """
    shares, both = [look.large_share for look in looks], [look.share_of_both for look in looks]
    return SanityFinding(
        "the gradient leads upwards over a larger step",
        _worst(
            level
            for share, of_both in zip(shares, both, strict=True)
            for level in (
                "ok" if share >= 0.1 else "warning" if share >= 0 else "failed",
                "ok" if 0.6 <= of_both <= 1.7 else "warning" if 0.3 <= of_both <= 2.5 else "failed",
            )
        ),
        f"rise of the cross-entropy over 2/255 of the box's width, over its prediction: {numbers(shares)}, over that "
        f"of the gradients at both ends: {numbers(both)} (a smooth network: 1)",
        "the loss is jagged at the scale of the perturbation (gradient masking, or catastrophic overfitting of "
        "single-step adversarial training), or the gradient is another one away from clean volumes: give attacks more "
        "iterations, restarts and a black box beside them",
    )


def _worst(levels: Iterable[Level]) -> Level:
    found = set(levels)
    return "failed" if "failed" in found else "warning" if "warning" in found else "ok"
