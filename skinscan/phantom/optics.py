"""Where head points fall in the picture, and where picture rays meet the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.phantom.capture import REFERENCE_Z_MM, Capture
from skinscan.phantom.fractal import as_f32
from skinscan.phantom.geometry import AXIS_Z_MM, Q_HALF_MM, R0_MM, Y_TOP_MM, HeadShape

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: Point about which the head turns, and the height that the camera looks at, mm.
PIVOT_MM = np.array([0.0, -20.0, -20.0])
AIM_Y_MM = -4.0

_REMAP_LIMIT = 32000
_FOLD = 1024
_COARSE = 4
#: Rows worked on at a time: temporaries then stay in the cache.
STRIP = 64
_COARSE_STEPS = 64
_FINE_STEPS = 3
_REPAIR_STEPS = 70


def rotation(capture: Capture) -> F64:
    """Rotation from head frame to camera frame, shape (3, 3).

    Roll is applied after pitch, pitch after yaw.
    """
    yaw, pitch, roll = np.deg2rad([capture.yaw_deg, capture.pitch_deg, capture.roll_deg])
    cy, sy, cp, sp, cr, sr = (
        np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll),
    )  # fmt: skip
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)


def camera_centre(capture: Capture) -> F64:
    """Centre of projection in the camera-aligned frame, mm, shape (3,)."""
    return np.array(
        [-capture.offset_x_mm, AIM_Y_MM - capture.offset_y_mm, REFERENCE_Z_MM + capture.distance_mm]
    )


def project_head(points_mm: F64, capture: Capture) -> F64:
    """Project head-frame points.

    Parameters
    ----------
    points_mm : ndarray of float64, shape (N, 3)
        Person frame, mm.
    capture : Capture

    Returns
    -------
    ndarray of float64, shape (N, 2)
        x, y in pixels, origin at the centre of the top-left pixel.
    """
    seen = (points_mm - PIVOT_MM) @ rotation(capture).T + PIVOT_MM - camera_centre(capture)
    scale = capture.focal_px / -seen[:, 2]
    return np.stack(
        [
            (capture.width_px - 1) / 2 + scale * seen[:, 0],
            (capture.height_px - 1) / 2 - scale * seen[:, 1],
        ],
        axis=1,
    )


@dataclass(frozen=True, eq=False)
class Rays:
    """Viewing rays in the head frame.

    Attributes
    ----------
    origin_mm : ndarray of float64, shape (3,)
    base, step_x, step_y : ndarray of float64, shape (3,)
        Direction of pixel (x, y) is ``base + x·step_x + y·step_y``, not unit;
        its camera-axis component is 1 mm per unit of ray parameter.
    """

    origin_mm: F64
    base: F64
    step_x: F64
    step_y: F64


def rays(capture: Capture) -> Rays:
    """Rays through the pixels of a capture."""
    turn = rotation(capture).T
    f = capture.focal_px
    x0, y0 = (capture.width_px - 1) / 2, (capture.height_px - 1) / 2
    return Rays(
        origin_mm=turn @ (camera_centre(capture) - PIVOT_MM) + PIVOT_MM,
        base=turn @ np.array([-x0 / f, y0 / f, -1.0]),
        step_x=turn @ np.array([1 / f, 0.0, 0.0]),
        step_y=turn @ np.array([0.0, -1 / f, 0.0]),
    )


def _directions(view: Rays, x: F32, y: F32) -> tuple[F32, F32, F32]:
    d = [
        np.float32(view.base[k])
        + x[None, :] * np.float32(view.step_x[k])
        + y[:, None] * np.float32(view.step_y[k])
        for k in range(3)
    ]
    return d[0], d[1], d[2]


def grid_lookup(x: F32, y: F32, z: F32) -> tuple[F32, F32, F32]:
    """Grid column, grid row and radius of head points (float32, any 2-D shape)."""
    z = z - np.float32(AXIS_Z_MM)
    radius = as_f32(cv2.magnitude(x, z))
    column = np.float32(2 * R0_MM) * x / np.maximum(radius + z, np.float32(1e-3))
    return as_f32(column + np.float32(Q_HALF_MM)), as_f32(np.float32(Y_TOP_MM) - y), radius


def sample(grid: F32, column: F32, row: F32) -> F32:
    """Bilinear lookup in a head grid (1 to 4 channels)."""
    shape = column.shape
    if shape[0] > _REMAP_LIMIT:
        # remap refuses long columns: fold a list of points into a rectangle
        pad = (0, -len(column) % _FOLD)
        column = np.pad(column.ravel(), pad).reshape(-1, _FOLD)
        row = np.pad(row.ravel(), pad).reshape(-1, _FOLD)
    out = as_f32(cv2.remap(grid, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    if shape[0] > _REMAP_LIMIT:
        tail = out.shape[2:]
        out = out.reshape(-1, *tail)[: shape[0]].reshape(*shape, *tail)
    return out


@dataclass(frozen=True, eq=False)
class Hits:
    """Where the pixels' rays meet the head.

    Attributes
    ----------
    x, y, z : ndarray of float32, shape (H, W)
        Head-frame points, mm.
    column, row : ndarray of float32, shape (H, W)
        Their place on the head grid.
    coverage : ndarray of float32, shape (H, W)
        0 background, 1 head, between at the outline.
    """

    x: F32
    y: F32
    z: F32
    column: F32
    row: F32
    coverage: F32

    def rows(self, part: slice) -> Hits:
        """Take some rows of it."""
        planes = (self.x, self.y, self.z, self.column, self.row, self.coverage)
        return Hits(*(plane[part] for plane in planes))


def _advance(
    t: F32, g: F32, *, before: F32, behind: F32, nearest: F32, best: F32, longest: float
) -> F32:
    """Give the next ray parameters: walk while outside, halve once the surface is bracketed.

    Walls such as the front of the ear are too steep for walking alone.
    ``before`` and ``behind`` (the bracket), ``nearest`` and ``best`` (the
    closest approach) are updated in place.
    """
    outside = g > 0
    np.copyto(before, t, where=outside)
    np.copyto(behind, t, where=~outside)
    met = np.isfinite(behind)
    # of a bracketed ray only points near the crossing count, not an earlier graze
    closer = np.abs(g) < np.where(met & ~outside, np.inf, nearest)
    np.copyto(best, t, where=closer)
    np.copyto(nearest, np.abs(g), where=closer)
    # a ray that grazes the cheek must not creep: it has the ear to reach
    walk = t + np.maximum(np.minimum(g * np.float32(0.55), np.float32(longest)), np.float32(1.0))
    middle = (before + np.where(met, behind, 0)) * np.float32(0.5)
    return np.where(met, middle, walk).astype(np.float32)


def _repair(
    t: F32,
    g: F32,
    d: tuple[F32, F32, F32],
    *,
    gap: Callable[[F32, tuple[F32, F32, F32]], F32],
    candidate: NDArray[np.bool_],
    tolerance: float,
) -> None:
    """Continue, in place, the few rays that have not met the surface yet."""
    todo = np.flatnonzero((np.abs(g) > tolerance) & candidate)
    flat_t, flat_g = t.ravel(), g.ravel()
    ray = tuple(c.ravel()[todo][:, None] for c in d)
    here, value = flat_t[todo][:, None], flat_g[todo][:, None]
    before = np.where(value > 0, here, here - 20).astype(np.float32)
    behind = np.where(value > 0, np.inf, here).astype(np.float32)
    best, nearest = here.copy(), np.abs(value)
    for _ in range(_REPAIR_STEPS):
        if not len(todo):
            break
        here = _advance(
            here, value, before=before, behind=behind, nearest=nearest, best=best, longest=5.0
        )
        value = gap(here, (ray[0], ray[1], ray[2]))
        done = np.abs(value) < nearest
        np.copyto(best, here, where=done)
        np.copyto(nearest, np.abs(value), where=done)
        # between two ends of a bracket lies the surface, however steep it is there
        met = np.isfinite(behind)
        flat_t[todo] = np.where(met, here, best)[:, 0]
        flat_g[todo] = np.where(met, 0, nearest)[:, 0]
        open_end = np.where(met, behind - before > 0.02, here - best < 90)
        keep = ((np.abs(value) > tolerance) & open_end)[:, 0]
        todo, here, value = todo[keep], here[keep], value[keep]
        best, nearest, before, behind = best[keep], nearest[keep], before[keep], behind[keep]
        ray = tuple(c[keep] for c in ray)


def trace(shape: HeadShape, capture: Capture) -> Hits:
    """Find the first surface point along every pixel's ray.

    A coarse pass over every fourth pixel walks the height field from in
    front of the nose; the fine pass starts from its result.

    Parameters
    ----------
    shape : HeadShape
    capture : Capture

    Returns
    -------
    Hits
    """
    view = rays(capture)
    w, h = capture.width_px, capture.height_px
    origin = view.origin_mm.astype(np.float32)

    def gap(t: F32, d: tuple[F32, F32, F32]) -> F32:
        p = [origin[k] + t * d[k] for k in range(3)]
        column, row, radius = grid_lookup(p[0], p[1], p[2])
        return radius - sample(shape.radius_mm, column, row)

    xs = (np.arange(-(-w // _COARSE), dtype=np.float32) + 0.5) * _COARSE - 0.5
    ys = (np.arange(-(-h // _COARSE), dtype=np.float32) + 0.5) * _COARSE - 0.5
    d = _directions(view, xs, ys)
    start = capture.distance_mm - 90.0
    t = np.full(d[0].shape, start, dtype=np.float32)
    before, behind = t.copy(), np.full_like(t, np.inf)
    nearest = np.full(d[0].shape, np.inf, dtype=np.float32)
    best = t.copy()
    for k in range(_COARSE_STEPS):
        g = gap(t, d)
        t = _advance(
            t,
            g,
            before=before,
            behind=behind,
            nearest=nearest,
            best=best,
            longest=25.0 if k < 8 else 6.0,
        )
    # rays that pass the head at a distance need no second look
    close = (np.isfinite(behind) | (nearest < 4.0)).astype(np.uint8)
    grown = cv2.dilate(close, np.ones((3, 3), np.uint8))
    wide = cv2.resize(grown, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_NEAREST)
    candidate = wide[:h, :w].astype(bool)
    # start in front of both sides where a nose stands before a cheek
    front = cv2.erode(best, np.ones((3, 3), np.uint8))
    best = as_f32(np.where(best - front > 6.0, front, best))
    first = as_f32(
        cv2.resize(best, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_LINEAR)[:h, :w]
    )
    pixel = np.float32(capture.distance_mm / capture.focal_px)
    out = Hits(*(np.empty((h, w), dtype=np.float32) for _ in range(6)))
    columns = np.arange(w, dtype=np.float32)
    for top in range(0, h, STRIP):
        part = slice(top, min(top + STRIP, h))
        d = _directions(view, columns, np.arange(part.start, part.stop, dtype=np.float32))
        tt = first[part].copy()
        g = gap(tt, d)
        for _ in range(_FINE_STEPS):
            tt += np.clip(g * np.float32(0.75), -6, 6)
            g = gap(tt, d)
        _repair(tt, g, d, gap=gap, candidate=candidate[part], tolerance=0.25 * float(pixel))
        # a ray that passes by stays at a positive gap: it fades over one pixel of it
        out.coverage[part] = np.clip(1.0 - (g - 0.3 * pixel) / pixel, 0, 1)
        for k, plane in enumerate((out.x, out.y, out.z)):
            plane[part] = origin[k] + tt * d[k]
        out.column[part], out.row[part], _ = grid_lookup(out.x[part], out.y[part], out.z[part])
    return out
