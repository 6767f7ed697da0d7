"""Light on skin, hair, cloth and eyes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.phantom.capture import Capture
from skinscan.phantom.fractal import as_f32
from skinscan.phantom.geometry import HeadShape
from skinscan.phantom.optics import Hits, grid_lookup, rotation, sample

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: How far light spreads inside the skin, per channel: share of the fine relief that
#: the diffuse light still sees, and wrap of the terminator. Red travels furthest.
#: The idea of one normal per colour is that of Ma et al. 2007 (hybrid normal maps).
RELIEF_SEEN = np.array([0.72, 0.90, 0.96], dtype=np.float32)
WRAP = np.array([0.30, 0.14, 0.10], dtype=np.float32)
_F0 = 0.028
_SHADOW_STEPS = 18


@dataclass(frozen=True, eq=False)
class Light:
    """Key light and surroundings in the head frame.

    Attributes
    ----------
    direction : ndarray of float64, shape (3,)
        Unit vector towards the key light.
    up : ndarray of float64, shape (3,)
        The room's vertical.
    key, ambient : float
        Irradiances; a white card facing the camera sees about 1 in all.
    width : float
        Sine of the key light's angular radius.
    """

    direction: F64
    up: F64
    key: float
    ambient: float
    width: float


def light_of(capture: Capture) -> Light:
    """Light of a capture, seen from the head."""
    az, el = np.deg2rad([capture.light_azimuth_deg, capture.light_elevation_deg])
    towards = np.array([np.cos(el) * np.sin(az), np.sin(el), np.cos(el) * np.cos(az)])
    turn = rotation(capture).T
    s = capture.light_softness
    return Light(
        direction=turn @ towards,
        up=turn @ np.array([0.0, 1.0, 0.0]),
        key=1.25 * (1 - s),
        ambient=0.16 + 0.72 * s,
        width=0.04 + 0.5 * s,
    )


def _dot(n: F32, d: F64) -> F32:
    return np.asarray(n @ d.astype(np.float32), dtype=np.float32)


def _inner(a: F32, b: F32) -> F32:
    """Scalar product of two fields of vectors; NumPy's sum over three is five times slower."""
    out = a[..., 0] * b[..., 0]
    out += a[..., 1] * b[..., 1]
    out += a[..., 2] * b[..., 2]
    return np.asarray(out, dtype=np.float32)


def wrapped(cosine: F32, wrap: float) -> F32:
    """Diffuse response to an extended or scattered light, energy kept at the pole."""
    w = np.float32(wrap)
    x = np.maximum((cosine + w) / (1 + w), 0)
    return np.asarray(
        x ** np.float32(1 + wrap) * np.float32(1 / (1 + 0.35 * wrap)), dtype=np.float32
    )


def ambient_of(normal: F32, light: Light) -> F32:
    """Light of ceiling, wall and floor on a surface."""
    upward = _dot(normal, light.up)
    return np.asarray(np.float32(light.ambient) * (0.80 + 0.26 * upward), dtype=np.float32)


def cast_shadow(shape: HeadShape, hits: Hits, light: Light) -> F32:
    """Share of the key light that reaches each point, 0..1, soft edges.

    Walks from every fourth pixel towards the light through the head's
    height field; the nearest miss relative to the distance sets the edge
    (the usual soft-shadow estimate of distance-field rendering).
    """
    h, w = hits.x.shape
    size = (-(-w // 4), -(-h // 4))

    def small(plane: F32) -> F32:
        return as_f32(cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST))

    normal = sample(shape.normal, small(hits.column), small(hits.row))
    # starting above the surface keeps it from shading itself
    p = [
        small(plane) + np.float32(1.6) * normal[..., k]
        for k, plane in enumerate((hits.x, hits.y, hits.z))
    ]
    d = light.direction.astype(np.float32)
    blur = np.float32(1.0 / max(light.width, 0.08))
    lit: F32 = np.ones(p[0].shape, dtype=np.float32)
    travelled = np.float32(1.0)
    for k in range(_SHADOW_STEPS):
        q = [p[i] + travelled * d[i] for i in range(3)]
        column, row, radius = grid_lookup(q[0], q[1], q[2])
        gap = radius - sample(shape.radius_mm, column, row)
        lit = np.minimum(lit, 0.5 + 0.5 * blur * (gap + 0.3) / travelled)
        travelled = travelled + np.float32(1.2 + 0.45 * k)
    soft = as_f32(cv2.GaussianBlur(np.clip(lit, 0, 1), (0, 0), 1.2))
    soft = soft * soft * (3 - 2 * soft)
    return as_f32(cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR))


def bend(normal: F32, x: F32, z: F32, slope_u: F32, slope_v: F32) -> F32:
    """Tilt smooth normals by the slope of the relief.

    Parameters
    ----------
    normal : ndarray of float32, shape (H, W, 3)
    x, z : ndarray of float32, shape (H, W)
        Head-frame points, mm.
    slope_u, slope_v : ndarray of float32, shape (H, W)
        Of the height, mm/mm, along the texture axes.

    Returns
    -------
    ndarray of float32, shape (H, W, 3)
        Unit normals.
    """
    # unit vector of growing angle about the head's axis; v grows with y
    zz = z + np.float32(22.0)
    inverse = 1 / np.maximum(cv2.magnitude(x, zz), np.float32(1.0))
    gx = slope_u * zz * inverse
    gz = -slope_u * x * inverse
    along = gx * normal[..., 0] + slope_v * normal[..., 1] + gz * normal[..., 2]
    out = np.empty_like(normal)
    out[..., 0] = normal[..., 0] * (1 + along) - gx
    out[..., 1] = normal[..., 1] * (1 + along) - slope_v
    out[..., 2] = normal[..., 2] * (1 + along) - gz
    length = np.sqrt(out[..., 0] ** 2 + out[..., 1] ** 2 + out[..., 2] ** 2)
    out /= length[..., None]
    return out


def diffuse(smooth_normal: F32, fine_normal: F32, lit: F32, visible: F32, light: Light) -> F32:
    """Diffuse irradiance per channel, shape (H, W, 3)."""
    broad = _dot(smooth_normal, light.direction)
    fine = _dot(fine_normal, light.direction)
    around_broad = ambient_of(smooth_normal, light)
    around_fine = ambient_of(fine_normal, light)
    out = np.empty((*broad.shape, 3), dtype=np.float32)
    shade = np.float32(light.key) * lit
    for k in range(3):
        seen = RELIEF_SEEN[k]
        cosine = broad + seen * (fine - broad)
        around = around_broad + seen * (around_fine - around_broad)
        open_sky = visible ** np.float32(1.15 - 0.35 * WRAP[k] / 0.3)
        out[..., k] = (
            shade * wrapped(cosine, float(WRAP[k]) + light.width * 0.6) + around * open_sky
        )
    return out


def specular(normal: F32, view: F32, lit: F32, visible: F32, light: Light) -> F32:
    """Blinn's specular reflection of the skin's oil film, two lobes, shape (H, W).

    Blinn 1977, doi:10.1145/563858.563893.
    """
    half = view + light.direction.astype(np.float32)
    half /= np.sqrt(_inner(half, half))[..., None]
    cosine = np.clip(_inner(normal, half), 0, 1)
    facing = np.clip(_inner(normal, view), 0, 1)
    fresnel = np.float32(_F0) + np.float32(1 - _F0) * (1 - facing) ** 5 * np.float32(0.35)
    fresnel = np.minimum(fresnel, np.float32(0.11))
    spread = 1 + 3.0 * light.width
    broad_power, tight_power = 14.0 / spread, 46.0 / spread
    lobe = 0.62 * (broad_power + 8) / 8 * cosine ** np.float32(broad_power)
    lobe += 0.38 * (tight_power + 8) / 8 * cosine ** np.float32(tight_power)
    upward = np.clip(_dot(normal, light.direction) * 4 + 0.4, 0, 1)
    key = np.float32(light.key) * lit * lobe * upward
    return np.asarray(
        1.7 * fresnel * (key + np.float32(0.35) * ambient_of(normal, light) * visible**2),
        dtype=np.float32,
    )
