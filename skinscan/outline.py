"""Photo + Face -> Outline: where the face ends below the ears, traced in the picture.

The landmark model sees the outline from what is usual: a jaw that sags by 8 mm moves its
landmarks by less than 1 mm (docs/decisions.md). The edge itself is looked for along the
normals of the landmark outline, and the smoothest strong one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.colour import SRGB_TO_LINEAR
from skinscan.landmarks import Face
from skinscan.photo import Photo
from skinscan.pixels import gaussian
from skinscan.resizing import shrunk_codes

#: Landmarks of the face's outline from the subject's right ear round the chin to the left ear.
_CONTOUR = (
    234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
    377, 400, 378, 379, 365, 397, 288, 361, 323, 454,
)  # fmt: skip
#: Points along the outline; about 2 mm apart.
_POINTS = 121
#: Where an edge is looked for, mm from the landmark outline (inwards, outwards), and the step.
_INWARDS_MM, _OUTWARDS_MM, _STEP_MM = 9.0, 13.0, 0.5
#: Skin and surroundings are compared over this width on either side of an edge.
_SIDE_MM = 2.0
#: Sampling of the picture that is searched.
_SEARCH_PX_MM = 2.5
#: An edge that is this much stronger than the usual one counts no more: hair and collar are
#: stronger edges than a jaw above its own neck.
_STRONGEST = 1.5
#: Cost of a bend (per squared step between neighbours) and of distance from the landmarks (per
#: squared mm), in units of the usual edge.
_BEND, _FAR = 0.15, 0.004
_LARGEST_STEP = 2
#: An edge fainter than this colour difference (100·Δln of linear R, G, B, Euclidean) is none.
_FAINTEST_PCT = 6.0


@dataclass(frozen=True, eq=False)
class Outline:
    """The edge of the face from ear to ear round the chin.

    Attributes
    ----------
    points_px : ndarray of float64, shape (N, 2)
        From the subject's right ear to the left, in pixels of the full-size photo; NaN where
        no edge is seen.
    depth_px : ndarray of float64, shape (N,)
        Depth of the nearby landmarks, larger towards the camera.
    contrast_pct : ndarray of float64, shape (N,)
        Colour difference across the edge, 100·Δln of linear R, G, B.
    """

    points_px: NDArray[np.float64]
    depth_px: NDArray[np.float64]
    contrast_pct: NDArray[np.float64]


#: 100·ln of the linear light of each code. Half of the first 8-bit steps are noise; the floor keeps
#: black hair from being all edge.
_LOG_OF_CODE = np.asarray(100.0 * np.log(SRGB_TO_LINEAR + 0.01), dtype=np.float32)


def _spline(
    knots: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolate with a cubic spline (not-a-knot): values and slopes at ``at``.

    Knots ascending, shape (N,), at least 4; values of shape (N, C).
    """
    step = np.diff(knots)
    rise = np.diff(values, axis=0) / step[:, None]
    count = len(knots)
    # The second derivatives at the knots, so that slopes agree at the inner ones.
    system = np.zeros((count, count))
    right = np.zeros_like(values)
    inner = np.arange(1, count - 1)
    system[inner, inner - 1] = step[:-1]
    system[inner, inner] = 2.0 * (step[:-1] + step[1:])
    system[inner, inner + 1] = step[1:]
    right[1:-1] = 6.0 * np.diff(rise, axis=0)
    # The third derivative is the same on both sides of the second knot and of the last but one.
    system[0, :3] = step[1], -(step[0] + step[1]), step[0]
    system[-1, -3:] = step[-1], -(step[-2] + step[-1]), step[-2]
    bend = np.linalg.solve(system, right)
    k = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, count - 2)
    width, past = step[k][:, None], (at - knots[k])[:, None]
    to_come = width - past
    first, second = bend[k], bend[k + 1]
    line = values[k] + rise[k] * past
    curved = (first * (to_come**3 / width - width * to_come)) / 6.0
    curved += (second * (past**3 / width - width * past)) / 6.0
    slope = rise[k] + (first * (width - 3.0 * to_come**2 / width)) / 6.0
    slope += (second * (3.0 * past**2 / width - width)) / 6.0
    return line + curved, slope


def _rays(face: Face) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points of the landmark outline, outward normals (unit), and depth there."""
    corner = np.column_stack([face.landmarks_px, face.depth_px])[list(_CONTOUR)]
    at = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(corner[:, :2], axis=0), axis=1))]
    points, slope = _spline(at, corner, np.linspace(0.0, at[-1], _POINTS))
    tangent = slope[:, :2]
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    outwards = ((points[:, :2] - points[:, :2].mean(axis=0)) * normal).sum()
    return points[:, :2], normal * np.sign(outwards), points[:, 2]


def _profiles(
    photo: Photo, points: NDArray[np.float64], normal: NDArray[np.float64], scale: float
) -> NDArray[np.float32]:
    """Colour along each ray, 100·ln of linear R, G, B: shape (rays, steps, 3)."""
    steps = np.arange(-_INWARDS_MM, _OUTWARDS_MM + 1e-6, _STEP_MM)
    full = points[:, None, :] + steps[None, :, None] * normal[:, None, :] * scale
    at = photo.from_full_px(full.reshape(-1, 2)).reshape(full.shape)
    height, width = photo.rgb.shape[:2]
    low = np.clip(np.floor(at.min(axis=(0, 1))).astype(int) - 4, 0, [width - 1, height - 1])
    high = np.clip(np.ceil(at.max(axis=(0, 1))).astype(int) + 5, low + 1, [width, height])
    crop = photo.rgb[low[1] : high[1], low[0] : high[0]]
    reduced = photo.rgb.shape[1] / photo.full_size_px[0]
    ratio = max(scale * reduced / _SEARCH_PX_MM, 1.0)
    size = (max(round(crop.shape[1] / ratio), 1), max(round(crop.shape[0] / ratio), 1))
    factor = np.array([size[0] / crop.shape[1], size[1] / crop.shape[0]])
    small = shrunk_codes(crop, size[1], size[0])
    colour = np.asarray(cv2.LUT(small, _LOG_OF_CODE), dtype=np.float32)
    place = ((at - low + 0.5) * factor - 0.5).astype(np.float32)
    sampled = cv2.remap(
        colour,
        np.ascontiguousarray(place[..., 0]),
        np.ascontiguousarray(place[..., 1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.stack([gaussian(np.ascontiguousarray(sampled[..., k]), 1.0) for k in range(3)], -1)


def _edge_strength(profiles: NDArray[np.float32]) -> NDArray[np.float64]:
    """Colour difference between the two sides of every step, shape (rays, steps)."""
    side = round(_SIDE_MM / _STEP_MM)
    total = np.cumsum(np.pad(profiles.astype(np.float64), ((0, 0), (1, 0), (0, 0))), axis=1)
    mean = (total[:, side:] - total[:, :-side]) / side
    difference = np.linalg.norm(mean[:, side:] - mean[:, :-side], axis=-1)
    return np.pad(difference, ((0, 0), (side, side - 1)))


def _best_path(gain: NDArray[np.float64]) -> NDArray[np.intp]:
    """Step of each ray on the path of least cost (dynamic programming)."""
    rays, steps = gain.shape
    moves = np.arange(-_LARGEST_STEP, _LARGEST_STEP + 1)
    source = np.arange(steps)[:, None] - moves[None, :]
    outside = (source < 0) | (source >= steps)
    source = np.clip(source, 0, steps - 1)
    cost = -gain[0]
    back = np.zeros((rays, steps), dtype=np.intp)
    for k in range(1, rays):
        reached = np.where(outside, np.inf, cost[source] + _BEND * moves**2)
        pick = reached.argmin(axis=1)
        back[k] = source[np.arange(steps), pick]
        cost = reached[np.arange(steps), pick] - gain[k]
    path = np.empty(rays, dtype=np.intp)
    path[-1] = cost.argmin()
    for k in range(rays - 1, 0, -1):
        path[k - 1] = back[k, path[k]]
    return path


def _between_steps(strength: NDArray[np.float64], path: NDArray[np.intp]) -> NDArray[np.float64]:
    """Vertex of the parabola through three steps, as a share of a step in -0.5..0.5."""
    ray = np.arange(len(path))
    inner = np.clip(path, 1, strength.shape[1] - 2)
    before, here, after = (strength[ray, inner + k] for k in (-1, 0, 1))
    bend = before - 2 * here + after
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(bend < 0, 0.5 * (before - after) / bend, 0.0)
    return np.asarray(np.clip(np.nan_to_num(share), -0.5, 0.5) + (inner - path))


def trace_outline(photo: Photo, face: Face) -> Outline:
    """Trace the face's lower outline.

    Parameters
    ----------
    photo : Photo
        May be decoded at reduced size.
    face : Face
        Found in the same photo at any reduction.

    Returns
    -------
    Outline

    Notes
    -----
    Smoothest strong edge by dynamic programming: Amini, Weymouth & Jain (1990),
    doi:10.1109/34.57681.
    """
    scale = face.scale_mesh_px_mm
    points, normal, depth = _rays(face)
    strength = _edge_strength(_profiles(photo, points, normal, scale))
    usual = max(float(np.median(strength.max(axis=1))), _FAINTEST_PCT)
    steps = np.arange(strength.shape[1]) * _STEP_MM - _INWARDS_MM
    path = _best_path(np.minimum(strength / usual, _STRONGEST) - _FAR * steps**2)
    offset = (path + _between_steps(strength, path)) * _STEP_MM - _INWARDS_MM
    # An edge lies between two steps: the one that starts its outer side, and the one before.
    offset -= 0.5 * _STEP_MM
    contrast = strength[np.arange(_POINTS), path]
    found = points + (offset * scale)[:, None] * normal
    found[contrast < _FAINTEST_PCT] = np.nan
    return Outline(points_px=found, depth_px=depth, contrast_pct=contrast)
