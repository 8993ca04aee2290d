from pathlib import Path

from rogseg.engine.config.load import load_config
from tests.tiny_training import ROOT


def config_of(tmp_path: Path, text: str, name: str = "mine.py") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_config_of_ones_own_builds_on_one_that_comes_with_rogseg(tmp_path: Path) -> None:
    path = config_of(tmp_path, '_base_ = "rog_freeat_liver"\ntrainer = dict(epsilon=4 / 255)\nseed = 3\n')
    mine, shipped = load_config(path), load_config("rog_freeat_liver")
    assert mine.trainer.epsilon == mine.validation.epsilon == 4 / 255
    assert {key for key in shipped if mine[key] != shipped[key]} == {"trainer", "validation", "seed"}
    assert mine.filename == str(path)


def test_names_and_paths_may_stand_side_by_side_and_bases_of_bases_have_names_too(tmp_path: Path) -> None:
    config_of(tmp_path, "seed = 4\n", "seed.py")
    config_of(
        tmp_path,
        '_base_ = [\n    "rog_standard_hippocampus_light",  # one cycle\n]\nwork_dir = "{{ fileDirname }}/runs"\n',
        "middle.py",
    )
    path = config_of(tmp_path, '_base_ = ["./middle.py"]\nfold = 2\ndata_root = {{ _base_.stored_root }}\n')
    loaded = load_config(path, {"seed": 5}, None)
    assert (loaded.fold, loaded.seed, loaded.data_root) == (2, 5, "data/stored")
    assert loaded.work_dir == f"{tmp_path}/runs"
    assert loaded.train_cfg.max_epochs == 14


def test_shipped_configs_are_read_where_they_lie() -> None:
    assert load_config("rog_standard_hippocampus_light").filename == str(
        ROOT / "configs" / "rog" / "rog_standard_hippocampus_light.py"
    )
