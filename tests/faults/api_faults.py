"""Wrong arguments of the attack on plain arrays: each is told before the search."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rogseg.attacks import APGD, DiceBelow, LinfThreat, attack_arrays
from rogseg.cases import IntensityBox
from tests.faults.fault import Call, Fault
from tests.faults.raw_inputs import labels
from tests.unit.systems.any_network.networks import seeded

SHAPE = (8, 8, 8)
IMAGE = np.random.default_rng(0).uniform(size=SHAPE)
LABEL = labels((12, 13, 14))[:8, :8, :8]
NETWORK = seeded()
THREAT = LinfThreat.from_fraction(8 / 255, (0.0, 1.0))


def given(**changes: Any) -> Callable[[Path], Call]:
    arguments: dict[str, Any] = {
        "attack": APGD(num_iterations=1), "model": NETWORK, "image": IMAGE, "label": LABEL, "threat": THREAT,
        "criterion": DiceBelow(0.5), **changes,
    }  # fmt: skip
    return lambda folder: lambda: attack_arrays(**arguments)


FAULTS = [
    Fault("wide unsigned labels", given(label=LABEL.astype(np.uint64)), "", refused=False),
    Fault("lists", given(image=IMAGE.tolist(), label=LABEL.tolist()), "", refused=False),
    Fault("arrays that run backwards", given(image=IMAGE[::-1], label=LABEL[:, ::-1]), "", refused=False),
    Fault("a masked image", given(image=np.ma.masked_less(IMAGE, 0.5)), "masked array does not say"),
    Fault("a masked label", given(label=np.ma.masked_equal(LABEL, 1)), "masked array does not say"),
    Fault("an image of objects", given(image=IMAGE.astype(object)), "holds neither intensities nor classes"),
    Fault("a complex image", given(image=torch.zeros(SHAPE, dtype=torch.complex64)), "complex numbers are no inten"),
    Fault("labels of 0.9999", given(label=LABEL * 0.9999), "expected class indices"),
    Fault("a label of another class", given(label=LABEL * 4), "the targets hold class 8 but the model has 3"),
    Fault("a threat that is a number", given(threat=8 / 255), "threat is a float"),
    Fault("a criterion that is a number", given(criterion=0.5), "criterion is a float"),
    Fault("a model that is a path", given(model="net.pth"), "model is a str"),
    Fault("a seed of text", given(seed="0"), "seed is '0'"),
    Fault("labels for logits", given(model=lambda x: NETWORK(x).long()), "the model returned torch.int64"),
    Fault("a box of three", lambda _: lambda: IntensityBox.of((0, 1, 2)), "a box is two numbers"),  # type: ignore[arg-type]
]
