"""A segmentor whose adversary is known in closed form, and mini-batches for it."""

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn import functional as F

from rogseg.cases import Batch, IntensityBox

SHAPE = (4, 3, 2)


class LinearModel(nn.Module):
    """One weight per class and channel: the sign of the input gradient is that of w[other] - w[true]."""

    def __init__(self, num_channels: int = 1) -> None:
        super().__init__()
        self.layer = nn.Conv3d(num_channels, 2, 1)
        with torch.no_grad():
            self.layer.weight.copy_(torch.linspace(-1, 1, 2 * num_channels).view_as(self.layer.weight))
            self.layer.bias.zero_()  # type: ignore[union-attr]

    def forward(
        self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor"
    ) -> Tensor | dict[str, Tensor]:
        logits: Tensor = self.layer(inputs)
        if mode == "tensor":
            return logits
        assert targets is not None
        return {"loss_ce": F.cross_entropy(logits.float(), targets)}


class SmallNetwork(LinearModel):
    """Two convolutions with a norm between, so that order and precision of every operation matter."""

    def __init__(self, num_channels: int = 1) -> None:
        super().__init__(num_channels=4)
        self.stem = nn.Sequential(
            nn.Conv3d(num_channels, 4, 3, padding=1, bias=False), nn.InstanceNorm3d(4, affine=True), nn.SiLU()
        )

    def forward(
        self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor"
    ) -> Tensor | dict[str, Tensor]:
        return super().forward(self.stem(inputs), targets, mode)


def make_batch(seed: int = 0, num_cases: int = 2, shape: tuple[int, int, int] = SHAPE, num_channels: int = 1) -> Batch:
    """Cases in boxes of different widths: that of case i is [-1 - i, 2 + i], so (3 + 2 i) wide."""
    generator = torch.Generator().manual_seed(seed)
    index = torch.arange(num_cases, dtype=torch.float32).view(-1, 1, 1, 1, 1).expand(-1, num_channels, -1, -1, -1)
    lower, upper = -1 - index, 2 + index
    inputs = lower + (upper - lower) * torch.rand((num_cases, num_channels, *shape), generator=generator)
    return Batch(
        case_ids=tuple(f"case_{seed}_{i}" for i in range(num_cases)),
        inputs=inputs,
        targets=torch.randint(0, 2, (num_cases, *shape), generator=generator),
        box=IntensityBox(lower.clone(), upper.clone()),
        movable=torch.ones(num_cases, 1, *shape, dtype=torch.bool),
    )


def ascent_sign(targets: Tensor) -> Tensor:
    """Sign of the input gradient of `LinearModel` with one channel: w is (-1, 1), so up where the target is 0."""
    return torch.where(targets == 0, 1.0, -1.0).unsqueeze(1)


def sgd(model: nn.Module, learning_rate: float = 0.01, accumulative_counts: int = 1) -> OptimWrapper:
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)
    return OptimWrapper(optimizer, accumulative_counts=accumulative_counts)


def weights(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]
