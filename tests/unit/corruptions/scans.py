"""Phantom scans: a head in MR, a body in CT, and two MR channels. No patient has been in any of these scanners."""

import torch

from rogseg.corruptions import Modality, Scan

SHAPE = (26, 22, 18)


def _places() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x, y, z = torch.meshgrid(*(torch.linspace(-1, 1, length) for length in SHAPE), indexing="ij")
    return x, y, z


def _ball(centre: tuple[float, float, float], radius: float) -> torch.Tensor:
    squares = [((place - middle) / radius) ** 2 for place, middle in zip(_places(), centre, strict=True)]
    return torch.stack(squares).sum(0) < 1


def mr_scan(num_channels: int = 1) -> Scan:
    """Scanner units; one organ of label 1 with a spot of label 2 in it."""
    generator = torch.Generator().manual_seed(7)
    x, y, z = _places()
    body = (x / 0.9) ** 2 + (y / 0.85) ** 2 + (z / 1.1) ** 2 < 1
    organ, spot = _ball((0.3, 0.1, 0.1), 0.45), _ball((0.35, 0.15, 0.15), 0.2)
    image = 300.0 * body + 200 * organ - 250 * spot + 60 * torch.sin(6 * x) * torch.cos(5 * y + 4 * z) * body
    image = (image + 8 * torch.randn(SHAPE, generator=generator)).abs()
    labels = organ.long() + (organ & spot).long()
    voxels = torch.stack([image if index == 0 else 2 * image.flip(0) for index in range(num_channels)])
    kind: Modality = "MR"
    return Scan(voxels, (1.0, 1.0, 1.5), (kind,) * num_channels, labels)


def ct_scan() -> Scan:
    """[HU]: air, soft tissue, a liver of 110 HU and bone of 900 HU."""
    generator = torch.Generator().manual_seed(8)
    x, y, z = _places()
    image = torch.where((x / 0.85) ** 2 + (y / 0.8) ** 2 < 1, 40.0, -1000.0)
    image[_ball((0.3, 0.1, 0.0), 0.4)] = 110
    image[(x / 0.15) ** 2 + ((y + 0.6) / 0.15) ** 2 < 1] = 900
    image = image + 30 * torch.sin(7 * x + 3 * z) * (image > -500) + 8 * torch.randn(SHAPE, generator=generator)
    return Scan(image[None], (2.0, 2.0, 5.0), ("CT",), _ball((0.3, 0.1, 0.0), 0.4).long())


SCANS = {"MR": mr_scan(), "CT": ct_scan(), "two channels": mr_scan(2)}
