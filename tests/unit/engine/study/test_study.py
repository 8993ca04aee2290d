"""A study runs its commands once, goes on where it stopped, and its page has what the records say."""

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rogseg.engine.study.plan import read_study
from rogseg.engine.study.run_study import Done, done_steps, run_steps
from rogseg.engine.study.step_inputs import changed_inputs, inputs_of
from rogseg.engine.study.step_order import options_of
from rogseg.engine.study.study_page import write_study_page
from rogseg.shipped_configs import shipped_configs
from tests.tiny_training import ROOT

CONTENT = {
    "title": "Two phantoms",
    "words": {"size": "--shape 24 24 24 --training {many}", "many": "1", "more": ""},
    "steps": {"one": "phantom {out}/one {size} --test 0 {more}", "two": "phantom {out}/{many}_two {size} --test 0"},
    "sections": [{"title": "What it is", "text": "Nothing was attacked."}],
}


def write(path: Path, **changed: object) -> Path:
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in {**CONTENT, **changed}.items()))
    return path


def test_words_become_arguments_and_folders_stay_one(tmp_path: Path) -> None:
    study = read_study(write(tmp_path / "s.py"), ["more=--kind mr"])
    commands = study.commands(Path("raw data"), Path("my out"))
    small = ["--shape", "24", "24", "24", "--training", "1", "--test", "0"]
    assert commands["one"] == ["phantom", "my out/one", *small, "--kind", "mr"]
    assert commands["two"] == ["phantom", "my out/1_two", *small]


@pytest.mark.parametrize(
    ("changed", "words", "message"),
    [
        ({"steps": {"one": "phantom {wher}"}}, [], r"steps\.one: nothing says what \{wher\} is"),
        ({"words": {"size": "{many}", "many": "{size}", "more": ""}}, [], r"stands for itself: size -> many -> size"),
        ({"steps": {"one": " "}}, [], r"steps\.one is empty"),
        ({"sections": [{"title": "A", "text": "", "records": ["x=tow"]}]}, [], "did you mean 'two'"),
        (
            {"steps": {"two": "train x"}, "sections": [{"title": "A", "text": "", "records": ["x=two"]}]},
            [],
            "has no --out",
        ),
        (
            {"steps": {"one": "phantom x", "two": "phantom"}},
            [],
            r"s\.py: steps\.two: the following arg",
        ),
        ({"sections": [{"title": "A", "text": "", "records": ["two"]}]}, [], "'two' is no NAME=STEP"),
        ({}, ["many"], "'many' is no WORD=VALUE"),
        ({}, ["meny=1"], "did you mean 'many'"),
        ({"steps": 5}, [], r"s\.py"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, changed: dict[str, object], words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_study(write(tmp_path / "s.py", **changed), words)


def test_a_step_that_is_done_is_not_run_again_and_a_failed_one_is(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_one = ["phantom", str(tmp_path / "one"), "--shape", "24", "24", "24", "--training", "1", "--test", "0"]
    with pytest.raises(ValueError, match="two failed with exit status 2"):
        run_steps({"one": write_one, "two": ["phantom", str(tmp_path / "two"), "--labels", "0"]}, tmp_path)
    assert (tmp_path / "one" / "dataset.json").is_file()
    capfd.readouterr()
    done = run_steps({"one": write_one}, tmp_path)
    assert "1/1: one: done" in capfd.readouterr().out
    assert done["one"].seconds > 0
    assert "processors" in done["one"].machine
    stamp = tmp_path / "steps" / "one.json"
    other = {**json.loads(stamp.read_text()), "command": ["phantom", "elsewhere"]}
    stamp.write_text(json.dumps(other))
    run_steps({"one": write_one}, tmp_path)
    assert "$ rogseg phantom" in capfd.readouterr().out


def test_the_minutes_of_a_step_that_went_on_are_told_as_those_of_the_rest(tmp_path: Path) -> None:
    raw, stored = tmp_path / "raw", tmp_path / "stored"
    steps = {
        "raw": ["phantom", str(raw), "--shape", "24", "24", "24", "--training", "2", "--test", "0"],
        "stored": ["preprocess", str(raw), "--out", str(stored)],
    }
    stored.mkdir()  # empty: nothing was left
    first = run_steps(steps, tmp_path)["stored"]
    assert not first.went_on
    assert first.minutes == f"{first.seconds / 60:.1f}"
    (tmp_path / "steps" / "stored.json").unlink()  # as if it had been killed
    run_steps(steps, tmp_path)
    second = done_steps(steps, tmp_path)["stored"]
    assert second.went_on
    assert second.minutes == f"{second.seconds / 60:.1f} for the rest"


def test_several_steps_at_a_time_wait_for_what_they_need(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--shape", "24", "24", "24", "--training", "2", "--test", "0"]
    raw, stored = str(tmp_path / "raw"), str(tmp_path / "stored")
    steps = {
        "raw": ["phantom", raw, *small],
        "bad": ["preprocess", str(tmp_path / "no_such"), "--out", str(tmp_path / "bad")],
        "held": ["preprocess", str(tmp_path / "bad"), "--out", str(tmp_path / "never")],
        "stored": ["preprocess", raw, "--out", stored],
    }
    with pytest.raises(
        ValueError, match=r"bad failed with exit status 2 \(held had to wait for that\); see .*NAME\.log"
    ):
        run_steps(steps, tmp_path, jobs=3)
    assert (tmp_path / "stored" / "plan.json").is_file()
    assert "no_such" in (tmp_path / "steps" / "bad.log").read_text()
    assert not (tmp_path / "never").exists()
    told = capsys.readouterr().out
    assert told.index("raw: done in") < told.index("stored\n$ rogseg")
    del steps["bad"], steps["held"]
    done = run_steps(steps, tmp_path)
    assert list(done) == ["raw", "stored"]
    assert done["stored"].machine.endswith(", 3 steps at a time")
    with pytest.raises(ValueError, match="--jobs is 0"):
        run_steps(steps, tmp_path, jobs=0)


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Runs steps that do nothing, and gives the names of those that ran."""
    (tmp_path / "data" / "imagesTr").mkdir(parents=True)
    (tmp_path / "data" / "imagesTr" / "a.nii.gz").write_bytes(b"voxels")
    (tmp_path / "weights.pth").write_bytes(b"weights")
    (tmp_path / "base.py").write_text(f"weights = {str(tmp_path / 'weights.pth')!r}\n")
    (tmp_path / "net.py").write_text("_base_ = 'base.py'\n")
    monkeypatch.chdir(tmp_path)

    start = subprocess.Popen

    def run(*command: str) -> list[str]:
        ran: list[str] = []

        def note(arguments: list[str], **_: object) -> object:
            ran.append(arguments[3])
            Path("study/made").mkdir(exist_ok=True)
            return start(["true"])

        monkeypatch.setattr(subprocess, "Popen", note)
        given = ["attack", "net.py", "--attack", "fgsm", "--data", "data", "--out", "study/made", *command]
        run_steps({"one": given}, Path("study"))
        return ran

    return run


@pytest.mark.parametrize("changed", ["data/imagesTr/a.nii.gz", "weights.pth", "base.py", "net.py", "data/new.txt"])
def test_a_step_whose_files_have_changed_runs_again(
    steps: Callable[..., list[str]], changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steps() == ["attack"]
    assert steps() == []
    path = Path(changed)
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b" ")
    assert steps() == ["attack"]
    assert "1/1: one, again: changed since is" in capsys.readouterr().out
    assert steps() == []
    path.touch()  # the same content at another time is the same
    assert steps() == []


def test_what_a_step_makes_is_nothing_that_it_reads(steps: Callable[..., list[str]]) -> None:
    assert steps() == ["attack"]
    (Path("study/made") / "records.jsonl").write_text("{}")
    Path("data/.hidden").write_text("a lock")
    assert steps() == []


def test_networks_of_the_zoo_and_files_behind_keys_are_read(tmp_path: Path) -> None:
    light = "rog_standard_hippocampus_light"
    (tmp_path / "best.pth").write_bytes(b"weights")
    (tmp_path / "loop").symlink_to(tmp_path)
    command = [
        "test",
        light,
        "--cfg-options",
        f"init_from.checkpoint={tmp_path}/best.pth",
        f"--data={tmp_path}",
        "--out=t",
    ]
    inputs = inputs_of(command, tmp_path / "study")
    names = [Path(path).name for path in inputs]
    assert {f"{light}.safetensors", f"{light}.py", "hippocampus_light.json", "best.pth", tmp_path.name} <= {*names}
    assert changed_inputs(inputs, tmp_path / "study") == ()


def test_a_stamp_of_an_older_version_is_believed_and_told_of(
    steps: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    steps()
    stamp = Path("study/steps/one.json")
    stamp.write_text(
        json.dumps({key: value for key, value in json.loads(stamp.read_text()).items() if key != "inputs"})
    )
    assert steps() == []
    assert "what it read is not on record" in capsys.readouterr().out


def test_the_page_has_the_tables_of_its_records(tmp_path: Path) -> None:
    records = ROOT / "model_zoo/records/rog_freeat_hippocampus_light/apgd_ce_5"
    section = {"title": "Attacked", "text": "As it is.", "records": ["robust=two"], "tables": ["results", "no_such"]}
    section["figures"] = ["dice_over_epsilon"]
    section["files"] = ["legacy/legacy.md", "legacy/legacy.png"]
    (tmp_path / "legacy").mkdir()
    (tmp_path / "legacy" / "legacy.md").write_text("| fault | share |\n")
    (tmp_path / "legacy" / "legacy.png").write_bytes(b"")
    steps = {"two": f"attack x --attack fgsm --out {records}"}
    study = read_study(write(tmp_path / "s.py", steps=steps, sections=[section]))
    page = write_study_page(
        study, study.commands(tmp_path, tmp_path), {"two": Done([], 90.0, {}, "a GPU")}, tmp_path, "rogseg study s"
    )
    text = page.read_text()
    assert "| robust | apgd_ce | Linf | 8/255 | 20 | 0.844 [0.824, 0.859] |" in text
    assert "The records give no tables `no_such`" in text
    assert (tmp_path / "reports/1/figures/dice_over_epsilon.png").is_file()
    assert "![dice over epsilon](reports/1/figures/dice_over_epsilon.png)" in text
    assert "| fault | share |" in text
    assert "![legacy](legacy/legacy.png)" in text
    assert "| two | 1.5 | a GPU | `rogseg attack x" in text
    (tmp_path / "legacy" / "legacy.png").unlink()
    with pytest.raises(ValueError, match=r"legacy\.png: no step of the study wrote it"):
        write_study_page(
            study, study.commands(tmp_path, tmp_path), {"two": Done([], 90.0, {}, "a GPU")}, tmp_path, "rogseg study s"
        )


def test_a_page_of_what_is_done_says_what_is_not(tmp_path: Path) -> None:
    records = ROOT / "model_zoo/records/rog_freeat_hippocampus_light/apgd_ce_5"
    attacked = {"title": "Attacked", "text": "", "records": ["robust=two", "robust=three"], "tables": ["results"]}
    old = {"title": "Old", "text": "", "files": ["four/legacy.md"]}
    steps = {
        "two": f"attack x --attack fgsm --out {records}",
        "three": "attack y --attack fgsm --out {out}/three",
        "four": "legacy x --out {out}/four",
    }
    study = read_study(write(tmp_path / "s.py", steps=steps, sections=[attacked, old]))
    commands = study.commands(tmp_path, tmp_path)
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "two.json").write_text(json.dumps({"command": commands["two"], "seconds": 90.0}))
    done = done_steps(commands, tmp_path)
    assert done == {"two": Done(commands["two"], 90.0)}
    text = write_study_page(study, commands, done, tmp_path, "rogseg study s").read_text()
    assert sorted(path.name for path in (tmp_path / "reports/1").iterdir()) == ["report.html", "tables"]  # as asked for
    assert "*Not run yet: three.*" in text
    assert "| robust | apgd_ce | Linf | 8/255 | 20 |" in text
    assert "*Not run yet: four.*" in text
    assert "| three | not yet | - | `rogseg attack y" in text
    shutil.copytree(records, tmp_path / "three")
    study = dataclasses.replace(study, sections=(dataclasses.replace(study.sections[0], common_cases=True),))
    text = write_study_page(study, commands, done, tmp_path, "rogseg study s").read_text()
    assert "*Not finished yet: three.*" in text
    # What another command has finished is no part of this one.
    other = {"command": ["attack", "z"], "seconds": 90.0}
    (tmp_path / "steps" / "three.json").write_text(json.dumps(other))
    text = write_study_page(study, commands, done_steps(commands, tmp_path), tmp_path, "rogseg study s").read_text()
    assert "*Not run yet: three.*" in text


@pytest.mark.parametrize("name", sorted(shipped_configs("study")))
def test_every_shipped_study_names_commands_and_configs_that_exist(name: str) -> None:
    study = read_study(shipped_configs("study")[name])
    known = shipped_configs()
    for step, command in study.commands(Path("data"), Path("out")).items():
        options = options_of(command)
        assert command[0] != "train" or options.resume or options.overwrite, step
        config = getattr(options, "config", None) or (getattr(options, "system", None) or [None])[0]
        made_elsewhere = config == study.words.get("nnunet", "") or str(config).startswith("out/")
        assert config is None or config in known or made_elsewhere, step
        assert getattr(options, "attack", None) in (None, *known)
