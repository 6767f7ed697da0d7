"""Colour arithmetic, at the one place: sRGB, linear light and CIE L*a*b* (D65, 2°)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.native import F32, INT, U8, kernel, stride

#: Rec. 709 luminance weights of linear R, G, B (sRGB standard, IEC 61966-2-1).
LUMINANCE_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)

_CODES = np.arange(256, dtype=np.float64) / 255.0
#: Linear light of each 8-bit sRGB code, shape (256,).
SRGB_TO_LINEAR = np.where(
    _CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4
).astype(np.float32)

#: Part of the luminance that each code of red, green and blue contributes, shape (3, 256).
_LUMINANCE_OF_CODE = LUMINANCE_WEIGHTS[:, None] * SRGB_TO_LINEAR
_STRIP_ROWS, _STRIP_NUMBERS = 32, 65536
_LUMINANCE = kernel("luminance", U8, INT, INT, INT, F32, F32)  # codes, size, of each, result


def to_linear(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert 8-bit sRGB to linear light.

    Parameters
    ----------
    rgb : ndarray of uint8, any shape
        sRGB codes.

    Returns
    -------
    ndarray of float32, same shape
        Linear light in 0..1.
    """
    return np.asarray(cv2.LUT(rgb, SRGB_TO_LINEAR), dtype=np.float32).reshape(rgb.shape)


def from_linear(linear: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert linear light to sRGB values in 0..1 (not rounded).

    Parameters
    ----------
    linear : ndarray of float, any shape
        Linear light; values outside 0..1 are clipped.

    Returns
    -------
    ndarray of float32, same shape
        sRGB in 0..1.
    """
    x = np.clip(np.asarray(linear, dtype=np.float32), 0.0, 1.0)
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def luminance(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Relative luminance Y of linear RGB, shape (H, W, 3) -> (H, W)."""
    return np.asarray(cv2.transform(linear, LUMINANCE_WEIGHTS[None, :]), dtype=np.float32)


def luminance_of_codes(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Relative luminance Y of 8-bit sRGB, shape (H, W, 3) -> (H, W)."""
    total: NDArray[np.float32] = np.empty(rgb.shape[:2], dtype=np.float32)
    if _LUMINANCE is not None:
        _LUMINANCE(rgb, stride(rgb), *total.shape, _LUMINANCE_OF_CODE, total)
        return total
    # Strips whose working arrays stay in the processor's cache take a third of the time.
    for top in range(0, len(rgb), _STRIP_ROWS):
        strip = total[top : top + _STRIP_ROWS]
        red, green, blue = cv2.split(rgb[top : top + _STRIP_ROWS])
        cv2.LUT(red, _LUMINANCE_OF_CODE[0], strip)
        cv2.add(strip, cv2.LUT(green, _LUMINANCE_OF_CODE[1]), strip)
        cv2.add(strip, cv2.LUT(blue, _LUMINANCE_OF_CODE[2]), strip)
    return total


#: Below the first step of an 8-bit photo: the least light that has a logarithm here.
DARKEST = np.float32(1.0 / 4096.0)


def log_light(
    light: NDArray[np.float32], *, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Take 100·ln of linear light, floored at `DARKEST`: differences are contrasts in %.

    Parameters
    ----------
    light : ndarray of float32, any shape
    out : ndarray of float32, same shape, contiguous, optional
        Where to put the result; ``light`` itself, to need no further memory.

    Returns
    -------
    ndarray of float32, same shape
    """
    result = np.empty(light.shape, dtype=np.float32) if out is None else out
    # Strips that stay in the processor's cache.
    taken, given = np.ascontiguousarray(light).reshape(-1), result.reshape(-1)
    for start in range(0, given.size, _STRIP_NUMBERS):
        strip = given[start : start + _STRIP_NUMBERS]
        np.maximum(taken[start : start + _STRIP_NUMBERS], DARKEST, out=strip)
        cv2.log(strip, strip)
        strip *= np.float32(100.0)
    return result


#: Linear sRGB to XYZ relative to white, D65 (IEC 61966-2-1).
_TO_XYZ = np.array(
    [
        [0.412453 / 0.950456, 0.357580 / 0.950456, 0.180423 / 0.950456],
        [0.212671, 0.715160, 0.072169],
        [0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754],
    ]
)
#: Share of white below which the cube root gives way to a straight line (CIE 15).
_DIM = np.float32(0.008856)


def linear_to_lab(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert linear sRGB of shape (H, W, 3) to CIE L*a*b* (D65, 2°), float32.

    Returns
    -------
    ndarray of float32, shape (H, W, 3)
        L* in 0..100, a* and b* in about -110..110.

    Notes
    -----
    The first conversion by OpenCV builds tables for a tenth of a second.
    """
    xyz = np.asarray(cv2.transform(np.ascontiguousarray(linear), _TO_XYZ), dtype=np.float32)
    root = np.asarray(cv2.pow(np.maximum(xyz, _DIM), 1.0 / 3.0), dtype=np.float32)
    dim = np.float32(7.787) * xyz + np.float32(16.0 / 116.0)
    x, y, z = cv2.split(np.where(xyz > _DIM, root, dim))
    return np.asarray(cv2.merge([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]))


def lab_to_linear(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert CIE L*a*b* (D65, 2°) of shape (H, W, 3) to linear sRGB, float32."""
    light, red, yellow = cv2.split(np.asarray(lab, dtype=np.float32))
    y = (light + 16.0) / 116.0
    root = np.stack([y + red / 500.0, y, y - yellow / 200.0], axis=-1)
    dim = (root - 16.0 / 116.0) / 7.787
    xyz = np.where(root**3 > _DIM, root**3, dim)
    return np.asarray(xyz @ np.linalg.inv(_TO_XYZ).T, dtype=np.float32)


#: Absorbance of the two pigments in sRGB's red, green and blue bands, relative to green.
#: Melanin falls with wavelength as λ^-3.33 (Jacques & McAuliffe 1991,
#: doi:10.1111/j.1751-1097.1991.tb03669.x) at 610, 545 and 465 nm; oxygenated haemoglobin
#: from the ratio of its extinction in the same bands (Prahl's compilation, 0.03 : 1 : 0.6).
_HAEMOGLOBIN = (0.03, 1.0, 0.6)
_MELANIN = (0.69, 1.0, 1.70)


def _unmixing() -> NDArray[np.float32]:
    basis = np.array([_HAEMOGLOBIN, _MELANIN, (1.0, 1.0, 1.0)], dtype=np.float64).T
    return np.asarray(np.linalg.inv(basis), dtype=np.float32)


_UNMIX = _unmixing()


def separate_pigments(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Split skin colour into haemoglobin and melanin, free of shading.

    Parameters
    ----------
    linear : ndarray of float32, shape (..., 3)
        Linear sRGB light.

    Returns
    -------
    ndarray of float32, shape (..., 2)
        Haemoglobin and melanin as 100·optical density (natural logarithm) in the green
        band. The zero is arbitrary: it contains the colour of the light and of bloodless
        skin, so only differences inside one face have a meaning.

    Notes
    -----
    Light that skin sends back is modelled as exp(-(h·H + m·M + s)) per band, s being shading
    that dims all bands alike: three equations, three unknowns. After Tsumura et al.
    (1999), doi:10.1364/JOSAA.16.002169, with published absorption instead of an
    independent component analysis, so that two faces are measured in the same unit.
    """
    return np.asarray(-log_light(linear) @ _UNMIX[:2].T, dtype=np.float32)


def shading(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light with the two pigments taken out, the counterpart of `separate_pigments`.

    Parameters
    ----------
    linear : ndarray of float32, shape (..., 3)
        Linear sRGB light.

    Returns
    -------
    ndarray of float32, shape (...)
        100·ln; only differences inside one face have a meaning.
    """
    return np.asarray(log_light(linear) @ _UNMIX[2], dtype=np.float32)
