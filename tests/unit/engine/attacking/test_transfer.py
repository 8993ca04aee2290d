"""Volumes that are made on one system and given to others, on small raw tasks."""

import json
from pathlib import Path

import pytest

from rogseg.commands import main
from rogseg.engine.attacking.transfer_command import TransferOptions, transfer_between
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.shipped_configs import find_config
from rogseg.systems import RogsegSystem
from tests.raw_tasks import CASE_IDS, TASK, store_with_networks, write_raw_task

FEW = ["--attack-options", "attack.num_iterations=2", "--epsilon", "32/255", "--sanity", "none"]
CASES = ["--cases", *CASE_IDS[:1]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw task, its stored form and two networks."""
    directory = tmp_path_factory.mktemp("made")
    raw = write_raw_task(directory, "mr")
    store_with_networks(directory, raw, "mr", ("first", "second"))
    return directory


def words(made: Path) -> list[str]:
    return [f"{name}={made / 'tiny.py'},{made / name}.pth" for name in ("first", "second")]


def transfer(made: Path, out: Path, *systems: str) -> int:
    places = ["--data", str(made / "raw" / TASK), "--task", str(made / "stored" / TASK), "--out", str(out)]
    return main(["transfer", *(systems or words(made)), "--attack", "pgd", *FEW, *CASES, *places])


def test_each_is_attacked_by_each_and_the_diagonal_is_what_the_attack_found(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transfer(made, tmp_path) == 0
    shown = capsys.readouterr().out
    assert "made on first" in shown
    (case_id,) = CASE_IDS[:1]
    dice = {}
    for source in ("first", "second"):
        own = RecordFolder(tmp_path / source / "attack")
        for target in ("first", "second"):
            folder = RecordFolder(tmp_path / source / f"on_{target}")
            (record,) = folder.under("pgd", 32 / 255).values()
            condition = folder.identity.condition
            assert condition is not None
            assert (folder.identity.system.name, condition.kind, condition.config["surrogate"]["name"]) == (
                target,
                "transfer",
                source,
            )
            assert folder.identity.protocol == "raw grid"
            assert record.distance_fraction == pytest.approx(32 / 255, rel=1e-3)
            assert record.mean_dice is not None
            dice[source, target] = record.mean_dice
        assert (
            own.under("pgd", 32 / 255)[case_id].dice
            == RecordFolder(tmp_path / source / f"on_{source}").under("pgd", 32 / 255)[case_id].dice
        )
    # Own volumes are worse for a network than another's, and clean values are those of the target whatever the source.
    assert dice["first", "first"] < dice["second", "first"]
    assert dice["second", "second"] < dice["first", "second"]
    of_first = [RecordFolder(tmp_path / source / "on_first") for source in ("first", "second")]
    assert of_first[0].clean()[case_id].measures == of_first[1].clean()[case_id].measures
    page = (tmp_path / "report.html").read_text()
    assert "Transfer from network to network" in page
    for (source, target), value in dice.items():
        assert f">{value:.3f}</a>" in page, (source, target)
    assert (tmp_path / "figures" / "transfer.png").is_file()
    findings = json.loads((tmp_path / "first" / "attack" / "sanity.json").read_text())
    assert [entry["level"] for entry in findings if entry["name"].endswith("white box: second")] == ["ok"]
    # Nothing is done twice: a network that is asked again would say so.
    monkeypatch.setattr(RogsegSystem, "segment", lambda *_: pytest.fail("segmented again"))
    options = TransferOptions(
        attack=find_config("pgd", "attack"),
        attack_options=FEW[1:2],
        epsilon=["32/255"],
        data=made / "raw" / TASK,
        task=made / "stored" / TASK,
        cases=CASES[1:],
        sanity="none",
    )
    folders = transfer_between(words(made), tmp_path, options)
    assert {pair: folder.under("pgd", 32 / 255)[case_id].mean_dice for pair, folder in folders.items()} == dice


def test_a_surrogate_is_attacked_and_the_system_is_scored(made: Path, tmp_path: Path) -> None:
    system = [str(made / "tiny.py"), str(made / "first.pth"), "--task", str(made / "stored" / TASK)]
    places = ["--data", str(made / "raw" / TASK), "--out", str(tmp_path)]
    asked = ["attack", *system, "--attack", "pgd", *FEW, *CASES, *places, "--surrogate", str(made / "second.pth")]
    assert main([*asked, "--cfg-options", "inference.overlap=0.25"]) == 0
    records = RecordFolder(tmp_path)
    (record,) = records.under("pgd", 32 / 255).values()
    assert record.mean_dice is not None
    assert record.num_backward == 0
    assert records.identity.system.name == "first"
    source = RecordFolder(tmp_path / "surrogate" / "attack").identity
    assert source.system.name == "second"
    assert records.identity.system.options["overlap"] == source.system.options["overlap"] == 0.25  # one config
    assert "of volumes made on second" in (tmp_path / "table.md").read_text()


def test_without_a_gradient_a_network_is_a_target_alone(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RogsegSystem, "differentiable", False)
    assert transfer(made, tmp_path / "none") == 2
    message = capsys.readouterr().err
    assert "on none of these can volumes be made: first has no gradient, which pgd needs" in message
    system = [str(made / "tiny.py"), str(made / "first.pth"), "--task", str(made / "stored" / TASK)]
    places = ["--data", str(made / "raw" / TASK), "--out", str(tmp_path / "one")]
    surrogate = ["--surrogate", str(made / "second.pth")]
    assert main(["attack", *system, "--attack", "pgd", *FEW, *CASES, *places, *surrogate]) == 2
    assert "--surrogate: second has no gradient" in capsys.readouterr().err
    assert main(["attack", *system, "--attack", "pgd", *FEW, *CASES, *places, *surrogate, "--protocol", "patch"]) == 2
    assert "--protocol patch has no meaning" in capsys.readouterr().err


def test_mistakes_with_names_are_told(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = f"{made / 'tiny.py'},{made / 'first.pth'}"
    assert transfer(made, tmp_path, one) == 2
    assert "between two networks or more" in capsys.readouterr().err
    assert transfer(made, tmp_path, one, one) == 2
    assert "two systems are called 'first'" in capsys.readouterr().err
    assert transfer(made, tmp_path, f"a/b={one}", one) == 2
    assert "cannot name a file or folder" in capsys.readouterr().err
