"""Where tests find the reference data that does not belong to the project."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_path(relative: str) -> Path:
    """The path of a file or folder beside the checkout; the calling test is skipped where it is absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"reference data is not here: {path}")
    return path
