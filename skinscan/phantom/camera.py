"""From scene light to picture: exposure, lens, noise and what a camera does to it."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinscan.colour import LUMINANCE_WEIGHTS, from_linear
from skinscan.phantom.capture import Capture
from skinscan.phantom.fractal import as_f32
from skinscan.phantom.truth import check_range

F32 = NDArray[np.float32]

#: Photons that a full pixel holds at ISO 100, as a phone's 1.4 µm pixel does (order of magnitude).
FULL_WELL = 9000.0
READ_NOISE = 4.0


def light_gains(temperature_k: float) -> F32:
    """Red, green and blue of a black body relative to 5500 K, green 1.

    Planck's law at 610, 545 and 465 nm.
    """
    wavelength = np.array([610e-9, 545e-9, 465e-9])
    c2 = 1.438777e-2

    def planck(t: float) -> NDArray[np.float64]:
        return np.asarray(1 / np.expm1(c2 / (wavelength * t)))

    ratio = planck(temperature_k) / planck(5500.0)
    return np.asarray(ratio / ratio[1], dtype=np.float32)


def expose(scene: F32, capture: Capture) -> NDArray[np.uint8]:
    """Photograph linear scene light.

    Parameters
    ----------
    scene : ndarray of float32, shape (H, W, 3)
        Light at the sensor under a 5500 K lamp, 1 where a white card in full light is.
    capture : Capture

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        sRGB.
    """
    rng = np.random.default_rng([capture.seed, 71])
    gain = light_gains(capture.light_temperature_k) / light_gains(capture.white_balance_k)
    gain = gain * np.array([1.0, np.exp(capture.tint), 1.0], dtype=np.float32)
    image = scene * (gain * np.float32(2.0**capture.exposure_ev)).astype(np.float32)
    if capture.blur_px >= 0.2:
        image = as_f32(cv2.GaussianBlur(image, (0, 0), capture.blur_px))
    if capture.iso_noise > 0:
        image += _noise(image, capture.iso_noise, rng)
    np.clip(image, 0, 1, out=image)
    coded = from_linear(image)
    if capture.denoise > 0:
        coded = _denoise(coded, capture.denoise, capture.iso_noise)
    if capture.sharpen > 0:
        luma = coded @ LUMINANCE_WEIGHTS
        detail = as_f32(luma - cv2.GaussianBlur(luma, (0, 0), 1.1))
        coded = coded + (np.float32(capture.sharpen) * detail)[..., None]
    if capture.contrast > 0:
        x = np.clip(coded, 0, 1)
        coded = x + np.float32(0.5 * capture.contrast) * x * (1 - x) * (2 * x - 1)
    out: NDArray[np.uint8] = np.clip(coded * 255 + 0.5, 0, 255).astype(np.uint8)
    return out


def _noise(image: F32, level: float, rng: np.random.Generator) -> F32:
    electrons = np.float32(FULL_WELL / level**2)
    variance = np.maximum(image, 0) / electrons + np.float32((READ_NOISE / electrons) ** 2)
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    # demosaicing correlates neighbours a little
    grain = cv2.GaussianBlur(grain, (0, 0), 0.55) * np.float32(1.6)
    return np.asarray(grain * np.sqrt(variance), dtype=np.float32)


def _denoise(coded: F32, amount: float, level: float) -> F32:
    ycc = as_f32(cv2.cvtColor(coded, cv2.COLOR_RGB2YCrCb))
    spread = 0.012 + 0.02 * amount * max(level, 0.3)
    flat = cv2.bilateralFilter(ycc[..., 0], 5, spread * 2.0, 1.6)
    ycc[..., 0] += np.float32(amount) * (flat - ycc[..., 0])
    chroma = cv2.GaussianBlur(ycc[..., 1:], (0, 0), 0.6 + 1.8 * amount)
    ycc[..., 1:] += np.float32(min(1.0, amount * 1.5)) * (chroma - ycc[..., 1:])
    return as_f32(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB))


def encode_jpeg(
    rgb: NDArray[np.uint8], quality: int = 90, *, taken: str | None = None, dpi: int = 72
) -> bytes:
    """Encode a picture as JPEG, optionally with the time it was taken.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    quality : int
        1 to 100.
    taken : str, optional
        EXIF DateTimeOriginal, ``YYYY:MM:DD HH:MM:SS``.
    dpi : int
        Written into the header.

    Returns
    -------
    bytes

    Raises
    ------
    PhantomError
        If the quality is outside its range.
    """
    check_range("quality", quality, 1, 100)
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0131] = "skinscan phantom"
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken
    Image.fromarray(rgb).save(
        buffer,
        "JPEG",
        quality=quality,
        subsampling=0 if quality >= 93 else 2,
        optimize=True,
        exif=exif,
        dpi=(dpi, dpi),
    )
    return buffer.getvalue()
