import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.multiprocessing.spawn import spawn

from rogseg.engine.training import train as training
from rogseg.engine.training.processes import disconnect
from rogseg.engine.training.train import train
from rogseg.engine.training.work_dir import write_finished
from rogseg.models.checkpoints import FINISHED, LAST, read_checkpoint
from rogseg.storage import StoredTask
from tests.tiny_task import write_tiny_task
from tests.tiny_training import tiny_config
from tests.unit.engine.training.test_train import assert_equal

PLAIN = """
model = dict(
    backbone=dict(_delete_=True, type="TinyBackbone", channels=4, dropout=0.0), head=dict(channels=4)
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type="SGD", lr=0.1))
train_cfg = dict(max_epochs=2, iterations_per_epoch=3)
validation = dict(max_volumes=2, max_patches=2)
"""
ADVERSARIAL = """
trainer = dict(type="FreeTrainer", num_replays=2, epsilon=0.05)
default_hooks = dict(ema=dict(type="EMAHook", momentum=0.1))
train_data = dict(batch_size=1, num_workers=0)
train_cfg = dict(max_epochs=4, iterations_per_epoch=3)
"""


def names_of_threads() -> list[str]:
    return [(thread / "comm").read_text() for thread in Path("/proc/self/task").iterdir()]


def one_process(rank: int, port: int, directory: str) -> None:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1")
    os.environ["MASTER_PORT"] = str(port)
    torch.set_num_threads(1)
    folder = Path(directory)
    own = folder / f"rank{rank}"  # configs are written by each process for itself
    own.mkdir()

    def run(name: str, extra: str, **overrides: Any) -> None:
        overrides = {"launcher": "pytorch", **overrides}
        train(tiny_config(own, folder / "task", folder / name, extra, overrides), folder / "task")

    def slowly(*arguments: Any) -> None:
        time.sleep(1)
        write_finished(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "write_finished", slowly)
        run("plain", PLAIN, **{"train_data.batch_size": 1})
    assert (folder / "plain" / FINISHED).is_file()  # for every process, whoever writes it
    run("whole", ADVERSARIAL)
    with pytest.raises(KeyboardInterrupt):
        run("parts", ADVERSARIAL + 'custom_hooks = [dict(type="InterruptHook", epoch=1)]\n')
    run("parts", ADVERSARIAL, resume=True)
    assert any("gloo" in name for name in names_of_threads())
    disconnect()
    assert not any("gloo" in name for name in names_of_threads())


@pytest.mark.check
def test_two_processes_train_as_one_and_resume_bit_for_bit(tmp_path: Path) -> None:
    write_tiny_task(tmp_path / "task")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spawn(one_process, args=(port, str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]

    task = StoredTask(tmp_path / "task")
    train(tiny_config(tmp_path, task.directory, tmp_path / "single", PLAIN), task.directory)
    alone, shared = read_checkpoint(tmp_path / "single" / LAST), read_checkpoint(tmp_path / "plain" / LAST)
    for key, value in alone["state_dict"].items():
        torch.testing.assert_close(shared["state_dict"][key], value, atol=1e-6, rtol=1e-5)
    for first, second in zip(alone["train_loop"]["history"], shared["train_loop"]["history"], strict=True):
        for key in ("loss", "val_loss", "dice"):
            assert second[key] == pytest.approx(first[key], abs=1e-4)

    whole, parts = read_checkpoint(tmp_path / "whole" / LAST), read_checkpoint(tmp_path / "parts" / LAST)
    for key in ("state_dict", "ema_state_dict", "optimizer"):
        assert_equal(whole[key], parts[key])
    trainers = whole["train_loop"]["trainers"]
    assert len(trainers) == 2
    assert not torch.equal(trainers[0]["kept"], trainers[1]["kept"])
    assert_equal(trainers, parts["train_loop"]["trainers"])
