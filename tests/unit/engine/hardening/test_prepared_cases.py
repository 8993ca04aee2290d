"""Prepared cases are made again where a file of theirs is not what was written, and others' files beside them stay."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rogseg.engine.hardening.prepared_cases import PreparedCases
from rogseg.systems import TorchModule
from tests.faults.raw_inputs import flip
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, WINDOWS, seeded, write_case


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize("name", ["inputs.npy", "targets.npy", "box.npy", "raw.json"])
@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_damage_is_noticed_and_mended(tmp_path: Path, name: str, damage: Callable[[Path], object]) -> None:
    raw = write_case(tmp_path)
    system = TorchModule(seeded(), INPUTS, WINDOWS, OUTPUTS)

    def cases() -> PreparedCases:
        return PreparedCases(system, [raw], "Mine", tmp_path / "prepared")

    whole = np.array(cases().prepared(raw.case_id).inputs)
    before = (tmp_path / "prepared" / raw.case_id / name).read_bytes()
    damage(tmp_path / "prepared" / raw.case_id / name)
    again = cases()
    assert np.array_equal(again.prepared(raw.case_id).inputs, whole)
    assert (tmp_path / "prepared" / raw.case_id / name).read_bytes() == before
    (tmp_path / "prepared" / "mine.txt").write_text("mine")
    again.remove()
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == ["mine.txt"]
