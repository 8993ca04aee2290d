"""A system's network in the form that trainers take: losses in training, scores of classes under attack."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.models.losses import CrossEntropyLoss, DiceLoss
from rogseg.models.segmentor import SegmentationModel
from rogseg.models.supervision import halving_weights, supervised_loss

__all__ = ["Trainee"]


class Trainee(SegmentationModel):
    """One network of a system, called as trainers call a `Segmentor`.

    The loss is Dice and cross-entropy with the weights of deep supervision where the network has several heads. Where
    its channels are independent, one for each region, each is trained against the mask of its region: binary
    cross-entropy and soft Dice.

    Args:
        network: windows -> raw logits, or several from fine to coarse; see `rogseg.systems.TrainableNetwork`.
        decide: raw logits (B, L, D, H, W) -> scores (B, K, D, H, W).
        class_indices: the class indices that make up each foreground class, as `System.class_indices`.
        num_classes: K, the background included.
    """

    def __init__(
        self,
        network: nn.Module,
        decide: Callable[[Tensor], Tensor],
        class_indices: Sequence[Sequence[int]],
        num_classes: int,
    ) -> None:
        super().__init__()
        self.network, self.decide, self.num_classes = network, decide, num_classes
        masks = torch.zeros(num_classes, len(class_indices))
        for channel, indices in enumerate(class_indices):
            masks[list(indices), channel] = 1
        self.register_buffer("masks", masks, persistent=False)
        self.dice, self.entropy = DiceLoss(), CrossEntropyLoss()

    def logits(self, inputs: Tensor) -> Tensor:
        """The finest head's scores of the classes (B, K, D, H, W)."""
        return self.decide(self._outputs(inputs)[0])

    def terms(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Dice and cross-entropy."""
        outputs = self._outputs(inputs)
        weights, regions = halving_weights(len(outputs)), outputs[0].shape[1] == self.num_classes - 1
        terms = (
            {"dice": self.region_dice, "ce": self.region_entropy}
            if regions
            else {"dice": self.dice, "ce": self.entropy}
        )
        return {name: supervised_loss(term, outputs, weights, targets) for name, term in terms.items()}

    def _outputs(self, inputs: Tensor) -> tuple[Tensor, ...]:
        given = self.network(inputs)
        return (given,) if isinstance(given, Tensor) else tuple(given)

    def region_masks(self, targets: Tensor) -> Tensor:
        """Which voxels belong to each region: (B, D, H, W) class indices -> (B, L, D, H, W) of 0 and 1."""
        return self.masks[targets].movedim(-1, 1)

    def region_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy of independent channels, averaged."""
        return functional.binary_cross_entropy_with_logits(logits, self.region_masks(targets))

    def region_dice(self, logits: Tensor, targets: Tensor) -> Tensor:
        """One minus soft Dice per case and region, averaged; as `DiceLoss` has it."""
        found, true = logits.sigmoid().flatten(2), self.region_masks(targets).flatten(2)
        overlap, size = (found * true).sum(2), found.sum(2) + true.sum(2)
        return (1 - (2 * overlap + self.dice.smooth) / (size + self.dice.smooth)).mean()
