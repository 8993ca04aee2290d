"""The study pages of the documentation are what the committed records say, to the last digit."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from rogseg.commands import main
from rogseg.engine.study.plan import read_study
from rogseg.engine.study.step_order import made_by
from rogseg.shipped_configs import find_config
from tests.tiny_training import ROOT

pytestmark = pytest.mark.check

DOCS = ROOT / "docs"
WRITTEN_BY = "Written by `rogseg "
FIGURES = ("![", "*The records give no figures")  # are kept under other names; some are drawn from volumes


@pytest.mark.parametrize("page", ["study", "study_attacks", "study_lesions", "study_networks", "study_trainers"])
def test_a_page_is_what_its_records_say(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (DOCS / f"{page}.md").read_text().splitlines()
    written_by = next(line for line in lines if line.startswith(WRITTEN_BY)).removeprefix(WRITTEN_BY).partition("`")[0]
    arguments = shlex.split(written_by)
    out = Path(arguments[arguments.index("--out") + 1])
    monkeypatch.chdir(tmp_path)
    shutil.copytree(DOCS / "records" / page, out)
    for step in (out / "steps").glob("*.json"):
        for folder in made_by(json.loads(step.read_text())["command"]):  # stored cases and weights are not kept
            folder.mkdir(parents=True, exist_ok=True)
    for section in read_study(find_config(arguments[1], "study")).sections:
        for name in section.files:
            if Path(name).suffix == ".png":
                (out / name).touch()
    assert main([*arguments, "--page"]) == 0
    written = (out / "study.md").read_text().splitlines()
    numbers = [line for line in written if line and not line.startswith(FIGURES)]
    assert len(numbers) > 50
    rest = iter(lines)
    assert [line for line in numbers if line not in rest] == []
