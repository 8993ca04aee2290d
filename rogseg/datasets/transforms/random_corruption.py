"""RandomCorruption: what scanners do to images, on patches in training."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rogseg.cases import Case
from rogseg.corruptions import Corruption, Scan, checked_severity, modality_of
from rogseg.datasets.transforms.base import IntensityTransform, check_probability
from rogseg.registry import CORRUPTIONS, TRANSFORMS
from rogseg.storage import CaseProperties

__all__ = ["RandomCorruption"]


@TRANSFORMS.register_module()
class RandomCorruption(IntensityTransform):
    """One of several corruptions, drawn, at a strength drawn between none and that of a severity.

    The patch is taken back to raw units, corrupted, and brought to network units again, so that HU are HU and a
    parameter is what `rogseg corrupt` means by it. Air and the ends of the range are those of the case's box, which a
    patch inside of the body does not show; the signal outside of CT is that of the patch. `ClipToBox`
    follows.

    What is trained on is no surprise in a test: leave out corruptions that the test is to be about.

    Args:
        corruptions: names of the CORRUPTIONS registry. Those that do not apply to a case are not drawn for it.
        max_severity: of 1 to 5.
        probability: of any corruption.

    Raises:
        ValueError: a name is unknown, or is that of a corruption that moves the anatomy, which `RandomAffine` does.
    """

    def __init__(self, corruptions: Sequence[str], max_severity: int = 3, probability: float = 0.5) -> None:
        self.corruptions: list[Corruption] = [CORRUPTIONS.build({"type": name}) for name in corruptions]
        self.max_severity = checked_severity(max_severity)
        self.probability = check_probability(probability)
        moving = [type(one).__name__ for one in self.corruptions if one.moves_anatomy]
        if moving or not self.corruptions:
            raise ValueError(
                f"corruptions are {list(corruptions)}: name at least one, and none that moves the anatomy "
                f"({', '.join(moving) or 'none here does'}); RandomAffine rotates and scales"
            )

    def intensities(self, case: Case, generator: np.random.Generator) -> Tensor:
        """See `IntensityTransform`.

        Raises:
            ValueError: nothing says what the raw units of the case are.
        """
        if generator.random() >= self.probability:
            return case.inputs
        properties = case.properties
        if not isinstance(properties, CaseProperties) or case.spacing is None or not case.modalities:
            raise ValueError(f"case {case.case_id!r} does not say what its raw units and its spacing are")
        modalities = tuple(modality_of(name) for name in case.modalities)
        fitting = [one for one in self.corruptions if one.reason_against(modalities) is None]
        if not fitting:
            names = ", ".join(type(one).__name__ for one in self.corruptions)
            raise ValueError(f"none of the corruptions {names} applies to {', '.join(case.modalities)}; name others")
        corruption = fitting[int(generator.integers(len(fitting)))]
        severities = corruption.severities
        way = severities.levels[self.max_severity - 1] - severities.neutral
        parameter = severities.neutral + way * float(generator.random())
        raw_lower, raw_upper = (
            torch.tensor(bounds, dtype=torch.float32).view(-1, 1, 1, 1)
            for bounds in (properties.raw_lower, properties.raw_upper)
        )
        lower, scale = case.box.lower[0], (raw_upper - raw_lower) / case.box.width[0]
        voxels = (case.inputs[0] - lower) * scale + raw_lower
        scan = Scan(voxels, case.spacing, modalities, ends=(raw_lower, raw_upper))
        made = corruption.at(scan, parameter, torch.Generator().manual_seed(int(generator.integers(2**62))))
        return ((made.voxels - raw_lower) / scale + lower)[None]
