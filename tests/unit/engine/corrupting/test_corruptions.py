"""Systems on corrupted raw cases: what is recorded, where it is scored, and that it goes on after a kill."""

import json
import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from rogseg.corruptions import Blur, Rotation, Scan
from rogseg.engine.corrupting.calibrate import calibrated, parse_calibration
from rogseg.engine.corrupting.corruptions import evaluate_corruptions
from rogseg.engine.corrupting.raw_scan import RawScan
from rogseg.engine.corrupting.settings import CorruptionSettings
from rogseg.evaluation.identity import CaseSelection
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.shards import merge_records
from rogseg.metrics import image_range, structural_similarity
from rogseg.storage import RawCase
from tests.unit.engine.corrupting.threshold_system import ThresholdSystem, raw_cases, write_mr_task

DICE = ({"type": "Dice"},)
ALL = CaseSelection("all", None)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mr_task(tmp_path_factory.mktemp("raw") / "Task90_Phantom")


def evaluate(task: Path, out: Path, settings: CorruptionSettings, **options: Any) -> RecordFolder:
    return evaluate_corruptions(
        ThresholdSystem(), raw_cases(task), settings, out, task="Phantom", measures=DICE, selection=ALL, **options
    )


def settings_of(*names: str, severities: tuple[int, ...] = (1, 3)) -> CorruptionSettings:
    return CorruptionSettings.choose(("MR",), names or None, severities)


def without_time(path: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key not in ("seconds", "crc")} for entry in entries]


def test_records_say_all_and_a_run_goes_on_after_a_kill(task: Path, tmp_path: Path) -> None:
    settings = settings_of("RicianNoise", "Gamma", "DoseNoise")
    seen: list[tuple[int, int]] = []
    records = evaluate(task, tmp_path / "whole", settings, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 15)
    assert seen[-1] == (15, 15)
    condition = records.identity.condition
    assert condition is not None
    assert condition.kind == "corruption"
    assert condition.config["not applicable"] == {"DoseNoise": "only CT has a dose"}
    assert condition.config["corruptions"]["RicianNoise"]["severities"]["3"] == 9
    assert (records.conditions(), records.strengths()) == (("Gamma", "RicianNoise"), (1.0, 3.0))
    assert {record.mean_dice for record in records.clean().values()} == {1.0}
    for name in records.conditions():
        for case_id in records.identity.cases:
            mild, strong = (records.under(name, severity)[case_id] for severity in (1.0, 3.0))
            assert 1 > mild.visibility["SSIM"] > strong.visibility["SSIM"]
            assert mild.visibility["PSNR"] > strong.visibility["PSNR"] > 0
            assert strong.mean_dice is not None
            assert mild.mean_dice is not None
            assert mild.mean_dice >= strong.mean_dice < 1
            assert strong.clean == records.clean()[case_id].measures

    # As after kill -9 while the second case was written.
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "whole", killed)
    lines = (killed / "records.jsonl").read_text().splitlines(keepends=True)
    (killed / "records.jsonl").write_text("".join(lines[:7]) + lines[7][:30])
    ThresholdSystem.prepared.clear()
    seen.clear()
    evaluate(task, killed, settings, on_progress=lambda done, total: seen.append((done, total)))
    assert (seen[0], seen[-1]) == ((7, 15), (15, 15))
    assert len(ThresholdSystem.prepared) == 8
    assert without_time(killed / "records.jsonl") == without_time(tmp_path / "whole" / "records.jsonl")

    # More severities may follow; another seed is another evaluation.
    more = evaluate(task, killed, settings_of("RicianNoise", "Gamma", "DoseNoise", severities=(5,)))
    assert more.strengths() == (1.0, 3.0, 5.0)
    with pytest.raises(ValueError, match="seed: 0 there, 1 now"):
        evaluate(task, killed, settings, seed=1)


def test_shards_give_what_one_run_gives(task: Path, tmp_path: Path) -> None:
    settings = settings_of("GaussianNoise", severities=(2,))
    whole = evaluate(task, tmp_path / "whole", settings)
    for part in (1, 2):
        evaluate(task, tmp_path / f"part_{part}", settings, shard=(part, 2))
    merged = merge_records([tmp_path / "part_1", tmp_path / "part_2"], tmp_path / "merged")
    assert [(one.key, one.measures, one.visibility) for one in merged.records] == [
        (one.key, one.measures, one.visibility) for one in whole.records
    ]


def test_what_a_corruption_cannot_do_is_a_fault_of_the_case(
    task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(self: Blur, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        return scan

    def too_short(self: Blur, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        raise RuntimeError("input image is smaller than the kernel")

    settings = settings_of("Blur", severities=(2,))
    for corrupt, said in ((nothing, "stays as it is"), (too_short, "failed on a scan of")):
        monkeypatch.setattr(Blur, "corrupt", corrupt)
        with pytest.raises(ValueError, match=said):
            evaluate(task, tmp_path / said.split()[0], settings)
        assert len(RecordFolder(tmp_path / said.split()[0]).clean()) == 3


def test_a_moved_patient_is_scored_where_he_lies(task: Path, tmp_path: Path) -> None:
    records = evaluate(task, tmp_path / "out", settings_of("Rotation", "Scaling", severities=(5,)))
    system, raw = ThresholdSystem(), raw_cases(task)[0]
    case = RawScan.read(system, raw, ("MR",))
    turned = Rotation()(case.scan, 5, torch.Generator().manual_seed(0))
    assert turned.labels is not None
    assert case.scan.labels is not None
    overlap = 2 * ((turned.labels == 1) & (case.scan.labels == 1)).sum() / (turned.labels + case.scan.labels).sum()
    assert float(overlap) < 0.85  # what a perfect system would get on the label as it was
    for record in (*records.under("Rotation", 5.0).values(), *records.under("Scaling", 5.0).values()):
        assert record.mean_dice is not None
        assert record.mean_dice > 0.9


def test_files_hold_the_scan_bit_for_bit_and_are_gone_afterwards(task: Path, tmp_path: Path) -> None:
    system, raw = ThresholdSystem(), raw_cases(task)[0]
    case = RawScan.read(system, raw, ("MR",))
    with case.as_files(case.scan) as files:
        assert files.label is None
        again = RawScan.read(system, files, ("MR",))
        assert torch.equal(again.scan.voxels, case.scan.voxels)
        np.testing.assert_array_equal(again.grid.affine, case.grid.affine)
        folder = files.images[0].parent
    assert not folder.exists()

    # A case with a file per channel stays one.
    two = write_mr_task(tmp_path / "two", 1, 2)
    image = nibabel.load(two / "imagesTr/p_0.nii.gz")
    paths = []
    for index in range(2):
        paths.append(tmp_path / f"p_{index:04d}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj)[..., index], image.affine), paths[-1])
    channels = RawScan.read(ThresholdSystem(num_channels=2), RawCase("p", tuple(paths), None), ("MR", "MR"))
    with channels.as_files(channels.scan) as files:
        assert len(files.images) == 2
        again = RawScan.read(ThresholdSystem(num_channels=2), files, ("MR", "MR"))
        assert torch.equal(again.scan.voxels, channels.scan.voxels)


def test_what_counts_nowhere_moves_along(task: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, raw = ThresholdSystem(), raw_cases(task)[0]
    read = ThresholdSystem.read_targets

    def with_ignored(self: ThresholdSystem, *arguments: Any) -> Any:
        target, _ = read(self, *arguments)
        counts = np.ones(target.shape, dtype=np.bool_)
        counts[:10] = False
        return target, counts

    monkeypatch.setattr(ThresholdSystem, "read_targets", with_ignored)
    scan = RawScan.read(system, raw, ("MR",)).scan
    target, counts = RawScan.targets(scan)
    assert counts is not None
    assert not counts[:10].any()
    assert counts[10:].all()
    assert target.min() == 0
    _, turned = RawScan.targets(Rotation()(scan, 5, torch.Generator().manual_seed(0)))
    assert turned is not None
    assert not np.array_equal(turned, counts)
    assert (~turned).sum() == pytest.approx((~counts).sum(), rel=0.2)


def test_a_case_that_cannot_be_read_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    task = write_mr_task(tmp_path / "raw", 2)
    cases = raw_cases(task)
    cases[0].images[0].write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"1 case of 2 could not be used, the others are done:\n.*p_0"):
        evaluate(task, tmp_path / "out", settings_of("Gamma", severities=(1,)))
    assert set(RecordFolder(tmp_path / "out").clean()) == {"p_1"}
    unlabelled = [RawCase("p", cases[1].images, None)]
    with pytest.raises(ValueError, match="p: without a label"):
        evaluate_corruptions(
            ThresholdSystem(), unlabelled, settings_of("Gamma"), tmp_path / "no", task="x", selection=ALL
        )


def test_calibration_reaches_the_similarity_that_is_asked_for(task: Path) -> None:
    system, cases = ThresholdSystem(), raw_cases(task)[:1]
    settings = calibrated(system, cases, settings_of("Blur", "BiasField"), (0.9, 0.5), seed=0)
    assert settings.severities == (1, 2)
    assert settings.calibration["cases"] == ["p_0"]
    scan = RawScan.read(system, cases[0], ("MR",)).scan
    (blur,) = [one for one in settings.chosen if one.name == "Blur"]
    for severity, target in ((1, 0.9), (2, 0.5)):
        made = blur.corruption.at(scan, blur.parameters[severity], torch.Generator())
        before = scan.voxels.numpy()
        assert structural_similarity(before, made.voxels.numpy(), image_range(before)) == pytest.approx(
            target, abs=0.01
        )
    # No bias field changes the structure as much as that.
    (bias,) = [one for one in settings.chosen if one.name == "BiasField"]
    assert 2 not in bias.parameters
    assert ("BiasField", 2) not in [(one.name, severity) for one, severity in settings.pairs]


@pytest.mark.parametrize("text", ["0.9", "psnr=20", "ssim=", "ssim=0.8,0.9", "ssim=1", "ssim=0.9,0.8,0.7,0.6,0.5,0.4"])
def test_calibration_is_read_or_refused(text: str) -> None:
    assert parse_calibration("SSIM=0.95,0.9") == (0.95, 0.9)
    with pytest.raises(ValueError, match="give ssim="):
        parse_calibration(text)


def test_wrong_names_and_severities_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'RicianNoise'"):
        settings_of("RicianNois")
    with pytest.raises(ValueError, match="from 1 to 5"):
        settings_of("RicianNoise", severities=(6,))
    with pytest.raises(ValueError, match=r"none applies to images of MR .*only CT has a dose"):
        settings_of("DoseNoise")
    everything = settings_of()
    assert {"BeamHardening", "ChannelDropped", "DoseNoise", "MetalStreaks"} == set(everything.not_applicable)
