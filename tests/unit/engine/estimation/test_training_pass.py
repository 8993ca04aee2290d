import pytest
import torch

from rogseg.engine.estimation.training_pass import StepPasses, random_batch, step_passes
from rogseg.trainers import AWPTrainer, FreeTrainer, NFGSMTrainer, PGDTrainer, StandardTrainer, TRADESTrainer, Trainer
from tests.tiny_task import tiny_plan


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        (StandardTrainer(), StepPasses(1, 0)),
        (FreeTrainer(num_replays=5), StepPasses(5, 0)),
        (NFGSMTrainer(), StepPasses(1, 1)),
        (PGDTrainer(num_iterations=7), StepPasses(1, 7)),
        (TRADESTrainer(num_iterations=10), StepPasses(3, 10)),
        (AWPTrainer(PGDTrainer(num_iterations=7)), StepPasses(2, 7)),
    ],
)
def test_passes(trainer: Trainer, expected: StepPasses) -> None:
    assert step_passes(trainer) == expected
    assert expected.training + expected.crafting == trainer.passes_per_step


def test_the_noise_lies_in_the_box() -> None:
    plan = tiny_plan()
    batch = random_batch(plan, (4, 5, 6), torch.device("cpu"))
    lower, upper = plan.channels[0].box
    assert batch["inputs"].shape == (1, 1, 4, 5, 6)
    assert lower <= float(batch["inputs"].min()) < float(batch["inputs"].max()) <= upper
    assert set(batch["targets"].flatten().tolist()) == {0, 1, 2}
