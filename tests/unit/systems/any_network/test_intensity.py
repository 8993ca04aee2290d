"""Intensity transforms against MONAI's, the line back to raw units, the box, and what is frozen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rogseg.systems.any_network.intensity import build_steps
from rogseg.systems.any_network.scaled_image import ScaledImage

CHAINS: list[list[dict[str, Any]]] = [
    [{"type": "ScaleIntensityRange", "a_min": -57, "a_max": 164, "b_min": 0.0, "b_max": 1.0, "clip": True}],
    [{"type": "ScaleIntensityRange", "a_min": -57.0, "a_max": 164.0}],
    [{"type": "ScaleIntensity"}, {"type": "NormalizeIntensity", "channel_wise": True}],
    [{"type": "ScaleIntensity", "minv": -1.0, "maxv": 1.0, "channel_wise": True}],
    [{"type": "NormalizeIntensity"}],
    [{"type": "NormalizeIntensity", "nonzero": True, "channel_wise": True}],
    [{"type": "NormalizeIntensity", "subtrahend": [10.0, 20.0], "divisor": [2.0, 4.0], "channel_wise": True}],
    [
        {
            "type": "ScaleIntensityRangePercentiles", "lower": 5, "upper": 95, "b_min": 0.0, "b_max": 2.0, "clip": True,
            "channel_wise": True,
        }
    ],
    [
        {"type": "ScaleIntensityRange", "a_min": -57, "a_max": 164, "b_min": 0.0, "b_max": 1.0, "clip": True},
        {"type": "NormalizeIntensity", "subtrahend": 0.5, "divisor": 0.25},
    ],
]  # fmt: skip


def image(*, zeros: bool = False) -> Any:
    values = np.random.default_rng(0).normal(40, 90, (2, 6, 5, 4)).astype(np.float32)
    if zeros:
        values[:, :2] = 0
    return values


def run(chain: list[dict[str, Any]], values: Any) -> ScaledImage:
    scaled = ScaledImage.raw(values)
    for step in build_steps(chain, "inputs.intensity"):
        step.apply(scaled)
    return scaled


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("zeros", [False, True])
def test_values_equal_those_of_monai(chain: list[dict[str, Any]], zeros: bool) -> None:
    transforms = pytest.importorskip("monai.transforms")
    expected = torch.from_numpy(image(zeros=zeros))
    for step in chain:
        expected = getattr(transforms, step["type"])(**{key: value for key, value in step.items() if key != "type"})(
            expected
        )
    found = run(chain, image(zeros=zeros)).values
    assert np.abs(found - np.asarray(expected)).max() < 2e-5 * max(1, np.abs(found).max())


@pytest.mark.parametrize("chain", CHAINS)
def test_the_line_leads_back_to_raw_intensities(chain: list[dict[str, Any]]) -> None:
    values = image()
    scaled = run(chain, values)
    assert scaled.scale is not None
    for channel, (scale, offset, window) in enumerate(zip(scaled.scale, scaled.offset, scaled.windows, strict=True)):
        inside = np.ones_like(values[channel], dtype=bool)
        if window is not None:
            inside = (scaled.values[channel] > window[0] + 1e-3) & (scaled.values[channel] < window[1] - 1e-3)
        back = scale * scaled.values[channel] + offset
        assert inside.any()
        assert np.abs(back - values[channel])[inside].max() < 1e-2


def test_the_box_is_what_was_clipped_to_and_else_the_range_of_the_case() -> None:
    clipped = run(CHAINS[8], image()).box("case")
    assert clipped.lower.flatten().tolist() == [-2.0, -2.0]
    assert clipped.upper.flatten().tolist() == [2.0, 2.0]
    scored = run(CHAINS[4], image())
    assert scored.box("case").upper.flatten().tolist() == scored.values.max((1, 2, 3)).tolist()
    values = image()
    values[1] = 500
    flat = run(CHAINS[5], values)
    with pytest.raises(ValueError, match=r"case 'flat': channels \[1\] are constant"):
        flat.box("flat")
    beyond = [{"type": "ScaleIntensityRange", "a_min": 1e6, "a_max": 2e6, "b_min": 0, "b_max": 1, "clip": True}]
    with pytest.raises(ValueError, match=r"case 'dark': channels \[0, 1\] are constant"):
        run(beyond, image()).box("dark")


def test_voxels_that_are_zero_in_every_channel_are_frozen_where_only_others_are_normalised() -> None:
    values = image(zeros=True)
    values[0, 0] = 7
    frozen = run(CHAINS[5], values).frozen
    assert frozen is not None
    assert frozen[1].all()
    assert frozen.sum() == frozen[1].size


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"type": "RandGaussianNoise"}, "must be dict"),
        ({"type": "ScaleIntensityRange", "a_min": 5, "a_max": 5}, "a_min must be below a_max"),
        ({"type": "ScaleIntensityRange", "a_min": 0, "a_max": 5, "clip": True}, "clip needs b_min"),
        ({"type": "ScaleIntensityRange", "a_min": 0}, r"missing keys \['a_max'\]"),
        ({"type": "NormalizeIntensity", "nonzro": True}, r"unknown keys \['nonzro'\]"),
        ({"type": "NormalizeIntensity", "divisor": [1.0]}, "one per channel"),
        ({"type": "NormalizeIntensity", "divisor": -2.0}, r"channel 0 is turned over \(times -0\.5\)"),
        ({"type": "ScaleIntensity", "minv": 1.0, "maxv": 0.0}, "give minv below maxv"),
        ({"type": "Function", "call": "os.system", "lower": [0.0], "upper": [1.0]}, "for each of the 2 channels"),
        ({"type": "Function", "call": "nowhere_at_all.f", "lower": [0.0] * 2, "upper": [1.0] * 2}, "no module"),
        (
            {"type": "Function", "call": "json.dumps", "lower": [0.0] * 2, "upper": [1.0] * 2},
            "not take a ndarray",
        ),
    ],
)
def test_a_wrong_transform_is_refused_by_name(step: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run([step], image())


def test_a_function_of_ones_own_stays_inside_the_box_that_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_units.py").write_text(
        "import numpy as np\ndef squash(values):\n    return np.tanh(values / 100)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    step = {"type": "Function", "call": "own_units.squash", "lower": [-1.0] * 2, "upper": [1.0] * 2}
    scaled = run([step], image())
    assert scaled.scale is None
    assert np.allclose(scaled.values, np.tanh(image() / 100))
    assert scaled.box("case").lower.flatten().tolist() == [-1.0, -1.0]
    known = run([{**step, "raw_lower": [-300.0] * 2, "raw_upper": [300.0] * 2}], image())
    assert known.scale == [300.0, 300.0]
    with pytest.raises(ValueError, match=r"raw_lower \(300\.0, 300\.0\) must be below raw_upper"):
        run([{**step, "raw_lower": [300.0] * 2, "raw_upper": [-300.0] * 2}], image())
    with pytest.raises(ValueError, match=r"own_units\.squash must give an array of shape \(2, 6, 5, 4\) between"):
        run([{**step, "upper": [0.1] * 2}], image())
