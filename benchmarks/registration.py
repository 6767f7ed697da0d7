"""How far apart the same skin lies in two FaceMaps, before and after registration.

Usage: python benchmarks/registration.py [--persons 6] [--photos ../shared/photos]
       [--write FILE.md]

On rendered faces the place of the same skin in both photos is known. On real photos it is not:
there the error is estimated from patches left out of the fit, which is larger than the field's own
error by what a single patch gets wrong.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from _common import PHOTOS, Report, parser, pictures, progress
from numpy.typing import NDArray

from skinscan.facemap import FaceMap, rectify
from skinscan.frame import GRID_PX_MM, mm_to_map_px
from skinscan.landmarks import find_face
from skinscan.phantom import (
    Capture,
    FaceTruth,
    melanin_for_ita,
    photograph,
    project_points,
    with_wrinkles,
)
from skinscan.phantom.course import sample_client
from skinscan.photo import load_photo
from skinscan.pixels import sampled
from skinscan.registration import Registration, register

F64 = NDArray[np.float64]
Scene = tuple[FaceTruth, Capture]
#: ITA of the rendered persons, degrees, in turn.
TONES = (40.0, 55.0, 20.0, -10.0, -45.0, 30.0)


def facemap_of(source: Path | bytes) -> FaceMap:
    """Rectify a photo."""
    photo = load_photo(source)
    return rectify(photo, find_face(photo))


def scenes(seed: int, px_mm: float) -> dict[str, Scene]:
    """Two captures of one client that differ in one thing, by its name; "" is the first."""
    client = sample_client(seed)
    tone = melanin_for_ita(TONES[seed % len(TONES)])
    client = replace(client, person=replace(client.person, melanin_od=tone))
    first = Capture.at_scale(
        px_mm, light_azimuth_deg=18.0, light_elevation_deg=38.0, light_softness=0.42, seed=seed
    )
    second = replace(first, seed=seed + 1000)
    later = replace(
        with_wrinkles(client, 0.6),
        redness_od=client.redness_od + 0.03,
        spots=client.spots[:4],
        under_eye_shadow_dl=1.5,
    )
    side = 1.0 if seed % 2 else -1.0
    near = Capture.at_scale(px_mm, distance_mm=550.0)
    closer = replace(second, distance_mm=near.distance_mm, focal_px=near.focal_px)
    return {
        "": (client, first),
        "pose 8°": (client, replace(second, yaw_deg=8.0 * side, pitch_deg=-4.0)),
        "distance 80 and 55 cm": (client, closer),
        "light 10°": (client, replace(second, light_azimuth_deg=28.0)),
        "light from the other side": (client, replace(second, light_azimuth_deg=-18.0)),
        "smile 0.4": (client, replace(second, smile=0.4)),
        "lines, spots, redness": (later, second),
        "pose 5°, smile, light, lines": (
            later,
            replace(second, yaw_deg=5.0 * side, pitch_deg=-4.0, smile=0.4, light_azimuth_deg=8.0),
        ),
    }


@dataclass(frozen=True)
class Outcome:
    """Error of one pair, mm; before is that of the landmarks alone."""

    before: float
    after: float
    after_p95: float
    found: Registration


def seen(facemap: FaceMap, scene: Scene, places_mm: F64) -> F64:
    """Where the same places lie in a FaceMap; NaN off the skin."""
    found = facemap.to_map_mm(project_points(*scene, places_mm))
    at = np.nan_to_num(mm_to_map_px(found, GRID_PX_MM))[None]
    skin = sampled(facemap.skin.astype(np.float32), at, outside=0.0)[0]
    found[skin < 0.99] = np.nan
    return found


def with_truth(first: FaceMap, second: FaceMap, pair: tuple[Scene, Scene]) -> Outcome:
    """Register a rendered pair and compare with what is true."""
    x, y = np.meshgrid(np.arange(-60, 61, 5.0), np.arange(-80, 86, 5.0))
    places = np.column_stack([x.ravel(), y.ravel()])
    here, there = seen(first, pair[0], places), seen(second, pair[1], places)
    known = np.isfinite(here).all(axis=1) & np.isfinite(there).all(axis=1)
    here, there = here[known], there[known]
    found = register(first, second)
    before = np.linalg.norm(there - here, axis=1)
    after = np.linalg.norm(there - found.to_second(here), axis=1)
    return Outcome(
        float(np.median(before)), float(np.median(after)), float(np.quantile(after, 0.95)), found
    )


def phantom_table(report: Report, persons: int, px_mm: float) -> None:
    """Measure rendered pairs."""
    outcomes: dict[str, list[Outcome]] = {}
    for seed in range(1, persons + 1):
        progress(f"rendered person {seed} at {px_mm:g} px/mm")
        plan = scenes(seed, px_mm)
        maps = {name: facemap_of(photograph(*scene)) for name, scene in plan.items()}
        for name, scene in plan.items():
            if name:
                pair = (plan[""], scene)
                outcomes.setdefault(name, []).append(with_truth(maps[""], maps[name], pair))
    report.section(f"{persons} rendered persons at {px_mm:g} px/mm")
    report.table(
        ("between the photos", "before", "after", "worst pair", "after, 95 %", "held out", "match"),
        [
            (
                name,
                float(np.median([o.before for o in part])),
                float(np.median([o.after for o in part])),
                max(o.after for o in part),
                float(np.median([o.after_p95 for o in part])),
                float(np.median([o.found.median_residual_mm for o in part])),
                float(np.median([o.found.matched_share for o in part])),
            )
            for name, part in outcomes.items()
        ],
    )


def real_row(name: str, pairs: Sequence[tuple[Path, Path]]) -> tuple[object, ...]:
    """Measure real pairs."""
    found, seconds = [], []
    for first, second in pairs:
        maps = facemap_of(first), facemap_of(second)
        start = time.process_time()
        found.append(register(*maps))
        seconds.append(time.process_time() - start)
    medians = [f.median_residual_mm for f in found]
    raw = [
        float(np.median(np.linalg.norm(f.patches.shift_mm[f.patches.matched], axis=1)))
        for f in found
    ]
    return (
        name,
        str(len(pairs)),
        float(np.median(raw)),
        float(np.median(medians)),
        max(medians),
        float(np.median([f.p95_residual_mm for f in found])),
        float(np.median([f.matched_share for f in found])),
        min(f.matched_share for f in found),
        f"{1e3 * float(np.median(seconds)):.0f}",
    )


def main() -> int:
    """Run, print and write."""
    options = parser(__doc__)
    options.add_argument("--persons", type=int, default=6)
    options.add_argument("--photos", type=Path, default=PHOTOS)
    chosen = options.parse_args()
    cv2.setNumThreads(1)
    report = Report("Registration of two photos", "registration.py")
    report.say(
        "mm of the canonical face. Before and after: median distance between where a place of the "
        "skin is and where it is looked for, by landmarks alone and after registration; medians "
        "over persons. Held out: what a patch says against what the others foretell. Match: share "
        "of patches that are clear and agree."
    )
    phantom_table(report, chosen.persons, 3.1)
    london = pictures(chosen.photos / "london", "*_neutral.jpg")
    if london:
        report.section("Real photos, without truth")
        smiles = [(p, p.with_name(p.name.replace("neutral", "smiling"))) for p in london]
        retake = chosen.photos / "retake"
        rows = [real_row("neutral and smiling", smiles)]
        rows += [
            real_row(
                f"{a} and {b} cm",
                [(retake / f"distance_{a}cm.jpg", retake / f"distance_{b}cm.jpg")],
            )
            for a, b in ((15, 30), (30, 45), (45, 60))
        ]
        report.table(
            (
                "pairs",
                "number",
                "shift found",
                "held out",
                "worst pair",
                "held out, 95 %",
                "match",
                "least match",
                "ms",
            ),
            rows,
        )
    report.write(chosen.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
