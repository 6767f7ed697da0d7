"""What a camera sees of a head's shape, before skin is put on it.

Two photographs of one person from one place under one light differ only in
the skin and in the camera: the rays, the shadows and the places of the
textures are found once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.phantom import head, shading
from skinscan.phantom.capture import Capture
from skinscan.phantom.fractal import as_f32, frozen_arrays
from skinscan.phantom.geometry import HeadShape
from skinscan.phantom.optics import STRIP, Rays, rays, sample, trace

F32 = NDArray[np.float32]

#: What happens behind the lens: the light at the sensor does not depend on it.
_BEHIND_LENS = (
    "light_temperature_k",
    "white_balance_k",
    "tint",
    "exposure_ev",
    "iso_noise",
    "denoise",
    "sharpen",
    "contrast",
    "blur_px",
    "jpeg_quality",
    "seed",
)
_DEFAULTS: dict[str, Any] = {name: getattr(Capture(), name) for name in _BEHIND_LENS}


@dataclass(frozen=True, eq=False)
class Strip:
    """A few rows of the picture, from the first to the last column that shows the head.

    Attributes
    ----------
    rows, columns : slice
        Its place in the picture.
    x, z : ndarray of float32, shape (h, w)
        Head-frame points, mm.
    normal, towards : ndarray of float32, shape (h, w, 3)
        Smooth normals, and unit vectors to the camera.
    uv : ndarray of float32, shape (h, w, 2)
        Texture coordinates, mm.
    cavity, lit : ndarray of float32, shape (h, w)
        Ambient visibility and share of the key light, 0..1.
    around : ndarray of float32, shape (h, w, 4)
        Hair and cloth (see ``head.surroundings``).
    """

    rows: slice
    columns: slice
    x: F32
    z: F32
    normal: F32
    towards: F32
    uv: F32
    cavity: F32
    lit: F32
    around: F32


@dataclass(frozen=True, eq=False)
class Seen:
    """A head's shape in one picture.

    Attributes
    ----------
    strips : tuple of Strip
        Where the head is; everything else is background.
    coverage : ndarray of float32, shape (H, W)
        0 background, 1 head, between at the outline.
    view : Rays
    light : Light
    """

    strips: tuple[Strip, ...]
    coverage: F32
    view: Rays
    light: shading.Light


def seen(shape: HeadShape, capture: Capture, *, seed: int, hairline_mm: float) -> Seen:
    """See a head's shape from where the capture stands.

    Parameters
    ----------
    shape : HeadShape
    capture : Capture
    seed, hairline_mm
        Of the person: they decide where hair is.

    Returns
    -------
    Seen
        The last one is kept: read-only.
    """
    return _seen(shape, replace(capture, **_DEFAULTS), seed, hairline_mm)


# one entry: at 9.4 px/mm it holds a quarter of a gigabyte
@lru_cache(maxsize=1)
def _seen(shape: HeadShape, capture: Capture, seed: int, hairline_mm: float) -> Seen:
    hits = trace(shape, capture)
    view = rays(capture)
    light = shading.light_of(capture)
    lit = shading.cast_shadow(shape, hits, light)
    around = head.surroundings(seed, hairline_mm)
    origin = view.origin_mm.astype(np.float32)
    strips = []
    for top in range(0, len(lit), STRIP):
        rows = slice(top, min(top + STRIP, len(lit)))
        shown = np.flatnonzero((hits.coverage[rows] > 0).any(axis=0))
        if not len(shown):
            continue
        columns = slice(int(shown[0]), int(shown[-1]) + 1)
        part = (rows, columns)
        column, row = (np.ascontiguousarray(p[part]) for p in (hits.column, hits.row))
        point = [plane[part] for plane in (hits.x, hits.y, hits.z)]
        towards = as_f32(cv2.merge([origin[k] - point[k] for k in range(3)]))
        towards /= np.sqrt((towards * towards).sum(axis=-1, keepdims=True))
        uv = sample(shape.uv_mm, column, row)
        strips.append(
            frozen_arrays(
                Strip(
                    rows=rows,
                    columns=columns,
                    x=point[0].copy(),
                    z=point[2].copy(),
                    normal=sample(shape.normal, column, row),
                    towards=towards,
                    uv=uv,
                    cavity=sample(shape.cavity, column, row),
                    lit=lit[part].copy(),
                    around=lookup(around, uv, head.EXTENT, head.PX_MM),
                )
            )
        )
    hits.coverage.flags.writeable = False
    return Seen(strips=tuple(strips), coverage=hits.coverage, view=view, light=light)


def lookup(texture: F32, uv: F32, extent: tuple[float, float, float], px_mm: float) -> F32:
    """Look a texture up at texture coordinates.

    Parameters
    ----------
    texture : ndarray of float32, shape (H, W, C)
    uv : ndarray of float32, shape (h, w, 2)
        mm.
    extent : tuple of float
        Half-width, top and bottom of the texture, mm.
    px_mm : float
        Its resolution.

    Returns
    -------
    ndarray of float32, shape (h, w, C)
    """
    half, top, _ = extent
    x = (uv[..., 0] + np.float32(half)) * np.float32(px_mm)
    y = (np.float32(top) - uv[..., 1]) * np.float32(px_mm)
    return as_f32(cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
