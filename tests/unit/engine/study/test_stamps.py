"""What a stamp says holds: of the run that it was written after, on what that read, and of no other step."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rogseg.engine.study.plan import Section, Study
from rogseg.engine.study.run_study import done_steps, run_steps
from rogseg.engine.study.step_processes import StepProcesses
from rogseg.engine.study.study_page import write_study_page

STEPS = {
    "train": ["train", "net.py", "--work-dir", "w", "--overwrite"],
    "tune": ["train", "net2.py", "--work-dir", "v", "--resume", "--cfg-options", "init_from.checkpoint=w/best.pth"],
    "test": ["test", "net2.py", "v/best.pth", "--out", "study/t"],
    "aside": ["test", "net2.py", "other.pth", "--out", "study/u"],
}
Ran = Callable[..., list[str]]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Runs some of `STEPS`, each of which copies its config to its output, and gives the names of those that ran."""
    monkeypatch.chdir(tmp_path)
    for name in ("net.py", "net2.py", "other.pth"):
        Path(name).write_text(f"name = {name!r}\n")

    def run(*names: str, during: Callable[[str], int] = lambda _: 0, jobs: int = 1) -> list[str]:
        ran = []

        def do(_: object, command: list[str], *__: object) -> int:
            step = next(name for name, arguments in STEPS.items() if arguments == command)
            ran.append(step)
            folder = Path(command[command.index("--work-dir" if command[0] == "train" else "--out") + 1])
            folder.mkdir(parents=True, exist_ok=True)
            read = [Path(word.rpartition("=")[2]) for word in command[1:]]
            (folder / "best.pth").write_text("".join(file.read_text() for file in read if file.is_file()))
            return during(step)

        monkeypatch.setattr(StepProcesses, "run", do)
        run_steps({name: STEPS[name] for name in names or STEPS}, Path("study"), jobs)
        return ran

    return run


def page() -> str:
    section = Section("Tested", "Both.", files=("t/best.md", "u/best.md"))
    for place in ("t", "u"):
        Path("study", place, "best.md").write_text("0.9")
    study = Study("Study", {}, {}, (section,))
    return write_study_page(study, STEPS, done_steps(STEPS, Path("study")), Path("study"), "rogseg study").read_text()


class Killed(BaseException):
    """What no code catches."""


def test_a_step_that_runs_again_and_is_killed_is_not_done(study: Ran) -> None:
    assert study() == list(STEPS)
    first = Path("net.py").read_text()

    def die(step: str) -> int:
        raise Killed

    Path("net.py").write_text("name = 'another seed'")
    with pytest.raises(Killed):
        study("train", during=die)
    Path("net.py").write_text(first)
    assert "train" not in done_steps(STEPS, Path("study"))
    assert study() == ["train"]  # to the same weights, so that nothing else needs to
    assert study() == []


def test_what_fails_once_more_shows_no_records_of_its_earlier_run(study: Ran) -> None:
    study("aside")
    Path("other.pth").write_text("others")
    with pytest.raises(ValueError, match="aside failed with exit status 2"):
        study("aside", during=lambda _: 2)
    Path("study/u/records.jsonl").write_text("")
    section = Section("Tested", "", records=("it=aside",), common_cases=True)
    arguments = Study("Study", {}, {}, (section,)), STEPS, done_steps(STEPS, Path("study")), Path("study"), "rogseg"
    assert "*Not run yet: aside.*" in write_study_page(*arguments).read_text()
    assert study("aside") == ["aside"]
    assert [path.name for path in Path("study/steps").iterdir()] == ["aside.json"]


def test_the_page_says_which_steps_have_read_what_has_changed_since(study: Ran) -> None:
    study()
    assert "earlier" not in page()
    Path("net.py").write_text("name = 'another seed'")
    changed = page()  # nothing has run again, and what is made of it is as old
    assert changed.count("*Made of an earlier net.py: test.*") == 1  # by its section
    assert changed.count("*Made of an earlier net.py: train, tune, test.*") == 1  # of all that ran
    study("train")
    assert page().count("*Made of an earlier w/best.pth: test.*") == 1
    study("train", "tune")
    assert page().count("*Made of an earlier v/best.pth: test.*") == 2
    study()
    assert "earlier" not in page()


def test_what_an_older_version_kept_and_what_is_gone_is_nothing_that_has_changed(study: Ran) -> None:
    study()
    Path("other.pth").unlink()  # records are kept without weights and data
    stamp = Path("study/steps/train.json")
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "inputs": None}))
    Path("net.py").write_text("name = 'another seed'")
    assert "earlier" not in page()


def test_a_damaged_stamp_is_told_of_before_any_step_runs(study: Ran) -> None:
    study("aside")
    stamp = Path("study/steps/aside.json")
    for text in ("{", "[]"):
        stamp.write_text(text)
        with pytest.raises(ValueError, match=r"aside\.json.*delete it to have the step run again$") as raised:
            study(jobs=2)
        assert len(re.findall("delete it", str(raised.value))) == 1
        assert not Path("w").exists()


def test_what_cannot_be_read_fails_its_step_and_those_that_need_it(study: Ran) -> None:
    study("train", "aside")

    def damage(step: str) -> int:
        Path("study/steps/tune.json").write_text("[]")
        return 0

    Path("net.py").write_text("name = 'another seed'")
    Path("other.pth").write_text("others")
    message = r"tune failed: .*tune\.json: says nothing of a step.* \(test had to wait for that\)"
    with pytest.raises(ValueError, match=message):
        study(during=damage)
    assert done_steps({"aside": STEPS["aside"]}, Path("study"))
    assert "others" in Path("study/u/best.pth").read_text()


def test_a_training_that_could_not_go_on_is_refused_before_the_first_step(study: Ran, tmp_path: Path) -> None:
    bare = ["train", "net.py", "--work-dir", "x"]
    for more in ([], ["--minutes", "3"], ["--fold", "0"]):
        with pytest.raises(ValueError, match=r"steps\.bare: .* --resume, .* or --overwrite"):
            run_steps({"aside": STEPS["aside"], "bare": [*bare, *more]}, Path("study"))
    assert not Path("study/u").exists()
