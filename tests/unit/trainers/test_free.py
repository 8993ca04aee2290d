import copy
import dataclasses
import io
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from rogseg.cases import IntensityBox
from rogseg.trainers import FreeTrainer, PerturbationNeverMovedError, StandardTrainer
from tests.unit.trainers.linear_model import LinearModel, SmallNetwork, ascent_sign, make_batch, sgd, weights
from tests.unit.trainers.recorder import Recorder

EPSILON = 0.1
BETWEEN: tuple[Literal["zero"], Literal["random"]] = ("zero", "random")
WIDTH = torch.tensor([3.0, 5.0]).view(2, 1, 1, 1, 1)  # of the boxes that make_batch gives


def test_one_replay_and_epsilon_zero_is_standard_training_bit_for_bit() -> None:
    torch.manual_seed(0)
    model = SmallNetwork()
    reference = copy.deepcopy(model)
    optim, reference_optim = sgd(model), sgd(reference)
    free, standard = FreeTrainer(num_replays=1, epsilon=0.0, clean_loss_interval=2), StandardTrainer()
    for seed in range(5):
        logs = free.step(model, make_batch(seed), optim)
        assert torch.equal(logs["loss"], standard.step(reference, make_batch(seed), reference_optim)["loss"])
        assert logs["delta_over_epsilon"] == 0
    assert all(map(torch.equal, weights(model), weights(reference)))


def test_perturbation_of_a_linear_model_is_the_closed_form_one() -> None:
    model, batch = LinearModel(), make_batch()
    trainer = FreeTrainer(num_replays=3, epsilon=EPSILON, step_size=0.25)
    trainer.step(model, batch, sgd(model, 1e-6))
    step = 3 * 0.25 * EPSILON * WIDTH * ascent_sign(batch.targets)
    expected = (batch.inputs + step).clamp(batch.box.lower, batch.box.upper) - batch.inputs
    assert trainer.kept is not None
    assert torch.allclose(trainer.kept * WIDTH, expected, atol=1e-6)
    assert (trainer.kept.abs() < 0.7 * EPSILON).any()  # the box was in the way of some voxels


def test_padding_is_not_perturbed_and_not_counted() -> None:
    model, batch = LinearModel(), make_batch()
    batch.inputs.clamp_(-0.3, 0.3)
    batch.movable[:, :, 0] = False
    trainer = FreeTrainer(num_replays=3, epsilon=EPSILON)
    logs = trainer.step(model, batch, sgd(model, 1e-6))
    assert trainer.kept is not None
    assert (trainer.kept[:, :, 0] == 0).all()
    assert torch.allclose(trainer.kept[:, :, 1:], (EPSILON * ascent_sign(batch.targets))[:, :, 1:], atol=1e-6)
    assert logs["share_at_surface"] == 1


def test_perturbation_stays_in_the_ball_and_its_use_is_logged() -> None:
    model, batch = LinearModel(), make_batch()
    batch.inputs.clamp_(-0.3, 0.3)  # far from the box
    trainer = FreeTrainer(num_replays=4, epsilon=EPSILON, step_size=0.5)
    logs = trainer.step(model, batch, sgd(model, 1e-6))
    assert trainer.kept is not None
    assert torch.allclose(trainer.kept, EPSILON * ascent_sign(batch.targets), atol=1e-6)
    # the last replay was trained on after three half steps
    assert logs["delta_over_epsilon"].item() == pytest.approx(1.0, abs=1e-5)
    assert logs["share_at_surface"] == 1
    assert logs["adversarial_loss"] > logs["clean_loss"]


def test_the_first_replay_is_clean_and_the_loss_is_the_mean_over_replays() -> None:
    model, batch = LinearModel(), make_batch()
    clean = model(batch.inputs, batch.targets, mode="loss")
    assert isinstance(clean, dict)
    logs = FreeTrainer(num_replays=2, epsilon=EPSILON).step(model, batch, sgd(model, 0.0))
    assert torch.allclose(logs["clean_loss"], clean["loss_ce"])
    assert torch.allclose(logs["loss"], (clean["loss_ce"] + logs["adversarial_loss"]) / 2)


def test_keep_carries_each_slot_to_the_next_case_in_units_of_its_own_box() -> None:
    model, first, second = Recorder(), make_batch(0), make_batch(1)
    trainer, optim = FreeTrainer(num_replays=1, epsilon=EPSILON), sgd(model, 1e-6)
    trainer.step(model, first, optim)
    second = dataclasses.replace(second, box=IntensityBox(second.box.lower, second.box.upper + 2))
    trainer.step(model, second, optim)
    assert trainer.num_steps == 2
    kept = (first.inputs + EPSILON * WIDTH * ascent_sign(first.targets)).clamp(
        first.box.lower, first.box.upper
    ) - first.inputs
    expected = (second.inputs + kept / WIDTH * (WIDTH + 2)).clamp(second.box.lower, second.box.upper)
    assert torch.allclose(model.seen[1], expected, atol=1e-6)


def test_a_smaller_last_batch_leaves_the_other_slots_alone() -> None:
    model = LinearModel()
    trainer, optim = FreeTrainer(num_replays=1, epsilon=EPSILON), sgd(model, 1e-6)
    trainer.step(model, make_batch(0), optim)
    assert trainer.kept is not None
    second_slot = trainer.kept[1].clone()
    trainer.step(model, make_batch(1, num_cases=1), optim)
    assert trainer.kept.shape[0] == 2
    assert torch.equal(trainer.kept[1], second_slot)


def test_a_larger_batch_starts_its_new_slots_at_zero_and_another_shape_all_of_them() -> None:
    model = Recorder()
    trainer, optim = FreeTrainer(num_replays=1, epsilon=EPSILON), sgd(model, 1e-6)
    trainer.step(model, make_batch(0, num_cases=1), optim)
    trainer.step(model, make_batch(1), optim)
    changed = (model.seen[1] != make_batch(1).inputs).flatten(1).any(1)
    assert changed.tolist() == [True, False]
    trainer.step(model, make_batch(2, shape=(2, 2, 2)), optim)
    assert torch.equal(model.seen[2], make_batch(2, shape=(2, 2, 2)).inputs)


def test_other_starts_carry_nothing_over() -> None:
    for between_batches in BETWEEN:
        model = Recorder()
        trainer = FreeTrainer(num_replays=2, epsilon=EPSILON, between_batches=between_batches)
        trainer.step(model, make_batch(0), optim := sgd(model, 1e-6))
        trainer.step(model, make_batch(0), optim)
        moves = [((seen - make_batch(0).inputs).abs() / WIDTH).max() for seen in (model.seen[0], model.seen[2])]
        if between_batches == "zero":
            assert moves == [0, 0]
        else:
            assert all(0.5 * EPSILON < move <= EPSILON + 1e-6 for move in moves)
            assert not torch.equal(model.seen[0], model.seen[2])


@pytest.mark.parametrize("between_batches", ["keep", "random"])
def test_a_resumed_run_equals_an_uninterrupted_one_perturbation_included(between_batches: str) -> None:
    def trainer() -> FreeTrainer:
        return FreeTrainer(num_replays=2, epsilon=EPSILON, between_batches=between_batches)  # type: ignore[arg-type]

    torch.manual_seed(0)
    model, whole = SmallNetwork(), trainer()
    optim = sgd(model)
    for seed in range(4):
        if seed == 2:
            resumed_model, resumed, buffer = copy.deepcopy(model), trainer(), io.BytesIO()
            resumed_optim = sgd(resumed_model)
            resumed_optim.load_state_dict(copy.deepcopy(optim.state_dict()))
            torch.save(whole.state_dict(), buffer)
            buffer.seek(0)
            resumed.load_state_dict(torch.load(buffer, weights_only=True))
        whole.step(model, make_batch(seed), optim)
    for seed in (2, 3):
        resumed.step(resumed_model, make_batch(seed), resumed_optim)
    assert all(map(torch.equal, weights(model), weights(resumed_model)))
    assert resumed.num_steps == whole.num_steps == 4
    if between_batches == "keep":
        assert whole.kept is not None
        assert torch.equal(whole.kept, resumed.kept)  # type: ignore[arg-type]


def test_accumulation_moves_the_perturbation_at_each_pass_and_the_weights_at_every_second() -> None:
    model, batch = LinearModel(), make_batch()
    batch.inputs.clamp_(-0.3, 0.3)
    trainer = FreeTrainer(num_replays=1, epsilon=EPSILON, step_size=0.25)
    optim = sgd(model, 1e-3, accumulative_counts=2)
    before = weights(model)
    for expected, same in ((0.25, True), (0.5, False)):
        trainer.step(model, batch, optim)
        assert trainer.kept is not None
        assert torch.allclose(trainer.kept, expected * EPSILON * ascent_sign(batch.targets), atol=1e-6)
        assert torch.equal(before[0], model.layer.weight) is same


def test_l2_steps_have_the_length_that_the_threat_gives_them() -> None:
    model, batch = LinearModel(), make_batch()
    batch.inputs.clamp_(-0.3, 0.3)
    trainer = FreeTrainer(num_replays=1, epsilon=EPSILON, threat="L2Threat", step_size=0.5)
    trainer.step(model, batch, sgd(model, 1e-6))
    assert trainer.kept is not None
    assert torch.allclose(trainer.kept.flatten(1).square().mean(dim=1).sqrt(), torch.full((2,), 0.05), rtol=1e-4)


class Detached(LinearModel):
    """Multiplies its input by zero: gradients exist and are exactly 0."""

    def forward(
        self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor"
    ) -> Tensor | dict[str, Tensor]:
        return super().forward(inputs * 0, targets, mode)


def test_a_perturbation_that_never_moves_is_an_error() -> None:
    model = Detached()
    trainer, optim = FreeTrainer(num_replays=2, epsilon=EPSILON), sgd(model)
    for seed in range(9):
        trainer.step(model, make_batch(seed), optim)
    with pytest.raises(PerturbationNeverMovedError, match="not moved in 10 steps"):
        trainer.step(model, make_batch(9), optim)


def test_a_step_that_rounds_to_zero_is_an_error_too() -> None:
    model = LinearModel()
    trainer, optim = FreeTrainer(num_replays=2, epsilon=EPSILON, step_size=1e-9), sgd(model)
    for _ in range(9):
        trainer.step(model, make_batch(), optim)
    with pytest.raises(PerturbationNeverMovedError, match="rounded to zero"):
        trainer.step(model, make_batch(), optim)


def test_a_perturbation_at_the_surface_is_not_taken_for_one_that_never_moves() -> None:
    model, batch = LinearModel(), make_batch()
    trainer, optim = FreeTrainer(num_replays=2, epsilon=EPSILON), sgd(model, 1e-6)
    for _ in range(12):
        trainer.step(model, batch, optim)
    assert trainer.guard.num_still == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_replays": 0}, "num_replays=0"),
        ({"step_size": 0.0}, "never moves"),
        ({"between_batches": "forget"}, "'forget'"),
        ({"between_batches": "zero", "num_replays": 1}, "clean inputs"),
        ({"epsilon": 8.0}, "write 8/255"),
        ({"threat": "Linf"}, "LinfThreat"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FreeTrainer(**arguments)  # type: ignore[arg-type]


def test_the_state_of_another_trainer_is_refused() -> None:
    with pytest.raises(ValueError, match="Free"):
        FreeTrainer().load_state_dict({})


def test_the_look_at_the_clean_loss_leaves_no_trace() -> None:
    class WithDropout(SmallNetwork):
        def __init__(self) -> None:
            super().__init__()
            self.stem.append(nn.Dropout(0.5))
            self.stem.append(nn.BatchNorm3d(4))

    results = []
    for interval in (0, 1):
        torch.manual_seed(0)
        model = WithDropout()
        model.stem[0].eval()
        trainer, optim = FreeTrainer(num_replays=2, epsilon=EPSILON, clean_loss_interval=interval), sgd(model)
        for seed in range(3):
            trainer.step(model, make_batch(seed), optim)
        assert model.training
        assert not model.stem[0].training
        results.append([*weights(model), *(buffer.clone() for buffer in model.buffers())])
    assert all(map(torch.equal, *results))
