"""The canonical face frame: coordinates, levels, and the mesh tabulated on a grid.

The frame is the frontal orthographic view of the canonical mesh: x in mm towards the
subject's left (right in the picture), y in mm upwards. A map pixel (column u, row v)
at ``level`` px/mm has its centre at

    x = LEFT_MM + (u + 0.5) / level,    y = TOP_MM - (v + 0.5) / level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.mesh import canonical_mesh

#: Resolution levels of every measurement, px/mm (design, section 8).
LEVELS_PX_MM = (2.0, 3.0, 4.5, 6.0, 9.0)

LEFT_MM, RIGHT_MM = -80.0, 80.0
BOTTOM_MM, TOP_MM = -98.0, 118.0

#: Sampling of the tabulated mapping and of the masks that come from geometry.
GRID_PX_MM = 2.0

#: Upper edge of the mesh from the subject's right temple to the left one.
_UPPER_EDGE = (54, 103, 67, 109, 10, 338, 297, 332, 284)
#: How far the forehead is extended beyond each vertex of the upper edge, mm along the skin.
_EXTENSION_MM = (14.0, 22.0, 28.0, 31.0, 32.0, 31.0, 28.0, 22.0, 14.0)
_EXTENSION_ROWS = 4


def map_size(level: float) -> tuple[int, int]:
    """Rows and columns of a FaceMap at ``level`` px/mm."""
    return round((TOP_MM - BOTTOM_MM) * level), round((RIGHT_MM - LEFT_MM) * level)


def mm_to_map_px(points_mm: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Convert canonical mm, shape (..., 2), to FaceMap pixels (column, row)."""
    points = np.asarray(points_mm, dtype=np.float64)
    return np.stack(
        [(points[..., 0] - LEFT_MM) * level - 0.5, (TOP_MM - points[..., 1]) * level - 0.5], axis=-1
    )


def map_px_to_mm(points_px: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Convert FaceMap pixels (column, row), shape (..., 2), to canonical mm."""
    points = np.asarray(points_px, dtype=np.float64)
    return np.stack(
        [LEFT_MM + (points[..., 0] + 0.5) / level, TOP_MM - (points[..., 1] + 0.5) / level], axis=-1
    )


@dataclass(frozen=True, eq=False)
class AtlasMesh:
    """Canonical mesh with the forehead extended, and its lookup on the grid.

    Attributes
    ----------
    vertices_mm : ndarray of float64, shape (V, 3)
        The 468 canonical vertices followed by those of the extension.
    triangles : ndarray of int32, shape (T, 3)
    extension_base : ndarray of int32, shape (V - 468,)
        For each added vertex, the vertex of the mesh's edge that it continues.
    grid_triangle : ndarray of int32, shape (rows, columns)
        Front-most triangle at each grid pixel, -1 outside the face.
    grid_weights : ndarray of float32, shape (rows, columns, 3)
        Barycentric weights in that triangle.
    """

    vertices_mm: NDArray[np.float64]
    triangles: NDArray[np.int32]
    extension_base: NDArray[np.int32]
    grid_triangle: NDArray[np.int32]
    grid_weights: NDArray[np.float32]


def _extension() -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
    """Vertices, triangles and base vertices that continue the forehead upwards."""
    mesh = canonical_mesh()
    edge = mesh.vertices_mm[list(_UPPER_EDGE)]
    columns = len(_UPPER_EDGE)
    rows = []
    for k in range(1, _EXTENSION_ROWS + 1):
        arc = np.array(_EXTENSION_MM) * k / _EXTENSION_ROWS
        # The skull turns backwards above the forehead: about 35° at the edge, 1° more per mm.
        slope = np.radians(35.0 + 0.5 * arc)
        spread = edge[:, 0] * (arc / 400.0)
        rows.append(
            np.column_stack(
                [
                    edge[:, 0] + spread,
                    edge[:, 1] + arc * np.cos(slope),
                    edge[:, 2] - arc * np.sin(slope),
                ]
            )
        )
    first = len(mesh.vertices_mm)
    index = np.vstack(
        [np.array(_UPPER_EDGE), first + np.arange(columns * _EXTENSION_ROWS).reshape(-1, columns)]
    )
    triangles = []
    for r in range(_EXTENSION_ROWS):
        for c in range(columns - 1):
            a, b = index[r, c], index[r, c + 1]
            d, e = index[r + 1, c], index[r + 1, c + 1]
            triangles += [(a, b, e), (a, e, d)]
    base = np.tile(np.array(_UPPER_EDGE), _EXTENSION_ROWS)
    return np.vstack(rows), np.array(triangles, dtype=np.int32), base.astype(np.int32)


@cache
def atlas_mesh() -> AtlasMesh:
    """Build the extended canonical mesh and its grid lookup, once per process."""
    mesh = canonical_mesh()
    extra, extra_triangles, base = _extension()
    vertices = np.vstack([mesh.vertices_mm, extra])
    triangles = np.vstack([mesh.triangles, extra_triangles])
    corners = vertices[triangles]
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    front = np.cross(ab, ac)[:, 2] > 0
    rows, columns = map_size(GRID_PX_MM)
    index = np.full((rows, columns), -1, dtype=np.int32)
    px = mm_to_map_px(corners[..., :2], GRID_PX_MM)
    shift = 6
    for t in np.argsort(corners[..., 2].mean(axis=1)):
        if front[t]:
            outline = np.round(px[t] * 2**shift).astype(np.int32)
            cv2.fillConvexPoly(index, outline, int(t), lineType=cv2.LINE_8, shift=shift)
    v, u = np.nonzero(index >= 0)
    p = map_px_to_mm(np.column_stack([u, v]).astype(np.float64), GRID_PX_MM)
    tri = index[v, u]
    a, e1, e2 = corners[tri, 0, :2], ab[tri, :2], ac[tri, :2]
    d = p - a
    det = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    w1 = (d[:, 0] * e2[:, 1] - d[:, 1] * e2[:, 0]) / det
    w2 = (e1[:, 0] * d[:, 1] - e1[:, 1] * d[:, 0]) / det
    weights = np.zeros((rows, columns, 3), dtype=np.float32)
    weights[v, u] = np.column_stack([1 - w1 - w2, w1, w2])
    return AtlasMesh(vertices, triangles, base, index, weights)
