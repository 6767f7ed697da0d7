"""The eyeballs between the lids: sclera, iris of 11.7 mm, pupil, catch light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skinscan.phantom import features
from skinscan.phantom.capture import Capture
from skinscan.phantom.geometry import EYEBALL_MM, IRIS_MM, HeadShape
from skinscan.phantom.optics import Rays
from skinscan.phantom.shading import Light
from skinscan.phantom.truth import Person

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_PUPIL_MM = 1.9
#: Up to the first angle eyes follow the camera, from the second they look ahead.
_GAZE_CAMERA_DEG = 22.0
_GAZE_AHEAD_DEG = 34.0


def gaze(shape: HeadShape, origin_mm: F64) -> F64:
    """Return unit vectors along which the eyes look, shape (2, 3).

    People look into the camera while it is nearly in front of them, and
    straight ahead when they are photographed from the side.
    """
    towards = origin_mm[None] - shape.eye_centres_mm
    towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    aside_deg = np.rad2deg(np.arccos(np.clip(towards[:, 2:], -1, 1)))
    share = np.clip((_GAZE_AHEAD_DEG - aside_deg) / (_GAZE_AHEAD_DEG - _GAZE_CAMERA_DEG), 0, 1)
    looking = share * towards + (1 - share) * np.array([0.0, 0.0, 1.0])
    return np.asarray(looking / np.linalg.norm(looking, axis=1, keepdims=True))


def iris_centres_mm(shape: HeadShape, origin_mm: F64) -> F64:
    """Centres of the irises' rims, subject's right then left, shape (2, 3), mm."""
    depth = float(np.sqrt(EYEBALL_MM**2 - IRIS_MM**2))
    return np.asarray(shape.eye_centres_mm + depth * gaze(shape, origin_mm))


def _ramp(x: F64, soft: float) -> F64:
    t = np.clip(x / soft * 0.5 + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def paint(
    image: F32,
    uv: F32,
    *,
    shape: HeadShape,
    view: Rays,
    light: Light,
    person: Person,
    capture: Capture,
) -> None:
    """Paint both eyes over the skin, in place.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W, 3)
        Linear light.
    uv : ndarray of float32, shape (H, W, 2)
        Texture coordinates of the pixels, mm.
    shape, view, light, person, capture
        The scene.
    """
    centres = gaze(shape, view.origin_mm)
    for side in (0, 1):
        u_line, top_line = features.lid_curve(side, 0)
        u_low, bottom_line = features.lid_curve(side, 1)
        u, v = uv[..., 0], uv[..., 1]
        rows, cols = np.nonzero(
            (u > u_line[0] - 0.5)
            & (u < u_line[-1] + 0.5)
            & (v < top_line.max() + 1)
            & (v > bottom_line.min() - 1)
        )
        if not len(rows):
            continue
        uu = u[rows, cols].astype(np.float64)
        vv = v[rows, cols].astype(np.float64)
        below_top = np.interp(uu, u_line, top_line) - vv
        above_bottom = vv - np.interp(uu, u_low, bottom_line)
        inside = _ramp(below_top - 0.05, 0.12) * _ramp(above_bottom, 0.12)
        inside *= (uu > u_line[0]) & (uu < u_line[-1])
        ray = view.base + cols[:, None] * view.step_x + rows[:, None] * view.step_y
        colour = _eye_colour(
            ray,
            view=view,
            centre=shape.eye_centres_mm[side],
            axis=centres[side],
            light=light,
            person=person,
            side=side,
            capture=capture,
        )
        outer = u_line[-1] if side == 1 else u_line[0]
        inner = u_line[0] if side == 1 else u_line[-1]
        t = (uu - inner) / (outer - inner)
        # the upper lid and its lashes shade the ball; both corners are deep and pink
        shade = 1 - 0.62 * np.exp(-((np.maximum(below_top, 0) / 1.9) ** 2))
        shade *= 1 - 0.30 * np.exp(-((np.maximum(above_bottom, 0) / 0.9) ** 2))
        shade *= 1 - 0.45 * np.exp(-((t / 0.12) ** 2)) - 0.5 * np.exp(-(((1 - t) / 0.13) ** 2))
        colour *= shade[:, None]
        flesh = np.exp(-((t / 0.11) ** 2))[:, None] * 0.75
        colour = (1 - flesh) * colour + flesh * colour * np.array([1.0, 0.55, 0.5])
        # moist rim of the lower lid
        rim = np.exp(-(((above_bottom - 0.35) / 0.35) ** 2))[:, None] * 0.55
        skin = image[rows, cols].astype(np.float64)
        colour = (1 - rim) * colour + rim * (0.55 * colour + 0.45 * skin * [1.15, 0.9, 0.88])
        a = inside[:, None]
        image[rows, cols] = ((1 - a) * skin + a * colour).astype(np.float32)


def _eye_colour(
    ray: F64,
    *,
    view: Rays,
    centre: F64,
    axis: F64,
    light: Light,
    person: Person,
    side: int,
    capture: Capture,
) -> F64:
    unit = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    to_centre = centre - view.origin_mm
    along = unit @ to_centre
    miss2 = np.maximum(to_centre @ to_centre - along**2, 0)
    reach = along - np.sqrt(np.maximum(EYEBALL_MM**2 - miss2, 0))
    point = view.origin_mm + reach[:, None] * unit
    out = point - centre
    normal = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    lateral = out - (out @ axis)[:, None] * axis
    r = np.linalg.norm(lateral, axis=1)
    right = np.cross([0.0, 1.0, 0.0], axis)
    right /= np.linalg.norm(right)
    up = np.cross(axis, right)
    px, py = lateral @ right, lateral @ up
    angle = np.arctan2(py, px)
    diffuse = light.key * np.clip((normal @ light.direction) * 0.7 + 0.3, 0, 1) + light.ambient
    rng = np.random.default_rng([person.seed, 81, side])
    vein = np.interp((angle + np.pi) * 12, np.arange(80), rng.standard_normal(80))
    white = np.array([0.60, 0.555, 0.52]) * (1 + 0.02 * vein[:, None] * np.array([0, 1, 1]))
    colour = white * diffuse[:, None]
    fibres = np.interp(
        (angle + np.pi) / (2 * np.pi) * 159, np.arange(160), rng.standard_normal(160)
    )
    fibres += np.interp((angle + np.pi) / (2 * np.pi) * 47, np.arange(48), rng.standard_normal(48))
    s = r / IRIS_MM
    tone = 1 + 0.20 * fibres + 0.55 * np.exp(-(((s - 0.45) / 0.14) ** 2))
    tone *= 1 - 0.72 * _ramp(s - 0.93, 0.16)
    # light crosses the cornea and gathers on the far side of the iris
    across = (px * (light.direction @ right) + py * (light.direction @ up)) / IRIS_MM
    tone *= 1 - 0.55 * np.clip(across, -0.8, 0.8)
    iris = np.asarray(person.iris_rgb) * 1.6 * np.clip(tone, 0.05, 4)[:, None]
    iris = iris * (light.key * 0.7 + light.ambient)
    pixel = view_pixel_mm(capture)
    iris_cover = 1 - _ramp(r - IRIS_MM, 0.35 + pixel)
    pupil_cover = 1 - _ramp(r - _PUPIL_MM, 0.15 + pixel)
    iris = (1 - pupil_cover[:, None]) * iris + pupil_cover[:, None] * np.array(
        [0.006, 0.005, 0.005]
    )
    colour = (1 - iris_cover[:, None]) * colour + iris_cover[:, None] * iris
    half = light.direction + axis
    half /= np.linalg.norm(half)
    # the cornea is a mirror of 7.8 mm radius
    gx, gy = 7.8 * (half @ right), 7.8 * (half @ up)
    size = 0.45 + 1.0 * light.width
    glint = 1 - _ramp(np.hypot(px - gx, py - gy) - size, 0.25 + pixel)
    strength = min(1.2, 0.25 + light.key * 0.9)
    return np.asarray(colour + (strength * glint * (r < IRIS_MM * 1.25))[:, None])


def view_pixel_mm(capture: Capture) -> float:
    """Size of a pixel in the plane of the face, mm."""
    return 1 / capture.px_per_mm
