"""IdentityHead: for networks that already give logits."""

from torch import Tensor, nn

from rogseg.registry import HEADS

__all__ = ["IdentityHead"]


@HEADS.register_module()
class IdentityHead(nn.Module):
    """Passes the logits of a complete network on, once their number of classes is known to be right.

    Args:
        num_classes: K, the background included.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, features: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, as they come.

        Raises:
            ValueError: the network gives another number of channels.
        """
        if features.ndim != 5 or features.shape[1] != self.num_classes:
            raise ValueError(
                f"model.backbone gives {tuple(features.shape)}, but IdentityHead needs the logits of "
                f"{self.num_classes} classes, (B, {self.num_classes}, D, H, W): set the backbone's number of outputs "
                "to 'task.num_classes', or give model.head another type"
            )
        return features
