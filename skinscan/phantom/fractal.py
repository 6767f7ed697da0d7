"""Random textures that are the same at every resolution: they live in mm, not in pixels."""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_T = TypeVar("_T")


def lattice_noise(
    shape: tuple[int, int],
    px_per_mm: float,
    scales_mm: tuple[float, ...],
    gains: tuple[float, ...],
    *,
    seed: tuple[int, ...],
) -> F32:
    """Sum of smooth random fields with given grain sizes.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the map.
    px_per_mm : float
        Resolution of the map; the field itself does not depend on it.
    scales_mm : tuple of float
        Lattice spacing of each octave; octaves below the pixel are left out.
    gains : tuple of float
        Standard deviation of each octave.
    seed : tuple of int

    Returns
    -------
    ndarray of float32, shape (rows, columns)
    """
    rows, cols = shape
    total = np.zeros(shape, dtype=np.float32)
    for k, (scale, gain) in enumerate(zip(scales_mm, gains, strict=True)):
        step = scale * px_per_mm
        if step < 0.7:
            continue
        rng = np.random.default_rng([*seed, k])
        # drawn for the largest map there is, so that every resolution sees the same lattice
        n_row, n_col = int(400 / scale) + 4, int(400 / scale) + 4
        need_r, need_c = int(rows / step) + 4, int(cols / step) + 4
        cells = rng.standard_normal((n_row, n_col), dtype=np.float32)[:need_r, :need_c]
        x = np.arange(cols, dtype=np.float32) / np.float32(step) + 1
        y = np.arange(rows, dtype=np.float32) / np.float32(step) + 1
        # cubic interpolation of white cells keeps about 0.72 of their standard deviation
        field = _stretch(cells, x, y)
        total += np.float32(gain / 0.72) * field
    return total


def _stretch(cells: F32, x: F32, y: F32) -> F32:
    """Separable cubic resampling of a lattice at columns x and rows y."""
    wide = cv2.remap(
        cells,
        np.broadcast_to(x, (len(cells), len(x))).copy(),
        np.broadcast_to(
            np.arange(len(cells), dtype=np.float32)[:, None], (len(cells), len(x))
        ).copy(),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    return _rows(as_f32(wide), y)


def _rows(wide: F32, y: F32) -> F32:
    base = np.floor(y).astype(np.int64)
    f = (y - base).astype(np.float32)[:, None]
    a = np.float32(-0.75)
    weights = (
        a * (f + 1) ** 3 - 5 * a * (f + 1) ** 2 + 8 * a * (f + 1) - 4 * a,
        (a + 2) * f**3 - (a + 3) * f**2 + 1,
        (a + 2) * (1 - f) ** 3 - (a + 3) * (1 - f) ** 2 + 1,
        a * (2 - f) ** 3 - 5 * a * (2 - f) ** 2 + 8 * a * (2 - f) - 4 * a,
    )
    out = np.zeros((len(y), wide.shape[1]), dtype=np.float32)
    for k, w in enumerate(weights):
        out += w * wide[np.clip(base + k - 1, 0, len(wide) - 1)]
    return out


def as_f32(array: object) -> F32:
    """Say that an array is float32: OpenCV's types do not."""
    return np.asarray(array, dtype=np.float32)


def frozen_arrays(fields_of: _T) -> _T:
    """Make the arrays of a dataclass read-only: what a cache hands out twice must not change."""
    for item in fields(fields_of):  # type: ignore[arg-type]
        value = getattr(fields_of, item.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return fields_of


def smooth(image: F32, sigma_px: float) -> F32:
    """Gaussian blur that leaves an image alone when the kernel is below a pixel's reach."""
    if sigma_px < 0.2:
        return image
    return as_f32(cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT))


def step(x: F32, low: float, high: float) -> F32:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
