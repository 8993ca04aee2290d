"""What every registered corruption promises, on a phantom of each kind that it applies to."""

import itertools

import numpy as np
import pytest
import torch

from rogseg.corruptions import NUM_SEVERITIES, Corruption, Scan
from rogseg.metrics import image_range, peak_signal_to_noise, structural_similarity
from rogseg.registry import CORRUPTIONS
from tests.unit.corruptions.scans import SCANS

CORRUPTIONS.import_from_location()
NAMES = sorted(name for name, cls in CORRUPTIONS.module_dict.items() if cls.__module__.startswith("rogseg."))
PAIRS = [
    (name, kind)
    for name in NAMES
    for kind, scan in SCANS.items()
    if CORRUPTIONS.build({"type": name}).reason_against(scan.modalities) is None
]


def build(name: str) -> Corruption:
    corruption: Corruption = CORRUPTIONS.build({"type": name})
    return corruption


def run(name: str, scan: Scan, severity: int, seed: int = 3) -> Scan:
    return build(name)(scan, severity, torch.Generator().manual_seed(seed))


def test_every_corruption_has_a_source_and_a_scan_it_applies_to() -> None:
    assert set(NAMES) == {name for name, _ in PAIRS}
    assert all(len(build(name).severities.source) > 20 for name in NAMES)


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_higher_severity_distorts_more(name: str, kind: str) -> None:
    scan = SCANS[kind]
    before = scan.voxels.clone()
    width = image_range(scan.voxels.numpy())
    made = [run(name, scan, severity).voxels.numpy() for severity in range(1, NUM_SEVERITIES + 1)]
    psnr = [peak_signal_to_noise(before.numpy(), voxels, width) for voxels in made]
    ssim = [structural_similarity(before.numpy(), voxels, width) for voxels in made]
    assert all(a > b for a, b in itertools.pairwise(psnr)), psnr
    assert 1 > ssim[0] > ssim[-1]
    assert torch.equal(scan.voxels, before)
    assert {voxels.dtype for voxels in made} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_the_seed_decides_all(name: str, kind: str) -> None:
    scan = SCANS[kind]
    global_state = torch.random.get_rng_state()
    first, again = run(name, scan, 3), run(name, scan, 3)
    assert torch.equal(first.voxels, again.voxels)
    assert torch.equal(torch.random.get_rng_state(), global_state)
    if first.labels is not None and build(name).moves_anatomy:
        assert again.labels is not None
        assert scan.labels is not None
        assert torch.equal(first.labels, again.labels)
        assert not torch.equal(first.labels, scan.labels)
    else:
        assert first.labels is scan.labels


@pytest.mark.parametrize("name", NAMES)
def test_at_the_neutral_parameter_nothing_happens(name: str) -> None:
    kind = next(kind for one, kind in PAIRS if one == name)
    corruption = build(name)
    assert corruption.at(SCANS[kind], corruption.severities.neutral, torch.Generator()) is SCANS[kind]


@pytest.mark.parametrize("severity", [0, 6, -1, 2.5, True])
def test_other_severities_are_refused(severity: int) -> None:
    for name in NAMES:
        kind = next(kind for one, kind in PAIRS if one == name)
        with pytest.raises(ValueError, match="from 1 to 5"):
            build(name)(SCANS[kind], severity, torch.Generator())


def test_what_does_not_apply_says_why_and_is_refused() -> None:
    for name in NAMES:
        for kind, scan in SCANS.items():
            if (name, kind) not in PAIRS:
                assert build(name).reason_against(scan.modalities)
                with pytest.raises(ValueError, match=f"{name} does not apply to this scan: .+"):
                    run(name, scan, 1)
