"""Photos of one face in one frame: before and after with a slider, or a course in motion.

The component works in the browser only: photos travel inside the page's own connection, as
everything else does, and get no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skinscan.ui import strings
from skinscan.ui.components import component
from skinscan.ui.pictures import data_uri


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One photo as the viewer shows it.

    Attributes
    ----------
    title : str
        On the picture.
    alt : str
        For those who cannot see it.
    plain : bytes
        JPEG.
    lines : bytes or None
        The same with the lines found drawn on it.
    to_frame : ndarray of float64, shape (2, 3)
        Affine map from pixels of the JPEG to those of the frame.
    """

    title: str
    alt: str
    plain: bytes
    lines: bytes | None
    to_frame: NDArray[np.float64]


def _told(photo: Shown) -> dict[str, object]:
    (a, c, e), (b, d, f) = photo.to_frame.tolist()
    return {
        "title": photo.title,
        "alt": photo.alt,
        "plain": data_uri(photo.plain),
        "lines": None if photo.lines is None else data_uri(photo.lines),
        "matrix": [a, b, c, d, e, f],
    }


def _show(
    photos: Sequence[Shown], frame_px: tuple[int, int], *, mode: str, key: str, side: bool = False
) -> None:
    component("viewer")(
        data={
            "frame": list(frame_px),
            "photos": [_told(photo) for photo in photos],
            "mode": mode,
            "side": side,
            "labels": dict(strings.VIEWER),
        },
        key=key,
    )


def pair(before: Shown, after: Shown, *, frame_px: tuple[int, int], side: bool, key: str) -> None:
    """Show two photos: a slider between them, or side by side; enlarged and moved in step.

    Parameters
    ----------
    before, after : Shown
    frame_px : tuple of int
        Width and height.
    side : bool
        Side by side.
    key : str
        Of the widget.
    """
    _show((before, after), frame_px, mode="pair", side=side, key=key)


def still(jpeg: bytes, *, alt: str) -> Shown:
    """Take a picture that fills its frame and bears its own title."""
    return Shown(title="", alt=alt, plain=jpeg, lines=None, to_frame=np.eye(2, 3))


def single(picture: Shown, *, frame_px: tuple[int, int], key: str) -> None:
    """Show one picture that can be enlarged and moved.

    Parameters
    ----------
    picture : Shown
    frame_px : tuple of int
        Width and height.
    key : str
        Of the widget.
    """
    _show((picture,), frame_px, mode="single", key=key)


def motion(photos: Sequence[Shown], *, frame_px: tuple[int, int], key: str) -> None:
    """Show a course one photo after another, standing still until somebody starts it.

    Parameters
    ----------
    photos : sequence of Shown
    frame_px : tuple of int
        Width and height.
    key : str
        Of the widget.
    """
    _show(photos, frame_px, mode="course", key=key)
