"""The folder of an evaluation: killed, edited, mixed with another, shared by two processes, of an older version."""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from rogseg.evaluation.case_record import CLEAN, CaseRecord
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.shards import are_shards, merge_records
from tests.identities import IDENTITY, dice_record, identity_with

ZOO = Path(__file__).resolve().parents[3] / "model_zoo/records"


def filled(directory: Path, identity: EvaluationIdentity = IDENTITY) -> RecordFolder:
    folder = RecordFolder(directory, identity, {"python": "3.11"})
    folder.add(dice_record("a", CLEAN, (0.9, 0.8)))
    folder.add(dice_record("b", CLEAN, (0.9, None)))
    folder.add(dice_record("a", "APGD-CE", (0.2, 0.6), success=True))
    folder.add(dice_record("a", "Square", (0.5, 0.5)))
    return folder


def test_records_survive_closing_and_a_torn_line(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    with (tmp_path / "records.jsonl").open("a") as file:
        file.write(dice_record("b", "Square", (0.6, None)).to_line()[:-20])
    again = RecordFolder(tmp_path, IDENTITY)
    assert again.records == folder.records
    assert again.conditions() == ("APGD-CE", "Square")
    assert again.strengths() == (8 / 255,)
    again.add(dice_record("b", "Square", (0.6, None)))
    assert len(RecordFolder(tmp_path).records) == 5
    assert RecordFolder(tmp_path).identity == IDENTITY
    assert RecordFolder(tmp_path).environment == {"python": "3.11"}


def test_whoever_reads_while_another_writes_changes_nothing(tmp_path: Path) -> None:
    writer, path = filled(tmp_path), tmp_path / "records.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"half of a li')  # as a reader may see it
    assert len(RecordFolder(tmp_path).records) == 4
    assert path.read_bytes() == whole + b'{"half of a li'
    path.write_bytes(whole)
    writer.add(dice_record("b", "Square", (0.6, None)))
    assert len(RecordFolder(tmp_path).records) == 5


def test_two_records_of_one_case_and_condition_are_refused(tmp_path: Path) -> None:
    filled(tmp_path / "one")
    other = RecordFolder(tmp_path / "other", IDENTITY)
    other.add(dice_record("a", "Square", (0.9, 0.9)))
    path, line = tmp_path / "one" / "records.jsonl", (tmp_path / "other" / "records.jsonl").read_text()
    path.write_text(path.read_text() + line)
    with pytest.raises(ValueError, match=r"line 5 is another record of \('a', 'Square'"):
        RecordFolder(tmp_path / "one")


def test_a_case_without_record_may_be_mended_and_no_other(tmp_path: Path) -> None:
    records = RecordFolder(tmp_path, IDENTITY)
    records.add(dice_record("a", CLEAN, (0.9, 0.8)))
    mended = identity_with("data.b", "mended")
    assert RecordFolder(tmp_path, mended).identity == mended
    assert RecordFolder(tmp_path).identity == mended
    with pytest.raises(ValueError, match=r"data\.a \(the files of that case\)"):
        RecordFolder(tmp_path, identity_with("data.a", "other"))


def test_a_record_is_added_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="already there"):
        filled(tmp_path).add(dice_record("a", "Square", (0.1, 0.1)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("system.digest", "xyz"),
        ("system.options.overlap", 0.25),
        ("task", "Other"),
        ("classes", ("organ",)),
        ("data.a", "another digest"),
        ("data.c", "digest of c"),
        ("condition", None),
        ("condition.config.num_iterations", 20),
        ("condition.config.rho", 0.75),
        ("threat.type", "L2Threat"),
        ("threat.unit", "raw"),
        ("criterion.config.threshold", 0.5),
        ("criterion.mu_source", "the whole fold"),
        ("protocol", "patch"),
        ("window_size", (32, 32, 32)),
        ("overlap", 0.25),
        ("measures", ()),
        ("selection.seed", 1),
        ("seed", 1),
        ("fold", 1),
        ("leak", "trained on"),
        ("versions.rogseg", "9"),
    ],
)
def test_whatever_numbers_depend_on_must_agree(tmp_path: Path, path: str, value: Any) -> None:
    filled(tmp_path)
    with pytest.raises(ValueError, match=f"{path.split('.')[0]}.*give another --out") as told:
        RecordFolder(tmp_path, identity_with(path, value))
    if value is not None:
        assert path in str(told.value)


def test_every_field_is_compared(tmp_path: Path) -> None:
    """A field that is added is compared, too: none may be left out of the JSON form."""
    assert set(IDENTITY.to_json()) == {field.name for field in dataclasses.fields(IDENTITY)}
    assert EvaluationIdentity.from_json(IDENTITY.to_json()) == IDENTITY


def test_of_another_kind_of_evaluation_nothing_else_is_told(tmp_path: Path) -> None:
    test = dataclasses.replace(IDENTITY, condition=None, threat=None, criterion=None, protocol="raw grid")
    RecordFolder(tmp_path, test)
    with pytest.raises(
        ValueError, match=r"another evaluation \(condition.kind: 'test' there, 'attack' now\); give another"
    ):
        RecordFolder(tmp_path, IDENTITY)


def test_a_long_list_of_differences_is_cut(tmp_path: Path) -> None:
    many = dataclasses.replace(IDENTITY, data={f"case_{number:03}": "x" for number in range(50)})
    filled(tmp_path)
    with pytest.raises(ValueError, match=r"data\.a.*and 47 more"):
        RecordFolder(tmp_path, many)


def test_an_identity_lacks_nothing() -> None:
    content = IDENTITY.to_json()
    del content["system"]["digest"]
    with pytest.raises(ValueError, match=r"identity\.system: missing keys .'digest'"):
        EvaluationIdentity.from_json(content)
    with pytest.raises(TypeError):
        EvaluationIdentity(task="Phantom")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="JSON data"):
        identity_with("system.options.file", Path("x")).to_json()


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two classes are called 'organ'"):
        identity_with("classes", ("organ", "lesion", "organ"))


def test_mu_is_noted_once_it_is_known(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    folder.settle_mu(0.875)
    folder.settle_mu(0.875)
    criterion = RecordFolder(tmp_path, IDENTITY).identity.criterion
    assert criterion is not None
    assert criterion.mu == 0.875
    with pytest.raises(ValueError, match=r"criterion\.mu: 0\.875 there, 0\.5 now"):
        folder.settle_mu(0.5)
    with pytest.raises(ValueError, match=r"criterion\.mu: 0\.875 there, 0\.5 now"):
        RecordFolder(tmp_path, identity_with("criterion.mu", 0.5))


@pytest.mark.parametrize("replaced", [("0.2", "0.3"), ('"a"', '"c"'), ("true", "false"), ('"crc": "', '"crc": "0')])
def test_an_edited_record_is_noticed(tmp_path: Path, replaced: tuple[str, str]) -> None:
    filled(tmp_path)
    path = tmp_path / "records.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], lines[2].replace(*replaced), *lines[3:]]))
    with pytest.raises(ValueError, match=r"records\.jsonl: line 3 .*checksum"):
        RecordFolder(tmp_path)


def test_a_record_without_checksum_is_noticed(tmp_path: Path) -> None:
    filled(tmp_path)
    with (tmp_path / "records.jsonl").open("a") as file:
        file.write(dice_record("b", "Square", (0.6, None)).to_line() + "\n")
    with pytest.raises(ValueError, match=r"line 5 .*checksum"):
        RecordFolder(tmp_path)


def test_a_record_of_another_attack_or_network_is_noticed_among_those_of_this_one(tmp_path: Path) -> None:
    for name, path, value in (
        ("steps", "condition.config", {"type": "APGD", "num_iterations": 1}),
        ("network", "system.digest", "other"),
    ):
        filled(tmp_path / "ours")
        other = RecordFolder(tmp_path / name, identity_with(path, value))
        for record in RecordFolder(tmp_path / "ours").as_made:
            other.add(record)
        ours, theirs = (tmp_path / folder / "records.jsonl" for folder in ("ours", name))
        first, *rest = ours.read_text().splitlines(keepends=True)
        ours.write_text("".join([first, *theirs.read_text().splitlines(keepends=True)[1:2], *rest[1:]]))
        with pytest.raises(ValueError, match=r"records\.jsonl: its records of .* were made of two networks, or by two"):
            RecordFolder(tmp_path / "ours")
        shutil.rmtree(tmp_path / "ours")


def test_two_processes_do_not_write_into_one_folder(tmp_path: Path) -> None:
    """Both would attack the same cases and record each twice."""
    folder = filled(tmp_path)
    other = RecordFolder(tmp_path, IDENTITY)
    other.add(dice_record("b", "Square", (0.6, None)))
    with pytest.raises(ValueError, match=r"another process writes its records here, too.*--shard"):
        folder.add(dice_record("b", "Square", (0.6, None)))
    assert len(RecordFolder(tmp_path).records) == 5


def test_of_two_processes_that_begin_at_once_one_is_told_that_the_folder_is_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked and found nothing; then one writes after the other."""
    first = "rogseg.evaluation.record_folder._refuse_files_of_others"

    def while_it_looks(directory: Path) -> None:
        monkeypatch.undo()
        filled(directory, identity_with("system.digest", "of another"))

    monkeypatch.setattr(first, while_it_looks)
    with pytest.raises(ValueError, match=r"belong to another evaluation \(system\.digest"):
        RecordFolder(tmp_path, IDENTITY)
    assert RecordFolder(tmp_path).identity.system.digest == "of another"


def test_a_header_of_a_newer_version_is_not_taken_for_an_older_one(tmp_path: Path) -> None:
    header = {"identity": {**IDENTITY.to_json(), "versions": {"rogseg": "9", "schema": 3}}, "environment": {}}
    (tmp_path / "header.json").write_text(json.dumps(header))
    for identity in (None, IDENTITY):
        with pytest.raises(ValueError, match=r"header\.json: its records have schema version 3, .* reads 1 to 2"):
            RecordFolder(tmp_path, identity)


def test_of_a_folder_without_a_header_those_inside_that_have_one_are_named(tmp_path: Path) -> None:
    filled(tmp_path / "attacks" / "apgd")
    filled(tmp_path / "tested")
    named = ", ".join(str(tmp_path / name) for name in ("attacks/apgd", "tested"))
    with pytest.raises(ValueError, match=f"no header.json here; evaluations lie in {re.escape(named)}: name those"):
        RecordFolder(tmp_path)
    with pytest.raises(ValueError, match="nowhere: there is no such folder"):
        RecordFolder(tmp_path / "nowhere")


def test_records_without_a_header_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no header.json here; name the --out folder"):
        RecordFolder(tmp_path)
    filled(tmp_path)
    (tmp_path / "header.json").unlink()
    for identity in (IDENTITY, None):
        with pytest.raises(ValueError, match=r"records.jsonl lies here without header.json"):
            RecordFolder(tmp_path, identity)


@pytest.mark.parametrize("header", ["[]", "{}", "{", '{"identity": [], "environment": {}}', '{"identity": 1}'])
def test_a_damaged_header_is_told(tmp_path: Path, header: str) -> None:
    filled(tmp_path)
    (tmp_path / "header.json").write_text(header)
    with pytest.raises(ValueError, match=r"header\.json"):
        RecordFolder(tmp_path, IDENTITY)


def test_shards_merge_to_what_one_run_gives(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole")
    whole.settle_mu(0.875)
    for name in ("left", "right"):
        shard = RecordFolder(tmp_path / name, IDENTITY)
        for record in whole.records:
            if record.condition == CLEAN or (record.condition == "Square") == (name == "left"):
                shard.add(dataclasses.replace(record, seconds=3.0))
    RecordFolder(tmp_path / "right").settle_mu(0.875)  # the left one was stopped before it knew
    merged = merge_records([tmp_path / "left", tmp_path / "right"], tmp_path / "merged")
    assert merged.identity == whole.identity
    assert [record.key for record in merged.records] == [record.key for record in whole.records]


def test_a_merge_keeps_the_order_of_the_members(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path / "shard", IDENTITY)
    for name in ("SoftDice", "DLR", "APGD"):
        folder.add(dice_record("a", name, (0.0, 0.0)))
    merged = merge_records([folder.directory], tmp_path / "merged")
    assert merged.conditions() == folder.conditions() == ("SoftDice", "DLR", "APGD")


def test_a_merge_learns_mu_from_the_shards_that_it_is_made_of_again(tmp_path: Path) -> None:
    shards = [filled(tmp_path / "left"), RecordFolder(tmp_path / "right", IDENTITY)]
    places = [shard.directory for shard in shards]
    assert merge_records(places, tmp_path / "merged").identity == IDENTITY
    shards[0].settle_mu(0.875)
    assert merge_records(places, tmp_path / "merged").identity == shards[0].identity
    assert RecordFolder(tmp_path / "merged").identity == shards[0].identity


def test_shards_that_disagree_do_not_merge(tmp_path: Path) -> None:
    filled(tmp_path / "left")
    right = RecordFolder(tmp_path / "right", IDENTITY)
    right.add(CaseRecord.of_clean("a", {"Dice": (0.5, 0.8)}))
    with pytest.raises(ValueError, match=r"right and \S*left hold two records of \('a', 'clean', 0\.0\)"):
        merge_records([tmp_path / "left", tmp_path / "right"], tmp_path / "merged")
    with pytest.raises(ValueError, match=r"right and \S*merged hold two records"):  # which the left one is no part of
        merge_records([tmp_path / "right"], tmp_path / "merged")
    RecordFolder(tmp_path / "other", identity_with("seed", 3))
    with pytest.raises(ValueError, match="seed"):
        merge_records([tmp_path / "left", tmp_path / "other"], tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    "old",
    [ZOO / "comparison" / "mirrored" / "freeat_apgd_ce_5", Path(__file__).parent / "schema_1_test"],
    ids=lambda path: path.name,
)
def test_records_of_an_older_version_are_read_but_not_added_to(tmp_path: Path, old: Path) -> None:
    directory = tmp_path / "old"
    shutil.copytree(old, directory)
    before = (directory / "records.jsonl").read_bytes()
    folder = RecordFolder(directory)
    header = json.loads((directory / "header.json").read_text())["identity"]
    assert folder.identity.is_legacy
    assert folder.identity.system.digest == header["checkpoint"]
    assert set(folder.identity.cases) == set(folder.clean())
    assert len(folder.identity.classes) == 2
    with pytest.raises(ValueError, match="older version"):
        folder.add(dice_record("new", "PGD", (0.1, 0.1)))
    with pytest.raises(ValueError, match="older version"):
        RecordFolder(directory, IDENTITY)
    with pytest.raises(ValueError, match="older version"):
        merge_records([directory, directory], tmp_path / "merged")
    assert (directory / "records.jsonl").read_bytes() == before
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(("strengths", "are_parts"), [(((0.01,), (0.02,)), False), (((0.01, 0.02),) * 2, True)])
def test_attacks_at_one_epsilon_each_are_no_shards_and_older_sweeps_are(
    tmp_path: Path, strengths: tuple[tuple[float, ...], ...], are_parts: bool
) -> None:
    folders = [RecordFolder(tmp_path / str(number), IDENTITY) for number in range(2)]
    for case_id, folder, of_one in zip(IDENTITY.cases, folders, strengths, strict=False):
        for strength in of_one:
            folder.add(dice_record(case_id, "apgd_ce", (0.5, 0.5), strength=strength))
    assert are_shards(folders) == are_parts
    if are_parts:
        assert len(merge_records([folder.directory for folder in folders], tmp_path / "merged").records) == 4
    else:
        with pytest.raises(ValueError, match="of several epsilons"):
            merge_records([folder.directory for folder in folders], tmp_path / "merged")
