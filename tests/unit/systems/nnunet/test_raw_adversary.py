"""Adversarial raw volumes, read again as a patient's file."""

import dataclasses
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from rogseg.commands import main
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.preprocessing import read_image
from rogseg.preprocessing.nifti import write_image
from rogseg.storage import RawCase
from rogseg.systems import NNUNetSystem
from tests.unit.systems.nnunet.tiny_folder import LABELS, tiny_dataset, tiny_plans, write_case, write_folder

pytest.importorskip("nnunetv2")


def replay(system: NNUNetSystem, raw: RawCase, fraction: float, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Move every voxel by that fraction of the box, and give what was meant and what is read again."""
    case = system.prepare(raw)
    signs = torch.randn(case.inputs.shape, generator=torch.Generator().manual_seed(0)).sign()
    adversarial = case.box.clip(case.inputs + fraction * case.box.width * signs)
    volume = system.raw_adversary(raw, case, adversarial)
    paths = []
    for channel in range(len(volume.array)):
        paths.append(folder / f"adversary_{channel:04d}.nii.gz")
        write_image(paths[-1], volume.array[channel : channel + 1], volume.affine)
    return adversarial, system.prepare(dataclasses.replace(raw, images=tuple(paths))).inputs


def test_ct_is_read_again_as_it_was_attacked(tmp_path: Path) -> None:
    plans = tiny_plans(schemes=["CTNormalization"] * 2, transpose=(2, 0, 1))
    system = NNUNetSystem(write_folder(tmp_path / "net", plans, tiny_dataset(LABELS, 2)))
    raw = write_case(tmp_path / "raw", channels=2)
    meant, read = replay(system, raw, 8 / 255, tmp_path)
    torch.testing.assert_close(read, meant, rtol=0, atol=1e-5)


def test_z_scoring_is_missed_by_what_the_statistics_move(tmp_path: Path) -> None:
    system = NNUNetSystem(write_folder(tmp_path / "net", tiny_plans()))
    meant, read = replay(system, write_case(tmp_path / "raw"), 8 / 255, tmp_path)
    torch.testing.assert_close(read, (meant - meant.mean()) / meant.std(correction=0), rtol=0, atol=1e-4)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_resampled_perturbation_stays_in_place_and_grows_nowhere(dimensions: int, tmp_path: Path) -> None:
    # The network's axes are y, x, z of the file.
    plans = tiny_plans(dimensions=dimensions, schemes=["NoNormalization"], spacing=(1.3, 0.8, 1.1), transpose=(1, 2, 0))
    system = NNUNetSystem(write_folder(tmp_path / "net", plans, axes=(0,)))
    raw = write_case(tmp_path / "raw")
    case = system.prepare(raw)
    clean = system.raw_adversary(raw, case, case.inputs).array
    assert (clean == read_image(raw.images, 1).array).all()
    for axis, raw_axis in enumerate((1, 0, 2)):
        shape = [1] * 5
        shape[axis + 2] = -1
        ramp = torch.linspace(10, 20, case.inputs.shape[axis + 2]).reshape(shape)
        moved = (system.raw_adversary(raw, case, case.inputs + ramp).array - clean)[0]
        inner = np.moveaxis(moved[2:-2, 2:-2, 2:-2], raw_axis, 0)
        assert np.count_nonzero(moved) == inner.size
        assert 9.99 < inner.min() < inner.max() < 20.01
        assert (np.diff(inner, axis=0) > -1e-3).all()
        assert inner[-1].mean() - inner[0].mean() > 7
        assert np.ptp(inner, axis=(1, 2)).max() < 1e-3


def test_readers_that_turn_axes_are_refused(tmp_path: Path) -> None:
    system = NNUNetSystem(write_folder(tmp_path / "net", tiny_plans(reader="NibabelIOWithReorient")))
    raw = write_case(tmp_path / "raw")
    case = system.prepare(raw)
    with pytest.raises(ValueError, match="turns the axes of files"):
        system.raw_adversary(raw, case, case.inputs)


def test_the_commands_replay_a_file_and_say_where_it_is_seen_otherwise(tmp_path: Path) -> None:
    exact = attacked_and_tested(tmp_path / "ct", "CTNormalization", fills_its_box=True)
    assert exact.replayed == exact.recorded != exact.clean
    assert exact.notes == []
    other = attacked_and_tested(tmp_path / "mr", "ZScoreNormalization", fills_its_box=False)
    assert other.replayed != other.recorded
    assert other.notes == [
        "channel 0 is normalised by the case's own numbers, which move with its voxels",
        "voxels outside of its crop count in the grid of the files alone",
    ]


@dataclasses.dataclass(frozen=True)
class Seen:
    """Dice without attack, as an attack records it, and as ``rogseg test`` gives it for the file; the file's notes."""

    clean: tuple[float | None, ...]
    recorded: tuple[float | None, ...]
    replayed: tuple[float | None, ...]
    notes: list[str]


def attacked_and_tested(directory: Path, scheme: str, *, fills_its_box: bool) -> Seen:
    folder = write_folder(directory / "net", tiny_plans(schemes=[scheme]), axes=())
    data = directory / "Dataset999_Tiny"
    raw = write_case(data / "imagesTr", (14, 12, 10))
    if fills_its_box:  # no zeros, which nnU-Net crops away
        image = nibabel.load(raw.images[0])
        voxels = np.asarray(image.dataobj)
        nibabel.save(nibabel.Nifti1Image(np.where(voxels == 0, 5, voxels), image.affine), raw.images[0])
    assert raw.label is not None
    (data / "labelsTr").mkdir()
    raw.label.rename(data / "labelsTr" / raw.label.name)
    (data / "dataset.json").write_text(json.dumps({**tiny_dataset(), "numTraining": 1}))
    attack = ["attack", str(folder), "--data", str(data), "--cases", raw.case_id, "--attack", "fgsm", "--epsilon"]
    out = directory / "attack"
    assert main([*attack, "64/255", "--sanity", "none", "--save-adversarial", "--out", str(out)]) == 0
    made_at = out / "adversarial" / f"fgsm_{64 / 255:.5f}"
    test = ["test", str(folder), "--data", str(made_at / "Dataset999_Tiny"), "--cases", raw.case_id, "--out"]
    assert main([*test, str(directory / "test")]) == 0
    (recorded,) = RecordFolder(out).under("fgsm", 64 / 255).values()
    (tested,) = RecordFolder(directory / "test").clean().values()
    assert tested.dice == next(iter(RecordFolder(out / "replayed").under("fgsm", 64 / 255).values())).dice
    made = json.loads((made_at / "made" / f"{raw.case_id}.json").read_text())
    return Seen(recorded.dice_clean, recorded.dice, tested.dice, made["notes"])
