"""A work directory after kills, second starts and other settings; one tiny training, copied for each."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.engine.training.train import train
from rogseg.engine.training.work_dir import FINISHED, best_epoch, held, is_finished
from rogseg.models.checkpoints import BEST, LAST, checkpoint_lineage, read_checkpoint, write_checkpoint
from rogseg.storage import StoredTask, write_folds
from rogseg.storage.splits import Fold
from tests.tiny_task import CASE_IDS, write_tiny_task
from tests.tiny_training import Overrides, tiny_config
from tests.unit.engine.training.test_train import InterruptHook  # noqa: F401 (registers it)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> StoredTask:
    return write_tiny_task(tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, task: StoredTask) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(tiny_config(folder, task.directory, folder / "w"), task.directory)
    return folder / "w"


@pytest.fixture
def again(tmp_path: Path, task: StoredTask, trained: Path) -> Callable[..., Path]:
    """Train in a copy of the finished work directory, with other settings."""
    copy = tmp_path / "w"
    shutil.copytree(trained, copy)

    def run(task_dir: Path | None = None, **overrides: Any) -> Path:
        directory = task_dir or task.directory
        settings: Overrides = {key.replace("__", "."): value for key, value in overrides.items()}
        train(tiny_config(tmp_path, directory, copy, overrides=settings), directory)
        return copy

    return run


def weights(path: Path) -> torch.Tensor:
    return read_checkpoint(path)["state_dict"]["head.classifier.weight"]


def test_a_checkpoint_says_what_it_was_trained_on(trained: Path, task: StoredTask) -> None:
    for name in (LAST, BEST):
        lineage = checkpoint_lineage(trained / name)
        assert lineage is not None
        assert set(lineage.training) | set(lineage.selection) == set(CASE_IDS[:8])
        assert lineage.seen == {task.plan.name: CASE_IDS[:8]}
        assert lineage.validation == CASE_IDS[8:]
        assert (lineage.fold, lineage.seed, lineage.start, lineage.inherited) == (0, 0, None, {})
        assert lineage.task_plan == task.plan
        assert lineage.seen_of(CASE_IDS[6:], task.plan.name) == CASE_IDS[6:8]
        assert lineage.seen_of(CASE_IDS, "Task98_Other") == ()


def test_a_training_is_not_started_over_another_unless_asked(again: Callable[..., Path], trained: Path) -> None:
    before = (trained / BEST).read_bytes()
    with pytest.raises(ValueError, match=r"holds a training already .*--resume goes on .*--overwrite"):
        again(seed=1)
    folder = again(seed=1, overwrite=True)
    lineage = checkpoint_lineage(folder / BEST)
    assert lineage is not None
    assert lineage.seed == 1
    assert (folder / BEST).read_bytes() != before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"load_from": "other.pth"}, "weights of another network"),
        ({"optim_wrapper__type": "AutocastOptimWrapper", "optim_wrapper__dtype": "float16"}, "needs a GPU"),
    ],
)
def test_a_training_that_is_refused_loses_nothing_of_the_one_that_it_would_overwrite(
    again: Callable[..., Path], tmp_path: Path, settings: Overrides, message: str
) -> None:
    write_checkpoint(tmp_path / "other.pth", {"state_dict": {"x": torch.zeros(1)}})
    if "load_from" in settings:
        settings = {"load_from": str(tmp_path / "other.pth")}
    with pytest.raises(ValueError, match=message):
        again(overwrite=True, device="cpu", **settings)
    assert is_finished(tmp_path / "w")


def test_a_training_that_goes_on_past_its_end_has_not_come_to_it(again: Callable[..., Path], tmp_path: Path) -> None:
    interrupt = [{"type": "InterruptHook", "epoch": 3}]
    with pytest.raises(KeyboardInterrupt):
        again(resume=True, train_cfg__max_epochs=5, allow=["max_epochs"], custom_hooks=interrupt)
    assert not (tmp_path / "w" / FINISHED).exists()


def test_a_work_directory_has_one_training_at_a_time(tmp_path: Path, again: Callable[..., Path]) -> None:
    with held(tmp_path / "w"), pytest.raises(ValueError, match=r"in use by process \d+ .*\(training\)"):
        again(resume=True)
    again(resume=True)


@pytest.mark.parametrize("state", ["older", "missing"])
def test_a_best_checkpoint_that_a_kill_left_behind_is_made_up_for(
    again: Callable[..., Path], trained: Path, tmp_path: Path, state: str
) -> None:
    folder = tmp_path / "w"
    last = read_checkpoint(folder / LAST)
    history = last["train_loop"]["history"]
    history[-1]["score"] = 2.0  # the last epoch is the best one
    write_checkpoint(folder / LAST, last)
    (folder / FINISHED).unlink()
    if state == "missing":
        (folder / BEST).unlink()
    leftover = folder / f".rogseg-partial-{BEST}-abcdefgh"  # the kill came in the middle of its writing
    leftover.touch()
    again(resume=True)
    assert not leftover.exists()
    best = read_checkpoint(folder / BEST)
    assert best["meta"]["epoch"] == 3 == best_epoch(history)
    assert torch.equal(weights(folder / BEST), weights(trained / LAST))
    assert is_finished(folder)


@pytest.mark.parametrize(
    ("scores", "losses", "best"),
    [
        ([0.7], [1.0], [1]),
        ([0.7, None, 0.6], [1.0, 0.5, 0.5], [1, 1, 1]),
        ([0.0, 0.0, 0.0, 0.0], [3.0, 2.0, 2.5, 1.0], [1, 2, 2, 4]),
        ([0.0, 0.0], [2.0, 2.0], [1, 1]),
        ([None], [2.0], [None]),
    ],
)
def test_the_best_epoch_has_the_highest_score_and_of_equal_ones_the_lowest_loss(
    scores: list[float | None], losses: list[float], best: list[int | None]
) -> None:
    history = [
        {"epoch": float(place), "val_loss": loss} | ({} if score is None else {"score": score})
        for place, (score, loss) in enumerate(zip(scores, losses, strict=True), start=1)
    ]
    assert [best_epoch(history[:number]) for number in range(1, len(history) + 1)] == best


def test_a_training_whose_epochs_score_alike_goes_on(again: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "w"
    last, best = read_checkpoint(folder / LAST), read_checkpoint(folder / BEST)
    for record, loss in zip(last["train_loop"]["history"], (3.0, 2.0, 2.5), strict=True):
        record |= {"score": 0.0, "val_loss": loss}  # as of a network that finds nothing yet
    best["meta"]["epoch"] = 2  # what was saved then
    write_checkpoint(folder / LAST, last)
    write_checkpoint(folder / BEST, best)
    again(resume=True)
    assert read_checkpoint(folder / BEST)["meta"]["epoch"] == 2
    assert is_finished(folder)


def test_best_weights_that_are_lost_are_not_passed_over(again: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "w"
    last = read_checkpoint(folder / LAST)
    last["train_loop"]["history"][0]["score"] = 2.0
    write_checkpoint(folder / LAST, last)
    (folder / BEST).unlink()
    with pytest.raises(ValueError, match=r"best\.pth: is not that of epoch 1"):
        again(resume=True)


def test_finished_is_believed_of_its_own_files_alone(tmp_path: Path, trained: Path) -> None:
    assert is_finished(trained)
    folder = shutil.copytree(trained, tmp_path / "copy")
    (folder / BEST).write_bytes(b"of another training")
    assert not is_finished(folder)
    (folder / FINISHED).write_text(json.dumps({"epochs": 3}))  # from before it named its files
    assert not is_finished(folder)
    (folder / FINISHED).write_text("[")
    with pytest.raises(ValueError, match=r"finished\.json.*remove it"):
        is_finished(folder)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"fold": 1}, "fold was 0 and is 1"),
        ({"seed": 3}, "seed was 0 and is 3"),
        ({"selection_fraction": 0.4}, "selection_fraction was 0.25 and is 0.4"),
        ({"train_data__batch_size": 1}, "batch_size was 2 and is 1.*--allow batch_size"),
        ({"train_data__dataset__foreground_fraction": 0.1}, "sampling.foreground_fraction was 0.5 and is 0.1"),
        ({"optim_wrapper__optimizer__lr": 0.5}, "optimizer.optimizer.lr was 0.001 and is 0.5"),
        ({"plateau__patience": 3}, "plateau.patience was 50 and is 3"),
        ({"train_cfg__max_epochs": 4}, "max_epochs was 3 and is 4.*--allow max_epochs"),
        ({"model__backbone__channels": 6}, "model.backbone.channels was 4 and is 6"),
        ({"inference__overlap": 0.25}, "inference.overlap was 0.5 and is 0.25"),
        ({"allow": ["seed"]}, "'seed' cannot be allowed; it may name batch_size"),
    ],
)
def test_resuming_names_what_differs(
    again: Callable[..., Path], tmp_path: Path, overrides: Overrides, message: str
) -> None:
    folds = [Fold(CASE_IDS[:8], CASE_IDS[8:]), Fold(CASE_IDS[2:], CASE_IDS[:2])]
    other = write_tiny_task(tmp_path / "other")
    write_folds(other.directory, folds)
    with pytest.raises(ValueError, match=message):
        again(other.directory, resume=True, **overrides)


def test_resuming_after_the_task_has_changed_is_refused(again: Callable[..., Path], tmp_path: Path) -> None:
    other = write_tiny_task(tmp_path / "other")
    write_folds(other.directory, [Fold(CASE_IDS[1:9], (CASE_IDS[0], CASE_IDS[9]))])
    with pytest.raises(ValueError, match="training_cases now with"):
        again(other.directory, resume=True)


def test_what_is_harmless_is_allowed_by_name(again: Callable[..., Path]) -> None:
    folder = again(resume=True, train_cfg__max_epochs=4, train_data__batch_size=1, allow=["max_epochs", "batch_size"])
    assert read_checkpoint(folder / LAST)["meta"]["epoch"] == 4


def test_a_checkpoint_that_records_nothing_is_resumed_by_name_only(again: Callable[..., Path], tmp_path: Path) -> None:
    last = read_checkpoint(tmp_path / "w" / LAST)
    del last["meta"]["settings"], last["meta"]["lineage"]
    write_checkpoint(tmp_path / "w" / LAST, last)
    with pytest.raises(ValueError, match=r"does not record the settings .*--allow unrecorded"):
        again(resume=True)
    again(resume=True, allow=["unrecorded"])


def test_weights_that_saw_the_reported_cases_are_no_start(trained: Path, tmp_path: Path) -> None:
    other = write_tiny_task(tmp_path / "other")
    write_folds(other.directory, [Fold(CASE_IDS[2:], CASE_IDS[:2])])
    overrides: Overrides = {"load_from": str(trained / BEST), "train_cfg.max_epochs": 1}

    def start(**more: Any) -> None:
        train(tiny_config(tmp_path, other.directory, tmp_path / "v", overrides={**overrides, **more}), other.directory)

    with pytest.raises(ValueError, match=r"best\.pth: was trained or chosen on 2 cases that fold 0 reports on"):
        start()
    start(allow=["start"])
    lineage = checkpoint_lineage(tmp_path / "v" / LAST)
    assert lineage is not None
    assert lineage.inherited == {lineage.task: CASE_IDS[:8]}
    assert lineage.start == str(trained / BEST)
    assert lineage.seen_of(CASE_IDS[:2], lineage.task) == CASE_IDS[:2]
    start(allow=[], resume=True, load_from=None)  # what it started from stays recorded
    again = checkpoint_lineage(tmp_path / "v" / LAST)
    assert again == lineage


def test_a_training_does_not_remove_what_it_starts_from(again: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"best\.pth: lies in the work directory"):
        again(overwrite=True, load_from=str(tmp_path / "w" / BEST))
    assert (tmp_path / "w" / BEST).is_file()


@pytest.mark.parametrize("part", ["train_loop", "optimizer", "meta"])
def test_a_checkpoint_without_what_resuming_needs_is_a_sentence(
    again: Callable[..., Path], tmp_path: Path, part: str
) -> None:
    last = read_checkpoint(tmp_path / "w" / LAST)
    last[part] = {"meta": {"settings": last["meta"]["settings"]}, "train_loop": {"history": 5}, "optimizer": {}}[part]
    write_checkpoint(tmp_path / "w" / LAST, last)
    with pytest.raises(ValueError, match=r"last\.pth: "):
        again(resume=True)
