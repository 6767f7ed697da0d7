"""Eyes' surroundings, brows, lashes, lips and nostrils, drawn on the skin maps."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from skinscan.phantom.fractal import as_f32, smooth
from skinscan.phantom.geometry import R0_MM, neutral_vertices, to_cylinder

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_LIP_TOP = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
_LIP_BOTTOM = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
_MOUTH_TOP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_MOUTH_BOTTOM = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
#: Lid margins from outer to inner corner: (upper, lower), subject's right then left.
LIDS = (
    (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
    ),
    (
        (263, 466, 388, 387, 386, 385, 384, 398, 362),
        (263, 249, 390, 373, 374, 380, 381, 382, 362),
    ),
)
_BROW_TOP = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
_BROW_BOTTOM = ((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))
_SHIFT = 6


def vertex_uv(index: tuple[int, ...]) -> F64:
    """Texture coordinates of canonical vertices, shape (N, 2), mm."""
    theta, y, _ = to_cylinder(neutral_vertices()[list(index)])
    return np.stack([R0_MM * theta, y], axis=1)


@cache
def lid_curve(side: int, lower: int) -> tuple[F64, F64]:
    """Lid margin as v over u, densely sampled with u increasing.

    Parameters
    ----------
    side : int
        0 the subject's right eye, 1 the left.
    lower : int
        0 upper lid, 1 lower lid.
    """
    points = vertex_uv(LIDS[side][lower])
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    t = np.linspace(0, arc[-1], 200)
    smoothed = CubicSpline(arc, points)(t)
    order = np.argsort(smoothed[:, 0])
    return smoothed[order, 0], smoothed[order, 1]


@cache
def _lip_curves() -> tuple[F64, F64, F64, F64]:
    """u, upper edge, mouth line, lower edge of the lips."""

    def curve(index: tuple[int, ...], u: F64) -> F64:
        points = vertex_uv(index)
        order = np.argsort(points[:, 0])
        return np.asarray(PchipInterpolator(points[order, 0], points[order, 1])(u))

    left = vertex_uv((61,))[0, 0]
    u = np.linspace(left, -left, 240)
    inner = np.clip(u, vertex_uv((78,))[0, 0], vertex_uv((308,))[0, 0])
    middle = (curve(_MOUTH_TOP, inner) + curve(_MOUTH_BOTTOM, inner)) / 2
    # the tubercle of the upper lip hangs a little, the line rises beside it
    middle = (
        middle - 0.9 * np.exp(-((u / 5.0) ** 2)) + 0.35 * np.exp(-(((np.abs(u) - 11) / 6) ** 2))
    )
    kernel = np.hanning(21) / np.hanning(21).sum()
    top = np.convolve(np.pad(curve(_LIP_TOP, u), 10, mode="edge"), kernel, "valid")
    bottom = np.convolve(np.pad(curve(_LIP_BOTTOM, u), 10, mode="edge"), kernel, "valid")
    return u, top, middle, bottom


def _fill(
    shape: tuple[int, int], extent: tuple[float, float, float], px_mm: float, outline: F64
) -> F32:
    half, top, _ = extent
    xy = np.stack([(outline[:, 0] + half) * px_mm, (top - outline[:, 1]) * px_mm], axis=1)
    mask = np.zeros(shape, dtype=np.uint8)
    points = np.round(xy * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(mask, [points], 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    return mask.astype(np.float32) / np.float32(255)


def _lines(
    shape: tuple[int, int],
    extent: tuple[float, float, float],
    px_mm: float,
    strokes: list[tuple[F64, float]],
) -> F32:
    """Coverage of thin strokes (polyline in u, v; width in mm)."""
    half, top, _ = extent
    layer = np.zeros(shape, dtype=np.uint8)
    for points, width_mm in strokes:
        xy = np.stack([(points[:, 0] + half) * px_mm, (top - points[:, 1]) * px_mm], axis=1)
        thickness = max(1, round(width_mm * px_mm))
        level = int(255 * min(1.0, width_mm * px_mm / thickness))
        cv2.polylines(
            layer,
            [np.round(xy * 2**_SHIFT).astype(np.int32)],
            isClosed=False,
            color=level,
            thickness=thickness,
            lineType=cv2.LINE_AA,
            shift=_SHIFT,
        )
    return layer.astype(np.float32) / np.float32(255)


def lip_only(shape: tuple[int, int], extent: tuple[float, float, float], px_mm: float) -> F32:
    """Lips, 0..1 with a soft vermilion border."""
    u, top, _, bottom = _lip_curves()
    outline = np.concatenate([np.stack([u, top], 1), np.stack([u, bottom], 1)[::-1]])
    return smooth(_fill(shape, extent, px_mm, outline), 0.75 * px_mm)


def lip_and_dark(
    shape: tuple[int, int], extent: tuple[float, float, float], px_mm: float
) -> tuple[F32, F32]:
    """Lip mask, and a visibility that is low in nostrils and between the lips."""
    lip = lip_only(shape, extent, px_mm)
    u, _, middle, _ = _lip_curves()
    keep = np.abs(u) < 0.97 * u[-1]
    line = np.stack([u[keep], middle[keep]], 1)
    mouth = _lines(shape, extent, px_mm, [(line, 0.55)])
    dark = 0.62 * np.clip(smooth(mouth, 0.45 * px_mm) * 1.4, 0, 1) + 0.30 * smooth(
        mouth, 1.2 * px_mm
    )
    for sign in (-1.0, 1.0):
        centre = np.array([sign * 8.4, -17.3])
        angle = np.linspace(0, 2 * np.pi, 40)
        a, b, tilt = 4.0, 1.9, sign * np.deg2rad(-16)
        ring = np.stack([a * np.cos(angle), b * np.sin(angle)], 1)
        turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        hole = _fill(shape, extent, px_mm, centre + ring @ turn.T)
        dark = dark + 0.86 * smooth(hole, 0.55 * px_mm)
        # the crease around the wing of the nose
        wing = np.array([[17.0, -4.0], [19.6, -8.5], [19.8, -13.0], [17.0, -17.0]]) * [sign, 1]
        dark = dark + 0.55 * smooth(_lines(shape, extent, px_mm, [(wing, 1.0)]), 1.0 * px_mm)
        # shade in the corner of the mouth
        corner = np.array([sign * u[-1], middle[0] + 0.0])
        spot = _fill(
            shape, extent, px_mm, corner + 1.3 * np.stack([np.cos(angle), np.sin(angle)], 1)
        )
        dark = dark + 0.45 * smooth(spot, 1.0 * px_mm)
    for sign in (-1.0, 1.0):
        # the hollow between the rim of the ear and the face
        hollow = np.array([[123.0, 30.0], [126.5, 20.0], [126.5, 8.0], [123.0, -2.0]]) * [sign, 1]
        dark = dark + 0.75 * smooth(_lines(shape, extent, px_mm, [(hollow, 3.2)]), 1.8 * px_mm)
    for side in (0, 1):
        uu, upper = lid_curve(side, 0)
        crease = _crease(uu, upper)
        dark = dark + 0.42 * smooth(_lines(shape, extent, px_mm, [(crease, 0.7)]), 0.45 * px_mm)
    return lip, np.clip(1 - dark, 0.04, 1).astype(np.float32)


def _crease(u: F64, upper: F64) -> F64:
    """Fold of the upper lid, above its margin."""
    t = np.linspace(-1, 1, len(u))
    inner = np.where(np.sign(u.mean()) > 0, -t, t)
    lift = 3.1 * (1 - np.abs(t) ** 3.5) + 0.5 - 0.5 * inner
    spread = u + 1.0 * t
    keep = np.abs(t) < 0.985
    return np.stack([spread, upper + lift], 1)[keep]


def folds(shape: tuple[int, int], extent: tuple[float, float, float], px_mm: float) -> F32:
    """Relief that every face has: lid creases, mouth line, lip border, mm."""
    height = np.zeros(shape, dtype=np.float32)
    for side in (0, 1):
        uu, upper = lid_curve(side, 0)
        line = _lines(shape, extent, px_mm, [(_crease(uu, upper), 0.7)])
        height -= np.float32(0.75) * smooth(line, 0.55 * px_mm)
    u, top, middle, bottom = _lip_curves()
    mouth = _lines(shape, extent, px_mm, [(np.stack([u, middle], 1), 0.9)])
    height -= np.float32(1.3) * smooth(mouth, 0.7 * px_mm)
    border = _lines(
        shape, extent, px_mm, [(np.stack([u, top], 1), 0.8), (np.stack([u, bottom], 1), 0.8)]
    )
    height += np.float32(0.12) * smooth(border, 0.8 * px_mm)
    return height


def hairs(
    seed: int, shape: tuple[int, int], extent: tuple[float, float, float], px_mm: float
) -> F32:
    """Brows and lashes as single hairs: coverage 0..1."""
    rng = np.random.default_rng([seed, 51])
    strokes: list[tuple[F64, float]] = []
    body = np.zeros(shape, dtype=np.float32)
    for side in (0, 1):
        strokes += _brow(rng, side)
        body += _brow_body(side, shape, extent, px_mm)
    cover = smooth(_lines(shape, extent, px_mm, strokes), 0.05 * px_mm)
    lashes: list[tuple[F64, float]] = []
    for side in (0, 1):
        lashes += _lash(rng, side)
    lash = smooth(_lines(shape, extent, px_mm, lashes), 0.05 * px_mm)
    total = 1 - (1 - 0.88 * cover) * (1 - 0.50 * body) * (1 - 0.95 * lash)
    return as_f32(total)


def _brow_edges(side: int) -> tuple[F64, F64]:
    top, bottom = vertex_uv(_BROW_TOP[side]), vertex_uv(_BROW_BOTTOM[side])
    t = np.linspace(0, 1, 5)
    fine = np.linspace(0, 1, 60)
    return np.asarray(CubicSpline(t, top)(fine)), np.asarray(CubicSpline(t, bottom)(fine))


def _brow_body(
    side: int, shape: tuple[int, int], extent: tuple[float, float, float], px_mm: float
) -> F32:
    top, bottom = _brow_edges(side)
    middle = (top + bottom) / 2
    slim = 0.30 * np.sin(np.pi * np.linspace(0.10, 0.90, 60))[:, None]
    outline = np.concatenate(
        [middle + slim * (top - bottom), (middle - slim * (top - bottom))[::-1]]
    )
    return smooth(_fill(shape, extent, px_mm, outline), 1.0 * px_mm)


def _brow(rng: np.random.Generator, side: int) -> list[tuple[F64, float]]:
    """Hairs of one brow; index 0 of the edges is the tail, the last the head."""
    top, bottom = _brow_edges(side)
    out: list[tuple[F64, float]] = []
    for _ in range(430):
        t = float(np.clip(rng.beta(1.3, 1.15), 0.01, 0.99))
        k = int(t * 59)
        across = float(np.clip(rng.normal(0.5, 0.17), 0.1, 0.9))
        root = bottom[k] + across * (top[k] - bottom[k])
        towards_tail = -np.sign(root[0]) * -1.0
        # hairs stand up at the head, lie along at the tail, and meet from both edges
        rise = np.deg2rad(6 + 62 * t**2 + 26 * (0.5 - across) + rng.normal(0, 8))
        length = (3.8 + 3.2 * (1 - abs(2 * t - 1))) * float(np.exp(rng.normal(0, 0.15)))
        if t < 0.2:
            rise -= np.deg2rad(22)
        direction = np.array([towards_tail * np.cos(rise), np.sin(rise)])
        bend = np.array([towards_tail * 0.6, -0.5]) * 0.16 * length
        s = np.linspace(0, 1, 5)[:, None]
        out.append((root + s * direction * length * 0.8 + s**2 * bend, 0.10))
    return out


def _lash(rng: np.random.Generator, side: int) -> list[tuple[F64, float]]:
    out: list[tuple[F64, float]] = []
    for lower in (0, 1):
        u, v = lid_curve(side, lower)
        outer = 1.0 if u.mean() > 0 else -1.0
        count = 75 if lower == 0 else 42
        for _ in range(count):
            t = float(rng.uniform(0.06, 0.97))
            # u increases towards the outer corner on the left eye only
            place = t if outer > 0 else 1 - t
            k = int(place * (len(u) - 1))
            root = np.array([u[k], v[k]])
            fan = (t - 0.35) * 1.3 + rng.normal(0, 0.12)
            up = 1.0 if lower == 0 else -0.8
            length = (2.6 + 2.2 * t) if lower == 0 else (1.5 + 0.9 * t)
            length *= float(np.exp(rng.normal(0, 0.18)))
            tip = root + length * 0.75 * np.array([outer * np.sin(fan), up * np.cos(fan)])
            # upper lashes hang forward before they rise
            knee = root + np.array([outer * 0.5 * fan, -0.35 if lower == 0 else -0.2])
            s = np.linspace(0, 1, 6)[:, None]
            out.append(((1 - s) ** 2 * root + 2 * s * (1 - s) * knee + s**2 * tip, 0.085))
        edge = np.stack([u, v], 1)
        out.append((edge[6:-6], 0.8 if lower == 0 else 0.22))
    return out
