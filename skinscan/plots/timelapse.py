"""A course as a moving picture: every session's photo in the frame of the first."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
from PIL import Image

from skinscan.errors import ScanFileError
from skinscan.plots.alignment import chained, frame, framed, similarity_map
from skinscan.plots.lettering import lettered
from skinscan.scan import Pixels, Scan

_WIDTH_PX, _TOP_PX, _PAPER = 640, 56, 255
_FRAME_MS = 1000
#: Of the lossy WebP: skin shows no blocks from here on, and eight frames stay below a megabyte.
_QUALITY = 88


def _pixels(scan: Scan) -> Pixels:
    if scan.pixels is None:
        raise ScanFileError(
            expected="scans with their photos, because a saved scan holds no pixels",
            found="a scan without",
            remedy="Analyze the photos again",
        )
    return scan.pixels


def timelapse(scans: Iterable[tuple[Scan, str]]) -> bytes:
    """Show a course as an animated WebP, a second per session, without end.

    Colours and brightness are the photos' own. The pixels of one session at a time are needed, so
    that a generator may analyze the photos one by one.

    Parameters
    ----------
    scans : iterable of (Scan, str)
        Two or more of one view, fresh from `analyze`, and what is written above each.

    Returns
    -------
    bytes
        640 px wide.

    Raises
    ------
    ScanFileError
        If a Scan has no pixels.
    ValueError
        If there are fewer than two.
    """
    pictures: list[Image.Image] = []
    first: Pixels | None = None
    for scan, title in scans:
        pixels = _pixels(scan)
        first = pixels if first is None else first
        to_canvas, size = frame(first, _WIDTH_PX)
        if pixels is not first:
            to_canvas = chained(to_canvas, similarity_map(first, pixels))
        canvas = np.full((_TOP_PX + size[1], size[0], 3), _PAPER, dtype=np.uint8)
        canvas[_TOP_PX:] = framed(pixels.photo, to_canvas, size)
        titled = lettered(canvas, [((size[0] / 2, _TOP_PX / 2), "mm", title)], size_px=28)
        pictures.append(Image.fromarray(titled))
    if len(pictures) < 2:
        raise ValueError("a time-lapse needs the photos of two sessions or more")
    file = io.BytesIO()
    pictures[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=_FRAME_MS,
        loop=0,
        quality=_QUALITY,
    )
    return file.getvalue()
