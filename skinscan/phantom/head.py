"""Hair and clothing: everything of the head that is no face."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.phantom.fractal import lattice_noise, smooth, step
from skinscan.phantom.geometry import R0_MM, hairline

F32 = NDArray[np.float32]

EXTENT = (170.0, 140.0, -225.0)
PX_MM = 3.0


@lru_cache(maxsize=4)
def surroundings(seed: int, hairline_mm: float) -> F32:
    """Hair and cloth over the head.

    Parameters
    ----------
    seed : int
        Decides strands and folds.
    hairline_mm : float
        Height of the hairline at the midline.

    Returns
    -------
    ndarray of float32, shape (H, W, 4)
        Hair coverage, hair brightness about 1, cloth coverage, cloth brightness about 1.
    """
    half, top, bottom = EXTENT
    u = np.arange(round(2 * half * PX_MM) + 1, dtype=np.float32) / np.float32(PX_MM) - np.float32(
        half
    )
    v = np.float32(top) - np.arange(
        round((top - bottom) * PX_MM) + 1, dtype=np.float32
    ) / np.float32(PX_MM)
    uu, vv = np.meshgrid(u, v)
    shape = (len(v), len(u))
    strand = _strands(seed, uu, vv)
    fine = strand - smooth(strand, 4.0)
    rough = lattice_noise(shape, PX_MM, (12.0, 3.5), (1.4, 0.35), seed=(seed, 61))
    line = hairline((uu / R0_MM).astype(np.float64), hairline_mm).astype(np.float32)
    depth = vv - line + rough + 0.9 * strand + 0.8 * fine
    cover = step(depth, -5.0, 7.0)
    # fine hairs reach over the edge, one by one
    single = np.clip(fine * 1.6 - 0.2, 0, 1) * step(depth, -10.0, 3.0)
    cover = np.clip(np.maximum(cover, 0.55 * single), 0, 1)
    tone = np.clip(1 + 0.34 * strand + 0.10 * rough, 0.2, 2.6)
    collar = -167.0 + 14.0 * np.tanh((np.abs(uu) - 48) / 26)
    cloth = step(collar - vv, -0.6, 0.6)
    seam = np.exp(-(((collar - vv - 9.0) / 0.8) ** 2))
    weave = lattice_noise(shape, PX_MM, (30.0, 11.0, 0.6), (0.06, 0.05, 0.05), seed=(seed, 62))
    fabric = 1 + weave - 0.25 * seam - 0.4 * np.exp(-(((collar - vv) / 1.2) ** 2))
    return np.stack([cover, tone, cloth, fabric], axis=-1).astype(np.float32)


def _strands(seed: int, u: F32, v: F32) -> F32:
    """Streaks that run from the hairline back over the head, zero mean, about unit spread."""
    rng = np.random.default_rng([seed, 63])
    angle = np.arctan2(u, v + 25.0)
    reach = np.hypot(u, v + 25.0)
    total = np.zeros(u.shape, dtype=np.float32)
    sway = lattice_noise(
        (u.shape[0], u.shape[1]), PX_MM, (40.0, 14.0), (0.02, 0.003), seed=(seed, 64)
    )
    for count, step_mm, gain in ((2600, 26.0, 0.8), (900, 40.0, 0.55), (170, 60.0, 0.25)):
        cells = rng.standard_normal((16, count)).astype(np.float32)
        column = ((angle + sway) / (2 * np.pi) + 0.5) * (count - 1)
        row = reach / np.float32(step_mm) + 1
        total += np.float32(gain) * cv2.remap(
            cells,
            column.astype(np.float32),
            row.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )
    return np.asarray(smooth(total, 0.5), dtype=np.float32)
