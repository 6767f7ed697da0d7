"""Thin things that lie over the skin: rims of glasses, strands of hair, stubble.

Too thin to change a patch's colour or grain, they are told from wrinkles by what wrinkles
never do: run around the eye in a closed ring of the same strength all the way (a rim), run
across the direction in which skin folds there (a strand on the forehead), or be specks that
lie as thick as hair roots do (stubble).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from skinscan import native
from skinscan.colour import log_light, luminance
from skinscan.frame import (
    BOTTOM_MM,
    GRID_PX_MM,
    TOP_MM,
    map_px_to_mm,
    map_size,
    mm_to_map_px,
)
from skinscan.pixels import curvatures, disc, gaussian, median, quantile
from skinscan.resizing import resized_nearest

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LARGEST = native.kernel(
    *("keep_largest", native.F32, native.INT, native.INT, native.INT, native.FLOAT),
    *(native.F32, native.F32),
)  # response, size, label; best, which

#: From here on single hairs are seen as such.
_RESOLVED_PX_MM = 3.0

# --- glasses: lengths in mm, evidence in multiples of the usual contrast around the eyes
#: Centres of the eyes' openings, and where rims run around them.
_EYE_X_MM, _EYE_Y_MM = 31.0, 25.0
_RING_MM, _RING_STEP_MM = (13.0, 44.0), 0.5
_RING_STEPS = 180
#: Half-widths searched: rims are 0.6 to 4 mm thick.
_RIM_HALF_MM = (0.5, 1.0, 2.0)
#: Averaging along the ring, in steps of 2° (about 1 mm).
_ALONG_STEPS = 2.5
#: More evidence than this counts no more: one glint is not a ring.
_MOST_EVIDENCE = 8.0
#: Contrast in % below which nothing is a line on the smoothest skin.
_LEAST_CONTRAST = 0.7
#: Behind brows and eyes a ring runs unseen: weaker than chance, so that it cannot be made there.
_UNSEEN = 0.7
#: Price of stepping 0.5 mm in or out: rims are smooth.
_BEND_PRICE = 0.8
#: A rim is seen where it has this much evidence, and there are glasses when this share is seen,
#: of both eyes together. Where there are glasses a second ring needs less.
_SEEN, _SEEN_SHARE, _AGAIN_SHARE = 3.0, 0.6, 0.4
#: Sectors of a ring in degrees from the temple upwards; each must show the rim, for the folds
#: below the eye fill one sector only.
_SECTORS = ((-40.0, 50.0), (130.0, 230.0), (230.0, 320.0))
_SECTOR_EVIDENCE = 4.0
_RIM_MARGIN_MM = 1.0
#: Where bridge and temples of glasses run, relative to the rims.
_BRIDGE_HALF_MM, _BRIDGE_LOW_MM, _BRIDGE_HIGH_MM = 13.0, 10.0, 42.0

# --- strands
#: Foreheads fold along the horizontal, rising towards the temples; strands hang. Degrees.
_HANGING_DEG, _HANGING_SIDE_DEG, _HANGING_TEMPLE_DEG = 40.0, 50.0, 65.0
#: Forehead above, and its side beyond; beside the eyes hair hangs beyond the third and above
#: the fourth: lower down skin folds upright in front of the ear.
_FOREHEAD_MM, _SIDE_MM, _TEMPLE_MM, _TEMPLE_LOW_MM = 46.0, 30.0, 52.0, 20.0
#: Frown lines stand upright here: half-width and top.
_FROWN_HALF_MM, _FROWN_TOP_MM = 18.0, 68.0
#: Bottom of the search, mm: enough cheek for the usual contrast of skin.
_STRAND_BOTTOM_MM = -15.0
_STRAND_ACROSS_MM, _STRAND_ALONG_MM = 0.3, 2.0
_DIRECTIONS = 12
#: Evidence at which a strand starts and goes on, in full and below 3 px/mm, where a hair is
#: as faint as the ends of wrinkles; and its least extent.
_STRAND, _STRAND_COARSE = (2.3, 1.4), (2.6, 1.7)
_STRAND_LEAST_MM = 12.0
_STRAND_MARGIN_MM = 0.5
#: Hanging contrast within a window, relative to bare cheeks, at which a fringe starts and
#: goes on, and its least area.
_WINDOW_MM = 6.0
_FRINGE_START, _FRINGE_ON, _FRINGE_LEAST_MM2 = 2.6, 1.9, 150.0

# --- stubble
#: Highest place of a beard by |x|, canonical mm: nose, corner of the mouth, cheek, sideburn.
_BEARD_TOP = ((0.0, -22.0), (25.0, -26.0), (35.0, -32.0), (55.0, -18.0), (70.0, 12.0))
#: Size of a hair's root with its shadow (Gaussian sigma), and the window in which roots count.
_SPECK_MM, _SPECK_WINDOW_MM = 0.2, 7.0
#: Bare skin has this share of such specks, by definition; a beard starts and goes on at
#: multiples of it, over a least area. Below 3 px/mm creases too are cut into specks.
_SPECK_SHARE = 0.02
_STUBBLE, _STUBBLE_COARSE = (4.0, 2.0), (6.0, 4.0)
#: Skin between the hairs of a beard up to this far from each other is not bare, mm.
_BEARD_GAP_MM = 3.0
_STUBBLE_LEAST_MM2 = 300.0


@dataclass(frozen=True, eq=False)
class Covers:
    """What thin things cover, on the grid.

    Attributes
    ----------
    glasses, hair, stubble : ndarray of bool, shape (rows, columns)
    """

    glasses: Mask
    hair: Mask
    stubble: Mask

    @property
    def any(self) -> Mask:
        """Covered by any of them."""
        return np.asarray(self.glasses | self.hair | self.stubble)


def find_covers(
    linear: F32,
    *,
    level: float,
    grid_linear: F32,
    core: Mask,
    features: Mask,
    visible: Mask,
    hidden: Mask,
) -> Covers:
    """Find rims, strands and stubble.

    Parameters
    ----------
    linear : ndarray of float32, shape (``map_size(level)``, 3)
        Linear sRGB light at ``level`` px/mm; hairs want the finest that has colour.
    level : float
    grid_linear : ndarray of float32, shape (rows, columns, 3)
        The same on the grid.
    core : ndarray of bool, shape (rows, columns)
        Skin that is certainly bare.
    features, visible : ndarray of bool, shape (rows, columns)
        Eyes, brows, lips, nostrils; facing the camera.
    hidden : ndarray of bool, shape (rows, columns)
        Already known not to be skin, such as hair.

    Returns
    -------
    Covers
    """
    log_y = log_light(luminance(linear))
    fine_core = _at_level(core, level)
    return Covers(
        glasses=_glasses(grid_linear, core=core, features=features, visible=visible),
        hair=_loose_hair(log_y, level, core=fine_core, features=features, hidden=hidden),
        stubble=_stubble(log_y, level, core=fine_core, features=features, visible=visible),
    )


def _at_level(mask: Mask, level: float) -> Mask:
    return resized_nearest(mask.astype(np.uint8), *map_size(level)) > 0


def _on_grid(mask: Mask) -> Mask:
    """Reduce a finer mask to the grid: covered where any finer pixel is."""
    rows, columns = map_size(GRID_PX_MM)
    if mask.shape == (rows, columns):
        return mask
    share = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.2)


def _grown(mask: Mask, margin_mm: float) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(margin_mm * GRID_PX_MM)) > 0)


@cache
def _places(level: float) -> tuple[F32, F32]:
    """Distance x from the midline (subject's left positive) and height y of each pixel, mm."""
    rows, columns = map_size(level)
    v, u = np.mgrid[0:rows, 0:columns].astype(np.float64)
    at = map_px_to_mm(np.stack([u, v], axis=-1), level).astype(np.float32)
    return np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])


def _grow(start: Mask, on: Mask, *, least_px: float, extent: bool) -> Mask:
    """Keep the connected pieces of ``on`` that touch ``start`` and are large enough.

    ``least_px`` is the diagonal of the bounding box with ``extent``, else the area.
    """
    seeds = start & on
    if not seeds.any():
        return seeds
    count, labels, stats, _ = cv2.connectedComponentsWithStats(on.astype(np.uint8))
    keep = np.zeros(count, dtype=bool)
    keep[labels[seeds]] = True
    keep[0] = False
    size = (
        np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
        if extent
        else stats[:, cv2.CC_STAT_AREA]
    )
    return np.asarray((keep & (size >= least_px))[labels])


# --- glasses ---------------------------------------------------------------------------------


def foreign_colour(linear: F32, core: Mask) -> F32:
    """Red against green and blue, less what this skin's own shading does to it, 100·ln.

    Skin that is darkened by its relief turns redder, by an amount that depends on the skin,
    the light and the camera: it is learnt from the small contrasts of the bare skin. What
    remains is a colour that the skin's own shadows do not have: metal, plastic, hair.
    """
    channels = [log_light(np.ascontiguousarray(linear[..., k])) for k in range(3)]
    ratio = np.asarray(channels[0] - (channels[1] + channels[2]) / 2, dtype=np.float32)
    log_y = log_light(luminance(linear))
    dark = (gaussian(log_y, 0.7) - gaussian(log_y, 3.2))[core]
    red = (gaussian(ratio, 0.7) - gaussian(ratio, 3.2))[core]
    # large contrasts in the core are not its own: a bridge of glasses crosses it
    usual = np.abs(dark) < 4.0 * median(np.abs(dark))
    weight = usual.astype(np.float32)
    slope = 0.0
    for _ in range(4):
        slope = float((weight * dark * red).sum()) / max(float((weight * dark * dark).sum()), 1e-6)
        miss = np.abs(red - slope * dark)
        weight = (usual & (miss < 3.0 * median(miss))).astype(np.float32)
    return np.asarray(ratio - np.float32(slope) * log_y, dtype=np.float32)


@cache
def _ring_places() -> tuple[NDArray[np.float64], F32]:
    """Angles (180,) in degrees from the temple upwards, and grid px (2, 180, radii, 2)."""
    angle = np.asarray(np.arange(_RING_STEPS) * (360.0 / _RING_STEPS), dtype=np.float64)
    radius = np.arange(*_RING_MM, _RING_STEP_MM)
    out = np.cos(np.radians(angle))[:, None] * radius
    up = np.sin(np.radians(angle))[:, None] * radius
    both = [np.stack([side * (_EYE_X_MM + out), _EYE_Y_MM + up], axis=-1) for side in (-1.0, 1.0)]
    return angle, mm_to_map_px(np.stack(both), GRID_PX_MM).astype(np.float32)


def _looked_up(picture: F32, px: F32) -> F32:
    x, y = np.ascontiguousarray(px[..., 0]), np.ascontiguousarray(px[..., 1])
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR), dtype=np.float32)


def _around(values: F32) -> F32:
    """Mean along the ring, which is closed."""
    pad = 8
    padded = np.concatenate([values[-pad:], values, values[:pad]])
    kernel = cv2.getGaussianKernel(2 * pad - 1, _ALONG_STEPS)
    return np.asarray(cv2.sepFilter2D(padded, cv2.CV_32F, np.ones(1), kernel)[pad:-pad])


def _ring_contrast(polar: F32, half_mm: float) -> tuple[F32, F32]:
    """Contrast against the fainter of the two shoulders across the ring, and against their mean."""
    reach = round(half_mm / _RING_STEP_MM)
    centre = cv2.blur(polar, (2 * reach - 1, 1)) if reach > 1 else polar
    apart = 2 * reach
    inner = np.roll(centre, apart, axis=1) - centre
    outer = np.roll(centre, -apart, axis=1) - centre
    both = np.where(inner * outer > 0, np.sign(inner), 0) * np.minimum(np.abs(inner), np.abs(outer))
    either = (inner + outer) / 2
    for one in (both, either):
        one[:, :apart] = 0
        one[:, -apart:] = 0
    return _around(both.astype(np.float32)), _around(either.astype(np.float32))


def _closed_paths(evidence: F32) -> NDArray[np.intp]:
    """Rings of most evidence (eyes, angles, radii): the radius at each angle, (eyes, angles).

    By dynamic programming over two turns, of which the middle one is taken, so that it closes.
    """
    turns = np.concatenate([evidence, evidence], axis=1)
    eyes, steps, radii = turns.shape
    reach = 2
    price = np.float32(_BEND_PRICE) * np.abs(np.arange(-reach, reach + 1, dtype=np.float32))
    padded = np.full((eyes, radii + 2 * reach), -np.inf, dtype=np.float32)
    inner = padded[:, reach:-reach]
    inner[:] = turns[:, 0]
    options = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
    back = np.zeros((steps, eyes, radii), dtype=np.intp)
    places = np.arange(radii) - reach
    for k in range(1, steps):
        paid = options - price
        back[k] = paid.argmax(axis=2) + places
        inner[:] = paid.max(axis=2) + turns[:, k]
    path = np.zeros((eyes, steps), dtype=np.intp)
    path[:, -1] = inner.argmax(axis=1)
    each = np.arange(eyes)
    for k in range(steps - 1, 0, -1):
        path[:, k - 1] = back[k, each, path[:, k]]
    half = steps // 2
    quarter = half // 2
    return np.concatenate([path[:, half : half + quarter], path[:, quarter:half]], axis=1)


@dataclass(frozen=True, eq=False)
class _Ring:
    """A ring around one eye: grid px (180, 2), radius index, evidence, seen at all, half-width."""

    px: F32
    path: NDArray[np.intp]
    evidence: F32
    open: Mask
    half_mm: float


@dataclass(frozen=True, eq=False)
class _Polar:
    """Both eyes seen in rings: evidence, half-width it was found at, cells that show nothing."""

    evidence: F32
    width: NDArray[np.uint8]
    shut: Mask

    def rings(self, px: F32) -> list[_Ring]:
        """Find the best ring of each eye."""
        rows = np.arange(self.evidence.shape[1])
        found = []
        for eye, path in enumerate(_closed_paths(self.evidence)):
            opened = ~self.shut[eye, rows, path]
            along = self.width[eye, rows, path][opened]
            half = _RIM_HALF_MM[int(np.median(along))] if len(along) else _RIM_HALF_MM[0]
            seen = self.evidence[eye, rows, path]
            found.append(_Ring(px[eye, rows, path], path, seen, opened, half))
        return found

    def may_be_worn(self, angle: NDArray[np.float64]) -> bool:
        """Whether any two rings at all could pass `_worn`; most bare faces are out here.

        Where nothing is shut at an angle, a ring is open there, and has at most the highest
        evidence of that angle; at the other angles it is open or not, as suits it best.
        """
        highest = np.where(self.shut, -np.inf, self.evidence).max(axis=2)
        forced: Mask = np.logical_not(self.shut.any(axis=2))
        seen = int((highest > _SEEN).sum())
        unseen = int((forced & (highest <= _SEEN)).sum())
        if seen < _SEEN_SHARE * (seen + unseen):
            return False
        for low, high in _SECTORS:
            inside = ((angle - low) % 360.0) < (high - low)
            must = highest[:, inside][forced[:, inside]]
            may = highest[:, inside][~forced[:, inside]]
            best = np.concatenate([must, may[may > _SECTOR_EVIDENCE]])
            if len(must) > 10 and best.mean() < _SECTOR_EVIDENCE:
                return False
        return True

    def without(self, rings: list[_Ring]) -> _Polar:
        """Take out what belongs to some rings."""
        evidence = self.evidence.copy()
        for eye, ring in enumerate(rings):
            reach = (2 * ring.half_mm + _RIM_MARGIN_MM) / _RING_STEP_MM
            apart = np.abs(np.arange(evidence.shape[2]) - ring.path[:, None])
            evidence[eye][apart <= reach] = 0.0
        return _Polar(evidence, self.width, self.shut)


def _polar(log_y: F32, foreign: F32, blocked: Mask, px: F32) -> _Polar:
    shut = np.stack([_looked_up(blocked.astype(np.float32), eye) > 0.05 for eye in px])
    evidence = np.zeros(shut.shape, dtype=np.float32)
    width = np.zeros(shut.shape, dtype=np.uint8)
    for picture, widths in ((log_y, _RIM_HALF_MM), (foreign, _RIM_HALF_MM[:2])):
        for eye, places in enumerate(px):
            unrolled = _looked_up(picture, places)
            for k, half in enumerate(widths):
                both, either = _ring_contrast(unrolled, half)
                edge = 2 * round(half / _RING_STEP_MM)
                own = np.abs(either[:, edge:-edge][~shut[eye, :, edge:-edge]])
                usual = 1.4826 * float(median(own)) if len(own) else 0.0
                found = np.abs(both) / np.float32(max(usual, _LEAST_CONTRAST))
                better = found > evidence[eye]
                evidence[eye][better] = found[better]
                width[eye][better] = k
    evidence = np.minimum(evidence, np.float32(_MOST_EVIDENCE))
    evidence[shut] = _UNSEEN
    return _Polar(evidence, width, shut)


def _worn(rings: list[_Ring], angle: NDArray[np.float64]) -> bool:
    """Whether two rings are those of glasses."""
    seen = np.concatenate([r.evidence[r.open] for r in rings])
    # with less than half of the rings in view nothing can be said
    if len(seen) < _RING_STEPS // 2 or (seen > _SEEN).mean() < _SEEN_SHARE:
        return False
    for low, high in _SECTORS:
        inside = ((angle - low) % 360.0) < (high - low)
        part = np.concatenate([r.evidence[r.open & inside] for r in rings])
        if len(part) > 10 and part.mean() < _SECTOR_EVIDENCE:
            return False
    return True


def _glasses(linear: F32, *, core: Mask, features: Mask, visible: Mask) -> Mask:
    angle, px = _ring_places()
    covered = np.zeros(map_size(GRID_PX_MM), dtype=np.uint8)
    foreign = foreign_colour(linear, core)
    log_y = log_light(luminance(linear))
    polar = _polar(log_y, foreign, features | ~visible, px)
    if not polar.may_be_worn(angle):
        return covered > 0
    rings = polar.rings(px)
    if not _worn(rings, angle):
        return covered > 0
    # rims throw a shadow of their own shape, which may be the stronger ring of the two
    second = polar.without(rings).rings(px)
    rings += [r for r in second if (r.evidence[r.open] > _SEEN).mean() > _AGAIN_SHARE]
    shift = 4
    for ring in rings:
        outline = np.round(ring.px * 2**shift).astype(np.int32)
        thick = round(2 * (ring.half_mm + _RIM_MARGIN_MM) * GRID_PX_MM)
        cv2.polylines(covered, [outline], True, 1, thickness=thick, shift=shift)
    return np.asarray((covered > 0) | _bridge(log_y, foreign, covered > 0, core))


def _bridge(log_y: F32, foreign: F32, rims: Mask, core: Mask) -> Mask:
    """Find what joins the two rims over the nose, and runs from them to the ears."""
    x, y = _places(GRID_PX_MM)
    near = (y > _BRIDGE_LOW_MM) & (y < _BRIDGE_HIGH_MM) & (np.abs(x) < _BRIDGE_HALF_MM)
    side = (y > _BRIDGE_LOW_MM) & (y < _BRIDGE_HIGH_MM) & (np.abs(x) > _TEMPLE_MM)
    strong = np.zeros(rims.shape, dtype=bool)
    for picture in (log_y, foreign):
        detail = np.abs(gaussian(picture, 0.8) - gaussian(picture, 5.0))
        usual = 1.4826 * float(median(detail[core]))
        strong |= detail > _SEEN * max(usual, _LEAST_CONTRAST)
    joined = _grow(rims, (strong & (near | side)) | rims, least_px=0, extent=False)
    return _grown(joined & ~rims, 0.5) & (near | side)


# --- hair ------------------------------------------------------------------------------------


@cache
def _strand_kernels(level: float) -> tuple[tuple[float, F32], ...]:
    """Angle from the horizontal in degrees and line kernel of each hanging direction."""
    across, along = _STRAND_ACROSS_MM * level, _STRAND_ALONG_MM * level
    reach = int(np.ceil(2.2 * along))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    kernels = []
    for k in range(_DIRECTIONS):
        turn = 180.0 * k / _DIRECTIONS
        tilt = min(turn, 180.0 - turn)
        if tilt < _HANGING_DEG:
            continue
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        u, v = x * c + y * s, y * c - x * s
        length = np.exp(-0.5 * (u / along) ** 2)
        centre = length * np.exp(-0.5 * (v / across) ** 2)
        shoulders = length * np.exp(-0.5 * ((np.abs(v) - 3.0 * across) / across) ** 2)
        kernel = shoulders / shoulders.sum() - centre / centre.sum()
        kernels.append((tilt, kernel.astype(np.float32)))
    return tuple(kernels)


@dataclass(frozen=True, eq=False)
class _Spectra:
    """Kernels transformed to correlate with a picture of one size, padded by ``reach`` px.

    ``tilt_deg`` holds the angle of each from the horizontal.
    """

    reach: int
    size: tuple[int, int]
    tilt_deg: F32
    spectra: tuple[F32, ...]


@cache
def _strand_spectra(level: float, rows: int, columns: int) -> _Spectra:
    kernels = _strand_kernels(level)
    reach = kernels[0][1].shape[0] // 2
    size = (
        cv2.getOptimalDFTSize(rows + 2 * reach),
        cv2.getOptimalDFTSize(columns + 2 * reach),
    )
    spectra = []
    for _, kernel in kernels:
        padded: F32 = np.zeros(size, dtype=np.float32)
        padded[: kernel.shape[0], : kernel.shape[1]] = kernel
        spectra.append(np.asarray(cv2.dft(padded), dtype=np.float32))
    tilt = np.array([angle for angle, _ in kernels], dtype=np.float32)
    return _Spectra(reach, size, tilt, tuple(spectra))


def _keep_largest(response: F32, label: float, best: F32, which: F32) -> None:
    """Keep the largest size of a response in ``best``, and its label in ``which``."""
    if _LARGEST is not None:
        _LARGEST(response, native.stride(response), *best.shape, label, best, which)
        return
    found = np.abs(response)
    better = cv2.compare(found, best, cv2.CMP_GT)
    cv2.copyTo(np.full(which.shape, label, dtype=np.float32), better, which)
    np.maximum(best, found, out=best)


def _hanging(log_y: F32, level: float) -> tuple[F32, Mask]:
    """Contrast of the best line through each pixel, and whether it hangs as hair does there.

    Steep lines count everywhere on the forehead, less steep ones only in its middle.
    """
    x, y = (p[: len(log_y)] for p in _places(level))
    best = np.zeros(log_y.shape, dtype=np.float32)
    rows, columns = log_y.shape
    kernels = _strand_spectra(level, rows, columns)
    reach, size = kernels.reach, kernels.size
    padded: F32 = np.zeros(size, dtype=np.float32)
    padded[: rows + 2 * reach, : columns + 2 * reach] = cv2.copyMakeBorder(
        log_y, reach, reach, reach, reach, cv2.BORDER_REFLECT_101
    )
    # The picture is transformed once for all kernels.
    spectrum = cv2.dft(padded)
    tilt = np.zeros(log_y.shape, dtype=np.float32)
    for angle, kernel in zip(kernels.tilt_deg.tolist(), kernels.spectra, strict=True):
        product = cv2.mulSpectrums(spectrum, kernel, 0, conjB=True)
        # All rows: told to leave some out, OpenCV takes a much slower way.
        response = cv2.idft(product, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
        _keep_largest(np.asarray(response, dtype=np.float32)[:rows, :columns], angle, best, tilt)
    aside = np.abs(x)
    hangs = (y > _FOREHEAD_MM) & (tilt > np.where(aside > _SIDE_MM, _HANGING_SIDE_DEG, 0.0))
    temple = (y <= _FOREHEAD_MM) & (y > _TEMPLE_LOW_MM) & (aside > _TEMPLE_MM)
    hangs |= temple & (tilt > _HANGING_TEMPLE_DEG)
    return best, np.asarray(hangs)


def _loose_hair(log_y: F32, level: float, *, core: Mask, features: Mask, hidden: Mask) -> Mask:
    rows = round((TOP_MM - _STRAND_BOTTOM_MM) * level)
    best, hangs = _hanging(log_y[:rows], level)
    result = np.zeros(core.shape, dtype=bool)
    bare = best[core[:rows]]
    if len(bare) < 50:
        return _on_grid(result)
    off = _at_level(features | hidden, level)[:rows]
    x, y = (p[:rows] for p in _places(level))
    zone = (y > _FOREHEAD_MM) & ~off
    # a quarter of the forehead at least is free where single strands are looked for
    usual = float(quantile(best[zone], 0.25)) / 0.32 if zone.any() else float("inf")
    usual = max(usual, _LEAST_CONTRAST)
    frown = (np.abs(x) < _FROWN_HALF_MM) & (y < _FROWN_TOP_MM)
    may = hangs & ~off & ~frown
    start, on = _STRAND if level >= _RESOLVED_PX_MM else _STRAND_COARSE
    strands = _grow(
        may & (best > start * usual),
        may & (best > on * usual),
        least_px=_STRAND_LEAST_MM * level,
        extent=True,
    )
    cheek = float(bare.mean())
    window = round(_WINDOW_MM * level)
    strength = np.where(hangs, np.minimum(best, 6.0 * cheek), np.float32(0.0))
    dense = cv2.blur(strength, (window, window)) / max(cheek, 1e-6)
    fringe = _grow(
        zone & (dense > _FRINGE_START),
        zone & (dense > _FRINGE_ON),
        least_px=_FRINGE_LEAST_MM2 * level**2,
        extent=False,
    )
    result[:rows] = strands
    return np.asarray(
        _grown(_on_grid(result), _STRAND_MARGIN_MM)
        | _on_grid(np.pad(fringe, ((0, len(result) - rows), (0, 0))))
    )


# --- stubble ---------------------------------------------------------------------------------


@cache
def _beard_zone(level: float) -> Mask:
    x, y = _places(level)
    top = np.interp(np.abs(x), *np.array(_BEARD_TOP).T)
    return np.asarray((y < top) & (y > BOTTOM_MM))


def _stubble(log_y: F32, level: float, *, core: Mask, features: Mask, visible: Mask) -> Mask:
    # dark specks curve upwards in both directions; wrinkles in one only
    _, small = curvatures(gaussian(log_y, max(_SPECK_MM * level, 0.6)))
    bare = small[core]
    if len(bare) < 200:
        return np.zeros(features.shape, dtype=bool)
    specks = (small > quantile(bare, 1.0 - _SPECK_SHARE)).astype(np.float32)
    free = _at_level(visible & ~_grown(features, 1.0), level).astype(np.float32)
    window = (round(_SPECK_WINDOW_MM * level) | 1,) * 2
    share = cv2.blur(specks * free, window) / np.maximum(cv2.blur(free, window), 0.1)
    relative = np.asarray(share) / _SPECK_SHARE
    zone = _beard_zone(level) & (free > 0)
    start, on = _STUBBLE if level >= _RESOLVED_PX_MM else _STUBBLE_COARSE
    found = _grow(
        zone & (relative > start),
        zone & (relative > on),
        least_px=_STUBBLE_LEAST_MM2 * level**2,
        extent=False,
    )
    if not found.any():
        return np.zeros(features.shape, dtype=bool)
    gaps = disc(_BEARD_GAP_MM * GRID_PX_MM)
    whole = cv2.morphologyEx(_on_grid(found).astype(np.uint8), cv2.MORPH_CLOSE, gaps) > 0
    return np.asarray(whole & _beard_zone(GRID_PX_MM))
