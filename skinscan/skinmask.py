"""Where a FaceMap shows skin: not eyes, brows, lips, nostrils, hair, glasses or glare.

Eyes, brows, lips and nostrils follow the landmarks, so that in the canonical frame their
outlines are constant. Hair, beard, glasses, hands and background are found by how
their brightness, colour and grain differ from the face's own skin.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.colour import DARKEST, luminance
from skinscan.covers import Covers, find_covers
from skinscan.frame import (
    BOTTOM_MM,
    GRID_PX_MM,
    LEFT_MM,
    RIGHT_MM,
    TOP_MM,
    atlas_mesh,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.native import BOOL, DOUBLE, F64, INT, INT64, U8, kernel, stride
from skinscan.pixels import disc, gaussian, median

_SUMS = kernel(
    "trend_sums", F64, INT, INT64, F64, F64, DOUBLE, BOOL, F64, F64
)  # terms, their number, values, residuals, what has weight, sums
_RESIDUAL = kernel("trend_residual", F64, INT, INT64, F64, F64, F64)
_MEDIANS = kernel("window_medians", U8, INT, INT, INT, INT, U8)
#: Pixels that the loop for medians may read beyond the last window.
_MEDIANS_ROOM = 64

#: Lid margins, brows and nostrils of the subject's right side, outer lip contour.
EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
_NOSTRIL = (166, 218, 237, 238, 242, 99, 60, 240, 235)
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)

#: Outline and margin in mm. The margins cover lashes, stray brow hairs and the lip's soft edge.
_FEATURES = ((EYE, 2.5), (_BROW, 2.5), (_NOSTRIL, 1.0), (_LIPS, 1.5))

#: Skin that is hardly ever covered: cheeks, bridge of the nose, middle of forehead and chin.
_CORE = (
    (117, 118, 119, 100, 36, 205, 50),
    (346, 347, 348, 329, 266, 425, 280),
    (193, 168, 417, 419, 248, 281, 5, 51, 3, 196),
    (108, 151, 337, 336, 9, 107),
)

#: Accepted deviation from the face's own skin: 100·ln of luminance and of colour ratios.
_DARKEST, _BRIGHTEST = -95.0, 90.0
#: In the middle of the bare zone darkness alone is no hair: the side of a face that a lamp does
#: not reach still has a sixth of the light of the other side. Colour and grain must agree there.
_DARKEST_BARE, _BARE_HALF_MM = -180.0, 45.0
#: Dark valleys up to twice this wide with bright shoulders are folds; between these heights, mm,
#: they may be rims of glasses too, and stay out.
_FOLD_MM = 2.0
_RIMS_LOW_MM, _RIMS_HIGH_MM = 0.0, 46.0
_COLOUR_FLOOR = 9.0
_COLOUR_SIGMAS = 4.5
#: Grain (median detail within 4.5 mm) above which a patch is hair: relative to the core's own,
#: and at least. Where fringe, moustache and beard grow little is tolerated; around eyes and cheeks,
#: where wrinkles are dense and hair is rare, much.
_GRAIN_HAIRY, _GRAIN_BARE = (3.5, 6.0), (7.0, 12.0)
#: Upper and lower end of the bare zone, and the moustache inside it: y below, |x| within, mm.
_BARE_TOP_MM, _BARE_BOTTOM_MM = 46.0, -38.0
_MOUSTACHE_TOP_MM, _MOUSTACHE_HALF_MM = -12.0, 24.0
#: The two walls of a fold make a band of grain narrower than twice this, with skin on both sides;
#: hair grows in patches, or goes on beyond the outline or into what is too dark or off colour.
_GRAIN_BAND_MM = 2.5


def fill_outline(
    points_mm: NDArray[np.float64], level: float, *, window: tuple[slice, slice] | None = None
) -> NDArray[np.uint8]:
    """Rasterise a polygon at ``level`` px/mm (0 or 1).

    Parameters
    ----------
    points_mm : ndarray of float64, shape (N, 2)
        Canonical mm.
    level : float
    window : tuple of slice, optional
        Only these rows and columns of the FaceMap, all of it by default.

    Returns
    -------
    ndarray of uint8, shape of the window or ``map_size(level)``
    """
    rows, columns = map_size(level)
    down, across = window or (slice(0, rows), slice(0, columns))
    canvas = np.zeros((down.stop - down.start, across.stop - across.start), dtype=np.uint8)
    shift = 4
    outline = np.round(mm_to_map_px(points_mm, level) * 2**shift).astype(np.int32)
    outline -= np.array([across.start, down.start], dtype=np.int32) << shift
    cv2.fillPoly(canvas, [outline], 1, lineType=cv2.LINE_8, shift=shift)
    return canvas


@cache
def mirror_index() -> NDArray[np.int32]:
    """For each atlas vertex the vertex on the other side of the face."""
    points = atlas_mesh().vertices_mm
    flipped = points * np.array([-1.0, 1.0, 1.0])
    # Squared distance, but for a part that is the same for all.
    distance = (flipped**2).sum(axis=1) - 2.0 * points @ flipped.T
    return np.asarray(distance.argmin(axis=1), dtype=np.int32)


def _disc(radius_mm: float) -> NDArray[np.uint8]:
    return disc(radius_mm * GRID_PX_MM)


@cache
def feature_mask() -> NDArray[np.bool_]:
    """Eyes, brows, nostrils and lips with their margins, on the grid."""
    vertices = atlas_mesh().vertices_mm[:, :2]
    mirror = mirror_index()
    result = np.zeros(map_size(GRID_PX_MM), dtype=np.uint8)
    for outline, margin in _FEATURES:
        for index in (np.array(outline), mirror[list(outline)]):
            grown = cv2.dilate(fill_outline(vertices[index], GRID_PX_MM), _disc(margin))
            result |= np.asarray(grown, dtype=np.uint8)
    return np.asarray(result > 0)


@cache
def _core_mask() -> NDArray[np.bool_]:
    vertices = atlas_mesh().vertices_mm[:, :2]
    result = np.zeros(map_size(GRID_PX_MM), dtype=np.uint8)
    for outline in _CORE:
        result |= fill_outline(vertices[list(outline)], GRID_PX_MM)
    return np.asarray(result > 0)


@cache
def _positions() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Place of each column, x, and of each row, y, of the grid; 1 is 80 mm."""
    rows, columns = map_size(GRID_PX_MM)
    x = np.linspace(-1, 1, columns, dtype=np.float32) * (RIGHT_MM - LEFT_MM) / 160.0
    y = np.linspace(1, -1, rows, dtype=np.float32) * (TOP_MM - BOTTOM_MM) / 160.0
    return x.astype(np.float32), y.astype(np.float32)


@cache
def _position_terms() -> NDArray[np.float32]:
    """Polynomial terms 1, x, y, x², xy, y² over the grid."""
    xx, yy = np.meshgrid(*_positions())
    return np.stack([np.ones_like(xx), xx, yy, xx * xx, xx * yy, yy * yy], axis=-1)


@cache
def _design(count: int, step: int) -> NDArray[np.float64]:
    """First ``count`` position terms at every ``step``-th grid pixel, shape (count, N)."""
    terms = _position_terms()[::step, ::step, :count]
    return np.ascontiguousarray(terms.reshape(-1, count).T, dtype=np.float64)


@cache
def _bare_zone() -> NDArray[np.bool_]:
    """Where hair hardly ever lies on the face, on the grid."""
    places = _places()
    x, y = np.abs(places[..., 0]), places[..., 1]
    bare = (y < _BARE_TOP_MM) & (y > _BARE_BOTTOM_MM)
    return np.asarray(bare & ~((y < _MOUSTACHE_TOP_MM) & (x < _MOUSTACHE_HALF_MM)))


@cache
def _places() -> NDArray[np.float64]:
    """Position (x, y) of each grid pixel, canonical mm, shape (rows, columns, 2)."""
    v, u = np.indices(map_size(GRID_PX_MM)).astype(np.float64)
    return map_px_to_mm(np.stack([u, v], axis=-1), GRID_PX_MM)


def _too_dark(light: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Darker than skin is, even in a fold or in the face's own shadow.

    ``light`` is 100·ln of luminance relative to the face's own trend, on the grid.
    """
    x, y = np.moveaxis(_places(), -1, 0)
    filled = cv2.morphologyEx(light, cv2.MORPH_CLOSE, _disc(_FOLD_MM))
    thin = (light <= _DARKEST) & (filled > _DARKEST)
    shaded = _bare_zone() & (np.abs(x) < _BARE_HALF_MM)
    dark = filled <= np.where(shaded, _DARKEST_BARE, _DARKEST)
    return np.asarray(dark | (thin & (y > _RIMS_LOW_MM) & (y < _RIMS_HIGH_MM)))


def _weighted_sums(
    design: NDArray[np.float64],
    value: NDArray[np.float64],
    residual: NDArray[np.float64],
    cut: float,
    used: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum terms by terms and by values for the fit of ``design`` with Tukey's weights."""
    if _SUMS is not None:
        count = len(design)
        normal, right = np.empty((count, count)), np.empty(count)
        _SUMS(design, count, design.shape[1], value, residual, cut, used, normal, right)
        return normal, right
    scaled = residual / cut
    weighted = np.maximum(1.0 - scaled**2, 0.0) ** 2 * used * design
    return weighted @ design.T, weighted @ value


def _residual(
    design: NDArray[np.float64], value: NDArray[np.float64], beta: NDArray[np.float64]
) -> NDArray[np.float64]:
    if _RESIDUAL is None:
        return np.asarray(value - beta @ design)
    residual = np.empty(len(value))
    _RESIDUAL(design, len(design), len(value), value, beta, residual)
    return residual


def _surface(beta: NDArray[np.float64]) -> NDArray[np.float32]:
    """Sum of the first position terms with their factors, on the grid."""
    x, y = (axis.astype(np.float64) for axis in _positions())
    one, of_x, of_y, of_xx, of_xy, of_yy = np.pad(beta, (0, 6 - len(beta)))
    # Row by row it is a parabola in x.
    level = (one + of_y * y + of_yy * y**2).astype(np.float32)[:, None]
    slope = (of_x + of_xy * y).astype(np.float32)[:, None]
    return np.asarray(x.astype(np.float32) * slope + (of_xx * x**2).astype(np.float32) + level)


def _trend(
    values: NDArray[np.float32],
    start: NDArray[np.bool_],
    domain: NDArray[np.bool_],
    *,
    count: int,
    reach: float,
) -> tuple[NDArray[np.float32], float]:
    """Fit the slow variation of one feature over the skin, ignoring what is not skin.

    The first ``count`` terms of 1, x, y, x², xy, y² are fitted.

    Grows from ``start`` to ``domain`` by iteratively reweighted least squares
    (Tukey's biweight); returns the residual everywhere and its robust spread.
    """
    step = 3
    inside = domain[::step, ::step]
    # What is not in the domain never has weight.
    design = np.ascontiguousarray(_design(count, step)[:, inside.ravel()])
    flat = values[::step, ::step][inside].astype(np.float64)
    seed = start[::step, ::step][inside]
    ridge = np.diag([0.0] + [1e-3 * max(float(np.count_nonzero(seed)), 1.0)] * (count - 1))
    ridge += 1e-9 * np.eye(count)
    spread = reach
    beta: NDArray[np.float64] = np.zeros(count)
    # At first all of the seed weighs the same.
    residual, cut = np.zeros(len(flat)), 1.0
    everywhere = np.ones(len(flat), dtype=bool)
    for turn in range(8):
        normal, right = _weighted_sums(
            design, flat, residual, cut, seed if turn < 3 else everywhere
        )
        beta = np.asarray(np.linalg.solve(normal + ridge, right))
        residual = _residual(design, flat, beta)
        near = residual[seed] if turn < 2 else residual
        near = near[np.abs(near) < reach]
        if len(near) > 20:
            spread = float(1.4826 * median(np.abs(near - median(near))))
        cut = max(4.5 * spread, 1e-3)
    return values - _surface(beta), spread


def _grain(log_y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Usual size of the finest detail within 4.5 mm: high in hair, low on skin.

    A median, because one deep wrinkle is a few strong pixels and hair is all strong pixels.
    """
    smooth = gaussian(log_y, 1.0 * GRID_PX_MM)
    detail = np.minimum(np.abs(log_y - smooth) * 6.0, 255.0).astype(np.uint8)
    return _medians(detail, 4).astype(np.float32) / np.float32(6.0)


def _medians(picture: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Median of the square window about each pixel; beyond the picture the nearest pixel counts."""
    if _MEDIANS is None:
        return np.asarray(cv2.medianBlur(picture, 2 * radius + 1), dtype=np.uint8)
    beside = radius, radius, radius, radius + _MEDIANS_ROOM
    wide = np.asarray(cv2.copyMakeBorder(picture, *beside, cv2.BORDER_REPLICATE), dtype=np.uint8)
    result = np.empty(picture.shape, dtype=np.uint8)
    _MEDIANS(wide, stride(wide), *picture.shape, radius, result)
    return result


def skin_mask(
    linear: NDArray[np.float32],
    *,
    visible: NDArray[np.bool_],
    clipped: NDArray[np.bool_],
    fine: NDArray[np.float32] | None = None,
    fine_level: float = GRID_PX_MM,
) -> tuple[NDArray[np.bool_], Covers]:
    """Find the skin on the grid.

    Parameters
    ----------
    linear : ndarray of float32, shape (rows, columns, 3)
        Linear sRGB light on the grid (`GRID_PX_MM`).
    visible, clipped : ndarray of bool, shape (rows, columns)
        Facing the camera; over-exposed.
    fine : ndarray of float32, shape (``map_size(fine_level)``, 3), optional
        The same light at a finer level, where hairs are better seen.
    fine_level : float
        px/mm of ``fine``.

    Returns
    -------
    skin : ndarray of bool, shape (rows, columns)
    covers : Covers
        Thin things over the skin; left out of ``skin``.
    """
    safe = np.maximum(linear, DARKEST)
    log_y = 100.0 * np.log(np.maximum(luminance(linear), DARKEST))
    red_green = 100.0 * np.log(safe[..., 0] / safe[..., 1])
    green_blue = 100.0 * np.log(safe[..., 1] / safe[..., 2])
    features = feature_mask()
    domain = visible & ~features & ~clipped
    core = _core_mask() & domain
    if core.sum() < 200:
        none = np.zeros(domain.shape, dtype=bool)
        return np.asarray(domain), Covers(glasses=none, hair=none, stubble=none)
    smooth = [
        gaussian(f.astype(np.float32), 0.6 * GRID_PX_MM) for f in (log_y, red_green, green_blue)
    ]
    light, _ = _trend(smooth[0], core, domain, count=6, reach=60.0)
    accept = ~_too_dark(light) & (light < _BRIGHTEST)
    for colour in smooth[1:]:
        residual, spread = _trend(colour, core, domain, count=3, reach=30.0)
        accept &= np.abs(residual) < max(_COLOUR_SIGMAS * spread, _COLOUR_FLOOR)
    grain = _grain(log_y.astype(np.float32))
    usual = float(median(grain[core]))
    hairy, bare = (max(factor * usual, least) for factor, least in (_GRAIN_HAIRY, _GRAIN_BARE))
    rough = grain >= np.where(_bare_zone(), bare, hairy)
    other = (rough | ~accept | ~visible).astype(np.uint8)
    accept &= ~rough | (cv2.morphologyEx(other, cv2.MORPH_OPEN, _disc(_GRAIN_BAND_MM)) == 0)
    # Holes of the size of a mole or a fold stay skin; islands and hairs do not.
    cleaned = cv2.morphologyEx((accept | features).astype(np.uint8), cv2.MORPH_CLOSE, _disc(1.5))
    cleaned = cv2.morphologyEx(cleaned, cv2.MORPH_OPEN, _disc(2.5))
    connected = (cleaned > 0) & (visible | features)
    count, labels = cv2.connectedComponents(connected.astype(np.uint8))
    if count > 2:
        size = np.bincount(labels[core], minlength=count)
        size[0] = 0
        keep = size >= 0.05 * max(int(size.sum()), 1)
        connected = keep[labels]
    covers = find_covers(
        linear if fine is None else fine,
        level=GRID_PX_MM if fine is None else fine_level,
        grid_linear=linear,
        core=core & connected,
        features=features,
        visible=visible,
        hidden=~(connected | features),
    )
    return np.asarray(connected & domain & ~covers.any), covers
