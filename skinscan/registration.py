"""Two FaceMaps of one person -> where each point of the first lies in the second.

Landmarks put the same skin within a millimetre or two; the skin's own texture does the rest.
Patches of illumination-free, band-passed texture are matched, and a field that bends over
centimetres only is fitted through the matches. Such a field can move a wrinkle but neither
narrow nor erase it, and a line that is in only one of the photos makes its patch match worse
instead of pulling at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.facemap import FaceMap, Layer
from skinscan.frame import (
    BOTTOM_MM,
    GRID_PX_MM,
    LEFT_MM,
    RIGHT_MM,
    TOP_MM,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.pixels import gaussian_zero, sampled
from skinscan.resizing import resized_linear

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Highest level at which texture is compared: 4.5 and 6 px/mm took two and four times as long
#: and placed rendered skin no better (0.114, 0.112 and 0.110 mm, eight pairs).
FINEST_PX_MM = 3.0
#: Knots of the field: an order of magnitude beyond the width of a wrinkle.
KNOT_MM = 14.0
#: Side of a patch and distance between patches; they do not overlap, so that each can be
#: foretold by the others alone.
PATCH_MM = 12.0
#: Texture finer and coarser than this (Gaussian sigmas) is left out.
_FINE_MM, _COARSE_MM = 0.25, 1.2
#: Strength of texture is evened out over this distance, and limited to so many deviations, so
#: that no line or mole outweighs the pores around it.
_EVEN_MM, _LIMIT = 5.0, 2.0
#: Contrast (%) below which there is no texture, only noise to be blown up.
_LEAST_TEXTURE_PCT = 0.6
_LEAST_SKIN = 0.6
#: Search of the first and of later rounds around what is known so far, mm.
_SEARCH_MM = (4.0, 2.5, 1.5)
#: A patch matches when its correlation reaches this, and when the best place elsewhere does not
#: come nearer than this to the best place.
_LEAST_CORRELATION, _LEAST_LEAD = 0.25, 0.03
_APART_MM = 1.0
#: A patch further than this from what the others foretell has matched something else, mm.
_AGREE_MM = 1.5
#: Bending energy of the field relative to the evidence of one patch.
_STIFFNESS = 0.03
_HOLD = 1e-4
#: Deviation at which a match begins to count less, mm.
_ROBUST_MM = 0.8
_ROBUST_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Patches:
    """What the patches of a pair said.

    Attributes
    ----------
    centre_mm : ndarray of float64, shape (N, 2)
        Patches with enough skin in both photos, canonical mm of the first.
    shift_mm : ndarray of float64, shape (N, 2)
        Displacement that each found for itself.
    correlation : ndarray of float64, shape (N,)
        Normalised correlation of texture there, -1 to 1.
    matched : ndarray of bool, shape (N,)
        Clear, and in agreement with the others.
    residual_mm : ndarray of float64, shape (N,)
        Distance between the patch's own displacement and what the field fitted without this
        patch foretells.
    """

    centre_mm: F64
    shift_mm: F64
    correlation: F64
    matched: Mask
    residual_mm: F64


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the skin of one FaceMap lies in another.

    Attributes
    ----------
    shift_mm : ndarray of float32, shape (rows, columns, 2)
        At each point of the FaceMap grid of the first photo, x and y to add to come to the
        same skin in the second, canonical mm.
    level_px_mm : float
        Level at which texture was compared.
    patches : Patches
    """

    shift_mm: F32
    level_px_mm: float
    patches: Patches

    @property
    def matched_share(self) -> float:
        """Share of the patches that matched, 0 to 1."""
        matched = self.patches.matched
        return float(matched.mean()) if len(matched) else 0.0

    @property
    def median_residual_mm(self) -> float:
        """Median over matched patches of `Patches.residual_mm`; NaN where none matched."""
        return self._residual(0.5)

    @property
    def p95_residual_mm(self) -> float:
        """95th percentile over matched patches; NaN where none matched."""
        return self._residual(0.95)

    def _residual(self, share: float) -> float:
        known = self.patches.residual_mm[self.patches.matched]
        return float(np.quantile(known, share)) if len(known) else float("nan")

    def to_second(self, points_mm: F64) -> F64:
        """Map points of the first FaceMap, shape (N, 2), to the second, canonical mm."""
        points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 2)
        at = mm_to_map_px(points, GRID_PX_MM)[:, None]
        planes = (np.ascontiguousarray(self.shift_mm[..., k]) for k in (0, 1))
        return np.asarray(points + np.hstack([sampled(plane, at) for plane in planes]))

    def to_first(self, points_mm: F64) -> F64:
        """Map points of the second FaceMap, shape (N, 2), to the first, canonical mm."""
        points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 2)
        found = points.copy()
        # The field stretches by a few per cent: each round shrinks the error by as much.
        for _ in range(8):
            found = found + points - self.to_second(found)
        return found

    def warp(self, picture: F32, *, level_px_mm: float) -> F32:
        """Resample a picture of the second FaceMap into the frame of the first.

        Parameters
        ----------
        picture : ndarray of float32, shape ``map_size(level_px_mm)`` or with channels
        level_px_mm : float

        Returns
        -------
        ndarray of float32
            Of the same shape.
        """
        return _moved(picture, self.shift_mm, level_px_mm, cv2.INTER_CUBIC)


def _places(level: float) -> tuple[F32, F32]:
    rows, columns = map_size(level)
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    return x, y


def _shift_px(shift_mm: F32, level: float) -> tuple[F32, F32]:
    """Displacement in map pixels (column, row) at a level."""
    size = map_size(level)
    x, y = (resized_linear(np.ascontiguousarray(shift_mm[..., k]), *size) for k in (0, 1))
    return x * np.float32(level), y * np.float32(-level)


def _moved(picture: F32, shift_mm: F32, level: float, interpolation: int) -> F32:
    (x, y), (dx, dy) = _places(level), _shift_px(shift_mm, level)
    moved = cv2.remap(picture, x + dx, y + dy, interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Texture:
    """Skin texture without light: band-passed, of even strength, limited.

    Attributes
    ----------
    level_px_mm : float
    picture : ndarray of float32, shape ``map_size(level_px_mm)``
        In deviations of the surrounding texture; 0 off the skin.
    skin : ndarray of bool, shape ``map_size(level_px_mm)``
    detail_pct : float
        Usual contrast of the texture before it was evened out, %; small in a blurred photo.
        NaN without skin.
    """

    level_px_mm: float
    picture: F32
    skin: Mask
    detail_pct: float

    def mirrored(self) -> Texture:
        """Mirror it; the canonical frame is symmetric about its middle column."""
        return replace(
            self,
            picture=np.ascontiguousarray(self.picture[:, ::-1]),
            skin=np.ascontiguousarray(self.skin[:, ::-1]),
        )


def texture(layer: Layer) -> Texture:
    """Take the texture of a layer."""
    skin = layer.skin.astype(np.float32)
    light = np.where(layer.skin, layer.log_y, 0.0).astype(np.float32)
    level = layer.level_px_mm

    def mean(picture: F32, sigma_mm: float) -> F32:
        over = np.maximum(gaussian_zero(skin, sigma_mm * level), 1e-3)
        return np.asarray(gaussian_zero(picture * skin, sigma_mm * level) / over)

    band = (mean(light, _FINE_MM) - mean(light, _COARSE_MM)) * skin
    strength = np.sqrt(mean(band * band, _EVEN_MM) + _LEAST_TEXTURE_PCT**2)
    picture = np.asarray(np.clip(band / strength, -_LIMIT, _LIMIT), dtype=np.float32)
    # 1.4826 times the median of the size: a deviation that lines and moles do not raise.
    detail = 1.4826 * float(np.median(np.abs(band[layer.skin]))) if layer.skin.any() else np.nan
    return Texture(level, picture, layer.skin, detail)


@cache
def _centres_mm() -> F64:
    x = np.arange(LEFT_MM + PATCH_MM / 2, RIGHT_MM - PATCH_MM / 2 + 0.1, PATCH_MM)
    y = np.arange(TOP_MM - PATCH_MM / 2, BOTTOM_MM + PATCH_MM / 2 - 0.1, -PATCH_MM)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _splines(at_mm: F64, low_mm: float, high_mm: float) -> F64:
    """Cubic B-splines of evenly spaced knots at some places, shape (N, knots)."""
    knots = np.arange(low_mm - KNOT_MM, high_mm + 1.5 * KNOT_MM, KNOT_MM)
    t = np.abs(at_mm[:, None] - knots) / KNOT_MM
    near, far = 2 / 3 - t**2 + t**3 / 2, np.maximum(2 - t, 0) ** 3 / 6
    return np.asarray(np.where(t < 1, near, far))


def _basis(points_mm: F64) -> F64:
    """Products of both axes' splines at points, shape (N, knots)."""
    along_x = _splines(points_mm[:, 0], LEFT_MM, RIGHT_MM)
    along_y = _splines(points_mm[:, 1], BOTTOM_MM, TOP_MM)
    products = along_y[:, :, None] * along_x[:, None, :]
    return np.asarray(products.reshape(len(points_mm), along_y.shape[1] * along_x.shape[1]))


@cache
def _grid_splines() -> tuple[F64, F64]:
    """Both axes' splines along the FaceMap grid: (rows, knots) and (columns, knots)."""
    rows, columns = map_size(GRID_PX_MM)
    x = map_px_to_mm(np.column_stack([np.arange(columns)] * 2), GRID_PX_MM)[:, 0]
    y = map_px_to_mm(np.column_stack([np.arange(rows)] * 2), GRID_PX_MM)[:, 1]
    return _splines(y, BOTTOM_MM, TOP_MM), _splines(x, LEFT_MM, RIGHT_MM)


@cache
def _bending() -> F64:
    """Bending energy of the field as a quadratic form of its knots."""
    rows, columns = (part.shape[1] for part in _grid_splines())

    def difference(count: int, order: int) -> F64:
        return np.diff(np.eye(count), order, axis=0)

    xx = np.kron(np.eye(rows), difference(columns, 2))
    yy = np.kron(difference(rows, 2), np.eye(columns))
    xy = np.kron(difference(rows, 1), difference(columns, 1))
    # A weak hold on the field itself: far from every patch it fades to the landmarks' word.
    return np.asarray(xx.T @ xx + yy.T @ yy + 2 * xy.T @ xy + _HOLD * np.eye(rows * columns))


def _field(knots: F64) -> F32:
    """Displacement on the FaceMap grid from its knots, shape (knots, 2)."""
    along_y, along_x = _grid_splines()
    planes = [along_y @ knots[:, k].reshape(along_y.shape[1], -1) @ along_x.T for k in (0, 1)]
    return np.stack(planes, axis=-1).astype(np.float32)


@cache
def _flexibility() -> F64:
    """How the field gives way at the knots to a pull at a knot: the inverse of its stiffness."""
    return np.asarray(np.linalg.inv(_STIFFNESS * _bending()))


@dataclass(frozen=True, eq=False)
class _Fit:
    knots: F64
    residual_mm: F64


def _fit(centre_mm: F64, shift_mm: F64, trust: F64) -> _Fit:
    """Fit the field through matches; deviating ones lose their say.

    The residual of each match is to the field without it, from the leverage that it has
    (Allen's PRESS, DOI 10.1080/00401706.1974.10489157).
    """
    basis = _basis(centre_mm)
    pulls = basis @ _flexibility()
    used = np.flatnonzero(trust > 0)
    give = pulls[used] @ basis[used].T
    weight, force = trust[used], np.zeros((len(used), 2))
    alone = np.zeros(len(used))
    for _ in range(_ROBUST_ROUNDS):
        inverse = np.linalg.inv(give + np.diag(1 / weight))
        force = inverse @ shift_mm[used]
        alone = np.linalg.norm(force, axis=1) / np.diag(inverse)
        weight = trust[used] / (1 + (alone / _ROBUST_MM) ** 2) ** 2
    knots = pulls[used].T @ force
    residual = np.linalg.norm(shift_mm - basis @ knots, axis=1)
    residual[used] = alone
    return _Fit(knots, residual)


@dataclass(frozen=True, eq=False)
class _Matches:
    shift_mm: F64
    correlation: F64
    clear: Mask


def _matched(first: F32, second: F32, centre_mm: F64, *, level: float, reach_mm: float) -> _Matches:
    """Match the patches of one texture in another of the same frame."""
    half, reach = round(PATCH_MM / 2 * level), round(reach_mm * level)
    apart = max(round(_APART_MM * level), 1)
    middle = np.rint(mm_to_map_px(centre_mm, level)).astype(int)
    border = half + reach
    framed = np.pad(second, border)
    shift = np.zeros(centre_mm.shape)
    correlation = np.zeros(len(centre_mm))
    clear = np.zeros(len(centre_mm), dtype=bool)
    for n, (u, v) in enumerate(middle):
        patch = first[v - half : v + half + 1, u - half : u + half + 1]
        around = framed[v : v + 2 * border + 1, u : u + 2 * border + 1]
        scores = np.asarray(cv2.matchTemplate(around, patch, cv2.TM_CCORR_NORMED), dtype=np.float32)
        _, best, _, (c, r) = cv2.minMaxLoc(scores)
        correlation[n] = best
        if not (0 < c < 2 * reach and 0 < r < 2 * reach):
            continue
        shift[n] = (
            (c - reach + _crest(scores[r, c - 1 : c + 2])) / level,
            (reach - r - _crest(scores[r - 1 : r + 2, c])) / level,
        )
        scores[max(r - apart, 0) : r + apart + 1, max(c - apart, 0) : c + apart + 1] = -1.0
        clear[n] = best - float(scores.max()) > _LEAST_LEAD
    return _Matches(shift, correlation, clear & (correlation > _LEAST_CORRELATION))


def _crest(three: F32) -> float:
    """Place of the crest of a parabola through three neighbours, in steps from the middle."""
    before, here, after = (float(t) for t in three)
    curve = before - 2 * here + after
    return 0.5 * (before - after) / curve if curve < 0 else 0.0


@cache
def _patch_corners(level: float) -> NDArray[np.intp]:
    """Map pixel (column, row) in the middle of each patch."""
    return np.rint(mm_to_map_px(_centres_mm(), level)).astype(np.intp)


def _with_skin(first: Texture, second: Texture) -> F64:
    """Centres of the patches that show enough skin in both photos, canonical mm."""
    level = first.level_px_mm
    side = 2 * round(PATCH_MM / 2 * level) + 1
    u, v = _patch_corners(level).T
    enough = np.ones(len(u), dtype=bool)
    for one in (first, second):
        share = cv2.boxFilter(
            one.skin.astype(np.float32), -1, (side, side), borderType=cv2.BORDER_CONSTANT
        )
        enough &= share[v, u] >= _LEAST_SKIN
    return _centres_mm()[enough]


@dataclass(frozen=True, eq=False)
class Skin:
    """What registering looks at of a photo: little enough to be kept in memory.

    Attributes
    ----------
    layers : Mapping[float, Layer]
        By level, up to `FINEST_PX_MM`, without colour.
    """

    layers: Mapping[float, Layer]


def skin_of(facemap: FaceMap) -> Skin:
    """Keep of a FaceMap what registering looks at."""
    return Skin(
        {
            level: replace(layer, linear=None)
            for level, layer in facemap.layers.items()
            if level <= FINEST_PX_MM
        }
    )


def common_level(first: FaceMap | Skin, second: FaceMap | Skin) -> float:
    """Highest level, px/mm, that both have, up to `FINEST_PX_MM`."""
    return max(lv for lv in first.layers if lv in second.layers and lv <= FINEST_PX_MM)


def register(first: FaceMap | Skin, second: FaceMap | Skin) -> Registration:
    """Find where the skin of one photo lies in another photo of the same person.

    Parameters
    ----------
    first, second : FaceMap or Skin
        Compared at the highest level that both have, up to `FINEST_PX_MM`.

    Returns
    -------
    Registration
        Where nothing matches the displacement is 0, and `Registration.matched_share` says so.
    """
    level = common_level(first, second)
    return register_textures(texture(first.layers[level]), texture(second.layers[level]))


def register_textures(first: Texture, second: Texture) -> Registration:
    """Register two textures of the same level; see `register`."""
    level = first.level_px_mm
    centre = _with_skin(first, second)
    knots = np.zeros((len(_bending()), 2))
    shift = _field(knots)
    residual = np.zeros(len(centre))
    for reach in _SEARCH_MM:
        moved = _moved(second.picture, shift, level, cv2.INTER_LINEAR)
        found = _matched(first.picture, moved, centre, level=level, reach_mm=reach)
        total = _basis(centre) @ knots + found.shift_mm
        fit = _fit(centre, total, np.where(found.clear, found.correlation**2, 0.0))
        knots, residual = fit.knots, fit.residual_mm
        shift = _field(knots)
    matched = found.clear & (residual < _AGREE_MM)
    return Registration(shift, level, Patches(centre, total, found.correlation, matched, residual))
