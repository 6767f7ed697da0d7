"""Lines found against lines drawn by people, beside the ridge filters of scikit-image.

Usage: python benchmarks/wrinkles.py --photos DIR --masks DIR [--write FILE.md]
       python benchmarks/wrinkles.py --phantoms 40
       python benchmarks/wrinkles.py --painted 20 [--paint-on DIR | --phantoms 20]

A mask is a grey picture of the size of its photo (or a scaled copy), lines bright on dark; it
belongs to the photo with the same file name without ending (`12.jpg` and `12.png`, also
`12_mask.png`). Drawn masks are for evaluation only: train nothing on them, show none of them.

skinscan runs as it is, at its default settings. Each filter is given the threshold, the range
of widths and the least length that suit it best on these very photos, and runs twice: on the
grey photo inside the outline of the face, and on skinscan's own rectified, illumination-free,
skin-masked layer, so that filter is compared with filter and not with a better picture.
Precision: share of the length found that lies within 1.5 mm of a drawn line; recall: share of
the drawn length within 1.5 mm of a line found. Phantoms (`--phantoms`) have exact truth, lines
too faint for anyone included.

Painted lines and spots (`--painted`): dark lines of known contrast and width, then brown spots,
are painted on photos, or on phantoms, and measured, then painted with 30 % less contrast (spots
also with 30 % less area) and measured again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from _common import (
    PHOTOS,
    Report,
    interval,
    number,
    parser,
    pictures,
    progress,
    resamples,
    span,
)
from numpy.typing import ArrayLike, NDArray
from painting import (
    COURSES,
    MELANIN,
    SPOT_PLACES,
    canonical_mm,
    darkened,
    distance_mm,
    grooves,
    nearest_mm,
    spots,
)
from PIL import Image
from scipy.ndimage import label
from skimage.filters import frangi, hessian, meijering, sato
from skimage.morphology import skeletonize

from skinscan.errors import SkinscanError
from skinscan.facemap import rectify
from skinscan.frame import map_px_to_mm
from skinscan.metrics import measure as measure_all
from skinscan.metrics.lines import Line, find_lines, follow
from skinscan.metrics.maps import LevelMaps, face_maps
from skinscan.metrics.wrinkles import visible
from skinscan.phantom import (
    Capture,
    FaceTruth,
    Person,
    default_wrinkles,
    melanin_for_ita,
    project_points,
    render,
)
from skinscan.photo import load_photo
from skinscan.regions import region_mask, regions
from skinscan.scan import Scan, analyze
from skinscan.shape import measure_shape

Floats = NDArray[np.float64]
Picture = NDArray[np.float32]

TOLERANCE_MM = 1.5
#: Photos with more pixels are reduced for the filters: their time grows, their score does not.
FINEST_PX_MM = 4.5
#: Widths searched by the filters: Gaussian sigma in mm.
SIGMAS_MM = {"fine": (0.25, 0.4, 0.65), "wide": (0.5, 0.8, 1.25)}
#: Least length of a connected piece, mm: the same choice for every filter.
LEAST_MM = (3.0, 6.0, 10.0, 15.0, 22.0)
#: Share of the face that a threshold leaves, largest to smallest.
SHARES = np.geomspace(0.2, 0.001, 16)
#: Photos on which the range of responses is learnt before thresholds are set.
PILOTS = 8
SUFFIXES = ("_mask", "-mask", "_masks", "_wrinkle", "_wrinkles", "_label", "_gt", "_annotation")
#: Painted lines: contrast in %, full width in mm, and what is left of the contrast afterwards.
PAINTED_PCT, PAINTED_MM, LEFT = (8.0, 15.0, 30.0, 60.0), (0.4, 0.8, 2.0), 0.7
#: Painted spots: levels measured; melanin (100·optical density) and diameter in mm.
SPOT_LEVELS_PX_MM = (2.0, 3.0)
SPOT_DOSES = ((15.0, 3.0), (15.0, 5.0), (30.0, 3.0), (30.0, 5.0))
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


def _hybrid_hessian(picture: Picture, **options: object) -> NDArray[np.float64]:
    """Hybrid Hessian (Ng et al. 2014, doi:10.1007/978-3-319-16811-1_40) as scikit-image has it.

    It answers 1 where there is no ridge, meant for display; that is undone here.
    """
    found = hessian(picture, **options)
    return np.where(found >= 1.0, 0.0, found)


#: Dark lines, responses growing with the line. `hessian` expects contrasts of 8-bit pictures.
FILTERS: dict[str, Callable[..., NDArray[np.float64]]] = {
    "sato": partial(sato, black_ridges=True),
    "frangi": partial(frangi, black_ridges=True),
    "meijering": partial(meijering, black_ridges=True),
    "hybrid Hessian": partial(_hybrid_hessian, black_ridges=True),
}
GROUNDS = ("photo", "layer")


@dataclass(frozen=True)
class Tally:
    """Lengths in mm: found, found and right, drawn, drawn and found."""

    found: float
    right: float
    drawn: float
    seen: float

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """The four lengths."""
        return self.found, self.right, self.drawn, self.seen


@dataclass(frozen=True, eq=False)
class Case:
    """A photo with the truth about its lines.

    Attributes
    ----------
    name : str
    source : path or RGB array
    truth : callable
        Size (width, height) of the oriented photo -> mask of bool, shape (height, width).
    """

    name: str
    source: Path | NDArray[np.uint8]
    truth: Callable[[tuple[int, int]], NDArray[np.bool_]]


# --- cases ---------------------------------------------------------------------------------


def read_mask(path: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a drawn mask at the size of the photo; bright on dark, whichever way it was saved."""
    with Image.open(path) as image:  # noqa: TID251 - a mask is no photo: intake refuses grey
        image.load()
        if "A" in image.getbands() and np.ptp(np.asarray(image.convert("L"))) == 0:
            grey = np.asarray(image.getchannel("A"))
        else:
            grey = np.asarray(image.convert("L"))
    height, width = grey.shape
    if abs(width / height - size[0] / size[1]) > 0.02 * size[0] / size[1]:
        message = f"{path.name} is {width} × {height}, its photo {size[0]} × {size[1]}"
        raise ValueError(message)
    drawn = grey > (127 if grey.max() > 127 else 0)
    if drawn.mean() > 0.5:
        drawn = ~drawn
    if (width, height) != size:
        # Area averaging keeps thin lines that nearest-neighbour would break.
        scaled = cv2.resize(drawn.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        drawn = scaled > 0.25
    return np.asarray(drawn)


def pairs(photos: Path, masks: Path) -> tuple[list[Case], list[str], list[str]]:
    """Pair photos and masks by name; also the names of those left without a partner."""
    drawn: dict[str, Path] = {}
    for path in pictures(masks) + sorted(masks.glob("*.bmp")) + sorted(masks.glob("*.tif*")):
        stem = path.stem.lower()
        drawn.setdefault(stem, path)
        for suffix in SUFFIXES:
            drawn.setdefault(stem.removesuffix(suffix), path)
    cases, without, used = [], [], set()
    for path in pictures(photos):
        mask = drawn.get(path.stem.lower())
        if mask is None:
            without.append(path.name)
        else:
            used.add(mask)
            cases.append(Case(path.stem, path, partial(read_mask, mask)))
    spare = sorted({p.name for p in drawn.values()} - {p.name for p in used})
    return cases, without, spare


def blank(size: tuple[int, int]) -> NDArray[np.bool_]:
    """Truth of a photo whose lines nobody has drawn."""
    return np.zeros((size[1], size[0]), dtype=bool)


def phantom_cases(count: int, seed: int, px_per_mm: float) -> Iterator[Case]:
    """Render faces with lines of all depths, tones, lights and poses within ±8°."""
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        u = rng.uniform
        truth = FaceTruth(
            person=Person(
                seed=int(rng.integers(2**31)), melanin_od=melanin_for_ita(float(u(-50, 55)))
            ),
            wrinkles=default_wrinkles(int(rng.integers(2**31)), amount=float(u(0.5, 1.6))),
        )
        capture = Capture.at_scale(
            px_per_mm,
            light_azimuth_deg=float(u(-30, 30)),
            light_elevation_deg=float(u(10, 50)),
            light_softness=float(u(0.2, 0.8)),
            yaw_deg=float(u(-8, 8)),
            pitch_deg=float(u(-8, 8)),
            seed=index,
        )

        def lines(
            size: tuple[int, int], truth: FaceTruth = truth, capture: Capture = capture
        ) -> NDArray[np.bool_]:
            canvas = np.zeros((size[1], size[0]), dtype=np.uint8)
            for wrinkle in truth.wrinkles:
                draw(canvas, project_points(truth, capture, np.array(wrinkle.points_mm)))
            return canvas > 0

        yield Case(f"phantom {index}", render(truth, capture), lines)


# --- comparing lines -----------------------------------------------------------------------


def draw(canvas: NDArray[np.uint8], points_px: Floats) -> None:
    """Draw a polyline one pixel wide."""
    at = np.round(np.asarray(points_px) * 16).astype(np.int32)
    cv2.polylines(canvas, [at], False, 255, thickness=1, shift=4)


def away_from(lines: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance in px of each pixel from the nearest line."""
    if not lines.any():
        return np.full(lines.shape, np.inf, dtype=np.float32)
    return np.asarray(cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 5))


@dataclass(frozen=True, eq=False)
class Drawn:
    """The truth of one photo, cut to the face and all that is drawn, ready to compare with.

    Attributes
    ----------
    thin : ndarray of bool
        Centrelines of the strokes.
    distance : ndarray of float32
        Of each pixel from the nearest centreline, px.
    corner : ndarray of int, shape (2,)
        Column and row of the photo at which the cut begins.
    px_mm : float
    """

    thin: NDArray[np.bool_]
    distance: NDArray[np.float32]
    corner: NDArray[np.intp]
    px_mm: float

    @classmethod
    def of(cls, mask: NDArray[np.bool_], scan: Scan) -> Drawn:
        """Thin the strokes and cut."""
        assert scan.pixels is not None
        facemap = scan.pixels.facemap
        thin = np.asarray(skeletonize(mask))
        rows, columns = np.nonzero(thin)
        ends = np.vstack([facemap.grid_px[facemap.visible], np.column_stack([columns, rows])])
        low = np.clip(np.floor(ends.min(axis=0)).astype(int) - 2, 0, None)
        high = np.ceil(ends.max(axis=0)).astype(int) + 3
        thin = np.ascontiguousarray(thin[low[1] : high[1], low[0] : high[0]])
        return cls(thin, away_from(thin), low, scan.resolution_px_mm)

    def pixels(self, points_px: Floats) -> NDArray[np.intp]:
        """Pixels (column, row) of the cut for points of the photo, shape (N, 2)."""
        height, width = self.thin.shape
        known = points_px[np.isfinite(points_px).all(axis=1)]
        at = np.round(known).astype(np.intp) - self.corner
        return at[(at >= 0).all(axis=1) & (at[:, 0] < width) & (at[:, 1] < height)]

    def compare(self, points_px: Floats, px_per_point: float) -> Tally:
        """Compare with lines given as pixels, shape (N, 2), in the photo."""
        at = self.pixels(points_px)
        near = TOLERANCE_MM * self.px_mm
        found = np.zeros(self.thin.shape, dtype=bool)
        found[at[:, 1], at[:, 0]] = True
        hit = self.distance[at[:, 1], at[:, 0]] <= near
        seen = away_from(found)[self.thin] <= near
        step = px_per_point / self.px_mm
        return Tally(
            len(at) * step,
            float(hit.sum()) * step,
            float(self.thin.sum()) / self.px_mm,
            float(seen.sum()) / self.px_mm,
        )


def scores(tallies: NDArray[np.float64]) -> tuple[float, float, float]:
    """Precision, recall and F1 of summed tallies, shape (..., 4)."""
    found, right, drawn, seen = tallies
    precision = right / found if found else 0.0
    recall = seen / drawn if drawn else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


# --- what is compared ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Ground:
    """A picture for the filters and where in it the face is.

    Attributes
    ----------
    picture : ndarray of float32
        8-bit codes on the photo, contrast in % on the layer.
    inside : ndarray of bool
    px_mm : float
    to_photo : callable
        Pixels (column, row), shape (N, 2) -> pixels of the photo.
    """

    picture: Picture
    inside: NDArray[np.bool_]
    px_mm: float
    to_photo: Callable[[Floats], Floats]


def photo_ground(scan: Scan) -> Ground:
    """Make the grey photo inside the outline of the face, reduced if it is very fine."""
    assert scan.pixels is not None
    photo = scan.pixels.photo
    grey = cv2.cvtColor(photo.rgb, cv2.COLOR_RGB2GRAY)
    ratio = scan.resolution_px_mm * grey.shape[1] / photo.full_size_px[0] / FINEST_PX_MM
    if ratio > 1.0:
        size = (round(grey.shape[1] / ratio), round(grey.shape[0] / ratio))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    factor = photo.full_size_px[0] / grey.shape[1]
    oval = (scan.face.landmarks_px[list(FACE_OVAL)] + 0.5) / factor - 0.5
    low = np.clip(np.floor(oval.min(axis=0)).astype(int) - 12, 0, None)
    high = np.ceil(oval.max(axis=0)).astype(int) + 13
    cut = grey[low[1] : high[1], low[0] : high[0]]
    inside = np.zeros(cut.shape, dtype=np.uint8)
    cv2.fillPoly(inside, [np.round(oval - low).astype(np.int32)], 1)
    return Ground(
        cut.astype(np.float32),
        inside > 0,
        scan.resolution_px_mm / factor,
        lambda p: (p + low + 0.5) * factor - 0.5,
    )


def layer_ground(scan: Scan) -> Ground:
    """Make skinscan's own picture: rectified, illumination-free, skin only."""
    assert scan.pixels is not None
    facemap = scan.pixels.facemap
    level = max(lv for lv in facemap.layers if lv <= FINEST_PX_MM)
    maps = face_maps(facemap).levels[level]
    # What touches the edge of the mask is an edge, not a line.
    size = 2 * round(1.0 * level) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    inside = cv2.erode(maps.layer.skin.astype(np.uint8), disc) > 0
    flat = np.where(maps.layer.skin, maps.layer.log_y - maps.light, np.float32(0.0))
    return Ground(flat, inside, level, lambda p: facemap.to_photo_px(map_px_to_mm(p, level)))


def skinscan_points(scan: Scan) -> Floats:
    """Pixels of all lines that skinscan reports, in the photo."""
    width, height = scan.photo_size_px
    canvas = np.zeros((height, width), dtype=np.uint8)
    for wrinkle in scan.wrinkles:
        draw(canvas, wrinkle.points_px)
    rows, columns = np.nonzero(canvas)
    return np.column_stack([columns, rows]).astype(np.float64)


def pieces(
    response: NDArray[np.float64], ground: Ground, threshold: float
) -> Iterator[tuple[float, Floats]]:
    """Skeleton of what exceeds a threshold, for each least length, in photo pixels."""
    thin = skeletonize((response > threshold) & ground.inside)
    parts, count = label(thin, structure=np.ones((3, 3)))
    length = np.bincount(parts.ravel(), minlength=count + 1) / ground.px_mm
    length[0] = 0.0
    rows, columns = np.nonzero(thin)
    points = ground.to_photo(np.column_stack([columns, rows]).astype(np.float64))
    own = length[parts[rows, columns]]
    for least in LEAST_MM:
        yield least, points[own >= least]


Setting = tuple[str, str, str, int, float]  # filter, ground, widths, threshold number, least mm


@dataclass
class Results:
    """Everything measured, per photo."""

    names: list[str] = field(default_factory=list)
    ours: list[Tally] = field(default_factory=list)
    theirs: dict[Setting, list[Tally]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    regions: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    outside_mm: float = 0.0

    def clock(self, name: str, start: float) -> None:
        """Note the processor time since ``start``."""
        self.seconds.setdefault(name, []).append(time.process_time() - start)


def responses(
    scan: Scan, results: Results | None = None
) -> Iterator[tuple[tuple[str, str, str], Ground, NDArray[np.float64]]]:
    """All filters on both pictures."""
    for ground_name, ground in zip(GROUNDS, (photo_ground(scan), layer_ground(scan)), strict=True):
        for name, run in FILTERS.items():
            for widths, sigmas in SIGMAS_MM.items():
                start = time.process_time()
                found = run(ground.picture, sigmas=[s * ground.px_mm for s in sigmas])
                if results is not None:
                    results.clock(f"{name}, {ground_name}, {widths} widths", start)
                yield (name, ground_name, widths), ground, np.asarray(found)


def thresholds(cases: Sequence[Case]) -> dict[tuple[str, str, str], Floats]:
    """Thresholds of each filter, from the spread of its responses on some photos."""
    pooled: dict[tuple[str, str, str], list[Floats]] = {}
    step = max(1, len(cases) // PILOTS)
    for case in cases[::step]:
        try:
            scan = analyze(case.source, largest_face=True)
        except SkinscanError:
            continue
        for key, ground, found in responses(scan):
            pooled.setdefault(key, []).append(found[ground.inside][::7])
    return {k: np.quantile(np.concatenate(v), 1.0 - SHARES) for k, v in pooled.items()}


def by_region(scan: Scan, drawn: Drawn, results: Results) -> None:
    """Add where skinscan's right, wrong and missed lengths lie."""
    assert scan.pixels is not None
    facemap = scan.pixels.facemap
    level = min(facemap.layers)
    near = TOLERANCE_MM * drawn.px_mm
    at = drawn.pixels(skinscan_points(scan))
    points = (at + drawn.corner).astype(np.float64)
    found = np.zeros(drawn.thin.shape, dtype=bool)
    found[at[:, 1], at[:, 0]] = True
    hit = drawn.distance[at[:, 1], at[:, 0]] <= near
    rows, columns = np.nonzero(drawn.thin)
    seen = away_from(found)[rows, columns] <= near
    there = (np.column_stack([columns, rows]) + drawn.corner).astype(np.float64)
    atlas = np.full(facemap.layers[level].skin.shape, -1, dtype=int)
    names = [r for r in regions().values() if r.part_of is None]
    for k, item in enumerate(names):
        atlas[region_mask(item.name, level)] = k

    def where(px: Floats) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        mm = facemap.to_map_mm(px)
        grid = facemap.layers[level]
        height, width = grid.skin.shape
        u = (mm[:, 0] + 80.0) * level - 0.5
        v = (118.0 - mm[:, 1]) * level - 0.5
        known = np.isfinite(u) & (u >= 0) & (v >= 0) & (u < width - 1) & (v < height - 1)
        index = np.full(len(px), -2)
        c, r = np.round(u[known]).astype(int), np.round(v[known]).astype(int)
        index[known] = atlas[r, c]
        skin = np.zeros(len(px), dtype=bool)
        skin[known] = grid.skin[r, c]
        return index, skin

    ours, _ = where(points)
    theirs, on_skin = where(there)
    results.outside_mm += float((~on_skin).sum()) / drawn.px_mm
    titles = [item.group for item in names] + ["off the face", "between regions"]
    for k, title in enumerate(titles):
        index = k - len(titles) if k >= len(names) else k
        mine, drawn_here = ours == index, theirs == index
        results.regions[title] = (
            results.regions.get(title, np.zeros(5))
            + np.array(
                [
                    mine.sum(),
                    (mine & hit).sum(),
                    drawn_here.sum(),
                    (drawn_here & seen).sum(),
                    (drawn_here & ~on_skin).sum(),
                ]
            )
            / drawn.px_mm
        )


def measure(cases: Sequence[Case], levels: dict[tuple[str, str, str], Floats]) -> Results:
    """Run everything on every case."""
    results = Results()
    for n, case in enumerate(cases):
        if n % 5 == 0:
            progress(f"{n} of {len(cases)}")
        try:
            start = time.process_time()
            scan = analyze(case.source, largest_face=True)
            results.clock("skinscan, whole analysis", start)
        except SkinscanError as error:
            results.failed.append(f"{case.name} ({error.cause})")
            continue
        try:
            mask = case.truth(scan.photo_size_px)
        except (ValueError, OSError) as error:
            results.failed.append(f"{case.name} (mask: {error})")
            continue
        assert scan.pixels is not None
        start = time.process_time()
        # Found when asked for.
        list(find_lines(face_maps(scan.pixels.facemap)).values())
        results.clock("skinscan, lines at all levels", start)
        drawn = Drawn.of(mask, scan)
        results.names.append(case.name)
        results.ours.append(drawn.compare(skinscan_points(scan), 1.0))
        by_region(scan, drawn, results)
        for key, ground, found in responses(scan, results):
            ratio = drawn.px_mm / ground.px_mm
            for k, threshold in enumerate(levels[key]):
                for least, points in pieces(found, ground, float(threshold)):
                    tally = drawn.compare(points, ratio)
                    results.theirs.setdefault((*key, k, least), []).append(tally)
    return results


# --- tables --------------------------------------------------------------------------------


def report_scores(report: Report, results: Results) -> None:
    """Precision, recall, F1, and the ratio to the best filter."""
    count = len(results.names)
    ours = np.array([t.numbers for t in results.ours])
    theirs = {k: np.array([t.numbers for t in v]) for k, v in results.theirs.items()}
    pooled = {k: scores(v.sum(axis=0))[2] for k, v in theirs.items()}
    draws = resamples(count)

    def row(title: str, table: Floats, note: str) -> tuple[str, ...]:
        p, r, f = scores(table.sum(axis=0))
        spread = interval([scores(table[k].sum(axis=0))[2] for k in draws])
        each = [scores(t)[2] for t in table]
        mean_spread = interval(np.array(each)[draws].mean(axis=1))
        return (
            title,
            f"{p:.3f}",
            f"{r:.3f}",
            f"{f:.3f} ({span(spread, 3)})",
            f"{np.mean(each):.3f} ({span(mean_spread, 3)})",
            note,
        )

    rows = [row("**skinscan**", ours, "default")]
    edges = []
    best: dict[tuple[str, str], Setting] = {}
    for name in FILTERS:
        for ground in GROUNDS:
            mine = [k for k in theirs if k[:2] == (name, ground)]
            top = max(mine, key=lambda k: pooled[k])
            best[name, ground] = top
            _, _, widths, k, least = top
            if k in {0, len(SHARES) - 1}:
                edges.append(f"threshold of {name} on the {ground}")
            if least in {LEAST_MM[0], LEAST_MM[-1]}:
                edges.append(f"least length of {name} on the {ground}")
            note = f"{widths} widths, {100 * SHARES[k]:.1f} % of the face, ≥ {least:g} mm"
            rows.append(row(f"{name}, {ground}", theirs[top], note))
    report.table(
        (
            "method",
            "precision",
            "recall",
            "F1 pooled (95 %)",
            "F1 mean of photos (95 %)",
            "setting",
        ),
        rows,
    )
    report.say(
        f"Thresholds: {len(SHARES)} per filter, leaving {100 * SHARES[0]:g} to "
        f"{100 * SHARES[-1]:g} % of the face; least lengths {LEAST_MM[0]:g} to "
        f"{LEAST_MM[-1]:g} mm; "
        + (
            f"**best at the edge of the grid: {', '.join(edges)}**"
            if edges
            else "no best one at an edge"
        )
        + ". Intervals: bootstrap over photos, 2,000 resamples; the choice of settings, made on "
        "the same photos in the filters' favour, is not resampled."
    )
    report.say("F1 of skinscan divided by the filter's (goal against the best: 1.25):")
    mine = np.array([scores(ours[k].sum(axis=0))[2] for k in draws])
    whole = scores(ours.sum(axis=0))[2]
    rows = []
    for (name, ground), setting in sorted(best.items(), key=lambda b: -pooled[b[1]]):
        other = np.array([scores(theirs[setting][k].sum(axis=0))[2] for k in draws])
        ratio = whole / pooled[setting] if pooled[setting] else float("nan")
        drawn = np.divide(mine, other, out=np.full(len(mine), np.nan), where=other > 0)
        rows.append((f"{name}, {ground}", f"{ratio:.2f}", span(interval(drawn))))
    report.table(("filter", "ratio", "95 %"), rows)


def report_rest(report: Report, results: Results) -> None:
    """Where skinscan is right and wrong, the worst photos, and time."""
    total = sum(t.drawn for t in results.ours)
    report.say(
        f"skinscan by region. {100 * results.outside_mm / total:.0f} % of the drawn length lies "
        "off the face or where the skin mask sees no skin, and so cannot be found:"
    )
    rows = []
    for name, (found, right, drawn, seen, hidden) in sorted(
        results.regions.items(), key=lambda r: -r[1][2]
    ):
        rows.append(
            (
                name,
                f"{drawn:.0f}",
                f"{found:.0f}",
                number(right / found if found else float("nan")),
                number(seen / drawn if drawn else float("nan")),
                number(100 * hidden / drawn if drawn else float("nan"), 0),
            )
        )
    report.table(
        ("region", "drawn mm", "found mm", "precision", "recall", "% of drawn length masked"), rows
    )
    worst = sorted(
        zip(results.names, results.ours, strict=True),
        key=lambda x: scores(np.array(x[1].numbers))[2],
    )
    report.say(
        "Lowest F1: "
        + ", ".join(f"{n} {scores(np.array(t.numbers))[2]:.2f}" for n, t in worst[:8])
        + "; highest: "
        + ", ".join(f"{n} {scores(np.array(t.numbers))[2]:.2f}" for n, t in worst[:-6:-1])
        + "."
    )
    base = float(np.median(results.seconds["skinscan, lines at all levels"]))
    report.say(
        f"Processor time per photo, as a multiple of skinscan's own line search at all levels "
        f"({1000 * base:.0f} ms here); a filter's without threshold and skeleton:"
    )
    rows = [
        (name, number(float(np.median(s)) / base)) for name, s in sorted(results.seconds.items())
    ]
    report.table(("what", "multiple"), rows)


# --- painted lines -------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Seen:
    """A painted photo as measured.

    Attributes
    ----------
    severity : Mapping[str, float]
        Of the region of each painted course.
    on : Mapping[str, Sequence[Line]]
        Lines traced on each course, faint candidates included.
    maps : LevelMaps
        Of the highest level.
    """

    severity: Mapping[str, float]
    on: Mapping[str, Sequence[Line]]
    maps: LevelMaps

    def contrast(self, course: str) -> float:
        """Mean contrast of what is traced on a course, weighed as the metric weighs it."""
        return weighed([line.contrast_pct for line in self.on[course]], self.on[course])

    def reported(self, course: str) -> bool:
        """Whether a line on the course is certain enough to be reported."""
        return any(line.certainty >= 0.5 for line in self.on[course])

    def followed(self, course: str, into: Seen) -> float:
        """Mean contrast in another photo along the lines traced on a course in this one."""
        return weighed(follow(self.on[course], into.maps), self.on[course])


def weighed(values: ArrayLike, lines: Sequence[Line]) -> float:
    """Mean over lines by length and, twice, by certainty; NaN where there is none."""
    weights = np.array([w.length_mm * w.certainty**2 for w in lines])
    known = np.isfinite(np.asarray(values, dtype=float))
    if not len(lines) or weights[known].sum() <= 0:
        return float("nan")
    return float(np.average(np.asarray(values)[known], weights=weights[known]))


def seen_lines(scan: Scan, rgb: NDArray[np.uint8]) -> Seen:
    """Measure a painted copy of a scan's photo, in the frame of the unpainted one.

    Landmarks move by a fraction of a mm when lines are painted; here only the paint changes.
    """
    facemap = rectify(load_photo(rgb), scan.face)
    faces = face_maps(facemap)
    found = find_lines(faces)[facemap.top_level]
    level = found.valley_level_px_mm
    severity, on = {}, {}
    for region, course in COURSES.items():
        inside = region_mask(region, level) & facemap.layers[level].skin
        severity[region] = (
            float(visible(found.valley[inside]).mean()) if inside.any() else float("nan")
        )
        on[region] = [
            line
            for line in found.candidates
            if np.median(distance_mm(line.points_mm[:, None, :], course)) < TOLERANCE_MM
        ]
    return Seen(severity, on, faces.levels[facemap.top_level])


def reduction(pairs: Sequence[tuple[float, float]]) -> tuple[float, tuple[float, float]]:
    """Pooled reduction in % of (full, less) per photo, resampled by photo; NaN is left out."""
    table = np.array(pairs, dtype=float).reshape(-1, 2)

    def of(rows: Floats) -> float:
        full, less = rows.sum(axis=0)
        return 100.0 * (1.0 - less / full) if full > 0 else float("nan")

    return of(table), interval([of(table[k]) for k in resamples(len(table))])


def pooled(photos: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Sum the (full, less) of each photo over its lines, pairs with NaN left out."""
    return [
        (sum(f for f, _ in known), sum(p for _, p in known))
        for known in ([x for x in photo if np.isfinite(x).all()] for photo in photos)
    ]


@dataclass(frozen=True)
class Faded:
    """One painted line: (with all of its contrast, with less) by each way of measuring."""

    severity: tuple[float, float]
    severity_added: tuple[float, float]
    traced: tuple[float, float]
    followed: tuple[float, float]
    followed_added: tuple[float, float]
    reported: tuple[bool, bool]

    @classmethod
    def of(cls, course: str, before: Seen, full: Seen, less: Seen) -> Faded:
        """Compare the photo without paint, with all and with less of it."""
        severity = [x.severity[course] for x in (before, full, less)]
        followed = [full.followed(course, x) for x in (before, full, less)]
        return cls(
            (severity[1], severity[2]),
            (severity[1] - severity[0], severity[2] - severity[0]),
            (full.contrast(course), less.contrast(course)),
            (followed[1], followed[2]),
            (followed[1] - followed[0], followed[2] - followed[0]),
            (full.reported(course), less.reported(course)),
        )


def unpainted(cases: Sequence[Case]) -> Iterator[tuple[Scan, NDArray[np.uint8], Floats]]:
    """Scan, photo and canonical mm of its pixels, for each photo with a usable face."""
    for n, case in enumerate(cases):
        if n % 5 == 0:
            progress(f"painting on {n} of {len(cases)}")
        try:
            scan = analyze(case.source, largest_face=True)
        except SkinscanError:
            continue
        assert scan.pixels is not None
        rgb = scan.pixels.photo.rgb
        yield scan, rgb, canonical_mm(rgb.shape, scan.pixels.facemap)


def shown(pair: tuple[float, tuple[float, float]]) -> str:
    """Write a reduction and its interval."""
    return f"{number(pair[0], 0)} ({span(pair[1], 0)})"


def report_painted(report: Report, cases: Sequence[Case]) -> None:
    """Paint lines of known contrast, paint them again with less, and compare."""
    #: (contrast, width) -> per photo, per line
    cells: dict[tuple[float, float], list[list[Faded]]] = {}
    count = 0
    for scan, rgb, mm in unpainted(cases):
        count += 1
        before = seen_lines(scan, rgb)
        for width in PAINTED_MM:
            whole = grooves(mm, COURSES.values(), contrast_pct=100.0, width_mm=width) / 100.0
            for contrast in PAINTED_PCT:
                full = seen_lines(scan, darkened(rgb, contrast * whole))
                less = seen_lines(scan, darkened(rgb, LEFT * contrast * whole))
                cells.setdefault((contrast, width), []).append(
                    [Faded.of(course, before, full, less) for course in COURSES]
                )
    rows = []
    for (contrast, width), photos in cells.items():
        every = [line for photo in photos for line in photo]
        share = [100.0 * (1.0 - x.severity[1] / x.severity[0]) for x in every if x.severity[0] > 0]
        full, less = np.mean([x.reported for x in every], axis=0)
        rows.append(
            (
                f"{contrast:g}",
                f"{width:g}",
                shown(reduction(pooled([[x.severity_added for x in p] for p in photos]))),
                number(float(np.median(share)), 0),
                shown(
                    reduction(pooled([[x.traced for x in p if all(x.reported)] for p in photos]))
                ),
                shown(reduction(pooled([[x.followed for x in p] for p in photos]))),
                shown(reduction(pooled([[x.followed_added for x in p] for p in photos]))),
                f"{100 * full:.0f} / {100 * less:.0f}",
            )
        )
    report.section(f"{count} photos, {len(COURSES)} lines each")
    report.say(
        "Dark lines with a Gaussian profile painted on the photo, then with 30 % less contrast: "
        f"{', '.join(COURSES)}. What is measured should be 30 %. Severity added: of the rise over "
        "the unpainted photo, summed over lines. Whole severity: of the region as it is, its "
        "own lines and grain, which the paint leaves alone, included. Traced: contrast of the "
        "lines traced on the painted course in each photo, candidates included, weighed by "
        "length and certainty, where both photos report a line. Same course: "
        "contrast in both photos along the lines traced with all the paint "
        "(`skinscan.metrics.lines.follow`); what the skin had there before stays and makes it less "
        "than 30 %. Added on the same course: without what the unpainted photo has "
        "there. 95 %: bootstrap over photos."
    )
    report.table(
        (
            "painted %",
            "width mm",
            "severity added, reduction % (95 %)",
            "whole severity, median",
            "traced",
            "same course",
            "added on the same course",
            "reported, full / less, %",
        ),
        rows,
    )


# --- painted spots -------------------------------------------------------------------------

SPOT_METRICS = (
    "tone.spot_area_fraction",
    "tone.spot_density",
    "tone.melanin",
    "tone.evenness",
    "tone.lightness",
)


def seen_spots(
    scan: Scan,
    rgb: NDArray[np.uint8],
    mm: Floats,
    *,
    melanin: float,
    diameter_mm: float,
    within_mm: float,
) -> dict[str, Floats]:
    """Paint spots on a photo and measure it in the frame of the unpainted one.

    Returns
    -------
    dict
        Metric -> values by region; ``darkness at the places`` is the mean melanin against its
        surroundings within ``within_mm`` of the centres.
    """
    centres = [c for places in SPOT_PLACES.values() for c in places]
    dose = spots(mm, centres, contrast_pct=melanin, diameter_mm=diameter_mm)
    photo = load_photo(darkened(rgb, dose, bands=MELANIN))
    facemap = rectify(photo, scan.face, levels=SPOT_LEVELS_PX_MM)
    shape = measure_shape(photo, scan.face, scale_source=scan.scale_source)
    measurements, _ = measure_all(facemap, shape, view=scan.view)
    level = facemap.top_level
    maps = face_maps(facemap).levels[level]
    rows, columns = maps.layer.skin.shape
    x, y = np.meshgrid(np.arange(columns, dtype=float), np.arange(rows, dtype=float))
    at = map_px_to_mm(np.column_stack([x.ravel(), y.ravel()]), level).reshape(rows, columns, 2)
    values = {
        m.metric + "/" + m.region: m.value
        for m in measurements
        if m.level_px_mm == level and m.region in SPOT_PLACES
    }
    result = {
        name: np.array([values.get(f"{name}/{region}", np.nan) for region in SPOT_PLACES])
        for name in SPOT_METRICS
    }
    place = [
        maps.spot_contrast[(nearest_mm(at, region) < within_mm) & maps.layer.skin]
        for region in SPOT_PLACES.values()
    ]
    result["darkness at the places"] = np.array([p.mean() if len(p) else np.nan for p in place])
    return result


def report_spots(report: Report, cases: Sequence[Case]) -> None:
    """Paint brown spots on cheeks, then fainter or smaller, and compare."""
    ways = {"contrast": (LEFT, 1.0), "area": (1.0, float(np.sqrt(LEFT)))}
    #: (melanin, diameter, way) -> metric -> per photo (rise with all, rise with less)
    cells: dict[tuple[float, float, str], dict[str, list[tuple[float, float]]]] = {}
    count = 0
    for scan, rgb, mm in unpainted(cases):
        count += 1
        for contrast, diameter in SPOT_DOSES:
            paint = partial(seen_spots, scan, rgb, mm, within_mm=diameter / 2)
            before = paint(melanin=0.0, diameter_mm=diameter)
            full = paint(melanin=contrast, diameter_mm=diameter)
            for way, (fainter, smaller) in ways.items():
                less = paint(melanin=fainter * contrast, diameter_mm=smaller * diameter)
                cell = cells.setdefault((contrast, diameter, way), {})
                for name in full:
                    sign = -1.0 if name == "tone.lightness" else 1.0
                    rise = sign * np.array([full[name] - before[name], less[name] - before[name]])
                    cell.setdefault(name, []).append(tuple(np.nansum(rise, axis=1)))
    names = ("darkness at the places", *SPOT_METRICS)
    report.section(f"Spots: {count} photos, {sum(map(len, SPOT_PLACES.values()))} spots each")
    report.say(
        "Round spots with the colour of melanin (100·optical density in green) painted on the "
        "cheeks, then with 30 % less contrast or 30 % less area. Reduction in % (95 %, bootstrap "
        "over photos) of what the paint adds to each number, summed over the regions of the "
        "cheeks; darkness at the places: mean melanin against its surroundings inside the painted "
        "circles, the same places in all photos. Where paint adds nothing there is no number."
    )
    report.table(
        ("100·OD", "mm", "30 % less", *names),
        [
            (f"{c:g}", f"{d:g}", way, *(shown(reduction(cell[name])) for name in names))
            for (c, d, way), cell in cells.items()
        ],
    )


def run(report: Report, cases: Sequence[Case]) -> int:
    """Measure cases and report; the number that could be compared."""
    results = measure(cases, thresholds(cases))
    report.say(
        f"{len(results.names)} compared, {len(results.failed)} not: "
        f"{'; '.join(results.failed) or 'none'}. Tolerance {TOLERANCE_MM:g} mm."
    )
    if results.names:
        report_scores(report, results)
        report_rest(report, results)
    return len(results.names)


def main() -> None:
    """Run and print."""
    options = parser(__doc__)
    folder = PHOTOS / "drawn_lines"
    options.add_argument("--photos", type=Path, default=folder / "photos", help="%(default)s")
    options.add_argument("--masks", type=Path, default=folder / "masks", help="%(default)s")
    options.add_argument("--painted", type=int, metavar="N", help="paint lines on N photos instead")
    options.add_argument(
        "--paint-on",
        type=Path,
        default=PHOTOS / "london",
        help="photos named *neutral*; %(default)s",
    )
    options.add_argument("--limit", type=int, help="only the first so many photos")
    options.add_argument("--phantoms", type=int, metavar="N", help="render N faces instead")
    options.add_argument("--seed", type=int, default=0, help="of the phantoms")
    options.add_argument("--px-per-mm", type=float, default=4.5, help="of the phantoms")
    args = options.parse_args()
    cv2.setNumThreads(1)
    if args.painted:
        report = Report("Painted lines", "wrinkles.py")
        if args.phantoms:
            cases = list(phantom_cases(args.phantoms, args.seed, args.px_per_mm))
        else:
            cases = [Case(p.stem, p, blank) for p in pictures(args.paint_on, "*neutral*")]
        if not cases:
            options.error(f"no photo named *neutral* in {args.paint_on}")
        chosen = cases[:: max(1, len(cases) // args.painted)][: args.painted]
        report_painted(report, chosen)
        report_spots(report, chosen)
        report.write(args.write)
        return
    report = Report("Lines", "wrinkles.py")
    if args.phantoms:
        report.section(f"{args.phantoms} phantoms at {args.px_per_mm:g} px/mm, exact truth")
        cases = list(phantom_cases(args.phantoms, args.seed, args.px_per_mm))
    else:
        for path in (args.photos, args.masks):
            if not path.is_dir():
                options.error(f"no folder {path}")
        cases, without, spare = pairs(args.photos, args.masks)
        report.section(f"Lines drawn by people ({len(cases)} photos with a mask)")
        report.say(
            f"Photos without mask, skipped: {len(without)}. Masks without photo: {len(spare)}. "
            "The drawn lines are rough by a few pixels and only the prominent ones; masks and "
            "photos serve evaluation only and are shown nowhere."
        )
        cases = cases[: args.limit]
    if not cases:
        options.error("no photo has a mask of the same name")
    if not run(report, cases):
        options.error("no photo could be compared")
    report.write(args.write)


if __name__ == "__main__":
    main()
