"""What skinscan says about real photographs: failures, flags, smiles, age, repeatability.

Usage: python benchmarks/real_photos.py [--photos ../shared/photos] [--write FILE.md]

Needs the folders london, canada, drawn_lines/photos and retake of the development
photographs. Scans are kept in benchmarks/results/scans, by photo and by skinscan's
sources, so that a second run takes seconds. The same tables come out of every run.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from _common import (
    PHOTOS,
    Report,
    bootstrap,
    number,
    parser,
    pictures,
    progress,
    scan_kept,
    span,
    wilson,
)
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import rankdata

from skinscan.errors import SkinscanError
from skinscan.flags import Flag, flag_names
from skinscan.metrics import by_family
from skinscan.photo import load_photo
from skinscan.quality import Grade
from skinscan.regions import groups
from skinscan.scan import Scan

SEVERITY = "wrinkles.severity"
#: Groups of regions that are read as one area of the face.
AREAS: Mapping[str, tuple[str, ...]] = {
    "crow's feet": ("crows_feet",),
    "under-eye": ("under_eye",),
    "nasolabial": ("nasolabial",),
    "forehead": ("forehead_upper", "forehead_lower"),
    "glabella": ("glabella",),
    "nose bridge": ("nose_bridge",),
    "cheek": ("cheek_malar", "cheek_buccal"),
}
SMILING = {"crow's feet": 0.95, "under-eye": 0.92, "nasolabial": 0.80}
#: A smile should hardly move these: what they show is sharpness, not expression.
CONTROL = ("forehead", "nose bridge")
#: Steps in which a photo is softened to the sharpness of another.
SOFTEN_PX = (0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
AGEING = ("forehead", "glabella", "crow's feet", "under-eye", "nasolabial")
#: Carried by every measurement so far, hence no news.
USUAL_FLAGS = Flag.NO_SEM | Flag.ABSOLUTE_COLOUR


class Found:
    """Scans of one set of photos, by file stem."""

    def __init__(self, name: str, photos: Sequence[Path], *, largest_face: bool = False) -> None:
        self.name = name
        self.scans: dict[str, Scan] = {}
        self.failures: dict[str, SkinscanError] = {}
        for n, path in enumerate(photos):
            if n % 10 == 0:
                progress(f"{name}: {n} of {len(photos)}")
            got = scan_kept(path, largest_face=largest_face)
            if isinstance(got, Scan):
                self.scans[path.stem] = got
            else:
                self.failures[path.stem] = got

    @property
    def count(self) -> int:
        """Photos given."""
        return len(self.scans) + len(self.failures)


def severity(scan: Scan, area: str, level: float, *, metric: str = SEVERITY) -> float:
    """Mean of a metric over the regions of an area, left and right alike."""
    names = {r.name for group in AREAS[area] for r in groups()[group]}
    values = [
        m.value
        for m in scan.measurements
        if m.metric == metric and m.region in names and m.level_px_mm == level
    ]
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def common_level(*scans: Scan) -> float:
    """Highest level that all scans have."""
    return max(set.intersection(*(set(s.levels) for s in scans)))


def flags_of(scan: Scan) -> Flag:
    """All flags on any measurement, but those that every measurement carries."""
    flags = Flag.NONE
    for m in scan.measurements:
        # At levels below a metric's own, low_resolution is the definition, not news.
        if m.level_px_mm == max(scan.levels):
            flags |= m.flags
    return flags & ~USUAL_FLAGS


# --- (a) counts, failures, flags -----------------------------------------------------------


def report_sets(report: Report, sets: Sequence[Found]) -> None:
    """Say how many were analysed, how many failed and which flags they carry, per set."""
    report.section("All photos")
    rows = []
    for s in sets:
        verdicts = Counter(scan.quality.verdict for scan in s.scans.values())
        scale = [scan.resolution_px_mm for scan in s.scans.values()]
        causes = Counter(error.cause for error in s.failures.values())
        rows.append(
            (
                s.name,
                s.count,
                len(s.scans),
                ", ".join(f"{c} {n}" for c, n in causes.items()) or "none",
                f"{min(scale):.1f} to {max(scale):.1f}" if scale else "–",
                *(verdicts[g] for g in Grade),
            )
        )
    head = ("set", "photos", "analysed", "failed", "px/mm")
    report.table((*head, *(g.value for g in Grade)), rows)
    report.say(
        "Failures: "
        + (
            "; ".join(f"{s.name}/{k}: {e.cause}" for s in sets for k, e in s.failures.items())
            or "none"
        )
        + "."
    )

    report.say("Photos whose measurements carry a flag, by flag (whole photo / some region):")
    used = [f for f in Flag if f & ~USUAL_FLAGS]
    rows = []
    for flag in used:
        cells = []
        for s in sets:
            whole = sum(bool(scan.quality.flags & flag) for scan in s.scans.values())
            some = sum(bool(flags_of(scan) & flag) for scan in s.scans.values())
            cells.append(f"{whole} / {some}" if some else "·")
        if any(c != "·" for c in cells):
            rows.append((flag_names(flag), *cells))
    report.table(("flag", *(f"{s.name} (n = {len(s.scans)})" for s in sets)), rows)

    report.say("Checks that are not good, by set (acceptable / poor):")
    names = [c.name for c in next(iter(sets[0].scans.values())).quality.checks]
    rows = []
    for name in names:
        cells = []
        for s in sets:
            grades = Counter(scan.quality.check(name).verdict for scan in s.scans.values())
            cells.append(f"{grades[Grade.ACCEPTABLE]} / {grades[Grade.POOR]}")
        rows.append((name, *cells))
    report.table(("check", *(s.name for s in sets)), rows)


def report_careless(report: Report, retake: Found) -> None:
    """Each photo of `retake`: flags and what is wrong with it."""
    report.section("retake: what the capture check says")
    rows = []
    for name, scan in sorted(retake.scans.items()):
        poor = [c for c in scan.quality.checks if c.verdict is Grade.POOR]
        occluded = sorted(
            {
                m.region
                for m in scan.measurements
                if m.flags & Flag.OCCLUDED and m.metric == SEVERITY
            }
        )
        rows.append(
            (
                name,
                scan.resolution_px_mm,
                flag_names(scan.quality.flags) or "none",
                ", ".join(f"{c.name} {c.value:.2g} {c.unit}".strip() for c in poor) or "none",
                ", ".join(occluded) or "none",
            )
        )
    report.table(("photo", "px/mm", "flags of the photo", "poor checks", "occluded regions"), rows)


# --- (b) smiling against neutral -----------------------------------------------------------


def softened(path: Path, sigma_px: float) -> bytes:
    """Blur a photo by a Gaussian; lossless PNG."""
    soft = cv2.GaussianBlur(load_photo(path).rgb, (0, 0), sigma_px)
    out = io.BytesIO()
    Image.fromarray(soft).save(out, "PNG", compress_level=1)
    return out.getvalue()


def detail(scan: Scan, level: float) -> float:
    """Roughness of the forehead: fine detail that a smile does not make."""
    return severity(scan, "forehead", level, metric="texture.roughness_rq")


def people_of(london: Found) -> list[str]:
    """Identify the people with both photos."""
    return sorted(
        k.removesuffix("_neutral")
        for k in london.scans
        if k.endswith("_neutral") and k.replace("_neutral", "_smiling") in london.scans
    )


def equally_sharp(
    neutral: Sequence[Scan], smiling: Mapping[int, Scan], files: Sequence[Path]
) -> dict[int, Scan]:
    """Soften each smiling photo until its forehead is about as rough as the neutral one's."""
    chosen = {}
    for n, scan in smiling.items():
        if n % 10 == 0:
            progress(f"smiling photos made as soft as the neutral ones: {n} of {len(smiling)}")
        level = common_level(neutral[n], scan)
        wanted = detail(neutral[n], level)
        candidates = [scan]
        for sigma in SOFTEN_PX:
            # Roughness falls with every step: beyond the wanted one no step can be nearer.
            if not detail(candidates[-1], level) > wanted:
                break
            got = scan_kept(softened(files[n], sigma))
            if isinstance(got, Scan) and level in got.levels:
                candidates.append(got)
        known = [c for c in candidates if np.isfinite(detail(c, level))]
        if known and np.isfinite(wanted):
            chosen[n] = min(known, key=lambda c: abs(np.log(detail(c, level) / wanted)))
    return chosen


def report_smiles(report: Report, london: Found, folder: Path) -> None:
    """Share of people with more severe lines when they smile, and the control."""
    people = people_of(london)
    neutral = [london.scans[f"{p}_neutral"] for p in people]
    smiling = {n: london.scans[f"{p}_smiling"] for n, p in enumerate(people)}
    files = [folder / f"{p}_smiling.jpg" for p in people]
    again = equally_sharp(neutral, smiling, files)

    report.section(f"Smiling against neutral ({len(people)} people)")
    report.say(
        "**Confound.** The smiling files are larger JPEGs, less compressed and sharper than the "
        "neutral ones, so they carry more fine detail whatever the face does. Two ways to see "
        "how much of a ratio is that: the control areas, which a smile hardly moves, and the same "
        "smiling photos softened, each until its forehead is about as rough as the same person's "
        f"neutral one (Gaussian blur, σ up to {SOFTEN_PX[-1]:g} px). What made the neutral files "
        "softer is no Gaussian blur: where the control then falls below 1, lines were softened "
        "too much, and the truth lies between the two tables. The last column, which divides by "
        "the control, is the fair one in both."
    )
    sizes = [
        np.array([(folder / f"{p}_{kind}.jpg").stat().st_size / 1000 for p in people])
        for kind in ("neutral", "smiling")
    ]

    def sharpness(scans: Sequence[Scan]) -> float:
        return float(np.median([s.quality.check("sharpness").value for s in scans]))

    def roughness(scans: Sequence[Scan]) -> float:
        return float(np.nanmedian([detail(s, 3.0) for s in scans]))

    def scale(scans: Sequence[Scan]) -> float:
        return float(np.median([s.resolution_px_mm for s in scans]))

    rows: list[tuple[object, ...]] = [
        (
            name,
            file,
            scale(scans),
            sharpness(scans),
            roughness(scans),
            f"{sum(bool(s.quality.flags & Flag.EXPRESSION) for s in scans)} of {len(scans)}",
        )
        for name, file, scans in (
            ("neutral", float(np.median(sizes[0])), neutral),
            ("smiling", float(np.median(sizes[1])), list(smiling.values())),
            ("smiling, softened", "–", list(again.values())),
        )
    ]
    report.table(
        (
            "photos (medians)",
            "file, kB",
            "px/mm",
            "blur at the eyes, mm",
            "roughness of the forehead, %",
            "flag expression",
        ),
        rows,
    )

    for title, other in (
        ("As photographed", smiling),
        (f"Smiling photos softened ({len(again)} people)", again),
    ):
        report.say(f"{title}: `wrinkles.severity`, mean of left and right, smiling / neutral.")
        report_ratios(report, neutral, other)


def ratios(neutral: Sequence[Scan], other: Mapping[int, Scan], area: str) -> NDArray[np.float64]:
    """Severity of the other photos divided by the neutral ones', NaN where unknown."""
    result = np.full(len(neutral), np.nan)
    for i, scan in other.items():
        level = common_level(neutral[i], scan)
        calm = severity(neutral[i], area, level)
        if calm > 0:
            result[i] = severity(scan, area, level) / calm
    return result


def report_ratios(report: Report, neutral: Sequence[Scan], other: Mapping[int, Scan]) -> None:
    """Table of shares and ratios per area."""

    def share(values: NDArray[np.float64]) -> str:
        known = values[np.isfinite(values)]
        higher = int((known > 1).sum())
        return f"{higher / max(len(known), 1):.2f} ({span(wilson(higher, len(known)))})"

    control = np.exp(np.mean(np.log([ratios(neutral, other, area) for area in CONTROL]), axis=0))
    rows = []
    for area in (*SMILING, *CONTROL):
        ratio = ratios(neutral, other, area)
        known = ratio[np.isfinite(ratio)]
        middle, around = bootstrap(lambda k, v=known: float(np.median(v[k])), len(known))
        rows.append(
            (
                area + (" (control)" if area in CONTROL else ""),
                len(known),
                share(ratio),
                f"{SMILING[area]:.2f}" if area in SMILING else "about 0.5",
                f"{middle:.2f} ({span(around)})",
                "–" if area in CONTROL else share(ratio / control),
            )
        )
    report.table(
        (
            "area",
            "people",
            "share higher (95 % Wilson)",
            "goal",
            "median ratio (95 %)",
            "share higher than the control's ratio",
        ),
        rows,
    )


# --- (c) age -------------------------------------------------------------------------------


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Rank correlation; ties share their mean rank."""
    a, b = rankdata(x), rankdata(y)
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else float("nan")


def report_age(report: Report, london: Found, people_csv: Path) -> None:
    """Spearman of wrinkle severity with age, neutral photos."""
    ages = {}
    with people_csv.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            try:
                ages[row["id"]] = float(row["age_years"])
            except ValueError:
                continue
    scans = {
        p: london.scans[f"{p}_neutral"] for p in sorted(ages) if f"{p}_neutral" in london.scans
    }
    level = common_level(*scans.values())
    table = np.array([[severity(s, area, level) for area in AGEING] for s in scans.values()])
    age = np.array([ages[p] for p in scans])
    report.section(f"Age ({len(scans)} people, {age.min():.0f} to {age.max():.0f} years)")
    report.say(
        f"Spearman of `wrinkles.severity` at {level:g} px/mm with age, neutral photos; whole face "
        f"= mean over {', '.join(AGEING)}. Few people are over 40 "
        f"({int((age > 40).sum())}): a weak check with the outside world. Bootstrap over people."
    )
    rows = []
    columns = [("whole face", np.nanmean(table, axis=1))]
    columns += [(area, table[:, k]) for k, area in enumerate(AGEING)]
    cheek = np.array([severity(s, "cheek", level) for s in scans.values()])
    columns.append(("cheek (not in the whole)", cheek))
    for title, values in columns:
        known = np.isfinite(values)
        x, y = values[known], age[known]
        rho, around = bootstrap(lambda k, x=x, y=y: spearman(x[k], y[k]), len(x))
        rows.append((title, len(x), f"{rho:.2f}", span(around)))
    report.table(("area", "people", "Spearman", "95 %"), rows)


# --- (d) repeatability ---------------------------------------------------------------------


def differences(one: Scan, other: Scan) -> tuple[float, dict[str, list[float]], dict[str, float]]:
    """|difference| / mean in %, by metric over regions, and of each metric's face mean."""
    level = common_level(one, other)
    values: list[dict[tuple[str, str], float]] = [
        {(m.metric, m.region): m.value for m in s.measurements if m.level_px_mm == level}
        for s in (one, other)
    ]
    by_metric: dict[str, list[float]] = {}
    sums: dict[str, list[tuple[float, float]]] = {}
    for key, a in values[0].items():
        b = values[1].get(key, float("nan"))
        # Nothing found in either photo is agreement, but no measure of precision.
        if np.isfinite(a) and np.isfinite(b) and (a or b):
            size = (abs(a) + abs(b)) / 2
            by_metric.setdefault(key[0], []).append(100 * abs(a - b) / size)
            sums.setdefault(key[0], []).append((a, b))
    face = {}
    for name, pairs in sums.items():
        a, b = np.mean(pairs, axis=0)
        size = (abs(a) + abs(b)) / 2
        face[name] = float(100 * abs(a - b) / size) if size else 0.0
    return level, by_metric, face


def report_retake(report: Report, retake: Found) -> None:
    """One person, one minute, four camera distances: every difference is error."""
    names = sorted(n for n in retake.scans if n.startswith("distance_"))
    report.section("Repeatability: one person, one session, four camera distances")
    report.say(
        "|difference| / mean size in %, median over metrics and regions, at the highest level "
        "that both photos have; pairs of two zeros are left out. A value near zero (a colour "
        "contrast, a small count) makes the percentage large without meaning. Four photos are an "
        "illustration, not a statistic."
    )
    families = [(f, [m.name for m in ms]) for f, ms in by_family()]
    rows = []
    for a, b in itertools.combinations(names, 2):
        level, by_metric, _ = differences(retake.scans[a], retake.scans[b])
        cells = []
        for _, members in families:
            pooled = [v for name in members for v in by_metric.get(name, [])]
            cells.append(number(float(np.median(pooled)), 1) if pooled else "–")
        pair = f"{a.removeprefix('distance_')} – {b.removeprefix('distance_')}"
        rows.append((pair, f"{level:g}", *cells))
    report.table(("pair", "level, px/mm", *(f for f, _ in families)), rows)

    pair = ("distance_30cm", "distance_45cm")
    if not set(pair) <= set(names):
        return
    level, by_metric, face = differences(*(retake.scans[n] for n in pair))
    report.say(
        f"30 cm against 45 cm by metric, at {level:g} px/mm: median over the regions, largest, and "
        "the difference of the mean over all regions."
    )
    report.table(
        ("metric", "regions", "median %", "largest %", "mean of the face %"),
        [
            (
                name,
                len(by_metric[name]),
                number(float(np.median(by_metric[name])), 1),
                number(max(by_metric[name]), 1),
                number(face[name], 1),
            )
            for _, members in families
            for name in members
            if name in by_metric
        ],
    )


def main() -> None:
    """Run all four parts."""
    options = parser(__doc__)
    options.add_argument("--photos", type=Path, default=PHOTOS, help="default: %(default)s")
    args = options.parse_args()
    wanted = ("london", "canada", "drawn_lines/photos", "retake")
    missing = [n for n in wanted if not (args.photos / n).is_dir()]
    if missing:
        options.error(f"{args.photos} has no folder {', '.join(missing)}")
    report = Report("Real photographs", "real_photos.py")
    folders = {n: args.photos / n for n in wanted}
    london = Found("london", pictures(folders["london"]))
    canada = Found("canada", pictures(folders["canada"]))
    drawn = Found("drawn_lines", pictures(folders["drawn_lines/photos"]), largest_face=True)
    dim = Found("retake/dim", pictures(folders["retake"], "dim_*"))
    distance = Found("retake/distance", pictures(folders["retake"], "distance_*"))
    retake = Found("retake", pictures(folders["retake"]))
    report_sets(report, [london, canada, drawn, dim, distance])
    report_careless(report, retake)
    report_smiles(report, london, folders["london"])
    report_age(report, london, folders["london"] / "people.csv")
    report_retake(report, retake)
    report.write(args.write)


if __name__ == "__main__":
    main()
