"""Figures as files that are whole or not there."""

import io
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rogseg.storage import write_bytes_atomic

__all__ = ["save_figure"]


def save_figure(figure: Figure, path: Path, **options: Any) -> None:
    """Write a figure in the format of the file's ending; options are those of ``savefig``."""
    image = io.BytesIO()
    figure.savefig(image, format=path.suffix.removeprefix("."), **options)
    write_bytes_atomic(path, image.getvalue(), lasting=False)
