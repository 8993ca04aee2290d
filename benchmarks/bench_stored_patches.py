"""Random patches of a stored CT against reading the whole case: ``python -m benchmarks.bench_stored_patches``."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.rows import print_row
from rogseg.sources.phantom_anatomy import draw_anatomy
from rogseg.sources.phantom_intensity import render_channel
from rogseg.storage import CaseProperties, StoredCase, write_stored_case

PATCHES = ((96, 96, 32), (96, 96, 96), (148, 148, 96), (212, 212, 96))


def write_case(directory: Path, shape: tuple[int, int, int]) -> StoredCase:
    rng = np.random.default_rng(0)
    tissue = draw_anatomy(shape, 2, rng)
    raw = np.empty(shape, dtype=np.int16)
    render_channel(tissue, "ct", 0, rng, raw)
    image = (np.clip(raw, -45, 202).astype(np.float32) - 98) / 37  # the liver's window
    label = np.maximum(tissue.astype(np.int16) - 4, 0).astype(np.uint8)
    identity = tuple(tuple(float(value) for value in row) for row in np.eye(4))
    one = (1.0, 1.0, 1.0)
    properties = CaseProperties(
        "case", shape, identity, one, shape, (-45.0,), (202.0,), (-4.0,), (3.0,), "none", {1: [], 2: []}
    )
    return write_stored_case(directory / "case", image[None], label, properties)


def read_patches(case: StoredCase, size: tuple[int, int, int], repeats: int) -> float:
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    for _ in range(repeats):
        corner = [int(rng.integers(0, length - side + 1)) for length, side in zip(case.shape[1:], size, strict=True)]
        x, y, z = (slice(first, first + side) for first, side in zip(corner, size, strict=True))
        case.read_image((x, y, z))
        case.read_label((x, y, z))
    return (time.perf_counter() - start) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=[512, 512, 300])
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        case = write_case(Path(directory), tuple(options.shape))
        size = sum(path.stat().st_size for path in case.directory.iterdir())
        shape = " x ".join(map(str, options.shape))
        sizes = f"{size / 1e6:.0f} MB on disk, {4 * np.prod(case.shape) / 1e6:.0f} MB as float32"
        print_row(f"stored CT of {shape}", sizes)
        start = time.perf_counter()
        case.read_image()
        case.read_label()
        whole = time.perf_counter() - start
        print_row("reading the whole case", f"{whole * 1e3:.0f} ms")
        for patch in PATCHES:
            seconds = read_patches(case, patch, options.repeats)
            measured = f"{seconds * 1e3:.1f} ms, {whole / seconds:.0f} times faster than the whole case"
            print_row(f"reading a random patch of {' x '.join(map(str, patch))}", measured, "at least 10")


if __name__ == "__main__":
    main()
