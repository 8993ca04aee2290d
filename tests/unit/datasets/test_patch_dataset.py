from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from rogseg.cases import Batch, Case
from rogseg.datasets import PatchDataset, PatchSampler, VolumeDataset
from tests.tiny_task import CASE_IDS, tiny_plan, write_tiny_task

TRANSFORMS: list[dict[str, Any]] = [
    {"type": "RandomAffine", "patch_size": (16, 16, 16), "spacing": (1.0, 1.0, 2.0)},
    {"type": "CentreCrop", "patch_size": (16, 16, 16)},
    {"type": "RandomMirror"},
    {"type": "RandomGamma"},
    {"type": "ClipToBox"},
]


@pytest.fixture(scope="module")
def task_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_task(tmp_path_factory.mktemp("task")).directory


def make(task_dir: Path, **changes: Any) -> PatchDataset:
    arguments: dict[str, Any] = {
        "case_ids": CASE_IDS[:8], "patch_size": (16, 16, 16), "crop_size": (20, 20, 16), "transforms": TRANSFORMS
    }  # fmt: skip
    return PatchDataset(task_dir, **{**arguments, **changes})


def targets_of(case: Case) -> torch.Tensor:
    assert case.targets is not None
    return case.targets


def test_a_patch_hangs_on_seed_epoch_and_index_alone(task_dir: Path) -> None:
    dataset = make(task_dir)
    first = dataset[3, 2]
    _ = dataset[0, 0], torch.rand(3)
    again = make(task_dir)[3, 2]
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(targets_of(first), targets_of(again))
    for other in (make(task_dir)[3, 3], make(task_dir)[4, 2], make(task_dir, seed=1)[3, 2]):
        assert not torch.equal(first.inputs, other.inputs)


def test_patches_have_the_size_stay_in_the_box_and_invent_no_class(task_dir: Path) -> None:
    dataset = make(task_dir)
    lower, upper = tiny_plan().channels[0].box
    for index in range(8):
        case = dataset[0, index]
        assert case.inputs.shape == (1, 1, 16, 16, 16)
        assert targets_of(case).shape == (1, 16, 16, 16)
        assert case.inputs.min() >= torch.tensor(lower)
        assert case.inputs.max() <= torch.tensor(upper)
        assert set(targets_of(case).flatten().tolist()) <= {0, 1, 2}


def test_every_case_is_drawn_equally_often(task_dir: Path) -> None:
    dataset = make(task_dir, length=5)
    names = [dataset.case_of(epoch, index).directory.name for epoch in range(16) for index in range(5)]
    assert [names.count(case_id) for case_id in CASE_IDS[:8]] == [10] * 8
    assert names[:8] != names[8:16]


@pytest.mark.parametrize(("fraction", "low", "high"), [(1.0, 1.0, 1.0), (0.5, 0.5, 0.85)])
def test_the_asked_for_share_is_centred_on_foreground(task_dir: Path, fraction: float, low: float, high: float) -> None:
    dataset = make(
        task_dir, patch_size=(1, 1, 1), crop_size=(1, 1, 1), transforms=[], length=200, foreground_fraction=fraction
    )
    share = sum(bool(targets_of(dataset[0, index]).any()) for index in range(200)) / 200
    assert low <= share <= high


def test_classes_are_centred_on_equally_often(task_dir: Path) -> None:
    dataset = make(
        task_dir, patch_size=(1, 1, 1), crop_size=(1, 1, 1), transforms=[], length=200, foreground_fraction=1.0
    )
    counts = torch.stack([targets_of(dataset[0, index]).flatten() for index in range(200)]).flatten().bincount()
    assert 70 <= int(counts[2]) <= 130


def test_processes_share_the_same_minibatches_and_workers_change_nothing(task_dir: Path) -> None:
    dataset = make(task_dir, length=8)

    def batches(batch_size: int, rank: int, world_size: int, num_workers: int) -> list[torch.Tensor]:
        sampler = PatchSampler(2, batch_size, rank, world_size)
        sampler.set_epoch(5)
        loader = DataLoader(
            dataset, batch_size=batch_size, sampler=sampler, num_workers=num_workers, collate_fn=Batch.stack
        )
        return [batch.inputs for batch in loader]

    alone = batches(4, 0, 1, 0)
    first, second = batches(2, 0, 2, 2), batches(2, 1, 2, 0)
    assert len(alone) == 2
    for whole, *parts in zip(alone, first, second, strict=True):
        assert torch.equal(whole, torch.cat(parts))


def test_a_minibatch_holds_what_trainers_rely_on(task_dir: Path) -> None:
    batch = Batch.stack([make(task_dir)[0, 0], make(task_dir)[0, 1]])
    assert batch.targets.dtype == torch.int64
    assert batch.box.lower.shape == batch.box.upper.shape == (2, 1, 1, 1, 1)
    assert len(batch.case_ids) == 2
    assert ((batch.inputs >= batch.box.lower) & (batch.inputs <= batch.box.upper)).all()


def test_whole_volumes_are_the_stored_ones(task_dir: Path) -> None:
    case = VolumeDataset(task_dir, CASE_IDS[8:])[1]
    assert case.case_id == "case_09"
    assert case.inputs.shape == (1, 1, 22, 18, 14)
    with pytest.raises(ValueError, match="batch_size 1"):
        Batch.stack([case, make(task_dir)[0, 0]])


def test_bad_arguments_are_named(task_dir: Path) -> None:
    with pytest.raises(ValueError, match="no case"):
        make(task_dir, case_ids=())
    with pytest.raises(ValueError, match="foreground_fraction"):
        make(task_dir, foreground_fraction=2.0)


def test_crops_that_no_transform_takes_to_the_patch_are_refused_before_anything_is_trained(task_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"make patches of \(20, 20, 16\) voxels .*patch_size is \(16, 16, 16\): put"):
        make(task_dir, transforms=[{"type": "ClipToBox"}])
