import math
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from rogseg.engine.config.load import load_config
from rogseg.engine.costs import fit_minutes as fit
from rogseg.engine.costs.fit_minutes import MAX_EPOCHS, ShortSchedule, fit_minutes, short_schedule
from rogseg.engine.training.train import train
from rogseg.engine.training.work_dir import write_finished
from rogseg.estimation.calibration import Calibration, PassSeconds
from rogseg.models.checkpoints import BEST, LAST, read_checkpoint
from tests.tiny_task import write_tiny_task
from tests.tiny_training import Overrides, tiny_config, write_tiny_config

FREE: Overrides = {"trainer": {"type": "FreeTrainer", "num_replays": 5, "clean_loss_interval": 0}}


@pytest.mark.parametrize(
    ("seconds", "iteration", "validation", "expected"),
    [
        (1000, 0.5, 10, ShortSchedule(20, 80)),  # twenty validations are exactly a fifth
        (1000, 0.5, 20, ShortSchedule(10, 160)),
        (1000, 0.5, 0, ShortSchedule(MAX_EPOCHS, 100)),
        (100, 1, 50, ShortSchedule(1, 50)),  # one validation there must be
        (10, 3, 0, ShortSchedule(3, 1)),
    ],
)
def test_a_schedule_that_fits(seconds: float, iteration: float, validation: float, expected: ShortSchedule) -> None:
    found = short_schedule(seconds, iteration, validation)
    assert found == expected
    assert found.num_epochs * (found.num_iterations * iteration + validation) <= seconds


@pytest.mark.parametrize(("seconds", "expected"), [(1000, ShortSchedule(20, 78)), (4.5, ShortSchedule(1, 6))])
def test_an_epoch_has_a_whole_number_of_accumulated_updates(seconds: float, expected: ShortSchedule) -> None:
    assert short_schedule(seconds, 0.5, seconds / 100, together=6) == expected
    with pytest.raises(ValueError, match=r"the 6 mini-batches of an update take 3.0 s"):
        short_schedule(3, 0.5, 1, together=6)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("trainer", [None, FREE])
def test_what_fits_the_time_can_be_trained_with_accumulated_gradients(
    tmp_path: Path, trainer: Overrides | None
) -> None:
    task = write_tiny_task(tmp_path / "task")
    settings: Overrides = {"optim_wrapper.accumulative_counts": 4, **(trainer or {})}
    found = fit_minutes(tiny_config(tmp_path, task.directory, tmp_path / "w", overrides=settings), 1, task.directory)
    train(tiny_config(tmp_path, task.directory, tmp_path / "w", overrides={**settings, **found}), task.directory, 1)
    assert read_checkpoint(tmp_path / "w" / LAST)["train_loop"]["iterations_per_epoch"] % 4 == 0


def test_too_little_time_is_told_with_what_it_takes() -> None:
    with pytest.raises(ValueError, match=r"one mini-batch takes 4.0 s and a validation 5.0 s: give more minutes"):
        short_schedule(8, 4, 5)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that takes a second for a training step of a patch."""
    seconds = Calibration((16, 16, 16), 5, PassSeconds(forward=0.1, input_gradient=0.5, training_step=1.0))
    monkeypatch.setattr(fit, "calibration_of", lambda *_: seconds)
    monkeypatch.setattr(fit, "time", SimpleNamespace(monotonic=lambda: 0.0))  # the rest takes no time


@pytest.mark.usefixtures("slow")
def test_a_training_runs_through_its_cycle_and_is_resumed_in_it(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    config = tiny_config(tmp_path, task.directory, tmp_path / "w")
    found = fit_minutes(config, 0.25, task.directory)
    train(tiny_config(tmp_path, task.directory, tmp_path / "w", overrides=found), task.directory, 0.25)
    last = read_checkpoint(tmp_path / "w" / LAST)
    assert last["meta"]["epoch"] == found["train_cfg.max_epochs"]
    (cycle,) = last["param_schedulers"]
    assert cycle["end"] == last["train_loop"]["iter"] > 1  # the cycle comes to its end with the training
    resumed = tiny_config(tmp_path, task.directory, tmp_path / "w", overrides={"resume": True})
    assert fit_minutes(resumed, 500, task.directory) == found
    # What is done is not what another number of minutes asks for.
    again = tiny_config(tmp_path, task.directory, tmp_path / "w", overrides={**found, "resume": True})
    train(again, task.directory, 0.25)
    with pytest.raises(ValueError, match=r"differs from this one in minutes \(minutes was 0.25 and is 500\)"):
        train(again, task.directory, 500)


@pytest.mark.usefixtures("slow")
def test_replays_are_counted_in_time_and_epochs(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    config = tiny_config(tmp_path, task.directory, tmp_path / "w", overrides=FREE)
    found = fit_minutes(config, 0.5, task.directory)
    assert found["validation.interval"] == 5
    # A mini-batch of two patches takes 10 s.
    assert found["train_cfg.max_epochs"] // 5 * found["train_cfg.iterations_per_epoch"] == 2


@pytest.mark.usefixtures("slow")
def test_mirrored_copies_of_a_validation_are_counted(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    plain, mirrored = (
        fit_minutes(
            tiny_config(tmp_path, task.directory, tmp_path / "w", overrides={"inference.mirror_axes": axes}),
            5,
            task.directory,
        )
        for axes in ([], [0, 1, 2])
    )
    assert mirrored["train_cfg.max_epochs"] < plain["train_cfg.max_epochs"]


@pytest.mark.usefixtures("slow")
def test_a_stage_that_is_not_trained_is_not_trained_in_the_time_of_another(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    stage = tmp_path / "stage.py"
    stage.write_text(write_tiny_config(tmp_path).read_text())
    places = {"init_from": {"stage": str(stage), "work_dir": str(tmp_path / "before")}}
    config = tiny_config(tmp_path, task.directory, tmp_path / "w", overrides=places)
    with pytest.raises(ValueError, match=r"first run rogseg train stage --task .* --minutes 0.5"):
        fit_minutes(config, 0.5, task.directory)
    (tmp_path / "before").mkdir()
    for name in (BEST, LAST):
        (tmp_path / "before" / name).write_bytes(b"")
    write_finished(tmp_path / "before", 1, {"epoch": 1})
    assert fit_minutes(config, 0.5, task.directory)["plateau"] is None


def test_this_machine_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = write_tiny_task(tmp_path / "task")
    found = fit_minutes(tiny_config(tmp_path, task.directory, tmp_path / "w"), 2, task.directory)
    assert found["train_cfg.iterations_per_epoch"] > 1
    assert re.match(r"2 minutes: \d+ epochs of \d+ mini-batches", capsys.readouterr().out)


def test_mistakes(tmp_path: Path) -> None:
    task = write_tiny_task(tmp_path / "task")
    config = load_config(write_tiny_config(tmp_path), {"launcher": "pytorch"}, task.directory)
    with pytest.raises(ValueError, match="--minutes times one process"):
        fit_minutes(config, 30, task.directory)
    for minutes in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"--minutes {minutes} must be above 0, and a number"):
            fit_minutes(config, minutes, task.directory)
