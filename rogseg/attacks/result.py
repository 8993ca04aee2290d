"""What an attack leaves: the volumes, and what the model makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from rogseg.metrics import mean_foreground_dice

__all__ = ["AttackResult", "Perturbation"]


@dataclass(frozen=True)
class Perturbation:
    """What a subclass's search hands back.

    Args:
        adversarial: (B, C, D, H, W).
        found_distance: (B,) in units of the box's width: length of the shortest adversary that a minimal-norm attack
            found, at whatever epsilon; infinity where it found none. None for attacks that search in the ball.
        members: results of a composite's members by name.
        not_run: names of members that a limit on passes or time left out.
    """

    adversarial: Tensor
    found_distance: Tensor | None = None
    members: Mapping[str, "AttackResult"] = field(default_factory=dict)
    not_run: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class AttackResult:
    """One adversarial volume per case and what the model makes of it.

    Args:
        adversarial: (B, C, D, H, W), in ball and box.
        prediction: (B, D, H, W) uint8, the class of every voxel of it.
        success: (B,) bool, the criterion on it.
        rank: (B,) float64, what results of a case are compared by, higher is worse for the network: `Criterion.rank`.
        dice: (B, K - 1) float64, per foreground class; NaN where neither target nor prediction has it, and in
            the whole row of a case without foreground.
        loss: (B,), the ruler of the attack's objective on it (the objective itself, for most).
        distance: (B,) float64, length of the perturbation in units of the box's width, in the threat's norm.
        num_forward: forward passes of the model over the batch, the final evaluation included. A pass over a part of
            the batch counts as one.
        num_backward: backward passes.
        num_bad_gradients: backward passes whose gradient held values that are not finite; those were set to zero.
        seconds: wall-clock, members included.
        stopped: whether the limit on passes or time ended the search.
        found_distance: see `Perturbation`.
        members: see `Perturbation`.
        not_run: see `Perturbation`.
        clean_dice: as ``dice``, on the volume before the attack; None where whoever called did not ask for it.
    """

    adversarial: Tensor
    prediction: Tensor
    success: Tensor
    rank: Tensor
    dice: Tensor
    loss: Tensor
    distance: Tensor
    num_forward: int
    num_backward: int
    seconds: float
    num_bad_gradients: int = 0
    stopped: bool = False
    found_distance: Tensor | None = None
    members: Mapping[str, "AttackResult"] = field(default_factory=dict)
    not_run: tuple[str, ...] = ()
    clean_dice: Tensor | None = None

    @property
    def mean_dice(self) -> Tensor:
        """Mean foreground Dice (B,); NaN for a case without foreground."""
        return mean_foreground_dice(self.dice)

    def _rows(self) -> list[list[str]]:
        """Of each case: whether it fell, its Dice before where that is known, its Dice, and how far it was moved."""
        before = [] if self.clean_dice is None else [mean_foreground_dice(self.clean_dice)]
        columns = zip(self.success, *before, self.mean_dice, self.distance, strict=True)
        return [
            [str(case), "yes" if fallen else "no", *(f"{value:.3f}" for value in dice), f"{distance:.4f}"]
            for case, (fallen, *dice, distance) in enumerate(columns)
        ]

    @property
    def _headings(self) -> list[str]:
        before = [] if self.clean_dice is None else ["clean Dice"]
        return ["case", "fallen", *before, "mean Dice", "distance [box width]"]

    @property
    def _passes(self) -> str:
        return f"{self.num_forward} forward and {self.num_backward} backward passes in {self.seconds:.1f} s"

    def __repr__(self) -> str:
        """A line per case, since the tensors would be many screens."""
        lines = [", ".join(map(" ".join, zip(self._headings, row, strict=True))) for row in self._rows()]
        return "\n".join([f"{type(self).__name__} of {self._passes}", *lines])

    def _repr_html_(self) -> str:
        """What a notebook shows: a row per case."""
        headings = self._headings + [f"Dice of class {index}" for index in range(1, self.dice.shape[1] + 1)]
        rows = [row + [f"{value:.3f}" for value in dice] for row, dice in zip(self._rows(), self.dice, strict=True)]
        lines = ["".join(f"<th>{heading}</th>" for heading in headings)]
        lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table><p>{self._passes}</p>"
