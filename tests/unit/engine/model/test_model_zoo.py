import hashlib
import json
from pathlib import Path

import pytest

from rogseg.engine.model.model_zoo import ZOO_DIRECTORY, zoo_checkpoint, zoo_model, zoo_models


def make_zoo(directory: Path, digest: str | None = None) -> Path:
    (directory / "weights.safetensors").write_bytes(b"weights")
    digest = digest or hashlib.sha256(b"weights").hexdigest()
    entry = {"config": "configs/rog/rog_standard.py", "file": "weights.safetensors", "sha256": digest}
    (directory / "index.json").write_text(json.dumps({"rog_standard_phantom": entry}))
    return directory


def test_an_entry_is_found_by_name(tmp_path: Path) -> None:
    entry = zoo_model("rog_standard_phantom", make_zoo(tmp_path))
    assert entry.checkpoint == tmp_path / "weights.safetensors"
    assert entry.config == tmp_path.parent / "configs/rog/rog_standard.py"
    assert zoo_checkpoint("rog_standard_phantom", tmp_path) == entry.checkpoint


def test_a_misspelt_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'rog_standard_phantom'"):
        zoo_model("rog_standrad_phantom", make_zoo(tmp_path))
    assert zoo_checkpoint("other", tmp_path) is None


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="checksum"):
        zoo_model("rog_standard_phantom", make_zoo(tmp_path, digest="0" * 64))
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match="are not here"):
        zoo_checkpoint("rog_standard_phantom", tmp_path)


def test_without_an_index_the_zoo_is_empty(tmp_path: Path) -> None:
    assert zoo_models(tmp_path) == {}


def test_every_shipped_model_is_whole_and_names_a_config() -> None:
    for entry in zoo_models(ZOO_DIRECTORY).values():
        assert entry.verified().config.is_file()
