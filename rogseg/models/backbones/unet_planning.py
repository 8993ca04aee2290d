"""How deep a U-Net is, where it halves which axis and what its kernels see: nnU-Net's rules, from patch and spacing.

Source: Isensee et al., "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation",
Nature Methods 2021, supplementary note 2.
"""

import dataclasses
from collections.abc import Sequence

from rogseg.task_plan import Triple

__all__ = ["UNetTopology", "plan_topology"]

SMALLEST = 4  # voxels along an axis at the bottleneck
COARSE = 2  # an axis whose voxels are so many times those of the finest one is left alone
BASE_FEATURES, MOST_FEATURES = 32, 320


@dataclasses.dataclass(frozen=True)
class UNetTopology:
    """Stages of an encoder, the finest first.

    Args:
        strides: of each stage; the first is 1.
        kernels: of the convolutions of each.
        features: channels of each.
    """

    strides: tuple[Triple, ...]
    kernels: tuple[Triple, ...]
    features: tuple[int, ...]

    @property
    def divisor(self) -> Triple:
        """What divides the lengths of a window."""
        total = [1, 1, 1]
        for stride in self.strides:
            total = [before * step for before, step in zip(total, stride, strict=True)]
        return total[0], total[1], total[2]


def plan_topology(patch_size: Sequence[int], spacing: Sequence[float]) -> UNetTopology:
    """Halve axes as long as each half keeps four voxels, the finest axes first; kernels are 1 along coarse axes.

    Where one axis alone is left to halve, it must keep six. Features double from 32 up to 320.

    Args:
        patch_size: of the training [voxels].
        spacing: [mm].

    Deviation: nnU-Net rounds the patch up to what the halvings divide; here the plan's patch stands, and an axis of an
    odd length is not halved.
    """
    lengths, steps = list(patch_size), list(spacing)
    kernel, strides, kernels = [1, 1, 1], [(1, 1, 1)], []
    while True:
        finest = min(steps)
        # Once an axis is isotropic enough for a kernel of 3, it stays so.
        kernel = [3 if now == 3 or step < COARSE * finest else 1 for now, step in zip(kernel, steps, strict=True)]
        long = [axis for axis in range(3) if lengths[axis] >= 2 * SMALLEST and lengths[axis] % 2 == 0]
        finest_long = min((steps[axis] for axis in long), default=finest)
        halved = [axis for axis in long if steps[axis] < COARSE * finest_long]
        if not halved or (len(halved) == 1 and lengths[halved[0]] < 3 * SMALLEST):
            break
        kernels.append((kernel[0], kernel[1], kernel[2]))
        stride = [2 if axis in halved else 1 for axis in range(3)]
        strides.append((stride[0], stride[1], stride[2]))
        for axis in halved:
            lengths[axis] //= 2
            steps[axis] *= 2
    kernels.append((3, 3, 3))  # of the bottleneck
    features = tuple(min(MOST_FEATURES, BASE_FEATURES * 2**stage) for stage in range(len(strides)))
    return UNetTopology(tuple(strides), tuple(kernels), features)
