"""Models and batches whose worst case is known in closed form."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from rogseg.attacks import LinfThreat
from rogseg.cases import IntensityBox

EPSILON = 8 / 255


def box_of(num_channels: int) -> IntensityBox:
    """A box of another place and width in every channel, none of them [0, 1]."""
    return IntensityBox.per_channel(
        [-1.5 - 0.2 * channel for channel in range(num_channels)],
        [2.0 + 0.5 * channel for channel in range(num_channels)],
    )


class LinearSegmentor(nn.Module):
    """Logits that are a linear function of each voxel, scaled."""

    def __init__(self, num_channels: int, num_classes: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(num_classes, num_channels, generator=generator))
        self.bias = nn.Parameter(0.3 * torch.randn(num_classes, generator=generator), requires_grad=False)
        self.dropout = nn.Dropout(0.5).eval()

    def forward(self, inputs: Tensor) -> Tensor:
        logits = torch.einsum("kc,bcdhw->bkdhw", self.weight, self.dropout(inputs))
        return logits + self.bias.view(1, -1, 1, 1, 1)


def smooth_segmentor(inputs: Tensor) -> Tensor:
    """Three classes by the mean intensity around a voxel, as different as a trained network's: gaps of about 6."""
    smooth = nn.functional.avg_pool3d(inputs, 3, stride=1, padding=1, count_include_pad=False)
    centres = torch.tensor([-0.4, 0.25, 0.9]).view(1, 3, 1, 1, 1)
    return -40 * (0.5 * (smooth + inputs) - centres).square()


def batch_of(
    num_cases: int, num_channels: int, num_classes: int, shape: tuple[int, int, int], seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Inputs spread over the box and targets at random."""
    generator = torch.Generator().manual_seed(seed)
    box = box_of(num_channels)
    inputs = box.lower + box.width * torch.rand(num_cases, num_channels, *shape, generator=generator)
    targets = torch.randint(num_classes, (num_cases, *shape), generator=generator)
    return inputs.clamp(box.lower, box.upper), targets


def worst_of_two_classes(model: LinearSegmentor, inputs: Tensor, targets: Tensor, threat: LinfThreat) -> Tensor:
    """The volume that is worst voxel by voxel: each channel moves by epsilon in the sign of its weight."""
    difference = (model.weight[1] - model.weight[0]).detach().view(1, -1, 1, 1, 1)
    towards_wrong = difference * (1 - 2 * targets[:, None])
    return threat.project(inputs, inputs + threat.epsilon * towards_wrong.sign())


def margin_of_two_classes(model: LinearSegmentor, volume: Tensor, targets: Tensor) -> Tensor:
    """Mean of wrong minus true logit, (B,)."""
    with torch.no_grad():
        logits = model(volume)
    return ((logits[:, 1] - logits[:, 0]) * (1 - 2 * targets)).flatten(1).mean(1)


def shapes() -> Iterator[tuple[int, int, tuple[int, int, int]]]:
    """Channels, classes, and patches: one, two and four channels, two to five classes, flat, tiny and odd."""
    yield 1, 2, (6, 5, 4)
    yield 2, 3, (4, 4, 1)
    yield 4, 4, (3, 7, 2)
    yield 1, 5, (1, 1, 1)
    yield 2, 2, (64, 64, 4)
