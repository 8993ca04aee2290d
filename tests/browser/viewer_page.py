"""What tests ask of the viewer: to be drawn, its state, and the pixels of its planes."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.report.volumes import SavedVolume

__all__ = ["Viewer", "expected_plane"]


class Viewer:
    """The viewer of an opened page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.evaluate("() => document.getElementById('viewer').scrollIntoView()")
        self.wait()

    def wait(self) -> None:
        """Until something is drawn."""
        self.page.wait_for_function("() => document.getElementById('viewer').dataset.drawn")

    @property
    def state(self) -> dict[str, Any]:
        """What is drawn."""
        state: dict[str, Any] = json.loads(self.page.evaluate("() => document.getElementById('viewer').dataset.drawn"))
        return state

    def wheel(self, down: float) -> bool:
        """Turn the wheel over the axial plane, and say whether the plane keeps the turn from the page.

        The event is made in the page: those of the mouse are joined and delayed as the browser finds time.
        """
        kept: bool = self.page.locator('.pane[data-plane="axial"] .image').evaluate(
            "(image, down) => !image.dispatchEvent(new WheelEvent('wheel', "
            "{ deltaY: down, bubbles: true, cancelable: true }))",
            down,
        )
        return kept

    def press(self, *keys: str, plane: str = "axial") -> None:
        """Press keys on a plane."""
        for key in keys:
            self.page.focus(f'.pane[data-plane="{plane}"] .image')
            self.page.keyboard.press(key)

    def pixels(self, plane: str) -> NDArray[np.uint8]:
        """(rows, columns, 3) of a plane's image."""
        got = self.page.evaluate(
            """(plane) => {
                const canvas = document.querySelector(`.pane[data-plane="${plane}"] .image`);
                const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                return [canvas.height, canvas.width, Array.from(data)];
            }""",
            plane,
        )
        pixels: NDArray[np.uint8] = np.array(got[2], dtype=np.uint8).reshape(got[0], got[1], 4)[..., :3]
        return pixels

    def mark_at(self, plane: str, column: int, row: int) -> list[int]:
        """RGBA of the overlay in the middle of a pixel of the plane."""
        rgba: list[int] = self.page.evaluate(
            """([plane, column, row]) => {
                const pane = document.querySelector(`.pane[data-plane="${plane}"]`);
                const [image, marks] = pane.querySelectorAll("canvas");
                const x = Math.floor((column + 0.5) * marks.width / image.width);
                const y = Math.floor((row + 0.5) * marks.height / image.height);
                return Array.from(marks.getContext("2d").getImageData(x, y, 1, 1).data);
            }""",
            [plane, column, row],
        )
        return rgba


def expected_plane(array: NDArray[Any], plane: str, point: tuple[int, int, int]) -> NDArray[Any]:
    """Rows and columns of a plane of an array (right, anterior, superior), as a radiologist looks at it.

    The patient's right is on the left, anterior on top of the axial plane, superior on top of the two others; the
    sagittal plane has anterior on the left.
    """
    x, y, z = point
    across_down = {"axial": array[:, :, z], "coronal": array[:, y, :], "sagittal": array[x, :, :]}[plane]
    return across_down[::-1, ::-1].T


def grey_of(volume: SavedVolume) -> NDArray[np.float64]:
    """The first channel in 256 levels, as it is stored."""
    share = (volume.image[0] - volume.lower[0]) / (volume.upper[0] - volume.lower[0])
    return np.rint(share.astype(np.float64) * 255)
