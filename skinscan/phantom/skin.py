"""The skin as maps in texture coordinates: relief, pigment, hairs.

Pigment follows the two-pigment model in optical density (Tsumura et al.
2003, doi:10.1145/882262.882344): reflectance = base · 10^−(m·M + h·H), with
M and H the relative absorbances of melanin and haemoglobin in the red, green
and blue channel. The absorption of melanin alone falls with wavelength to the
power −3.33 (Jacques 2013, doi:10.1088/0031-9155/58/11/R37), but where it is
strong light turns back sooner, so that skin's colour falls less steeply: the
ratios here were set so that the tones have b* near 13 to 16 and a* near 11 to
13 from very light to very dark (ITA 60° to −60°).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan.colour import linear_to_lab
from skinscan.phantom import features
from skinscan.phantom.fractal import as_f32, frozen_arrays, lattice_noise, smooth, step
from skinscan.phantom.geometry import R0_MM, mean_frontal, neutral_surface
from skinscan.phantom.truth import FaceTruth, Pores, Spot, Wrinkle

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: Relative absorbance in R, G, B: melanin per red, haemoglobin per green optical density.
MELANIN = np.array([1.0, 1.24, 1.42], dtype=np.float32)
HAEMOGLOBIN = np.array([0.10, 1.0, 0.62], dtype=np.float32)
#: Reflectance of skin without either pigment (collagen scattering), linear R, G, B.
BASE = np.array([0.84, 0.71, 0.515], dtype=np.float32)
#: Haemoglobin of every skin, green optical density.
RESTING_HAEMOGLOBIN = 0.11

#: Extent of the pigment map and of the detail map: u half-width, top and bottom v, mm.
PIGMENT_EXTENT = (165.0, 125.0, -215.0)
DETAIL_EXTENT = (128.0, 112.0, -104.0)
PIGMENT_PX_MM = 3.0


def reflectance(melanin_od: F32, haemoglobin_od: F32) -> F32:
    """Linear RGB albedo from pigment densities; shape (...) -> (..., 3)."""
    od = melanin_od[..., None] * MELANIN + haemoglobin_od[..., None] * HAEMOGLOBIN
    return np.asarray(BASE * np.exp(np.float32(-np.log(10.0)) * od), dtype=np.float32)


def skin_lab(
    melanin_od: float, haemoglobin_od: float = RESTING_HAEMOGLOBIN
) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of the skin's own colour."""
    rgb = reflectance(
        np.full((1, 1), melanin_od, np.float32), np.full((1, 1), haemoglobin_od, np.float32)
    )
    lab = linear_to_lab(rgb)[0, 0]
    return float(lab[0]), float(lab[1]), float(lab[2])


def ita_deg(melanin_od: float) -> float:
    """Individual typology angle of the skin's own colour, degrees.

    ITA = arctan((L* − 50) / b*); above 55° very light, below −30° very dark
    (Chardon et al. 1991, doi:10.1111/j.1467-2494.1991.tb00561.x).
    """
    lightness, _, b = skin_lab(melanin_od)
    return float(np.rad2deg(np.arctan2(lightness - 50.0, b)))


def melanin_for_ita(ita: float) -> float:
    """Melanin optical density (0 to 1) whose ITA is nearest the one asked for."""
    levels, angles = _ita_table()
    return float(np.interp(-ita, -angles, levels))


@cache
def _ita_table() -> tuple[F64, F64]:
    levels = np.linspace(0.0, 1.0, 401)
    angles = np.array([ita_deg(float(m)) for m in levels])
    return levels, np.minimum.accumulate(angles)


def map_grid(extent: tuple[float, float, float], px_per_mm: float) -> tuple[F32, F32]:
    """U and v of every texel, shape (rows, columns) each."""
    half, top, bottom = extent
    u = np.arange(round(2 * half * px_per_mm) + 1, dtype=np.float32) / np.float32(
        px_per_mm
    ) - np.float32(half)
    v = np.float32(top) - np.arange(
        round((top - bottom) * px_per_mm) + 1, dtype=np.float32
    ) / np.float32(px_per_mm)
    uu, vv = np.meshgrid(u, v)
    return uu, vv


@dataclass(frozen=True, eq=False)
class SkinMaps:
    """Everything about the skin that a pixel looks up.

    Attributes
    ----------
    pigment : ndarray of float32, shape (H, W, 4)
        Melanin, haemoglobin (optical density), lips 0..1, visibility 0..1.
    detail : ndarray of float32, shape (h, w, 4)
        Slope along u and v (mm/mm), groove depth below the surroundings (mm),
        coverage by brow and lash hairs 0..1.
    detail_px_mm : float
    """

    pigment: F32
    detail: F32
    detail_px_mm: float


def skin_maps(truth: FaceTruth, *, px_per_mm: float) -> SkinMaps:
    """Make the maps of a truth for a picture of the given resolution.

    Parameters
    ----------
    truth : FaceTruth
    px_per_mm : float
        Of the picture; the detail map is finer by a half, 4 to 14 px/mm.

    Returns
    -------
    SkinMaps
        Cached for the last few truths.
    """
    detail_px_mm = float(np.clip(np.ceil(1.5 * px_per_mm * 2) / 2, 4.0, 14.0))
    blur_mm = 0.35 / px_per_mm
    return SkinMaps(
        pigment=_pigment(
            seed=truth.person.seed,
            melanin_od=truth.person.melanin_od,
            lip_od=truth.person.lip_haemoglobin_od,
            redness_od=truth.redness_od,
            mottling=truth.mottling,
            shadow_dl=truth.under_eye_shadow_dl,
            spots=truth.spots,
        ),
        detail=_detail(
            seed=truth.person.seed,
            wrinkles=truth.wrinkles,
            pores=truth.pores,
            roughness_mm=truth.roughness_mm,
            px_mm=detail_px_mm,
            blur_mm=round(blur_mm, 4),
        ),
        detail_px_mm=detail_px_mm,
    )


def _blob(  # noqa: PLR0917 - where, then centre and width: no clearer with names
    x: F32, y: F32, cx: float, cy: float, sx: float, sy: float
) -> F32:
    """Evaluate a Gaussian that is mirrored in x."""
    return np.asarray(
        np.exp(
            -(((np.abs(x) - np.float32(cx)) / np.float32(sx)) ** 2)
            - ((y - np.float32(cy)) / np.float32(sy)) ** 2
        ),
        dtype=np.float32,
    )


def trough(x: F32, y: F32) -> F32:
    """Weigh the under-eye shadow, 0..1: an arc from the inner corner along the lid.

    Parameters
    ----------
    x, y : ndarray of float32
        Frontal neutral-frame mm.
    """
    ax = np.abs(x)
    crest = 14.5 + 0.012 * (ax - 29.0) ** 2 + 0.10 * np.maximum(24.0 - ax, 0)
    return np.asarray(
        np.exp(-(((y - crest) / 5.6) ** 2)) * step(ax, 13.0, 22.0) * (1 - step(ax, 36.0, 49.0)),
        dtype=np.float32,
    )


@dataclass(frozen=True, eq=False)
class _PigmentFields:
    """What the pigment maps of one seed share; read-only."""

    x: F32
    y: F32
    slow: F32
    fine: F32
    blood: F32
    flush: F32
    pale: F32
    trough: F32
    lids: F32
    lip: F32
    dark: F32


@lru_cache(maxsize=2)
def _pigment_fields(seed: int) -> _PigmentFields:
    u, v = map_grid(PIGMENT_EXTENT, PIGMENT_PX_MM)
    x, y = mean_frontal(u, v), v
    shape = (u.shape[0], u.shape[1])
    lip, dark = features.lip_and_dark(shape, PIGMENT_EXTENT, PIGMENT_PX_MM)
    made = _PigmentFields(
        x=x,
        y=y,
        slow=lattice_noise(
            shape, PIGMENT_PX_MM, (28.0, 13.0, 6.5), (0.5, 0.4, 0.35), seed=(seed, 31)
        ),
        fine=lattice_noise(
            shape, PIGMENT_PX_MM, (3.2, 1.6, 0.8, 0.4), (0.5, 0.45, 0.4, 0.3), seed=(seed, 32)
        ),
        blood=lattice_noise(
            shape,
            PIGMENT_PX_MM,
            (15.0, 7.0, 3.0, 1.3, 0.6),
            (0.4, 0.4, 0.4, 0.4, 0.3),
            seed=(seed, 33),
        ),
        flush=(
            _blob(x, y, 40, -6, 20, 19)
            + 0.9 * _blob(x, y, 0, -9, 15, 12)
            + 0.35 * _blob(x, y, 0, -78, 20, 12)
        ),
        pale=_blob(x, y, 0, 70, 50, 24),
        trough=trough(x, y),
        lids=_blob(x, y, 30, 34, 18, 9) + 0.5 * _blob(x, y, 0, 90, 60, 18),
        lip=lip,
        dark=dark,
    )
    return frozen_arrays(made)


@lru_cache(maxsize=3)
def _pigment(
    *,
    seed: int,
    melanin_od: float,
    lip_od: float,
    redness_od: float,
    mottling: float,
    shadow_dl: float,
    spots: tuple[Spot, ...],
) -> F32:
    f = _pigment_fields(seed)
    m = np.float32(mottling)
    # pigment varies with its own amount, above a floor that even the lightest skin has
    spread = np.float32(0.010 + 0.040 * melanin_od)
    melanin = np.float32(melanin_od) + m * spread * (0.40 * f.slow + 0.42 * f.fine)
    melanin += np.float32(0.010 + 0.055 * melanin_od) * f.lids
    haemoglobin = np.float32(RESTING_HAEMOGLOBIN) + m * np.float32(0.012) * f.blood
    haemoglobin += np.float32(0.018) * f.flush
    haemoglobin += np.float32(redness_od) * f.flush * (1 + 0.45 * f.blood)
    haemoglobin -= np.float32(0.02) * f.pale
    melanin += _shadow_od(melanin_od, shadow_dl) * f.trough * np.float32(0.8)
    # the rest of the shadow is blood seen through thin skin; split so that ΔL* adds up
    haemoglobin += _shadow_od(melanin_od, shadow_dl, blood=True) * f.trough * np.float32(0.2)
    for spot in spots:
        _add_spot(melanin, spot)
    melanin += m * _sprinkle(seed, melanin_od)
    haemoglobin += f.lip * np.float32(lip_od) * (1 + 0.15 * f.blood)
    melanin += f.lip * np.float32(0.015 + 0.03 * melanin_od)
    return as_f32(cv2.merge([np.maximum(melanin, 0), np.maximum(haemoglobin, 0), f.lip, f.dark]))


@lru_cache(maxsize=64)
def _shadow_od(melanin_od: float, shadow_dl: float, *, blood: bool = False) -> np.float32:
    """Density of one pigment that lowers L* of the skin by the dose."""
    start = skin_lab(melanin_od)[0]
    low, high = 0.0, 1.5
    for _ in range(30):
        middle = (low + high) / 2
        seen = (
            skin_lab(melanin_od, RESTING_HAEMOGLOBIN + middle)[0]
            if blood
            else skin_lab(melanin_od + middle)[0]
        )
        low, high = (middle, high) if start - seen < shadow_dl else (low, middle)
    return np.float32((low + high) / 2)


def _add_spot(melanin: F32, spot: Spot) -> None:
    uv = neutral_surface(np.array([[spot.x_mm, spot.y_mm]]))[0]
    half, top, _ = PIGMENT_EXTENT
    col, row = (uv[0] + half) * PIGMENT_PX_MM, (top - uv[1]) * PIGMENT_PX_MM
    reach = int(np.ceil(spot.diameter_mm * PIGMENT_PX_MM * 1.3)) + 2
    r0, c0 = max(int(row) - reach, 0), max(int(col) - reach, 0)
    patch = melanin[r0 : int(row) + reach, c0 : int(col) + reach]
    yy, xx = np.mgrid[r0 : r0 + patch.shape[0], c0 : c0 + patch.shape[1]].astype(np.float32)
    rr = np.hypot(xx - col, yy - row) / (spot.diameter_mm * PIGMENT_PX_MM / 2)
    # flat top, soft rim, one half at the diameter
    patch += np.float32(spot.melanin_od) * np.exp(np.float32(-np.log(2)) * rr**4).astype(np.float32)


@lru_cache(maxsize=4)
def _sprinkle(seed: int, melanin_od: float) -> F32:
    """Freckles that everybody has a few of."""
    rng = np.random.default_rng([seed, 34])
    shape = _pigment_fields(seed).x.shape
    out = np.zeros(shape, dtype=np.float32)
    count = 260
    half, top, _ = PIGMENT_EXTENT
    u = rng.uniform(-100, 100, count)
    v = rng.uniform(-95, 95, count)
    dose = 0.05 * rng.gamma(1.2, 0.5, count) * (0.5 + 1.2 * melanin_od)
    col = np.round((u + half) * PIGMENT_PX_MM).astype(int)
    row = np.round((top - v) * PIGMENT_PX_MM).astype(int)
    for k in range(3):
        layer = np.zeros(shape, dtype=np.float32)
        layer[row[k::3], col[k::3]] = dose[k::3]
        sigma = (0.22, 0.4, 0.7)[k] * PIGMENT_PX_MM
        out += smooth(layer, sigma) * np.float32(2 * np.pi * sigma**2 * 0.5)
    out.flags.writeable = False
    return out


# --- relief ----------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _detail(
    *,
    seed: int,
    wrinkles: tuple[Wrinkle, ...],
    pores: Pores,
    roughness_mm: float,
    px_mm: float,
    blur_mm: float,
) -> F32:
    height = _fine_relief(seed, pores, roughness_mm, px_mm).copy()
    always = _relief_fields(seed, px_mm)
    for wrinkle in wrinkles:
        engrave(height, wrinkle, px_mm)
    height = smooth(height, blur_mm * px_mm)
    groove = smooth(height, 1.3 * px_mm)
    groove -= height
    np.clip(groove, 0, None, out=groove)
    groove *= always.keep
    scale = np.float32(px_mm / 8.0)
    slope_u = as_f32(cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=float(scale)))
    slope_v = as_f32(cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=-float(scale)))
    slope_u *= always.keep
    slope_v *= always.keep
    return as_f32(cv2.merge([slope_u, slope_v, groove, always.fibre]))


@dataclass(frozen=True, eq=False)
class _ReliefFields:
    """What the relief maps of one seed and resolution share; read-only."""

    grain: F32
    fibre: F32
    lip: F32
    furrows: F32
    folds: F32
    keep: F32


@lru_cache(maxsize=1)
def _relief_fields(seed: int, px_mm: float) -> _ReliefFields:
    u, v = map_grid(DETAIL_EXTENT, px_mm)
    shape = (u.shape[0], u.shape[1])
    lip = features.lip_only(shape, DETAIL_EXTENT, px_mm)
    half, top, bottom = DETAIL_EXTENT
    made = _ReliefFields(
        grain=lattice_noise(
            shape, px_mm, (2.4, 1.2, 0.6, 0.32, 0.17), (0.9, 0.65, 0.55, 0.45, 0.3), seed=(seed, 41)
        ),
        fibre=features.hairs(seed, shape, DETAIL_EXTENT, px_mm),
        lip=lip,
        furrows=_lip_relief(seed, u, v, lip),
        folds=features.folds(shape, DETAIL_EXTENT, px_mm),
        keep=(
            step(np.float32(half) - np.abs(u), 0.5, 12.0)
            * step(np.float32(top) - v, 0.5, 8.0)
            * step(v - np.float32(bottom), 0.5, 8.0)
        ),
    )
    return frozen_arrays(made)


@lru_cache(maxsize=1)
def _fine_relief(seed: int, pores: Pores, roughness_mm: float, px_mm: float) -> F32:
    always = _relief_fields(seed, px_mm)
    height = always.grain * np.float32(roughness_mm)
    height *= 1 - 0.6 * always.lip
    height += _pore_relief(seed, pores, px_mm) * (1 - always.lip)
    height += always.furrows
    height += always.folds
    height.flags.writeable = False
    return height


def pore_weight(x: F32, y: F32) -> F32:
    """Density of pores relative to the densest place, 0..1."""
    w = (
        0.22
        + _blob(x, y, 27, -2, 17, 20)
        + 0.9 * _blob(x, y, 0, -4, 15, 22)
        + 0.5 * _blob(x, y, 0, 62, 42, 20)
        + 0.45 * _blob(x, y, 0, -72, 26, 14)
    )
    eyes = _blob(x, y, 31, 24, 20, 13)
    return np.asarray(np.clip(w * (1 - eyes), 0, 1), dtype=np.float32)


@lru_cache(maxsize=1)
def _pore_relief(seed: int, pores: Pores, px_mm: float) -> F32:
    frontal_x = _detail_frontal(px_mm)
    shape = (frontal_x.shape[0], frontal_x.shape[1])
    half, top, bottom = DETAIL_EXTENT
    # a fixed list up to the greatest density: a higher dose adds pores and moves none
    area_cm2 = 2 * half * (top - bottom) / 100.0
    rng = np.random.default_rng([seed, 42])
    count = int(250 * area_cm2)
    u = rng.uniform(-half + 1, half - 1, count).astype(np.float32)
    v = rng.uniform(bottom + 1, top - 1, count).astype(np.float32)
    lot = rng.random(count).astype(np.float32)
    depth = np.exp(0.35 * rng.standard_normal(count)).astype(np.float32)
    size = np.exp(0.22 * rng.standard_normal(count)).astype(np.float32)
    chosen = lot * 250 < pores.density_cm2 * pore_weight(_at(frontal_x, u, v, px_mm), v)
    out = np.zeros(shape, dtype=np.float32)
    classes = np.digitize(size, [0.86, 1.0, 1.18])
    for k, factor in enumerate((0.76, 0.93, 1.08, 1.32)):
        pick = chosen & (classes == k)
        sigma_px = pores.diameter_mm * factor / 2.355 * px_mm
        layer = np.zeros(shape, dtype=np.float32)
        _splat(layer, (u[pick] + half) * px_mm, (top - v[pick]) * px_mm, depth[pick])
        out -= smooth(layer, max(sigma_px, 0.3)) * np.float32(2 * np.pi * max(sigma_px, 0.3) ** 2)
    out *= np.float32(pores.depth_mm)
    out.flags.writeable = False
    return out


@lru_cache(maxsize=1)
def _detail_frontal(px_mm: float) -> F32:
    """Frontal x of the mean face at every texel of the detail map, mm."""
    x = mean_frontal(*map_grid(DETAIL_EXTENT, px_mm))
    x.flags.writeable = False
    return x


def _at(field: F32, u: F32, v: F32, px_mm: float) -> F32:
    half, top, _ = DETAIL_EXTENT
    row = np.round((top - v) * px_mm).astype(np.int64)
    return np.asarray(field[row, np.round((u + half) * px_mm).astype(np.int64)])


def _splat(layer: F32, col: F32, row: F32, value: F32) -> None:
    """Add point masses, shared bilinearly among four texels."""
    c0, r0 = np.floor(col).astype(np.int64), np.floor(row).astype(np.int64)
    fc, fr = col - c0, row - r0
    for dr, dc, w in (
        (0, 0, (1 - fr) * (1 - fc)), (0, 1, (1 - fr) * fc), (1, 0, fr * (1 - fc)), (1, 1, fr * fc),
    ):  # fmt: skip
        rr, cc = r0 + dr, c0 + dc
        ok = (rr >= 0) & (cc >= 0) & (rr < layer.shape[0]) & (cc < layer.shape[1])
        np.add.at(layer, (rr[ok], cc[ok]), (w * value)[ok])


def _lip_relief(seed: int, u: F32, v: F32, lip: F32) -> F32:
    """Vertical furrows of the lips."""
    rng = np.random.default_rng([seed, 43])
    knots = rng.standard_normal(256).astype(np.float32)
    along = (u + 40 + 0.06 * (v + 43) * np.sign(u)) / 0.75
    ridge = np.interp(along, np.arange(256), knots).astype(np.float32)
    return ridge * lip * np.float32(0.035)


def engrave(height: F32, wrinkle: Wrinkle, px_mm: float) -> None:
    """Cut one wrinkle into a detail height map, in place.

    The line is a chain of point masses, blurred: across, that is a Gaussian
    groove of the wanted depth and width; at its ends it fades.

    Parameters
    ----------
    height : ndarray of float32
        Map over ``DETAIL_EXTENT``, mm.
    wrinkle : Wrinkle
    px_mm : float
        Resolution of the map.
    """
    uv = dense_line(wrinkle)
    segment = np.linalg.norm(np.diff(uv, axis=0), axis=1)
    arc = np.concatenate([[0.0], np.cumsum(segment)])
    length = float(arc[-1])
    if length <= 0 or wrinkle.depth_mm <= 0:
        return
    n = max(int(length * px_mm * 2), 8)
    s = (np.arange(n) + 0.5) * length / n
    u, v = np.interp(s, arc, uv[:, 0]), np.interp(s, arc, uv[:, 1])
    depth = wrinkle.depth_mm * depth_profile(wrinkle, s / length)
    half, top, _ = DETAIL_EXTENT
    sigma_px = wrinkle.width_mm / 2.355 * px_mm
    rim_px = 2.1 * sigma_px
    col, row = (u + half) * px_mm, (top - v) * px_mm
    pad = int(np.ceil(4 * rim_px)) + 2
    r0, r1 = max(int(row.min()) - pad, 0), min(int(row.max()) + pad + 1, height.shape[0])
    c0, c1 = max(int(col.min()) - pad, 0), min(int(col.max()) + pad + 1, height.shape[1])
    if r1 <= r0 or c1 <= c0:
        return
    layer = np.zeros((r1 - r0, c1 - c0), dtype=np.float32)
    ds_px = length / n * px_mm
    _splat(
        layer,
        (col - c0).astype(np.float32),
        (row - r0).astype(np.float32),
        (depth * ds_px).astype(np.float32),
    )
    groove = smooth(layer, max(sigma_px, 0.3)) * np.float32(np.sqrt(2 * np.pi) * sigma_px)
    # skin pushed aside bulges a little on both shoulders
    rim = smooth(layer, rim_px) * np.float32(np.sqrt(2 * np.pi) * rim_px)
    height[r0:r1, c0:c1] -= (groove - np.float32(0.22) * rim) / np.float32(0.78)


def dense_line(wrinkle: Wrinkle) -> F64:
    """Centreline in texture coordinates, densely sampled, shape (N, 2)."""
    return _dense(wrinkle.points_mm)


@lru_cache(maxsize=256)
def _dense(points_mm: tuple[tuple[float, float], ...]) -> F64:
    points = np.asarray(points_mm)
    seg = np.linalg.norm(np.diff(points, axis=0), axis=1)
    arc = np.concatenate([[0.0], np.cumsum(seg)])
    n = max(int(arc[-1] / 1.5), 6)
    s = np.linspace(0, arc[-1], n)
    fine = np.stack([np.interp(s, arc, points[:, 0]), np.interp(s, arc, points[:, 1])], axis=1)
    return neutral_surface(fine)


def depth_profile(wrinkle: Wrinkle, t: F64) -> F64:
    """Depth along the line relative to its greatest, at t in 0..1."""
    rng = np.random.default_rng([wrinkle.seed, 44])
    knots = np.clip(1 + 0.28 * rng.standard_normal(8), 0.35, 1.6)
    vary = np.interp(t, np.linspace(0, 1, 8), knots / knots.max())
    taper = np.clip(np.sin(np.pi * np.clip(t, 0, 1)), 0, 1) ** 0.6
    profile = vary * taper
    return np.asarray(profile / max(float(profile.max()), 1e-9))


__all__ = [
    "R0_MM",
    "SkinMaps",
    "ita_deg",
    "melanin_for_ita",
    "reflectance",
    "skin_lab",
    "skin_maps",
]
