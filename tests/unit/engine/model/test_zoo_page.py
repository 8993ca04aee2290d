"""The zoo's page takes numbers only from records of the zoo's own weights."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.engine.model.zoo_page import zoo_page
from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.record_file import read_header, write_header
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.models.weight_files import safetensors_bytes
from tests.identities import dice_record, of_cases
from tests.tiny_training import ROOT
from tools import report, zoo

SHIPPED = ROOT / "model_zoo" / "rog_freeat_hippocampus_light.lineage.json"


def make_zoo(directory: Path, digest: str = "", provenance: Mapping[str, Any] | None = None) -> Path:
    """One network with records of a test and of an attack; of its own weights, where no other digest is given."""
    directory.mkdir()
    weights = safetensors_bytes({"weight": torch.zeros(2)}, provenance or {})
    (directory / "net.safetensors").write_bytes(weights)
    own = hashlib.sha256(weights).hexdigest()
    entry = {"config": "configs/net.py", "file": "net.safetensors", "sha256": own}
    (directory / "index.json").write_text(json.dumps({"net": entry}))
    for name, condition in (("test", None), ("attacked", of_cases(6).condition)):
        changes = {"condition": condition, "threat": of_cases(6).threat if condition else None}
        identity = of_cases(6, **changes)
        folder = RecordFolder(directory / "records" / "net" / name, identity)
        for number in range(6):
            folder.add(dice_record(f"case_{number}", CLEAN, (0.8 + number / 100, 0.9)))
            if condition:
                folder.add(dice_record(f"case_{number}", "apgd_ce", (0.3 + number / 100, 0.1)))
        header = directory / "records" / "net" / name / "header.json"
        content, environment = read_header(header)
        content["system"]["digest"] = digest if digest and condition else own
        write_header(header, content, environment)
    return directory


def test_accuracy_and_robustness_come_from_the_records(tmp_path: Path) -> None:
    page = zoo_page(make_zoo(tmp_path / "zoo"))
    assert "## Accuracy of net, protocol `volume`" in page
    assert "| organ | 6 | 0.825 [0.805, 0.845] |" in page
    assert "## Robustness, protocol `volume`, 6 cases" in page
    assert "| apgd_ce, 5 iterations, 8/255 | 0.212 [" in page


@pytest.mark.parametrize("beside", [True, False])
def test_the_card_says_what_the_network_has_seen(tmp_path: Path, beside: bool) -> None:
    assert "- split" not in zoo_page(make_zoo(tmp_path / "unknown"))
    directory = make_zoo(tmp_path / "zoo", provenance=None if beside else {"lineage": json.loads(SHIPPED.read_text())})
    if beside:
        shutil.copy(SHIPPED, directory / "net.lineage.json")
    page = zoo_page(directory)
    assert "fold 0, seed 0: fitted to 187 cases, chosen on 21; 52 had no part" in page
    assert "- start: `rog_standard_hippocampus_light_long`" in page
    assert "grid 1 x 1 x 1 mm, patch 32 x 48 x 32 voxels" in page


def test_records_of_another_checkpoint_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = make_zoo(tmp_path / "zoo", "xyz")
    with pytest.raises(ValueError, match=r"attacked \(xyz instead of [0-9a-f]{8}\).*make them again"):
        zoo_page(directory)
    assert zoo.main(["--zoo", str(directory), "--out", str(tmp_path / "page.md")]) == 2
    assert "other checkpoints" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()


def test_report_on_a_test_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = make_zoo(tmp_path / "zoo") / "records/net/test"
    assert report.main([str(directory)]) == 0
    assert "accuracy without attack or corruption" in capsys.readouterr().out
    assert not (directory / "sanity.json").exists()
    shutil.rmtree(directory)
    assert report.main([str(directory)]) == 2
    assert "there is no such folder" in capsys.readouterr().err
