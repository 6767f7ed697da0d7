"""The picture that shows what was measured: mesh, regions and lines drawn on the photo."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.facemap import FaceMap
from skinscan.landmarks import Face
from skinscan.mesh import canonical_mesh
from skinscan.metrics import Wrinkle
from skinscan.photo import Photo
from skinscan.regions import regions

#: Longest side of an overlay in px.
LARGEST_SIDE_PX = 1600

_SHIFT = 4
#: Okabe & Ito's colours, which colour-blind people can tell apart (jfly.uni-koeln.de/color).
_LINE_COLOUR = (213, 94, 0)
_FINE_COLOUR = (240, 228, 66)
_REGION_COLOUR = (0, 158, 115)
_MESH_COLOUR = (200, 200, 200)
_FINE_BELOW_MM = 0.5


def _to_canvas(points: NDArray[np.float64], factor: float) -> NDArray[np.int32]:
    moved = (points + 0.5) * factor - 0.5
    return np.asarray(np.round(moved * 2**_SHIFT), dtype=np.int32)


def draw_overlay(
    photo: Photo,
    face: Face,
    facemap: FaceMap,
    wrinkles: Sequence[Wrinkle],
    *,
    mesh: bool = False,
    outlines: bool = True,
    lines: bool = True,
) -> NDArray[np.uint8]:
    """Draw on a copy of the photo.

    Parameters
    ----------
    photo, face, facemap, wrinkles
        What one analysis found.
    mesh : bool
        Draw the landmark mesh.
    outlines : bool
        Draw the outlines of the regions.
    lines : bool
        Draw the lines that were found: fine lines yellow, wider ones vermilion.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB, longest side at most `LARGEST_SIDE_PX`.
    """
    full = max(photo.full_size_px)
    factor = min(1.0, LARGEST_SIDE_PX / full, photo.rgb.shape[1] / photo.full_size_px[0])
    size = (round(photo.full_size_px[0] * factor), round(photo.full_size_px[1] * factor))
    canvas = np.array(cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    thin = 1
    wide = max(1, round(0.25 * facemap.resolution_px_mm * factor))

    def draw(
        points: NDArray[np.float64], colour: tuple[int, int, int], *, closed: bool, thick: int
    ) -> None:
        cv2.polylines(
            canvas,
            [_to_canvas(points, factor)],
            closed,
            colour,
            thickness=thick,
            lineType=cv2.LINE_AA,
            shift=_SHIFT,
        )

    if mesh:
        for triangle in canonical_mesh().triangles:
            draw(face.landmarks_px[triangle], _MESH_COLOUR, closed=True, thick=thin)
    if outlines:
        for region in regions().values():
            if region.part_of is None and region.seen_from(face.view):
                dense = _dense(region.outline_mm)
                draw(facemap.to_photo_px(dense), _REGION_COLOUR, closed=True, thick=thin)
    if lines:
        for wrinkle in wrinkles:
            colour = _FINE_COLOUR if wrinkle.width_mm < _FINE_BELOW_MM else _LINE_COLOUR
            draw(wrinkle.points_px, colour, closed=False, thick=wide)
    return canvas


def _dense(outline_mm: NDArray[np.float64], step_mm: float = 2.0) -> NDArray[np.float64]:
    """Put points along the sides of a polygon, which are not straight on the photo."""
    pieces = []
    for start, end in zip(outline_mm, np.roll(outline_mm, -1, axis=0), strict=True):
        count = max(1, int(np.hypot(*(end - start)) / step_mm))
        share = np.arange(count)[:, None] / count
        pieces.append(start * (1 - share) + end * share)
    return np.vstack(pieces)
