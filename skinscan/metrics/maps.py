"""Pictures derived from a FaceMap layer once and shared by all metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.colour import linear_to_lab, log_light, separate_pigments
from skinscan.errors import UnknownNameError
from skinscan.facemap import COLOUR_LEVEL_PX_MM, FaceMap, Layer
from skinscan.metrics.spots import Spots, find_spots
from skinscan.native import BOOL, F32, FLOAT, I32, INT, kernel, stride
from skinscan.pixels import bounds, gaussian_half, gaussian_zero, median, picked
from skinscan.resizing import linear_places, resized_area, resized_linear

#: Light varies more slowly than this over a face; lines and pores are finer (Gaussian sigma).
ILLUMINATION_MM = 3.0
#: Averaging of slow colour changes (Gaussian sigma).
SLOW_MM = 1.5
#: From twice this sigma a Gaussian mean is taken of a reduced picture.
_NARROW_PX = 4.0
#: Share of a mean's weight on the mask below which it fades.
_LEAST_WEIGHT = np.float32(1e-3)

_LESS_RESIZED = kernel(
    *("less_resized", F32, INT, BOOL, INT, F32, INT, I32, F32, I32, F32, INT, INT, F32, F32),
)  # picture, mask, other; places between its pixels; size, room to work, result
_MEAN = kernel(
    *("masked_mean", F32, INT, BOOL, INT, INT, INT, INT, F32, INT, FLOAT, INT, F32, F32, INT),
)  # picture, mask, size, Gaussian, least weight, what is wanted, room to work, result


def masked_blur(
    picture: NDArray[np.float32], mask: NDArray[np.bool_], sigma_px: float
) -> NDArray[np.float32]:
    """Gaussian mean over the mask only (normalised convolution).

    Parameters
    ----------
    picture : ndarray of float32, shape (H, W) or (H, W, 3)
    mask : ndarray of bool, shape (H, W)
    sigma_px : float
        Standard deviation in px.

    Returns
    -------
    ndarray of float32, shape of ``picture``
        Far from the mask the nearest mean fades to 0.

    Notes
    -----
    Normalised convolution: Knutsson & Westin (1993), doi:10.1109/CVPR.1993.341081.
    Wide kernels are applied to a reduced picture: the mean of a wide Gaussian has no
    detail that would be lost.
    """
    shrink = max(1, int(sigma_px // _NARROW_PX))
    if shrink == 1 and _MEAN is not None:
        result = np.empty(picture.shape, dtype=np.float32)
        _compiled_mean(_MEAN, np.ascontiguousarray(picture), mask, sigma_px, result)
        return result
    weight = mask.astype(np.float32)
    colour = picture.ndim == 3
    value = picture * (weight[..., None] if colour else weight)
    height, width = mask.shape
    if shrink > 1:
        rows, columns = -(-height // shrink), -(-width // shrink)
        value = resized_area(value, rows, columns)
        weight = resized_area(weight, rows, columns)
    sigma = sigma_px / shrink
    low = np.maximum(gaussian_zero(weight, sigma), _LEAST_WEIGHT)
    mean = gaussian_zero(value, sigma)
    mean /= low[..., None] if colour else low
    return resized_linear(mean, height, width)


def _compiled_mean(
    loop: Callable[..., None],
    picture: NDArray[np.float32],
    mask: NDArray[np.bool_],
    sigma_px: float,
    result: NDArray[np.float32],
    *,
    contrast: bool = False,
) -> None:
    """Put the narrow mean over a mask, or the picture less it on the mask, into ``result``."""
    rows, columns = mask.shape
    channels = picture.size // max(mask.size, 1)
    half = gaussian_half(sigma_px)
    radius = len(half) - 1
    room = np.empty((4 * radius + 6) * ((columns + 2 * radius) * channels + 64), dtype=np.float32)
    pictures = (picture, stride(picture), mask, stride(mask), rows, columns, channels)
    loop(*pictures, half, radius, float(_LEAST_WEIGHT), contrast, room, result, stride(result))


@dataclass(frozen=True, eq=False)
class LevelMaps:
    """Derived pictures of one layer.

    Attributes
    ----------
    layer : Layer
    base : Layer
        The coarsest layer of the same face.
    means : dict
        Local means of ``base`` by sigma in mm, shared by all levels of a face.
    """

    layer: Layer
    base: Layer
    means: dict[float, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def _mean_of_base(self, sigma_mm: float) -> NDArray[np.float32]:
        # A wide mean costs next to nothing on the coarsest layer.
        if sigma_mm not in self.means:
            self.means[sigma_mm] = masked_blur(
                self.base.log_y, self.base.skin, sigma_mm * self.base.level_px_mm
            )
        return self.means[sigma_mm]

    def illumination(self, sigma_mm: float) -> NDArray[np.float32]:
        """Local mean of ``log_y`` over the skin (Gaussian sigma in mm)."""
        return resized_linear(self._mean_of_base(sigma_mm), *self.layer.log_y.shape)

    @cached_property
    def _light(self) -> NDArray[np.float32]:
        return self.illumination(ILLUMINATION_MM)

    def flat(self, window: tuple[slice, slice]) -> NDArray[np.float32]:
        """Illumination-free layer in a window: contrast in % to the mean within 3 mm, on skin."""
        log_y, skin = self.layer.log_y[window], self.layer.skin[window]
        if _LESS_RESIZED is None:
            # Half the time of a subtraction with a mask; what is not copied is 0.
            difference = cv2.subtract(log_y, self._light[window])
            return np.asarray(cv2.copyTo(difference, skin.view(np.uint8)), dtype=np.float32)
        light = self._mean_of_base(ILLUMINATION_MM)
        rows, columns = log_y.shape
        places = [
            part[where]
            for before, after, where in zip(
                light.shape[::-1], self.layer.log_y.shape[::-1], window[::-1], strict=True
            )
            for part in linear_places(before, after)
        ]
        room = np.empty(2 * columns, dtype=np.float32)
        result = np.empty((rows, columns), dtype=np.float32)
        pictures = (log_y, stride(log_y), skin, stride(skin), light, stride(light))
        _LESS_RESIZED(*pictures, *places, rows, columns, room, result)
        return result

    def band(self, fine_mm: float, coarse_mm: float) -> NDArray[np.float32]:
        """Contrast in % of structures between two wavelengths, 0 off the skin."""
        layer = self.layer
        # A Gaussian passes half of the amplitude at a wavelength of 5.3 sigma.
        fine = fine_mm / 5.3 * layer.level_px_mm
        coarse = coarse_mm / 5.3 * layer.level_px_mm
        result = np.zeros(layer.skin.shape, dtype=np.float32)
        part = self._skin_window
        log_y, skin = layer.log_y[part], layer.skin[part]
        if not skin.size:
            return result
        # Below half a pixel the pixels themselves are the limit.
        if fine < 0.5 and coarse < 2 * _NARROW_PX and _MEAN is not None:
            _compiled_mean(_MEAN, log_y, skin, coarse, result[part], contrast=True)
            return result
        low = masked_blur(log_y, skin, coarse)
        high = log_y if fine < 0.5 else masked_blur(log_y, skin, fine)
        cv2.copyTo(cv2.subtract(high, low), skin.view(np.uint8), result[part])
        return result

    @cached_property
    def _skin_window(self) -> tuple[slice, slice]:
        """Rows and columns that enclose the skin."""
        return bounds(self.layer.skin)

    @cached_property
    def roughness_band(self) -> NDArray[np.float32]:
        """Contrast in % in the texture band, 0.3 to 2 mm."""
        return self.band(0.3, 2.0)

    @property
    def linear(self) -> NDArray[np.float32]:
        """Linear sRGB light, shape (rows, columns, 3)."""
        if self.layer.linear is None:
            raise UnknownNameError(
                expected=f"a level up to {COLOUR_LEVEL_PX_MM:g} px/mm for a colour metric",
                found=f"{self.layer.level_px_mm:g} px/mm",
                remedy="Set the metric's finest_level_px_mm accordingly",
            )
        return self.layer.linear

    @cached_property
    def lab(self) -> NDArray[np.float32]:
        """CIE L*a*b*, shape (rows, columns, 3)."""
        return linear_to_lab(self.linear)

    @cached_property
    def slow_chroma(self) -> NDArray[np.float32]:
        """100·ln(R/G) and 100·ln(B/G) of light averaged over `SLOW_MM`, shape (rows, columns, 2).

        Ratios, so that exposure and the colour of the lamp shift the whole face alike.
        """
        sigma = SLOW_MM * self.layer.level_px_mm
        light = masked_blur(self.linear, self.layer.skin, sigma)
        floored: list[NDArray[np.float32]] = [
            np.maximum(light[..., k], np.float32(1e-4)) for k in range(3)
        ]
        red, green, blue = floored
        return np.stack([cv2.log(red / green), cv2.log(blue / green)], axis=-1) * np.float32(100.0)

    @cached_property
    def pigments(self) -> NDArray[np.float32]:
        """Haemoglobin and melanin, 100·optical density, shape (rows, columns, 2)."""
        return separate_pigments(self.linear)

    @cached_property
    def pigment_reference(self) -> NDArray[np.float32]:
        """Median haemoglobin and melanin of all visible skin, shape (2,)."""
        skin = picked(self.pigments, self.layer.skin).T
        if not skin.size:
            return np.full(2, np.nan, dtype=np.float32)
        return np.asarray(median(skin), dtype=np.float32)

    @cached_property
    def spot_contrast(self) -> NDArray[np.float32]:
        """Red optical density against the surroundings within 3 mm, smoothed over 0.4 mm, in %.

        Blood hardly absorbs red, and a mirror's share of the light is least there.
        """
        layer = self.layer
        red = log_light(np.ascontiguousarray(self.linear[..., 0]))
        near = masked_blur(red, layer.skin, 0.4 * layer.level_px_mm)
        around = masked_blur(red, layer.skin, ILLUMINATION_MM * layer.level_px_mm)
        return np.asarray(np.where(layer.skin, around - near, 0.0), dtype=np.float32)

    @cached_property
    def spot_spread(self) -> float:
        """Robust spread of ``spot_contrast`` over the whole face."""
        values = self.spot_contrast[self.layer.skin]
        if not len(values):
            return float("nan")
        return 1.4826 * float(median(np.abs(values - median(values))))

    @cached_property
    def spots(self) -> Spots:
        """Pigment spots of the whole face."""
        return find_spots(
            self.spot_contrast,
            self.layer.skin,
            spread=self.spot_spread,
            level_px_mm=self.layer.level_px_mm,
        )


@dataclass(frozen=True, eq=False)
class FaceMaps:
    """`LevelMaps` of every layer of a FaceMap."""

    facemap: FaceMap
    levels: Mapping[float, LevelMaps]


def face_maps(facemap: FaceMap) -> FaceMaps:
    """Prepare the shared pictures; each is computed when first asked for."""
    base = facemap.layers[min(facemap.layers)]
    means: dict[float, NDArray[np.float32]] = {}
    return FaceMaps(
        facemap, {lv: LevelMaps(layer, base, means) for lv, layer in facemap.layers.items()}
    )
