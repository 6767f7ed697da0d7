"""What another capture would have made of a real photo: all but another lamp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.colour import from_linear, to_linear
from skinscan.phantom import encode_jpeg
from skinscan.phantom.camera import light_gains
from skinscan.photo import load_photo

F32 = NDArray[np.float32]
_QUALITY = 95


def _exposed(ev: float) -> Callable[[F32], F32]:
    return lambda light: light * np.float32(2.0**ev)


def _balanced(kelvin: float) -> Callable[[F32], F32]:
    gains = (light_gains(5500.0) / light_gains(kelvin)).astype(np.float32)
    return lambda light: light * gains


def _blurred(sigma_px: float) -> Callable[[F32], F32]:
    return lambda light: np.asarray(cv2.GaussianBlur(light, (0, 0), sigma_px))


def _smaller(factor: float) -> Callable[[F32], F32]:
    return lambda light: np.asarray(
        cv2.resize(light, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    )


def _noisy(deviation: float) -> Callable[[F32], F32]:
    def add(light: F32) -> F32:
        noise = np.random.default_rng(5).standard_normal(light.shape).astype(np.float32)
        return light + np.float32(deviation) * np.sqrt(np.maximum(light, 1e-4)) * noise

    return add


def _beautified(light: F32) -> F32:
    """Smooth skin and keep edges, as beauty filters do (bilateral filter, twice)."""
    codes = np.rint(np.asarray(from_linear(np.clip(light, 0.0, 1.0))) * 255.0).astype(np.uint8)
    for _ in range(2):
        codes = np.asarray(cv2.bilateralFilter(codes, 13, 30.0, 5.0), dtype=np.uint8)
    return to_linear(codes)


def _same(light: F32) -> F32:
    return light


#: What is done to linear light, and the JPEG quality in which it is kept.
RECAPTURES: Mapping[str, tuple[Callable[[F32], F32], int]] = {
    "as it is": (_same, _QUALITY),
    "0.35 EV darker": (_exposed(-0.35), _QUALITY),
    "0.7 EV darker": (_exposed(-0.7), _QUALITY),
    "0.35 EV brighter": (_exposed(0.35), _QUALITY),
    "400 K warmer": (_balanced(5100.0), _QUALITY),
    "800 K cooler": (_balanced(6300.0), _QUALITY),
    "blur of 0.7 px": (_blurred(0.7), _QUALITY),
    "blur of 1.5 px": (_blurred(1.5), _QUALITY),
    "0.85 times as large": (_smaller(0.85), _QUALITY),
    "0.7 times as large": (_smaller(0.7), _QUALITY),
    "noise of a phone": (_noisy(0.01), _QUALITY),
    "JPEG 80": (_same, 80),
    "JPEG 60": (_same, 60),
    "beauty filter": (_beautified, _QUALITY),
}


def recaptured(path: Path, name: str) -> bytes:
    """Photograph a photo again.

    Parameters
    ----------
    path : Path
        The photo.
    name : str
        Key of `RECAPTURES`.

    Returns
    -------
    bytes
        A JPEG file.
    """
    change, quality = RECAPTURES[name]
    light = change(to_linear(load_photo(path).rgb))
    codes = np.asarray(from_linear(np.clip(light, 0.0, 1.0).astype(np.float32)))
    return encode_jpeg(np.rint(codes * 255.0).astype(np.uint8), quality)
