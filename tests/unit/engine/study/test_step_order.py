"""What a step makes, which steps stand before it, and what it reads, however its command and its configs say so."""

from pathlib import Path

import pytest

from rogseg.engine.study.step_inputs import changed_inputs, inputs_of
from rogseg.engine.study.step_order import chosen_steps, made_by, steps_before


def test_chosen_are_the_steps_that_match_and_what_they_need_in_their_order(tmp_path: Path) -> None:
    steps = {
        "train_a": ["train", "x", f"--work-dir={tmp_path / 'a'}"],
        "tune_b": [
            "train",
            "x",
            "--cfg-options",
            f"init_from={tmp_path / 'a'}/best.pth",
            "--work-dir",
            str(tmp_path / "b"),
        ],
        "other": ["train", "x", "--work-dir", str(tmp_path / "c")],
        "attack_b": ["attack", "--attack", "x", f"{tmp_path / 'b'}/best.pth", "--out", str(tmp_path / "d")],
    }
    assert list(chosen_steps(steps, ["attack_*"])) == ["train_a", "tune_b", "attack_b"]
    assert list(chosen_steps(steps, ["other", "tune_?"])) == ["train_a", "tune_b", "other"]
    assert list(chosen_steps(steps, ["*"])) == list(steps)
    with pytest.raises(ValueError, match=r"--steps tune_x: .* did you mean 'tune_b'"):
        chosen_steps(steps, ["other", "tune_x"])


def test_the_need_of_a_step_may_stand_behind_a_key(tmp_path: Path) -> None:
    steps = {
        "train": ["train", "net", "--work-dir", f"{tmp_path}/net"],
        "other": ["train", "net", "--work-dir", f"{tmp_path}/net2"],
        "more": ["train", "net", "--work-dir", "x", "--cfg-options", f"y={tmp_path}/net/best.pth"],
        "test": ["test", "net", f"{tmp_path}/net2/best.pth", "--out", f"{tmp_path}/net"],
    }
    assert steps_before(steps) == {"train": set(), "other": set(), "more": {"train"}, "test": {"train", "other"}}


def test_a_step_needs_all_that_is_made_in_a_folder_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = {
        "a": ["train", "x", "--work-dir", f"{tmp_path}/nets/a"],
        "b": ["train", "y", "--work-dir", "nets/b/long"],
        "beside": ["train", "y", "--work-dir", f"{tmp_path}/nets_of_others/c"],
        "under": ["test", f"{tmp_path}/nets/a/best.pth", "--out", f"{tmp_path}/tested/a"],
        "above": ["report", f"folds={tmp_path}/nets", "--out", f"{tmp_path}/t"],
        # Its own output is to lie where others have theirs, and the word "test" is no folder.
        "holds": ["test", "z", "--out", f"{tmp_path}"],
    }
    assert steps_before(steps) == {
        "a": set(),
        "b": set(),
        "beside": set(),
        "under": {"a"},
        "above": {"a", "b"},
        "holds": set(),
    }
    assert list(chosen_steps(steps, ["above"])) == ["a", "b", "above"]


def test_what_a_step_makes_is_what_its_command_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = {tmp_path / "a"}
    for arguments in ("report r --out a", "report r --out=a", "train c --work-dir=a", "phantom a"):
        assert made_by(arguments.split()) == made, arguments
    assert made_by(["train", "c", "--overwrite", "--cfg-options", "work=a"]) == set()
    chosen = ["test", "net.py", "n/best.pth", "--out", "a", "--choose-postprocessing"]
    assert made_by(chosen) == {tmp_path / "a", tmp_path / "n/best.plan.json"}


NAMED = (
    ["transfer", "a=net.py,{}", "b=x", "--attack", "fgsm", "--out", "t"],
    ["transfer", "a=net.py,{}", "b=net.py,other.pth", "--attack", "fgsm", "--out=t"],
    ["attack", "net.py", "--attack", "fgsm", "--cfg-options", "attack.sources=['{}', 'y']"],
    ["attack", "net.py", "--attack", "fgsm", "--cfg-options", "system={{'weights':'{}'}}"],
    ["attack", "system.py", "--attack", "fgsm"],
    ["attack", "above.py", "--attack", "fgsm"],
)


@pytest.mark.parametrize("command", NAMED)
@pytest.mark.parametrize("weights", ["nets/a/best.pth", "nets/a/seed=5/best.pth"])
def test_what_is_named_is_needed_and_read(
    command: list[str], weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text("model = dict()")
    Path("system.py").write_text(f"system = dict(type='X', weights='{weights}')")
    Path("above.py").write_text("_base_ = ['./system.py']")
    filled = [argument.format(weights) for argument in command]
    steps = {
        "train": ["train", "rog_standard_short", "--work-dir", "nets/a"],
        "other": ["train", "rog_standard_short", "--work-dir", "nets/b"],
        "it": filled,
    }
    assert steps_before(steps)["it"] == {"train"}
    assert weights not in inputs_of(filled, Path("out"))
    Path(weights).parent.mkdir(parents=True)
    Path(weights).write_bytes(b"weights")
    known = inputs_of(filled, Path("out"))
    assert weights in known
    Path(weights).write_bytes(b"others!")
    assert changed_inputs(known, Path("out")) == (weights,)


def test_the_plan_beside_a_checkpoint_is_read_by_all_but_the_step_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("best.pth").write_bytes(b"weights")
    plain = ["test", "net", "best.pth", "--out", "plain"]
    choosing = ["test", "net", "best.pth", "--out", "choosing", "--choose-postprocessing"]
    known = [inputs_of(command, Path("out")) for command in (plain, choosing)]
    assert [changed_inputs(inputs, Path("out")) for inputs in known] == [(), ()]
    Path("best.plan.json").write_text("{}")
    assert [changed_inputs(inputs, Path("out")) for inputs in known] == [("best.plan.json",), ()]
    steps = {"before": plain, "choosing": choosing, "after": [*plain[:-1], "after"]}
    assert steps_before(steps) == {"before": set(), "choosing": set(), "after": {"choosing"}}


@pytest.mark.parametrize("written", ["['mine', 'pack.inner']", "dict(imports=['mine', 'pack'])"])
def test_modules_that_are_imported_are_read(written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack").mkdir()
    modules = ["mine.py", "pack/__init__.py", "pack/inner.py", "flag.py"]
    for module in modules:
        Path(module).write_text("import torch")
    Path("net.py").write_text(f"custom_imports = {written}")
    command = ["test", "net.py", "--out", "t", "--cfg-options", "custom_imports=flag"]
    for module in ("mine.py", "pack/inner.py", "flag.py"):
        known = inputs_of(command, Path("out"))
        assert changed_inputs(known, Path("out")) == ()
        Path("pack/__pycache__").mkdir(exist_ok=True)
        Path("pack/__pycache__/inner.pyc").write_text(module)  # as by an import
        assert changed_inputs(known, Path("out")) == ()
        Path(module).write_text("import torch, numpy")
        assert changed_inputs(known, Path("out")) != (), module


def test_a_shipped_config_is_read_with_its_bases() -> None:
    names = {Path(path).name for path in inputs_of(["train", "rog_freeat_liver"], Path("out"))}
    assert {"rog_freeat_liver.py", "rog.py", "liver.json", "runtime.py"} <= names
