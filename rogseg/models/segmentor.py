"""Networks behind MMEngine's model interface; the Segmentor is one of backbone, head and losses."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

from mmengine.model import BaseModel
from torch import Tensor

from rogseg.models.supervision import supervised_loss
from rogseg.registry import BACKBONES, HEADS, LOSSES, MODELS

__all__ = ["SegmentationModel", "Segmentor"]


class SegmentationModel(BaseModel):
    """A network as trainers call it, behind MMEngine's model interface; subclasses write `logits` and `terms`."""

    @final
    def forward(
        self, inputs: Tensor, targets: Tensor | None = None, mode: Literal["tensor", "loss", "predict"] = "tensor"
    ) -> Tensor | dict[str, Tensor]:
        """Run the network.

        Args:
            inputs: (B, C, D, H, W) [network units].
            targets: (B, D, H, W) class indices; ``loss`` needs them.
            mode: ``tensor`` gives logits (B, K, D, H, W), ``loss`` the terms ``loss_<name>`` as scalars, ``predict``
                the label map (B, D, H, W).

        Raises:
            ValueError: an unknown mode, or ``loss`` without targets.
        """
        if mode == "loss":
            if targets is None:
                raise ValueError("mode 'loss' needs targets")
            return {f"loss_{name}": term for name, term in self.terms(inputs, targets).items()}
        if mode not in ("tensor", "predict"):
            raise ValueError(f"mode is {mode!r}, known are 'tensor', 'loss' and 'predict'")
        logits = self.logits(inputs)
        return logits if mode == "tensor" else logits.argmax(dim=1)

    @abstractmethod
    def logits(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W)."""

    @abstractmethod
    def terms(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """The terms of the loss by name, scalars."""


@MODELS.register_module()
class Segmentor(SegmentationModel):
    """A volumetric segmentation network.

    Args:
        backbone: config of the BACKBONES registry; its ``forward`` gives the features that the head takes.
        head: config of the HEADS registry; features -> logits (B, K, D, H, W) on the grid of the inputs. One with a
            method ``supervised`` gives several logits, on that grid or on coarser ones, the mean of whose losses is
            trained on, weighted where it has a method ``weights``.
        losses: configs of the LOSSES registry; each gives one term ``loss_<name>``.
    """

    def __init__(
        self, backbone: Mapping[str, Any], head: Mapping[str, Any], losses: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__()
        self.backbone = BACKBONES.build(dict(backbone))
        self.head = HEADS.build(dict(head))
        self.losses = [LOSSES.build(dict(loss)) for loss in losses]
        for loss in self.losses:
            if not isinstance(getattr(loss, "name", None), str):
                raise ValueError(f"losses: {type(loss).__name__} has no name: give its class one, name = 'my_loss'")

    def logits(self, inputs: Tensor) -> Tensor:
        """Those of the head."""
        logits: Tensor = self.head(self.backbone(inputs))
        return logits

    def terms(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """A term for each of the losses."""
        features = self.backbone(inputs)
        supervised = getattr(self.head, "supervised", lambda given: (self.head(given),))(features)
        weights = getattr(self.head, "weights", _equal_weights)(len(supervised))
        return {loss.name: supervised_loss(loss, supervised, weights, targets) for loss in self.losses}


def _equal_weights(count: int) -> tuple[float, ...]:
    return (1 / count,) * count
