from pathlib import Path
from typing import Any

import pytest

from rogseg.engine.training.warm_start import best_checkpoint, ensure_initial_checkpoint
from rogseg.engine.training.work_dir import FINISHED, write_finished
from rogseg.models.checkpoints import LAST


class Trained:
    """Stands for training a stage: writes what a finished training leaves."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, Path]] = []

    def __call__(self, stage: Path, work_dir: Path) -> None:
        self.calls.append((stage, work_dir))
        finish(work_dir)


def finish(work_dir: Path, name: str = "best.pth") -> None:
    work_dir.mkdir(exist_ok=True)
    (work_dir / name).touch()
    (work_dir / LAST).touch()
    write_finished(work_dir, 3, {"epoch": 3})


def ensure(config: dict[str, Any], zoo: Path | None = None) -> tuple[Path | None, list[tuple[Path, Path]]]:
    trained = Trained()
    found = ensure_initial_checkpoint(
        config,
        stage_work_dir=lambda stage: stage.parent / "default",
        train_stage=trained,
        zoo_checkpoint=lambda name: zoo,
    )
    return found, trained.calls


def everything(work_dir: Path) -> dict[str, Any]:
    return {"work_dir": str(work_dir), "zoo": "rog_standard_liver", "stage": "configs/rog/rog_standard_liver.py"}


def test_a_config_without_the_key_starts_from_scratch() -> None:
    assert ensure({}) == (None, [])


def test_load_from_wins(tmp_path: Path) -> None:
    given = tmp_path / "given.pth"
    given.touch()
    finish(tmp_path / "stage")
    assert ensure({"load_from": str(given), "init_from": everything(tmp_path / "stage")}) == (given, [])


def test_a_given_checkpoint_is_taken_and_must_be_there(tmp_path: Path) -> None:
    given = tmp_path / "given.pth"
    config = {"init_from": {**everything(tmp_path / "stage"), "checkpoint": str(given)}}
    with pytest.raises(ValueError, match=r"init_from\.checkpoint: there is no file"):
        ensure(config)
    given.touch()
    assert ensure(config) == (given, [])


def test_a_finished_stage_is_taken_before_the_zoo(tmp_path: Path) -> None:
    finish(tmp_path / "stage", "best_dice_epoch_7.pth")
    found = ensure({"init_from": everything(tmp_path / "stage")}, zoo=tmp_path / "zoo.pth")
    assert found == (tmp_path / "stage" / "best_dice_epoch_7.pth", [])


def test_the_zoo_is_taken_before_training(tmp_path: Path) -> None:
    zoo = tmp_path / "zoo.pth"
    assert ensure({"init_from": everything(tmp_path / "stage")}, zoo) == (zoo, [])


def test_a_stage_trains_where_it_does_by_default(tmp_path: Path) -> None:
    config = {"init_from": {"stage": str(tmp_path / "rog_standard_liver.py")}}
    found, calls = ensure(config)
    assert found == tmp_path / "default" / "best.pth"
    assert calls == [(tmp_path / "rog_standard_liver.py", tmp_path / "default")]
    assert ensure(config) == (found, [])


def test_a_missing_stage_is_trained_first_and_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work_dir = tmp_path / "stage"
    found, calls = ensure({"init_from": everything(work_dir)})
    assert found == work_dir / "best.pth"
    assert calls == [(Path("configs/rog/rog_standard_liver.py"), work_dir)]
    assert "has not been trained" in capsys.readouterr().out


def test_an_unfinished_stage_is_trained_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work_dir = tmp_path / "stage"
    finish(work_dir)
    (work_dir / FINISHED).unlink()
    _, calls = ensure({"init_from": everything(work_dir)})
    assert len(calls) == 1
    assert "was not finished" in capsys.readouterr().out


def test_a_stage_that_was_started_again_is_not_taken_for_finished(tmp_path: Path) -> None:
    work_dir = tmp_path / "stage"
    finish(work_dir)
    (work_dir / LAST).write_text("the first epoch of another training")
    _, calls = ensure({"init_from": everything(work_dir)})
    assert len(calls) == 1


def test_without_a_stage_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"init_from\.checkpoint=FILE"):
        ensure({"init_from": {"zoo": "rog_standard_liver"}})


@pytest.mark.parametrize(
    ("value", "message"),
    [({"path": "x"}, "unknown keys"), ({}, "no place")],
)
def test_keys_that_cannot_be_meant_are_refused(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ensure({"init_from": value})


def test_two_best_checkpoints_are_an_error(tmp_path: Path) -> None:
    finish(tmp_path, "best_a.pth")
    finish(tmp_path, "best_b.pth")
    with pytest.raises(ValueError, match=r"best_a\.pth.*best_b\.pth"):
        best_checkpoint(tmp_path)
