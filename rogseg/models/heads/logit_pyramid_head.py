"""LogitPyramidHead: for networks that give logits of several resolutions, as nnU-Net's do."""

from collections.abc import Sequence

from torch import Tensor, nn

from rogseg.models.supervision import halving_weights
from rogseg.registry import HEADS

__all__ = ["LogitPyramidHead"]


@HEADS.register_module()
class LogitPyramidHead(nn.Module):
    """Passes the finest logits on; training sees them all, each half as much as the next finer one.

    Args:
        num_classes: K, the background included.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def supervised(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The logits (B, K, d, h, w), from fine to coarse.

        Raises:
            ValueError: the network gives something else.
        """
        shapes = [tuple(logits.shape) for logits in features if isinstance(logits, Tensor)]
        if not shapes or len(shapes) < len(features) or any(shape[1:2] != (self.num_classes,) for shape in shapes):
            raise ValueError(
                f"model.backbone gives {shapes or type(features).__name__}, but LogitPyramidHead needs a list of "
                f"logits of {self.num_classes} classes, from fine to coarse: set the backbone's number of classes to "
                "'task.num_classes', or give model.head another type"
            )
        return tuple(features)

    def weights(self, count: int) -> tuple[float, ...]:
        """Of so many losses; see `halving_weights`."""
        return halving_weights(count)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """The finest logits (B, K, D, H, W)."""
        return self.supervised(features)[0]
