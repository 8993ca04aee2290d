"""A network comes from a local server that breaks off, or from a folder; what was changed is refused."""

import hashlib
import json
from pathlib import Path

import pytest

from rogseg.command_line import exit_status
from rogseg.commands import command_parser
from rogseg.commands import download as download_command
from rogseg.engine.model.model_zoo import ZOO_DIRECTORY, zoo_model, zoo_models
from rogseg.engine.model.zoo_download import download_zoo_model
from tests.unit.sources.range_server import serving

WEIGHTS = bytes(range(256)) * 40
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


def zoo_files(config: str = "configs/rog/rog_standard_liver.py", file: str = "far.safetensors") -> dict[str, bytes]:
    index = {"far": {"config": config, "file": file, "sha256": DIGEST}}
    return {"index.json": json.dumps(index).encode(), file: WEIGHTS}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ROGSEG_ZOO", raising=False)
    return tmp_path / "cache" / "rogseg" / "model_zoo"


def test_a_broken_connection_goes_on_and_the_network_is_then_known_by_name(cache: Path) -> None:
    with serving(zoo_files()) as server:
        server.cuts = [10**6, 3000]
        entry = download_zoo_model("far", server.url.removesuffix("/file"))
        assert server.asked_from == [0, 0, 3000]
        download_zoo_model("far", server.url.removesuffix("/file"))
        assert len(server.asked_from) == 4, "a whole file was fetched again"
    assert entry.checkpoint.read_bytes() == WEIGHTS
    assert entry.checkpoint.parent == cache
    assert zoo_model("far") == entry
    assert entry.config.is_file()
    assert "rog_freeat_hippocampus_light" in zoo_models()
    entry.checkpoint.write_bytes(WEIGHTS[:-1] + b"x")
    with pytest.raises(ValueError, match="checksum"):
        zoo_model("far")


def test_a_changed_byte_is_refused_and_nothing_stays(cache: Path) -> None:
    files = zoo_files()
    files["far.safetensors"] = b"x" + WEIGHTS[1:]
    with serving(files) as server, pytest.raises(ValueError, match=r"checksum .* deleted"):
        download_zoo_model("far", server.url.removesuffix("/file"))
    assert "far" not in zoo_models()
    assert not (cache / "far.safetensors").exists()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_serves_as_well_and_the_environment_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "zoo", zoo_files())
    monkeypatch.setenv("ROGSEG_ZOO", str(folder))
    assert download_zoo_model("far").checkpoint.read_bytes() == WEIGHTS
    (folder / "far.safetensors").write_bytes(b"x")
    download_zoo_model("far")  # what is here is whole
    zoo_model("far").checkpoint.unlink()
    with pytest.raises(ValueError, match="its index promises"):
        download_zoo_model("far")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (zoo_files(config="../../evil.py"), "which is no config of this rogseg"),
        (zoo_files(config="rogseg/__init__.py"), "which is no config of this rogseg"),
        ({"index.json": b"[1]"}, r"zoo/index\.json must be an object"),
        ({"index.json": zoo_files()["index.json"].replace(b"far.safe", b"../far.safe")}, r"\.\./far"),
        ({"index.json": b'{"other": 1}'}, "index.json"),
        ({}, "name the folder or the http address"),
        ({"index.json": zoo_files()["index.json"]}, "though the index names it"),
    ],
)
def test_a_strangers_index_is_data(tmp_path: Path, files: dict[str, bytes], message: str, cache: Path) -> None:
    with pytest.raises(ValueError, match=message):
        download_zoo_model("far", str(write(tmp_path / "zoo", files)))
    assert not (cache / "index.json").exists()


@pytest.mark.parametrize("content", ["", "[1]", '{"far": 5}', '{"far": {"config": "../x", "file": "f", "sha256": ""}}'])
def test_a_damaged_index_in_the_cache_costs_no_shipped_network(tmp_path: Path, cache: Path, content: str) -> None:
    folder = str(write(tmp_path / "zoo", zoo_files()))
    download_zoo_model("far", folder)
    (cache / "index.json").write_text(content)
    what_to_do = rf"{cache}/index\.json.*; delete this index\.json, and run rogseg download zoo NAME"
    with pytest.warns(UserWarning, match=f"no downloaded network is known: {what_to_do}"):
        assert zoo_model("rog_freeat_hippocampus_light") == zoo_model("rog_freeat_hippocampus_light", ZOO_DIRECTORY)
    with pytest.warns(UserWarning, match=what_to_do):
        assert "far" not in zoo_models()
    (cache / "index.json").unlink()
    (tmp_path / "zoo" / "far.safetensors").unlink()  # not fetched again
    assert download_zoo_model("far", folder) == zoo_model("far")


def test_the_command_prints_the_file_and_says_where_from_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    parser = command_parser("download", "rogseg download")
    options = parser.parse_args(["zoo", "far", "--from", str(write(tmp_path / "zoo", zoo_files()))])
    download_command.run(options)
    assert capsys.readouterr().out.strip() == str(cache / "far.safetensors")
    assert exit_status("rogseg download", lambda: download_command.run(parser.parse_args(["zoo", "far"]))) != 0
    assert "give --from, or set ROGSEG_ZOO" in capsys.readouterr().err
    with pytest.raises(ValueError, match="did you mean 'far'"):
        download_zoo_model("fra", str(tmp_path / "zoo"))
