import torch

from rogseg.estimation.timed_passes import random_batch
from tests.tiny_task import tiny_plan


def test_the_noise_lies_in_the_box() -> None:
    plan = tiny_plan()
    batch = random_batch(plan, (4, 5, 6), torch.device("cpu"))
    lower, upper = plan.channels[0].box
    assert batch.inputs.shape == (1, 1, 4, 5, 6)
    assert lower <= float(batch.inputs.min()) < float(batch.inputs.max()) <= upper
    assert set(batch.targets.flatten().tolist()) == {0, 1, 2}
