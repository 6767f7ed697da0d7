"""Where head points fall in the picture, and where picture rays meet the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.phantom.capture import REFERENCE_Z_MM, Capture
from skinscan.phantom.geometry import AXIS_Z_MM, Q_HALF_MM, R0_MM, Y_TOP_MM, HeadShape

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: Point about which the head turns, and the height that the camera looks at, mm.
PIVOT_MM = np.array([0.0, -20.0, -20.0])
AIM_Y_MM = -8.0

_REMAP_LIMIT = 32000
_FOLD = 1024
_COARSE = 3
_COARSE_STEPS = 46
_FINE_STEPS = 2
_REPAIR_STEPS = 40


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
    radius = cv2.magnitude(x, z)
    column = np.float32(2 * R0_MM) * x / np.maximum(radius + z, np.float32(1e-3))
    return column + np.float32(Q_HALF_MM), np.float32(Y_TOP_MM) - y, radius


def sample(grid: F32, column: F32, row: F32) -> F32:
    """Bilinear lookup in a head grid (1 to 4 channels)."""
    shape = column.shape
    if shape[0] > _REMAP_LIMIT:
        # remap refuses long columns: fold a list of points into a rectangle
        pad = (0, -len(column) % _FOLD)
        column = np.pad(column.ravel(), pad).reshape(-1, _FOLD)
        row = np.pad(row.ravel(), pad).reshape(-1, _FOLD)
    out: F32 = cv2.remap(grid, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
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


def _repair(
    t: F32,
    g: F32,
    d: tuple[F32, F32, F32],
    gap: Callable[[F32, tuple[F32, F32, F32]], F32],
    tolerance: float,
) -> None:
    """Continue, in place, the few rays that have not met the surface yet."""
    todo = np.flatnonzero(np.abs(g) > tolerance)
    flat_t, flat_g = t.ravel(), g.ravel()
    ray = tuple(c.ravel()[todo][:, None] for c in d)
    here = flat_t[todo][:, None]
    value = flat_g[todo][:, None]
    best, nearest = here.copy(), np.abs(value)
    for _ in range(_REPAIR_STEPS):
        if not len(todo):
            break
        here = here + np.clip(value * np.float32(0.5), -4, 5)
        value = gap(here, (ray[0], ray[1], ray[2]))
        closer = np.abs(value) < nearest
        best = np.where(closer, here, best)
        nearest = np.where(closer, np.abs(value), nearest)
        flat_t[todo] = best[:, 0]
        flat_g[todo] = nearest[:, 0]
        keep = (nearest > tolerance)[:, 0] & (here[:, 0] - best[:, 0] < 30)
        todo, here, value = todo[keep], here[keep], value[keep]
        best, nearest = best[keep], nearest[keep]
        ray = tuple(c[keep] for c in ray)


def trace(shape: HeadShape, capture: Capture) -> Hits:
    """Find the first surface point along every pixel's ray.

    A coarse pass over every third pixel walks the height field from in
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
    nearest = np.full(d[0].shape, np.inf, dtype=np.float32)
    best = t.copy()
    for k in range(_COARSE_STEPS):
        g = gap(t, d)
        closer = np.abs(g) < nearest
        np.copyto(best, t, where=closer)
        np.copyto(nearest, np.abs(g), where=closer)
        t += np.clip(g * np.float32(0.6 if k < 10 else 0.45), -6, 25 if k < 8 else 6)
    # start in front of both sides where a nose stands before a cheek
    front = cv2.erode(best, np.ones((3, 3), np.uint8))
    best = np.where(best - front > 6.0, front, best).astype(np.float32)
    t = cv2.resize(best, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_LINEAR)[:h, :w]
    d = _directions(view, np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    g = gap(t, d)
    for _ in range(_FINE_STEPS):
        t = t + np.clip(g * np.float32(0.75), -6, 6)
        g = gap(t, d)
    pixel = np.float32(capture.distance_mm / capture.focal_px)
    _repair(t, g, d, gap, 0.15 * float(pixel))
    # a ray that passes by stays at a positive gap: it fades over one pixel of it
    coverage = np.clip(1.0 - (g - 0.3 * pixel) / pixel, 0, 1).astype(np.float32)
    x, y, z = (origin[k] + t * d[k] for k in range(3))
    column, row, _ = grid_lookup(x, y, z)
    return Hits(x=x, y=y, z=z, column=column, row=row, coverage=coverage)
