"""What differs between the skin of two photos, in colour on the face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.errors import ScanFileError
from skinscan.facemap import FaceMap
from skinscan.frame import BOTTOM_MM, LEFT_MM, RIGHT_MM, TOP_MM, map_size, mm_to_map_px
from skinscan.metrics.maps import masked_blur
from skinscan.plots.lettering import RGB, lettered
from skinscan.plots.style import BLUE, VERMILION
from skinscan.progress import words
from skinscan.progress.locales import locale as locale_of
from skinscan.registration import Registration, Skin, common_level, register
from skinscan.scan import Scan

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: Light over longer distances than this is taken off both photos, standard deviation in mm.
_LIGHT_MM = 6.0
#: What is finer than this is noise and error of the registration, standard deviation in mm.
_NOISE_MM = 0.4
#: End of the scale, contrast in %.
_END_PCT = 10.0
#: With fewer of their patches in agreement two photos show too little in common.
LEAST_MATCHED = 0.5
#: Skin further than this from a patch that agrees is not compared.
_REACH_MM = 12.0
_WIDTH_PX, _TOP_PX, _BOTTOM_PX, _BAR_PX = 640, 56, 124, 20
_PAPER, _GREY = 255, 170
_HEIGHT_PX = round(_WIDTH_PX * (TOP_MM - BOTTOM_MM) / (RIGHT_MM - LEFT_MM))
#: Width and height of the picture.
PICTURE_SIZE = (_WIDTH_PX, _TOP_PX + _HEIGHT_PX + _BOTTOM_PX)


@dataclass(frozen=True, eq=False)
class Difference:
    """Two photos of one view, subtracted.

    Attributes
    ----------
    contrast_pct : ndarray of float32, shape (rows, columns)
        Later minus earlier, 100·Δln Y without the light over long distances; NaN where not both
        show skin.
    level_px_mm : float
    matched_share : float
        Share of the patches in which both photos agree.
    picture : ndarray of uint8, shape (H, W, 3)
        sRGB.
    """

    contrast_pct: F32
    level_px_mm: float
    matched_share: float
    picture: RGB


@dataclass(frozen=True)
class Unmatched:
    """Two photos that agree in too few places to be subtracted.

    Attributes
    ----------
    matched_share : float
        Share of the patches in which both agree, below `LEAST_MATCHED`.
    """

    matched_share: float

    def sentence(self, locale: str) -> str:
        """Say why there is no picture, with the share that agrees and the one that is needed."""
        share, least = (
            locale_of(locale).number(100.0 * v, places=0)
            for v in (self.matched_share, LEAST_MATCHED)
        )
        return words.DIFFERENCE_NONE.format(share=share, least=least)


def difference(before: Scan, after: Scan) -> Difference | Unmatched:
    """Subtract two photos of one view, skin on skin.

    The later skin is bent onto the earlier one by the registration of both, and the light over
    more than about a centimetre is taken off each, so that neither exposure nor another place of
    the lamp shows as a change. What is left are lines, folds, spots and shine, with the noise of
    both photos. It decides nothing.

    Parameters
    ----------
    before, after : Scan
        Fresh from `analyze`, with their pixels.

    Returns
    -------
    Difference or Unmatched
        The latter where the two agree in fewer than half of the places compared.

    Raises
    ------
    ScanFileError
        If a Scan has no pixels.
    """
    if before.pixels is None or after.pixels is None:
        raise ScanFileError(
            expected="two scans with their photos, because a saved scan holds no pixels",
            found="a scan without",
            remedy="Analyze the photos again",
        )
    return skin_difference(before.pixels.facemap, after.pixels.facemap)


def skin_difference(first: FaceMap | Skin, second: FaceMap | Skin) -> Difference | Unmatched:
    """Subtract the skin of two photos of one view; see `difference`.

    Parameters
    ----------
    first, second : FaceMap or Skin
        Of the earlier and of the later photo.
    """
    moved = register(first, second)
    if moved.matched_share < LEAST_MATCHED:
        return Unmatched(moved.matched_share)
    level = common_level(first, second)
    here, there = first.layers[level], second.layers[level]
    seen = moved.warp(there.skin.astype(np.float32), level_px_mm=level) > 0.99
    skin = here.skin & seen & _near_matches(moved, level)
    apart = _detail(moved.warp(there.log_y, level_px_mm=level), skin, level) - _detail(
        here.log_y, skin, level
    )
    contrast = np.where(skin, masked_blur(apart, skin, _NOISE_MM * level), np.float32(np.nan))
    return Difference(
        contrast_pct=np.asarray(contrast, dtype=np.float32),
        level_px_mm=level,
        matched_share=moved.matched_share,
        picture=_picture(contrast, here.log_y),
    )


def _near_matches(moved: Registration, level: float) -> NDArray[np.bool_]:
    """Where a patch that agrees is near: elsewhere the skins may not lie on each other."""
    away = np.full(map_size(level), 255, dtype=np.uint8)
    at = mm_to_map_px(moved.patches.centre_mm[moved.patches.matched], level)
    rows, columns = away.shape
    px = np.round(at).astype(np.intp)
    away[np.clip(px[:, 1], 0, rows - 1), np.clip(px[:, 0], 0, columns - 1)] = 0
    distance = cv2.distanceTransform(away, cv2.DIST_L2, 3)
    return np.asarray(distance <= _REACH_MM * level)


def _detail(log_y: F32, skin: NDArray[np.bool_], level: float) -> F32:
    return np.asarray(log_y - masked_blur(log_y, skin, _LIGHT_MM * level), dtype=np.float32)


def _rgb(colour: str) -> F64:
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=np.float64)


def _shade(contrast_pct: F64) -> F64:
    """Colours of contrasts: blue lighter, vermilion darker, white the same."""
    share = np.clip(contrast_pct / _END_PCT, -1.0, 1.0)[..., None]
    end = np.where(share > 0, _rgb(BLUE), _rgb(VERMILION))
    return np.asarray(_PAPER + (end - _PAPER) * np.abs(share))


def _picture(contrast: NDArray[np.floating], log_y: F32) -> RGB:
    """Draw the difference on a pale face, with title and scale."""
    pale = np.exp(np.clip(log_y, -400.0, 0.0) / 100.0) ** (1 / 2.2)
    ground = np.repeat((_GREY + 70.0 * pale)[..., None], 3, axis=2)
    known = np.isfinite(contrast)
    drawn = np.where(known[..., None], _shade(np.nan_to_num(contrast).astype(np.float64)), ground)
    size = (_WIDTH_PX, _HEIGHT_PX)
    face = cv2.resize(drawn.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    canvas = np.full((*PICTURE_SIZE[::-1], 3), _PAPER, dtype=np.uint8)
    canvas[_TOP_PX : _TOP_PX + _HEIGHT_PX] = np.clip(np.round(face), 0, 255)
    left, right, top = 90, _WIDTH_PX - 90, _TOP_PX + _HEIGHT_PX + 34
    scale = np.linspace(-_END_PCT, _END_PCT, right - left)
    canvas[top : top + _BAR_PX, left:right] = np.round(_shade(scale))[None]
    canvas[top + 56 : top + 76, left : left + 30] = _GREY + 30
    under = top + _BAR_PX + 16
    texts = [
        ((_WIDTH_PX / 2, _TOP_PX / 2), "mm", words.DIFFERENCE_TITLE),
        ((left, top - 16), "lm", words.DIFFERENCE_DARKER),
        ((right, top - 16), "rm", words.DIFFERENCE_LIGHTER),
        ((left, under), "mm", f"−{_END_PCT:g}"),
        ((_WIDTH_PX / 2, under), "mm", words.DIFFERENCE_UNIT),
        ((right, under), "mm", f"+{_END_PCT:g}"),
        ((left + 40, top + 66), "lm", words.DIFFERENCE_NOT_COMPARED),
    ]
    return lettered(canvas, texts, size_px=22)
