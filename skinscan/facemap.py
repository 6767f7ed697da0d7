"""Face + Photo -> FaceMap: the photo rectified into the canonical face frame.

The mapping from map to photo is affine inside each triangle of the mesh. It is
tabulated on a grid of `GRID_PX_MM` and interpolated, so that rectifying costs one
``cv2.remap`` at any level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.colour import log_light, luminance_of_codes, to_linear
from skinscan.covers import Covers
from skinscan.frame import (
    GRID_PX_MM,
    LEVELS_PX_MM,
    atlas_mesh,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.landmarks import Face
from skinscan.mesh import canonical_mesh
from skinscan.native import F32, I32, I64, INT, INT64, kernel, stride
from skinscan.photo import Photo
from skinscan.resizing import (
    linear_places,
    resized_above,
    resized_area,
    resized_linear,
    shrunk_codes,
)
from skinscan.skinmask import skin_mask

_SAMPLED = kernel(
    *("sampled", F32, INT, INT, INT, INT, F32, F32, INT, I32, F32, I32, F32),
    *(INT, INT, F32, F32),
)  # picture; places on the grid, and between its pixels; size, room to work, result

_INTERPOLATED = kernel(
    "interpolated", I32, F32, F32, I64, INT64, INT, F32
)  # vertices, weights, values, places; their number, result

#: A surface turned further than this from the camera is foreshortened beyond use.
_STEEPEST_DEG = 70.0
#: A point this far behind the front surface at the same pixel is hidden.
_HIDDEN_MM = 6.0
#: A photo may fall short of a level by this factor and still be measured there. The canonical
#: mm is about 6 % shorter than a true mm (pupil distance 66.8 instead of 62 to 63 mm over 51
#: adults), and faces differ in size by as much again.
LEVEL_TOLERANCE = 0.85
#: Codes from which green counts as clipped. Green is the middle channel of skin: where it
#: clips, red did before. A pixel is left out when this share of its surroundings is clipped.
_CLIPPED_CODE, _CLIPPED_SHARE = 252, 0.25
#: The next number below: what is above this is at least that share.
_NEARLY_CLIPPED_SHARE = float(np.nextafter(np.float32(_CLIPPED_SHARE), np.float32(0.0)))
#: Finest level at which colour is kept.
COLOUR_LEVEL_PX_MM = 3.0

#: Vertices whose motion the extended forehead follows: forehead and brows.
_FOREHEAD_FIT = (
    10, 338, 297, 332, 284, 109, 67, 103, 54, 151, 337, 299, 333, 298,
    108, 69, 104, 68, 9, 336, 296, 334, 107, 66, 105, 8,
)  # fmt: skip


def atlas_points_px(face: Face) -> NDArray[np.float64]:
    """Photo position and depth of every atlas vertex: shape (V, 3), x, y, z in px."""
    mesh = canonical_mesh()
    atlas = atlas_mesh()
    count = len(mesh.vertices_mm)
    seen = np.column_stack([face.landmarks_px[:count], face.depth_px[:count]])
    # The forehead beyond the mesh moves as one piece with the forehead inside it.
    fit = np.array(_FOREHEAD_FIT)
    design = np.column_stack([mesh.vertices_mm[fit], np.ones(len(fit))])
    # Brows lift and lower; shrinking towards the rigid pose keeps the affine fit stable.
    rigid = _rigid_points(face)
    residual = seen[fit] - rigid[fit]
    ridge = np.diag([40.0, 40.0, 40.0, 1e-6]) ** 2
    affine = np.linalg.solve(design.T @ design + ridge, design.T @ residual)
    extra = atlas.vertices_mm[count:]
    moved = rigid[count:] + np.column_stack([extra, np.ones(len(extra))]) @ affine
    edge_design = np.column_stack([mesh.vertices_mm, np.ones(count)])
    step = seen - (rigid[:count] + edge_design @ affine)
    return np.vstack([seen, moved + step[atlas.extension_base]])


def _rigid_points(face: Face) -> NDArray[np.float64]:
    """Atlas vertices under the rigid pose of the face: shape (V, 3), px."""
    mesh = canonical_mesh()
    atlas = atlas_mesh()
    turned = atlas.vertices_mm @ face.rotation.T * face.scale_mesh_px_mm
    points = turned * np.array([1.0, -1.0, 1.0])
    seen = np.column_stack([face.landmarks_px[:468], face.depth_px[:468]])
    weight = mesh.fit_weight / mesh.fit_weight.sum()
    offset = weight @ (seen[mesh.fit_index] - points[mesh.fit_index])
    return np.asarray(points + offset)


def _facing(points: NDArray[np.float64], triangles: NDArray[np.int32]) -> NDArray[np.float64]:
    """Cosine between the surface normal at each vertex and the direction to the camera."""
    corner = (points * np.array([1.0, -1.0, 1.0]))[triangles]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, triangles[:, k], normal)
    return np.asarray(total[:, 2] / np.maximum(np.linalg.norm(total, axis=1), 1e-9))


@dataclass(frozen=True, eq=False)
class _Corners:
    """The three vertices of each grid point inside the face, and their weights.

    ``vertex`` and ``weight`` have shape (points, 3), ``place``, the flat index in the grid,
    (points,).
    """

    vertex: NDArray[np.int32]
    weight: NDArray[np.float32]
    place: NDArray[np.int64]


@cache
def _corners() -> _Corners:
    atlas = atlas_mesh()
    inside = atlas.grid_triangle >= 0
    return _Corners(
        np.ascontiguousarray(atlas.triangles[atlas.grid_triangle[inside]], dtype=np.int32),
        np.ascontiguousarray(atlas.grid_weights[inside], dtype=np.float32),
        np.flatnonzero(inside).astype(np.int64),
    )


def _on_grid(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Interpolate per-vertex values, shape (V, C), on the grid: (rows, columns, C)."""
    corners, given = _corners(), np.ascontiguousarray(values, dtype=np.float32)
    channels = given.shape[1]
    result = np.full((*map_size(GRID_PX_MM), channels), np.nan, dtype=np.float32)
    if _INTERPOLATED is not None:
        points = (corners.vertex, corners.weight, given, corners.place)
        _INTERPOLATED(*points, len(corners.place), channels, result)
        return result
    found = sum(corners.weight[:, k, None] * given[corners.vertex[:, k]] for k in range(3))
    result.reshape(-1, channels)[corners.place] = found
    return result


def _hidden(
    grid_px: NDArray[np.float32], depth: NDArray[np.float32], scale_px_mm: float
) -> NDArray[np.bool_]:
    """Mark grid points behind another part of the face (z-buffer with cells of 1.5 mm)."""
    cell = 1.5 * scale_px_mm
    known = np.isfinite(depth)
    x, y = (np.floor(grid_px[..., k][known] / cell).astype(np.int64) for k in (0, 1))
    x -= x.min()
    key = (y - y.min()) * (x.max() + 1) + x
    z = depth[known]
    front = np.full(int(key.max()) + 1, -np.inf, dtype=np.float32)
    np.maximum.at(front, key, z)
    hidden = np.zeros(depth.shape, dtype=bool)
    hidden[known] = z < front[key] - _HIDDEN_MM * scale_px_mm
    return hidden


@dataclass(frozen=True, eq=False)
class Layer:
    """The FaceMap at one resolution level.

    Attributes
    ----------
    level_px_mm : float
    linear : ndarray of float32, shape (rows, columns, 3), or None
        Linear sRGB light; kept up to `COLOUR_LEVEL_PX_MM`, since skin colour varies slowly.
    log_y : ndarray of float32, shape (rows, columns)
        100·ln Y, Y the relative luminance: differences are contrasts in %.
    skin : ndarray of bool, shape (rows, columns)
        True where skin is seen, facing the camera and not clipped.
    """

    level_px_mm: float
    linear: NDArray[np.float32] | None
    log_y: NDArray[np.float32]
    skin: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FaceMap:
    """A face rectified into the canonical frame.

    Attributes
    ----------
    grid_px : ndarray of float32, shape (rows, columns, 2)
        Pixel of the full-size photo shown at each grid point; beyond the face it
        continues smoothly.
    facing : ndarray of float32, shape (rows, columns)
        Cosine between surface normal and viewing direction; NaN outside the face.
    visible : ndarray of bool, shape (rows, columns)
        True where the surface faces the camera, is not hidden and lies in the photo.
    skin : ndarray of bool, shape (rows, columns)
        ``visible`` without eyes, brows, lips, nostrils, hair, glasses, clipped light.
    clipped : ndarray of bool, shape (rows, columns)
        Visible but over-exposed.
    covers : Covers
        Where thin things lie over the skin: rims of glasses, strands of hair, stubble.
    resolution_px_mm : float
        Pixels per canonical mm that the photo really has.
    layers : Mapping[float, Layer]
        By level, every level up to the photo's own, the lowest always present.
    """

    grid_px: NDArray[np.float32]
    facing: NDArray[np.float32]
    visible: NDArray[np.bool_]
    skin: NDArray[np.bool_]
    clipped: NDArray[np.bool_]
    covers: Covers
    resolution_px_mm: float
    layers: Mapping[float, Layer]

    @property
    def top_level(self) -> float:
        """Highest level present."""
        return max(self.layers)

    def to_photo_px(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map canonical mm, shape (N, 2), to pixels of the full-size photo, shape (N, 2)."""
        return _sample_grid(self.grid_px, points_mm)

    def to_map_mm(self, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map pixels of the full-size photo, shape (N, 2), to canonical mm.

        Points off the face give NaN.
        """
        from scipy.spatial import cKDTree  # noqa: PLC0415 - measuring needs no tree

        points = np.asarray(points_px, dtype=np.float64).reshape(-1, 2)
        rows, columns = np.nonzero(self.visible)
        if not len(rows) or not len(points):
            return np.full(points.shape, np.nan)
        nodes = self.grid_px[rows, columns].astype(np.float64)
        distance, nearest = cKDTree(nodes).query(points)
        guess = map_px_to_mm(
            np.column_stack([columns[nearest], rows[nearest]]).astype(np.float64), GRID_PX_MM
        )
        step = 0.25
        for _ in range(6):
            here = self.to_photo_px(guess)
            dx = (self.to_photo_px(guess + np.array([step, 0.0])) - here) / step
            dy = (self.to_photo_px(guess + np.array([0.0, step])) - here) / step
            miss = points - here
            det = dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0]
            det = np.where(np.abs(det) < 1e-9, np.nan, det)
            move = (
                np.column_stack(
                    [
                        miss[:, 0] * dy[:, 1] - miss[:, 1] * dy[:, 0],
                        miss[:, 1] * dx[:, 0] - miss[:, 0] * dx[:, 1],
                    ]
                )
                / det[:, None]
            )
            guess = guess + np.clip(move, -1.0, 1.0)
        guess[distance > 2.0 * self.resolution_px_mm] = np.nan
        return guess


def _sample_grid(grid: NDArray[np.float32], points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear lookup of a grid at canonical mm, in double precision."""
    at = mm_to_map_px(np.asarray(points_mm, dtype=np.float64).reshape(-1, 2), GRID_PX_MM)
    rows, columns = grid.shape[:2]
    u = np.clip(at[:, 0], 0, columns - 1.001)
    v = np.clip(at[:, 1], 0, rows - 1.001)
    u = np.nan_to_num(u)
    v = np.nan_to_num(v)
    c, r = np.floor(u).astype(int), np.floor(v).astype(int)
    fu, fv = (u - c)[:, None], (v - r)[:, None]
    top = grid[r, c] * (1 - fu) + grid[r, c + 1] * fu
    low = grid[r + 1, c] * (1 - fu) + grid[r + 1, c + 1] * fu
    result = np.asarray(top * (1 - fv) + low * fv, dtype=np.float64)
    result[~np.isfinite(at).all(axis=1)] = np.nan
    return result


@cache
def _nearest_inside() -> NDArray[np.intp]:
    """Flat index of the nearest grid point inside the face, for every grid point."""
    outside = atlas_mesh().grid_triangle < 0
    _, labels = cv2.distanceTransformWithLabels(
        outside.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(int(labels.max()) + 1, dtype=np.intp)
    lookup[labels[~outside]] = np.flatnonzero(~outside)
    return np.asarray(lookup[labels])


def _continued(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what lies outside the face from the nearest grid point inside."""
    return np.take(values.reshape(-1, values.shape[2]), _nearest_inside(), axis=0)


def levels_for(resolution_px_mm: float) -> tuple[float, ...]:
    """Levels at which a photo of this resolution is measured; never empty.

    Parameters
    ----------
    resolution_px_mm : float
        Pixels per canonical mm in the full-size photo.

    Returns
    -------
    tuple of float
        Ascending. The lowest level is always present; measurements there carry
        the flag ``low_resolution`` when the photo falls short of it.
    """
    fitting = [lv for lv in LEVELS_PX_MM if resolution_px_mm >= lv * LEVEL_TOLERANCE]
    return tuple(fitting) or LEVELS_PX_MM[:1]


def _crop_for_level(
    photo: Photo, grid_photo: NDArray[np.float32], inside: NDArray[np.bool_], ratio: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Cut the face out and shrink it to about the level's sampling (area average).

    Sampling a finer photo directly would alias, and would make the same skin
    rougher in a photo with more pixels.
    """
    height, width = photo.rgb.shape[:2]
    ends = [cv2.minMaxLoc(axis, inside.view(np.uint8))[:2] for axis in cv2.split(grid_photo)]
    low = np.floor([least for least, _ in ends]).astype(int) - 8
    high = np.ceil([most for _, most in ends]).astype(int) + 9
    x0, y0 = np.clip(low, 0, [width - 1, height - 1])
    x1, y1 = np.clip(high, [x0 + 1, y0 + 1], [width, height])
    crop = photo.rgb[y0:y1, x0:x1]
    moved = grid_photo - np.array([x0, y0], dtype=np.float32)
    if ratio > 1.05:
        size = (max(round(crop.shape[1] / ratio), 1), max(round(crop.shape[0] / ratio), 1))
        factor = np.array([size[0] / crop.shape[1], size[1] / crop.shape[0]], dtype=np.float32)
        crop = shrunk_codes(crop, size[1], size[0])
        moved = (moved + 0.5) * factor - 0.5
    return crop, moved


def _remapped(crop: NDArray[Any], crop_px: NDArray[np.float32], level: float) -> NDArray[Any]:
    """Sample a picture at ``crop_px`` (given on the grid) to a FaceMap at ``level``."""
    rows, columns = map_size(level)
    x, y = (np.ascontiguousarray(crop_px[..., k]) for k in (0, 1))
    if _SAMPLED is not None and columns % 4 == 0:
        codes = crop.ndim == 3
        picture = np.stack(cv2.split(crop)).astype(np.float32) if codes else crop[None]
        places = (*linear_places(x.shape[1], columns), *linear_places(x.shape[0], rows))
        room = np.empty(6 * columns, dtype=np.float32)
        result: NDArray[np.float32] = np.empty((len(picture), rows, columns), dtype=np.float32)
        grid = (x, y, stride(x))
        size = (rows, columns, room, result)
        _SAMPLED(picture, stride(picture[0]), *picture.shape, *grid, *places, *size)
        if not codes:
            return np.asarray(result[0])
        # Adding nothing rounds and cuts off as cv2.remap does.
        whole = [cv2.add(plane, 0.0, dtype=cv2.CV_8U) for plane in result]  # type: ignore[call-overload]
        return np.asarray(cv2.merge(whole))
    # Axis by axis: one array of both would be too large for the allocator to reuse.
    x, y = (resized_linear(axis, rows, columns) for axis in (x, y))
    return np.asarray(
        cv2.remap(crop, x, y, interpolation=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def _colour_layers(
    crop: NDArray[np.uint8], crop_px: NDArray[np.float32], top: float
) -> tuple[dict[float, NDArray[np.float32]], NDArray[np.bool_]]:
    """Linear light at the levels that keep colour, and what is clipped at the finest of them."""
    start = min(top, COLOUR_LEVEL_PX_MM)
    factor = start / top
    size = (max(round(crop.shape[1] * factor), 1), max(round(crop.shape[0] * factor), 1))
    small = shrunk_codes(crop, size[1], size[0])
    scale = np.array([size[0] / crop.shape[1], size[1] / crop.shape[0]], dtype=np.float32)
    codes = _remapped(small, (crop_px + 0.5) * scale - 0.5, start)
    linear = to_linear(codes)
    over = codes[..., 1] >= _CLIPPED_CODE
    return {start: linear, GRID_PX_MM: resized_area(linear, *map_size(GRID_PX_MM))}, over


def rectify(photo: Photo, face: Face, *, levels: Sequence[float] | None = None) -> FaceMap:
    """Rectify a photo into the canonical face frame.

    Parameters
    ----------
    photo : Photo
        May be decoded at reduced size.
    face : Face
        Found in the same photo at any reduction.
    levels : sequence of float, optional
        Levels in px/mm; by default all that the photo resolves.

    Returns
    -------
    FaceMap
    """
    points = atlas_points_px(face)
    atlas = atlas_mesh()
    facing_vertex = _facing(points, atlas.triangles)
    grid = _on_grid(np.column_stack([points, facing_vertex]))
    known = atlas.grid_triangle >= 0
    grid_px = _continued(grid[..., :2])
    facing = grid[..., 3]
    hidden = _hidden(grid[..., :2], grid[..., 2], face.scale_mesh_px_mm)
    width, height = photo.full_size_px
    in_photo = (
        (grid_px[..., 0] >= 0)
        & (grid_px[..., 1] >= 0)
        & (grid_px[..., 0] <= width - 1)
        & (grid_px[..., 1] <= height - 1)
    )
    with np.errstate(invalid="ignore"):
        visible = known & ~hidden & in_photo & (facing > np.cos(np.radians(_STEEPEST_DEG)))

    resolution = face.scale_mesh_px_mm
    chosen = tuple(levels) if levels is not None else levels_for(resolution)
    top = max(chosen)
    decoded_px_mm = resolution * photo.rgb.shape[1] / width
    grid_photo = photo.from_full_px(grid_px.reshape(-1, 2)).reshape(grid_px.shape)
    crop, moved = _crop_for_level(
        photo, grid_photo.astype(np.float32), visible, decoded_px_mm / top
    )
    light = _remapped(luminance_of_codes(crop), moved, top)
    colour, over = _colour_layers(crop, moved, top)
    clipped_grid = resized_above(over, *map_size(GRID_PX_MM), share=_CLIPPED_SHARE) & visible
    any_clipped = bool(clipped_grid.any())
    finest_colour = max(colour)
    skin, covers = skin_mask(
        colour[GRID_PX_MM],
        visible=visible,
        clipped=clipped_grid,
        fine=colour[finest_colour],
        fine_level=finest_colour,
    )
    lights, masks = {}, {}
    for level in sorted(chosen, reverse=True):
        # Averages of averages are averages: each level is made from the one above it.
        size = map_size(level)
        lights[level] = light = resized_area(light, *size)
        mask = resized_above(skin, *size, share=0.5)
        if any_clipped:
            mask &= ~resized_above(over, *size, share=_NEARLY_CLIPPED_SHARE)
        masks[level] = mask
    layers = {
        level: Layer(level, colour.get(level), log_light(of_level, out=of_level), masks[level])
        for level, of_level in sorted(lights.items())
    }
    return FaceMap(
        grid_px=grid_px,
        facing=facing,
        visible=visible,
        skin=skin,
        clipped=clipped_grid,
        covers=covers,
        resolution_px_mm=resolution,
        layers=MappingProxyType(layers),
    )
