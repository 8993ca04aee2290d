"""The grid that predictions are measured on, of a system that does not remember that of its cases."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from rogseg.cases import Case, IntensityBox
from rogseg.engine.accuracy.raw_grid import grid_of
from rogseg.storage import RawCase


@pytest.mark.parametrize("channels", [(), (1,), (2,)])
def test_a_file_has_one_grid_however_many_channels_it_has(tmp_path: Path, channels: tuple[int, ...]) -> None:
    image = np.arange(120 * max(channels, default=1), dtype=np.float32)
    nibabel.save(
        nibabel.Nifti1Image(image.reshape(4, 5, 6, *channels), np.diag([1.0, 2.0, 3.0, 1.0])), tmp_path / "a.nii"
    )
    case = Case("a", torch.zeros(1, 2, 6, 5, 4), None, IntensityBox.per_channel([0.0] * 2, [1.0] * 2))
    grid = grid_of(RawCase("a", (tmp_path / "a.nii",), None), case)
    assert (grid.shape, grid.spacing) == ((4, 5, 6), (1.0, 2.0, 3.0))
