import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case, IntensityBox, LogitFn
from rogseg.engine.certifying.certification import evaluate_certificates
from rogseg.engine.certifying.settings import CertificateSettings, parse_groups
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.shards import merge_records
from rogseg.storage import RawCase
from rogseg.systems import GivenCases, System, SystemChannel, SystemClass, SystemIdentity

BOX = IntensityBox.per_channel([-2.0], [2.0])
SETTINGS = CertificateSettings((0.1,), (0.75,), 0.01, 10, 60)


class Thresholds(System):
    """Three classes by intensity; counts the volumes that it sees and has no gradient."""

    identity = SystemIdentity("thresholds", "thresholds", "0", {}, {})
    classes = (SystemClass("organ", (1,)), SystemClass("lesion", (2,), "lesion"))
    channels = (SystemChannel("CT", "CT", "HU"),)
    differentiable = False

    def __init__(self, stop_after: int | None = None) -> None:
        self.seen, self.stop_after = 0, stop_after

    def prepare(self, raw: RawCase) -> Case:
        raise NotImplementedError

    def to_raw(self, logits: Tensor, case: Case) -> NDArray[np.uint8]:
        raise NotImplementedError

    @property
    def logits(self) -> LogitFn:
        def of_volume(inputs: Tensor) -> Tensor:
            if self.stop_after is not None and self.seen + len(inputs) > self.stop_after:
                raise KeyboardInterrupt
            self.seen += len(inputs)
            labels = (inputs[:, 0] > -0.5).long() + (inputs[:, 0] > 0.8).long()
            return torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()

        return of_volume


def case_of(case_id: str, length: int = 5) -> Case:
    generator = torch.Generator().manual_seed(length)
    targets = torch.randint(3, (1, length, 5, 5), generator=generator)
    inputs = torch.tensor([-1.5, 0.1, 1.6])[targets][:, None] + 0.3 * torch.randn(
        1, 1, length, 5, 5, generator=generator
    )
    return Case(case_id, BOX.clip(inputs), targets, BOX, spacing=(1.0, 2.0, 5.0), raw_width=(400.0,))


CASES = GivenCases([case_of("a", 5), case_of("b", 6), case_of("c", 7)])


def certify(
    out: Path, system: Thresholds | None = None, settings: CertificateSettings = SETTINGS, **more: Any
) -> RecordFolder:
    return evaluate_certificates(system or Thresholds(), CASES, settings, out, **more)


def lines(directory: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (directory / "records.jsonl").read_text().splitlines()]
    rows = [{key: value for key, value in entry.items() if key not in ("seconds", "crc")} for entry in entries]
    return sorted(rows, key=lambda row: (row["case_id"], row["condition"], row["strength"]))


def test_a_record_holds_bounds_that_frame_the_smoothed_network(tmp_path: Path) -> None:
    records = certify(tmp_path)
    record = records.under("certified, sigma 0.1", 0.1 * 0.6744897501960817)["b"]
    certified = record.certificate
    assert certified is not None
    assert certified.num_values == 150
    assert certified.sigma_raw == (40.0,)
    assert set(certified.groups) == {"any foreground"}
    assert record.num_forward == 70
    assert record.dice == tuple(bounds.dice_lower for bounds in certified.classes.values())
    for bounds in {**certified.classes, **certified.groups}.values():
        assert None not in dataclasses.astuple(bounds)
        assert 0 < bounds.dice_lower < bounds.dice_smoothed <= bounds.dice_upper  # type: ignore[operator]
        assert 0 < bounds.volume_lower < bounds.volume_smoothed < bounds.volume_upper  # type: ignore[operator]
    # A voxel that hesitates between organ and lesion is still foreground.
    assert 0 < certified.fell_back < certified.abstained < 1
    # What is read back is what was written.
    assert RecordFolder(tmp_path).records == records.records
    assert len(records.clean()) == 3
    assert records.clean()["b"].measures["target volume"][0] == certified.classes["organ"].volume_target


@pytest.mark.parametrize("stop_after", [5, 75])
def test_an_interrupted_case_goes_on_where_it_was_and_ends_the_same(tmp_path: Path, stop_after: int) -> None:
    certify(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        certify(tmp_path / "stopped", Thresholds(stop_after), batch_size=3, seconds_between=0.0)
    again = Thresholds()
    certify(tmp_path / "stopped", again)
    assert lines(tmp_path / "stopped") == lines(tmp_path / "whole")
    # Nothing that was done is done again, but for a batch that the interruption cut off.
    assert again.seen + stop_after <= 3 * 71 + 3


def test_shards_batches_and_later_taus_give_the_records_of_one_run(tmp_path: Path) -> None:
    both = dataclasses.replace(SETTINGS, taus=(0.7, 0.75), num_samples=60)
    certify(tmp_path / "whole", settings=both)
    for part in (1, 2):
        certify(tmp_path / f"part{part}", settings=both, shard=(part, 2), batch_size=20)
    merge_records([tmp_path / "part1", tmp_path / "part2"], tmp_path / "merged")
    assert lines(tmp_path / "merged") == lines(tmp_path / "whole")
    certify(tmp_path / "later")
    again = Thresholds()
    certify(tmp_path / "later", again, both)
    assert again.seen == 0
    assert lines(tmp_path / "later") == lines(tmp_path / "whole")


def test_progress_ends_at_all_noisy_copies_and_begins_where_it_was_left(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with pytest.raises(KeyboardInterrupt):
        certify(
            tmp_path, Thresholds(100), seconds_between=0.0, on_progress=lambda done, total: seen.append((done, total))
        )
    first_end = seen[-1][0]
    seen.clear()
    certify(tmp_path, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (first_end, 210)
    assert seen[-1] == (210, 210)


def test_votes_of_another_evaluation_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        certify(tmp_path, Thresholds(20), seconds_between=0.0)
    path = tmp_path / "votes" / "a_sigma_0.1.npz"
    whole = path.read_bytes()
    (tmp_path / "header.json").unlink()
    with pytest.raises(ValueError, match="holds votes, which no evaluation here has written"):
        certify(tmp_path, seed=1)
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(KeyboardInterrupt):
        certify(tmp_path, Thresholds(20), seconds_between=0.0, seed=1)
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"a_sigma_0\.1\.npz: its votes belong to another evaluation"):
        certify(tmp_path, seed=1)
    middle = len(whole) // 3
    for damaged in (b"PK no archive", whole[:middle], whole[:middle] + bytes(40) + whole[middle + 40 :]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"a_sigma_0\.1\.npz: .*delete it"):
            certify(tmp_path, seed=1)


def test_so_few_samples_that_nothing_could_be_proved_are_refused_before_any_pass(tmp_path: Path) -> None:
    system = Thresholds()
    few = dataclasses.replace(SETTINGS, num_samples=30)
    with pytest.raises(ValueError, match=r"--samples 30.*the 125 voxels of case 'a'; give at least (\d+)") as raised:
        certify(tmp_path, system, few)
    assert system.seen == 0
    needed = int(str(raised.value).split("at least ")[1].split(",")[0])
    certify(tmp_path, settings=dataclasses.replace(SETTINGS, num_samples=needed), case_ids=["a"])


@pytest.mark.parametrize(("groups", "message"), [
    ({"both": ("organ", "lesoin")}, "did you mean 'lesion'"),
    ({"organ": ("organ", "lesion")}, "a class has that name already"),
    ({"all": ("background", "organ", "lesion")}, "not all"),
])  # fmt: skip
def test_a_group_that_makes_no_sense_is_refused(groups: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SETTINGS, groups=groups).groups_of(Thresholds())


def test_groups_are_read_from_the_command_line() -> None:
    assert parse_groups(["whole liver=liver, cancer", "rest=background,liver"]) == {
        "whole liver": ("liver", "cancer"),
        "rest": ("background", "liver"),
    }
    assert parse_groups(None) is None
    for wrong in ("liver", "=liver", "liver="):
        with pytest.raises(ValueError, match="NAME=CLASS,CLASS"):
            parse_groups([wrong])


@pytest.mark.parametrize(("changes", "message"), [
    ({"taus": (0.5,)}, "tau is 0.5"), ({"sigmas": (-1.0,)}, "sigma is -1"), ({"alpha": 0.0}, "--alpha is 0"),
    ({"sigmas": ()}, "at least one --sigma"), ({"sigmas": (25.0,)}, "--sigma is 25, more than the whole width"),
])  # fmt: skip
def test_settings_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SETTINGS, **changes)


def test_a_bad_case_does_not_stop_the_others(tmp_path: Path) -> None:
    """One has no label, of one the outputs are not finite, one cannot be read; the last is certified."""
    bare, bad = dataclasses.replace(case_of("bare"), targets=None), case_of("bad")
    bad = dataclasses.replace(bad, inputs=bad.inputs.clone())
    bad.inputs[0, 0, 0, 0, 0] = torch.nan

    class Unreadable(GivenCases):
        def digest(self, case_id: str) -> str:
            if case_id == "gone":
                raise ValueError("gone.nii.gz: no such file; complete the raw data")
            return super().digest(case_id)

    class NaN(Thresholds):
        @property
        def logits(self) -> LogitFn:
            return lambda inputs: super(NaN, self).logits(inputs) + 0 * inputs

    cases = Unreadable([bare, bad, case_of("gone"), case_of("z")])
    with pytest.raises(ValueError, match="3 cases of 4 could not be used, the others are done:") as told:
        evaluate_certificates(NaN(), cases, SETTINGS, tmp_path)
    for name, fault in (("bare", "has no label"), ("bad", "NaN or infinity"), ("gone", "no such file")):
        assert any(name in line and fault in line for line in str(told.value).splitlines())
    records = RecordFolder(tmp_path)
    assert set(records.clean()) == {"z"}
    assert records.identity.cases == ("bare", "bad", "gone", "z")
    # Mended, they join what is there.
    again = GivenCases([case_of("bare"), case_of("bad"), case_of("gone"), case_of("z")])
    assert set(evaluate_certificates(NaN(), again, SETTINGS, tmp_path).clean()) == {"bare", "bad", "gone", "z"}
