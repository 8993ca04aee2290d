"""Stored votes and volumes: cut, flipped, of another kind, larger than memory, or pipes."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rogseg.certification import Smoothing, Votes
from rogseg.engine.certifying.votes_file import VotesFile
from rogseg.report import SavedVolume
from tests.faults.fault import Call, Fault
from tests.faults.raw_inputs import flip

GRID = (8, 9, 10)
SMOOTHING = Smoothing(0.25, 3, 5, 0)


def _volume(change: Callable[[Path], object]) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        noise = np.random.default_rng(0).normal(size=(1, *GRID)).astype(np.float32)
        labels = np.zeros(GRID, np.uint8)
        volume = SavedVolume("a", "net", "pgd", 0.03, "8/255", noise, noise, labels, labels, labels, (-1.0,), (1.0,),
                             (1.0, 1.0, 1.0))  # fmt: skip
        path = folder / "a.npz"
        volume.save(path)
        change(path)
        return lambda: SavedVolume.load(path)

    return build


def _votes(change: Callable[[Path], object]) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        votes = Votes.empty(2, GRID, SMOOTHING)
        votes.add(np.zeros((SMOOTHING.total, *GRID), np.uint8), SMOOTHING)
        path = folder / "a.npz"
        VotesFile(path, "digest").save(votes, is_last=True)
        change(path)
        return lambda: VotesFile(path, "digest").load(2, GRID, SMOOTHING)

    return build


def _with(**changes: Any) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        with np.load(path) as stored:
            content = {**stored, **changes}
        np.savez_compressed(path, **content)

    return change


def _array_alone(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("image.npy", "w", force_zip64=True) as f,
    ):
        f.write(bytes(1 << 16))
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02")  # what the directory says of its size
    content[place + 24 : place + 28] = (2**32 - 2).to_bytes(4, "little")
    path.write_bytes(content)


def _objects(path: Path) -> None:
    _with(label=np.array([{}], dtype=object))(path)


def _of_file(name: str, change: Callable[[Path], object], message: str) -> list[Fault]:
    return [
        Fault(f"a volume {name}", _volume(change), rf"a\.npz: .*{message}"),
        Fault(f"votes {name}", _votes(change), rf"a\.npz: .*{message}"),
    ]


FAULTS = [
    *_of_file("cut", lambda path: path.write_bytes(path.read_bytes()[:200]), "no usable file of arrays"),
    *_of_file("emptied", lambda path: path.write_bytes(b""), "no usable file of arrays"),
    *_of_file("flipped", lambda path: flip(path, 0.4), "no usable file of arrays|not a saved volume"),
    *_of_file("that is one array", _array_alone, "no usable file of arrays"),
    *_of_file("that unpacks to 4 GB", _bomb, "unpacks to"),
    Fault("a volume that is a pipe", _volume(_pipe), r"a\.npz: not a plain file"),
    Fault("a volume with objects", _volume(_objects), r"a\.npz: no usable file of arrays"),
    Fault("a volume with one spacing", _volume(_with(spacing=1.0)), "not a saved volume .spacing must be a list of 3"),
    Fault("a volume of no size", _volume(_with(spacing=[np.nan] * 3)), "not a saved volume .*finite number"),
    Fault("an image in words", _volume(_with(image="text")), "not a saved volume"),
    Fault("an epsilon in a list", _volume(_with(strength=[1.0])), "not a saved volume .strength must be"),
    Fault("votes that were taken out", _votes(_with(answers=np.zeros((2, *GRID), np.uint8))), "not as many votes as"),
    Fault("votes of more copies", _votes(_with(done=7)), "not as many votes as copies voted"),
    Fault("votes of fewer than none", _votes(_with(done=-7)), "not as many votes as copies voted"),
    Fault("votes of a list of copies", _votes(_with(done=[1, 2])), "not the votes of a case"),
    Fault("votes of somebody else", _votes(_with(digest="other")), "belong to another evaluation"),
]
