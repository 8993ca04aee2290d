"""What a change inside a cuboid costs and decides, against evaluating the whole volume again."""

import torch
from torch import Tensor

from benchmarks.measuring import fastest
from benchmarks.rows import print_row
from rogseg.attacks.objectives import Margin
from rogseg.inference import CachedVolumeLogits, VolumeLogits
from rogseg.task_plan import Region

__all__ = ["region_rows"]


def region_rows(
    volume_logits: VolumeLogits, inputs: Tensor, num_classes: int, rounds: int, proposals: int, device: str
) -> None:
    """Print what Square gains by region updates, and whether it would decide the same.

    Args:
        volume_logits: the network over windows.
        inputs: (1, C, D, H, W).
        num_classes: of the network.
        rounds: measurements of each time; the shortest counts.
        proposals: changes whose decisions are compared.
        device: of the inputs.
    """
    side = max(2, min(inputs.shape[2:]) // 8)
    full, local, windows, touched = region_times(volume_logits, inputs, side, rounds, device)
    bar = windows / touched
    gain = f"{full / local:.2f} times faster, {full / local / bar:.2f} of {windows}/{touched:.1f}"
    print_row(
        "a region update over a full query", f"{touched:.1f} of {windows} windows touched, {gain}", "at least 0.7"
    )
    generator = torch.Generator().manual_seed(2)
    targets = torch.randint(num_classes, (1, *inputs.shape[2:]), generator=generator).to(device)
    same, accepted, difference = compare_decisions(volume_logits, inputs, targets, side, proposals)
    measured = f"{same} of {proposals}, {accepted} accepted, logits differ by {difference:.1e}"
    print_row("region updates that decide as a full query does", measured, f"at least {proposals} of {proposals}")


def region_times(
    volume_logits: VolumeLogits, inputs: Tensor, side: int, rounds: int, device: str
) -> tuple[float, float, int, float]:
    """Seconds of a full query and of a local one, windows, windows touched on average."""
    cache = CachedVolumeLogits(volume_logits, inputs)
    regions = [draw_region(inputs, side, torch.Generator().manual_seed(seed)) for seed in range(6)]
    touched = sum(cache.num_touched(region) for region in regions) / len(regions)

    def whole() -> None:
        with torch.no_grad():
            volume_logits(inputs)

    def local() -> None:
        for region in regions:
            cache.propose(inputs[(..., *region)] + 0.1, region)
            cache.reject()

    full_time, local_time = fastest([whole, local], device, rounds)
    return full_time, local_time / len(regions), cache.num_windows, touched


@torch.no_grad()
def compare_decisions(
    volume_logits: VolumeLogits, inputs: Tensor, targets: Tensor, side: int, proposals: int
) -> tuple[int, int, float]:
    """Random search as Square does it, each proposal judged by a region update and by a full query.

    Returns:
        Proposals on which both decide the same, proposals accepted, and the largest difference of their logits.
    """
    generator, objective = torch.Generator().manual_seed(3), Margin()
    volume, cache = inputs.clone(), CachedVolumeLogits(volume_logits, inputs)
    best_local = objective(cache.logits, targets)
    best_full = objective(volume_logits(volume), targets)
    same, num_accepted, difference = 0, 0, 0.0
    for _ in range(proposals):
        region = draw_region(inputs, side, generator)
        sign = 2 * int(torch.randint(2, (), generator=generator)) - 1
        changed = volume.clone()
        changed[(..., *region)] = inputs[(..., *region)] + 0.5 * sign
        local_logits, full_logits = cache.propose(changed[(..., *region)], region), volume_logits(changed)
        difference = max(difference, float((local_logits - full_logits).abs().max()))
        local, full = objective(local_logits, targets), objective(full_logits, targets)
        accepted = bool(local > best_local)
        same += accepted == bool(full > best_full)
        num_accepted += accepted
        if accepted:
            cache.accept()
            volume, best_local, best_full = changed, local, full
        else:
            cache.reject()
    return same, num_accepted, difference


def draw_region(inputs: Tensor, side: int, generator: torch.Generator) -> Region:
    """A cube of a given side, drawn uniformly from those inside the volume."""
    x, y, z = (int(torch.randint(length - side + 1, (), generator=generator)) for length in inputs.shape[2:])
    return slice(x, x + side), slice(y, y + side), slice(z, z + side)
