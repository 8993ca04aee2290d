"""Segmentor: backbone, head and losses behind MMEngine's model interface."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mmengine.model import BaseModel
from torch import Tensor

from rogseg.models.supervision import supervised_loss
from rogseg.registry import BACKBONES, HEADS, LOSSES, MODELS

__all__ = ["Segmentor"]


@MODELS.register_module()
class Segmentor(BaseModel):
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

    def forward(
        self, inputs: Tensor, targets: Tensor | None = None, mode: Literal["tensor", "loss", "predict"] = "tensor"
    ) -> Tensor | dict[str, Tensor]:
        """Run the network.

        Args:
            inputs: (B, C, D, H, W) [network units].
            targets: (B, D, H, W) class indices; ``loss`` needs them.
            mode: ``tensor`` gives raw logits (B, K, D, H, W), ``loss`` the terms ``loss_<name>`` as scalars,
                ``predict`` the label map (B, D, H, W).

        Raises:
            ValueError: an unknown mode, or ``loss`` without targets.
        """
        features = self.backbone(inputs)
        if mode == "loss":
            if targets is None:
                raise ValueError("mode 'loss' needs targets")
            supervised = getattr(self.head, "supervised", lambda given: (self.head(given),))(features)
            weights = getattr(self.head, "weights", _equal_weights)(len(supervised))
            return {f"loss_{loss.name}": supervised_loss(loss, supervised, weights, targets) for loss in self.losses}
        logits: Tensor = self.head(features)
        if mode == "tensor":
            return logits
        if mode == "predict":
            return logits.argmax(dim=1)
        raise ValueError(f"mode is {mode!r}, known are 'tensor', 'loss' and 'predict'")


def _equal_weights(count: int) -> tuple[float, ...]:
    return (1 / count,) * count
