"""The Python examples of the README and of the page on Python, run as they stand there."""

import re
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from rogseg.attacks import AttackResult

ROOT = Path(__file__).resolve().parents[2]


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    image = np.random.default_rng(0).uniform(0, 1000, size=(32, 48, 32)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(image, np.diag([1.0, 1.0, 1.0, 1.0])), "case.nii.gz")
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    written = nibabel.load("segmentation.nii.gz")
    assert written.shape == (32, 48, 32)
    assert written.get_data_dtype() == np.uint8
    assert np.array_equal(np.asarray(written.dataobj), names["labels"])  # type: ignore[arg-type]
    assert names["result"].distance.item() <= 8 / 255 + 1e-6  # type: ignore[attr-defined]


def test_a_plain_module_is_attacked_in_five_lines() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), flags=re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 5
    generator = np.random.default_rng(0)
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 3, 3, padding=1))
    image, label = generator.uniform(size=(8, 9, 10)), generator.integers(0, 3, (8, 9, 10))
    names: dict[str, object] = {"network": network, "image": image, "label": label}
    exec(compile(example, "python.md", "exec"), names)
    result = names["result"]
    assert isinstance(result, AttackResult)
    assert result.distance.item() <= 8 / 255 + 1e-6
    assert 0 < result.mean_dice.item() < 1
