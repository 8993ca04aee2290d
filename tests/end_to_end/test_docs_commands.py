"""The commands of the documentation, in the order of its pages, in one empty folder, with a tiny network."""

import re
import shlex
from pathlib import Path

import pytest

from rogseg.commands import main
from tests.tiny_training import ROOT

# A page uses what those before it made.
PAGES = ("training_on_a_budget", "report", "files", "threat_model")
SMALL = ["model.backbone.channels=8", "model.head.channels=8"]
SHORT = ["train_data.num_workers=0", "train_cfg.iterations_per_epoch=1", "selection_fraction=0.25"]
SHORT += ["validation.max_volumes=1", "validation.max_patches=1"]


def commands(page: str) -> list[list[str]]:
    """What stands in the blocks of shell, a line ending in a backslash joined with the next."""
    text = (ROOT / "docs" / f"{page}.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", "".join(blocks)).splitlines()
    return [shlex.split(line.removeprefix("rogseg ")) for line in lines]


def made_small(words: list[str]) -> list[str]:
    """The same command on a small network, for a short while; what is put in stands before what the page says."""
    name = words[0]
    if name not in ("train", "estimate", "attack", "evaluate", "test") or "--predictions" in words:
        return words
    options = list(SMALL)
    if name == "train":
        # One epoch, which Free divides by its five replays.
        options += [*SHORT, f"train_cfg.max_epochs={5 if 'rog_freeat_short' in words else 1}"]
    if name == "attack":
        words = [*words, "--max-cases", "1", "--sanity", "none"]
        if "apgd_ce" in words:
            words += ["--attack-options", "attack.num_iterations=2"]
    if "--cfg-options" in words:
        place = words.index("--cfg-options") + 1
        return [*words[:place], *options, *words[place:]]
    return [*words, "--cfg-options", *options]


def test_every_page_has_commands() -> None:
    assert all(commands(page) for page in PAGES)
    assert {words[0] for page in PAGES for words in commands(page)} == {
        *("phantom", "preprocess", "estimate", "train", "test", "attack", "evaluate", "report", "compare")
    }


@pytest.mark.check
def test_the_commands_of_the_pages_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # What an evaluation plans hangs on the time of a pass: here on a given one, and not on who else uses the machine.
    monkeypatch.setattr("rogseg.engine.evaluating.fastest_seconds", lambda *_: 0.2)
    for page in PAGES:
        for words in commands(page):
            status = main(made_small(words))
            assert status == 0, f"{page}: rogseg {shlex.join(words)}: {capsys.readouterr().err}"
    for name in ("report/report.html", "evaluation/report.html", "folds_test/summary.json", "scored/summary.json"):
        assert (tmp_path / "work_dirs" / name).is_file(), name
