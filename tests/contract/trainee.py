"""A linear segmentor that remembers how it was trained, and mini-batches for it."""

from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn import functional

from rogseg.cases import Batch, IntensityBox

EPSILON = 0.1


class Trainee(nn.Module):
    """One weight per class and channel.

    Attributes:
        seen: inputs of every forward pass in training mode, each with the weights that it met.
        passes: cases whose gradient came back, in training mode (``training``) and in evaluation mode (``crafting``).
    """

    def __init__(self, num_channels: int = 1, num_classes: int = 2) -> None:
        super().__init__()
        self.layer = nn.Conv3d(num_channels, num_classes, 1)
        with torch.no_grad():
            self.layer.weight.copy_(torch.linspace(-1, 1, num_classes * num_channels).view_as(self.layer.weight))
            self.layer.bias.copy_(torch.linspace(0.2, 0, num_classes))  # type: ignore[union-attr]
        self.seen: list[tuple[Tensor, list[Tensor]]] = []
        self.passes = {"training": 0, "crafting": 0}

    def forward(
        self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor"
    ) -> Tensor | dict[str, Tensor]:
        if self.training:
            self.seen.append((inputs.detach().clone(), weights(self)))
        kind = "training" if self.training else "crafting"
        logits: Tensor = Counting.apply(self.layer(inputs), self.passes, kind)  # type: ignore[no-untyped-call]
        if mode == "tensor":
            return logits
        assert targets is not None
        return {"loss_ce": functional.cross_entropy(logits.float(), targets)}


class Counting(torch.autograd.Function):
    """The identity that counts the cases whose gradient comes through."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, passes: dict[str, int], kind: str) -> Tensor:
        ctx.passes, ctx.kind = passes, kind
        return logits.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        ctx.passes[ctx.kind] += len(gradients[0])
        return gradients[0], None, None


class Recording(OptimWrapper):
    """Plain gradient descent that remembers each update.

    Attributes:
        updates: weights before, weights after, and how many inputs the model had seen.
    """

    def __init__(self, model: Trainee, learning_rate: float) -> None:
        super().__init__(torch.optim.SGD(model.parameters(), lr=learning_rate))
        self.model, self.updates = model, list[tuple[list[Tensor], list[Tensor], int]]()

    def step(self, **kwargs: Any) -> None:
        before = weights(self.model)
        super().step(**kwargs)
        self.updates.append((before, weights(self.model), len(self.model.seen)))


def weights(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def batch_of(
    seed: int = 0, num_channels: int = 1, num_classes: int = 2, shape: tuple[int, int, int] = (4, 3, 2)
) -> Batch:
    """Two cases in boxes of different widths, 3 and 5."""
    generator = torch.Generator().manual_seed(seed)
    index = torch.arange(2.0).view(-1, 1, 1, 1, 1).expand(-1, num_channels, -1, -1, -1)
    box = IntensityBox((-1 - index).clone(), (2 + index).clone())
    return Batch(
        case_ids=("first", "second"),
        inputs=box.lower + box.width * torch.rand((2, num_channels, *shape), generator=generator),
        targets=torch.randint(0, num_classes, (2, *shape), generator=generator),
        box=box,
        movable=torch.ones(2, 1, *shape, dtype=torch.bool),
    )


def central_differences(function: Any, model: Trainee, at: list[Tensor], step: float = 1e-2) -> list[Tensor]:
    """Gradient of a function of the model with respect to its weights, told by values alone.

    Args:
        function: () -> a number, with the model's weights as they are.
        model: whose weights are set.
        at: the weights at which the gradient is asked for.
        step: of the differences.
    """
    gradients = [torch.zeros_like(weight) for weight in at]
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), at, strict=True):
            parameter.copy_(weight)
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            for index in range(parameter.numel()):
                value, sides = parameter.view(-1)[index].item(), []
                for side in (step, -step):
                    parameter.view(-1)[index] = value + side
                    sides.append(float(function()))
                parameter.view(-1)[index] = value
                gradient.view(-1)[index] = (sides[0] - sides[1]) / (2 * step)
    return gradients
