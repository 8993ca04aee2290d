"""Every row of every table ``*_faults.py`` here: a bad input ends in a sentence that names it, never in a traceback."""

import importlib
import re
from pathlib import Path

import pytest

from tests.faults.fault import Fault, outcome

TABLES = sorted(path.stem for path in Path(__file__).parent.glob("*_faults.py") if not path.stem.startswith("test_"))
ROWS = [
    pytest.param(fault, id=f"{table.removesuffix('_faults')}: {fault.name}")
    for table in TABLES
    for fault in importlib.import_module(f"tests.faults.{table}").FAULTS
]


@pytest.mark.parametrize("fault", ROWS)
def test_a_fault_is_met_with_a_sentence(fault: Fault, tmp_path: Path) -> None:
    refused, said = outcome(fault, tmp_path)
    assert "Traceback" not in said
    assert re.search(fault.message, said), f"{fault.message!r} is not in: {said}"
    assert refused == fault.refused, said


def test_names_are_unique() -> None:
    names = [parameter.id for parameter in ROWS]
    assert len(set(names)) == len(names)
