"""How well the skin mask finds what covers the skin, and what it does to the numbers.

Usage: python benchmarks/occlusion.py [--faces 5] [--photos ../shared/photos] [--write FILE.md]

Phantoms wear glasses, loose hair and beards whose place is known (`occluder_cover`). For each
kind and skin tone: the share of the covered pixels that the mask leaves out; the share of free
skin, more than 2 mm from anything worn, that it leaves out although it does not in the same
face without it; and how far wrinkle severity, roughness and redness of the regions concerned
are from those of the same face wearing nothing, with and without the search for thin covers.
Of the photographs only the share of the face that is masked is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from _common import PHOTOS, Report, number, parser, pictures, progress
from numpy.typing import NDArray

from skinscan import skinmask
from skinscan.covers import Covers
from skinscan.errors import SkinscanError
from skinscan.facemap import FaceMap, rectify
from skinscan.flags import Flag
from skinscan.frame import GRID_PX_MM, map_px_to_mm, map_size
from skinscan.landmarks import Face, FaceOptions, View, find_face
from skinscan.metrics import measure
from skinscan.phantom import (
    Beard,
    Capture,
    FaceTruth,
    Glasses,
    LooseHair,
    Occluders,
    Person,
    default_wrinkles,
    melanin_for_ita,
    occluder_cover,
    render,
)
from skinscan.photo import Photo, load_photo
from skinscan.shape import Shape, measure_shape
from skinscan.skinmask import feature_mask

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

EYES = ("under_eye", "cheek_malar", "nose_bridge", "crows_feet")
FOREHEAD = ("forehead_upper", "forehead_lower")
LOWER = ("chin", "upper_lip", "cheek_buccal", "jawline")
#: Where hair, glasses and beard cover the face: lowest and highest y, mm; regions concerned.
PLACES: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "hair": (50.0, 118.0, FOREHEAD),
    "glasses": (0.0, 42.0, EYES),
    "beard": (-98.0, -26.0, LOWER),
}
#: Worn together, since they do not touch each other; words for each part.
OUTFITS: tuple[tuple[Occluders, dict[str, str]], ...] = (
    (
        Occluders(
            glasses=Glasses(rim_mm=0.8, rgb=(0.25, 0.22, 0.16), shine=0.8),
            hair=LooseHair(),
            beard=Beard(),
        ),
        {
            "glasses": "wire rims, gold, 0.8 mm",
            "hair": "6 single strands",
            "beard": "stubble, 40/cm², 1 mm",
        },
    ),
    (
        Occluders(
            glasses=Glasses(rim_mm=1.2),
            hair=LooseHair(strands=500, clumps=26, reach_mm=42.0),
            beard=Beard(density_cm2=160.0, length_mm=12.0),
        ),
        {
            "glasses": "rims, black, 1.2 mm",
            "hair": "fringe, 500 hairs",
            "beard": "full beard",
        },
    ),
    (
        Occluders(glasses=Glasses(rim_mm=3.5, glare=0.2)),
        {"glasses": "rims, black, 3.5 mm, glare"},
    ),
    (
        Occluders(glasses=Glasses(rim_mm=2.5, rgb=(0.5, 0.35, 0.22))),
        {"glasses": "rims, skin-coloured, 2.5 mm"},
    ),
)
TONES = {"light, ITA 50°": 50.0, "brown, ITA 15°": 15.0, "dark, ITA −35°": -35.0}
METRICS = ("wrinkles.severity", "texture.roughness_rq", "tone.redness")
PX_MM = 3.0
#: Share of a pixel from which it counts as covered; below the second it is free.
COVERED, FREE = 0.08, 0.02
FREE_MM = 2.0


@contextmanager
def no_search() -> Iterator[None]:
    """Switch the search for thin covers off."""

    def nothing(*_: object, **__: object) -> Covers:
        none = np.zeros(map_size(GRID_PX_MM), dtype=bool)
        return Covers(glasses=none, hair=none, stubble=none)

    with patch.object(skinmask, "find_covers", nothing):
        yield


def on_grid(cover: NDArray[np.float32], facemap: FaceMap) -> NDArray[np.float32]:
    """Mean cover of each grid pixel, sampled three times as finely."""
    rows, columns = map_size(GRID_PX_MM)
    fine = cv2.resize(facemap.grid_px, (3 * columns, 3 * rows), interpolation=cv2.INTER_LINEAR)
    seen = cv2.remap(cover, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(seen, (columns, rows), interpolation=cv2.INTER_AREA))


def values(facemap: FaceMap, shape: Shape, groups: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """Metrics of some regions at the finest level, NaN where the region is occluded."""
    found, _ = measure(facemap, shape, view=View.FRONT)
    return {
        (m.metric, m.region): float("nan") if m.flags & Flag.OCCLUDED else m.value
        for m in found
        if m.metric in METRICS
        and m.level_px_mm == facemap.top_level
        and m.region.startswith(groups)
    }


@dataclass
class Tally:
    """Results of one kind of cover on one skin tone."""

    found: list[float] = field(default_factory=list)
    found_before: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)
    changes: dict[str, list[float]] = field(default_factory=dict)
    occluded: list[float] = field(default_factory=list)


def seen(photo: Photo, face: Face) -> tuple[FaceMap, FaceMap]:
    """FaceMap with the search, and without."""
    with no_search():
        before = rectify(photo, face)
    return rectify(photo, face), before


def heights() -> Floats:
    """Height y of each grid pixel, mm."""
    rows, columns = map_size(GRID_PX_MM)
    v, u = np.mgrid[0:rows, 0:columns].astype(np.float64)
    return map_px_to_mm(np.stack([u, v], axis=-1), GRID_PX_MM)[..., 1]


def compare(
    tallies: dict[str, Tally], truth: FaceTruth, capture: Capture, bare_photo: Photo
) -> None:
    """Add one face that wears an outfit; ``tallies`` by place."""
    photo = load_photo(render(truth, capture))
    face, bare_face = find_face(photo), find_face(bare_photo)
    shape, bare_shape = measure_shape(photo, face), measure_shape(bare_photo, bare_face)
    after, before = seen(photo, face)
    plain = rectify(bare_photo, bare_face)
    cover = on_grid(occluder_cover(truth, capture), after)
    near = cv2.dilate(cover, np.ones((round(2 * FREE_MM * GRID_PX_MM) + 1,) * 2, np.uint8))
    inside = plain.skin & after.visible & ~feature_mask()
    free = (near < FREE) & inside
    everywhere = tuple(group for _, _, groups in PLACES.values() for group in groups)
    bare = values(plain, bare_shape, everywhere)
    worn = {
        "before": values(before, shape, everywhere),
        "after": values(after, shape, everywhere),
    }
    y = heights()
    for place, tally in tallies.items():
        low, high, groups = PLACES[place]
        covered = (cover > COVERED) & inside & (y > low) & (y < high)
        tally.found.append(float((~after.skin)[covered].mean()))
        tally.found_before.append(float((~before.skin)[covered].mean()))
        tally.wrong.append(float((~after.skin)[free].mean()))
        for name, now in worn.items():
            for (metric, region), value in bare.items():
                if not region.startswith(groups):
                    continue
                new = now[metric, region]
                if name == "after" and metric == METRICS[0]:
                    tally.occluded.append(float(not np.isfinite(new)))
                change = abs(new - value) if metric == METRICS[2] else 100 * abs(new / value - 1)
                tally.changes.setdefault(f"{metric} {name}", []).append(change)


def phantoms(report: Report, faces: int) -> None:
    """Measure and report the phantoms."""
    tallies = {
        (kind, tone): Tally() for _, kinds in OUTFITS for kind in kinds.values() for tone in TONES
    }
    for index in range(faces):
        for tone, ita in TONES.items():
            progress(f"face {index + 1} of {faces}, {tone}")
            seed = 100 + index
            rng = np.random.default_rng(seed)
            bare = FaceTruth(
                person=Person(seed=seed, melanin_od=melanin_for_ita(ita)),
                wrinkles=default_wrinkles(seed, amount=float(rng.uniform(0.5, 1.5))),
            )
            capture = Capture.at_scale(
                PX_MM,
                width_mm=190.0,
                height_mm=250.0,
                light_azimuth_deg=float(rng.uniform(-20, 20)),
                light_softness=float(rng.uniform(0.35, 0.7)),
                yaw_deg=float(rng.uniform(-4, 4)),
                seed=seed,
            )
            photo = load_photo(render(bare, capture))
            for worn, kinds in OUTFITS:
                parts = {place: tallies[kind, tone] for place, kind in kinds.items()}
                compare(parts, replace(bare, occluders=worn), capture, photo)

    def middle(numbers: list[float], digits: int = 0) -> str:
        known = [n for n in numbers if np.isfinite(n)]
        return number(float(np.median(known)) if known else float("nan"), digits)

    rows = []
    for (kind, tone), t in tallies.items():
        changes = [
            f"{middle(t.changes[f'{m} before'], d)} → {middle(t.changes[f'{m} after'], d)}"
            for m, d in zip(METRICS, (0, 0, 1), strict=True)
        ]
        rows.append(
            (
                kind,
                tone,
                f"{100 * np.mean(t.found_before):.0f} → {100 * np.mean(t.found):.0f}",
                f"{100 * min(t.found):.0f}",
                f"{100 * np.mean(t.wrong):.1f}",
                *changes,
                f"{100 * np.mean(t.occluded):.0f}",
            )
        )
    report.section(f"{faces} phantoms of each tone at {PX_MM:g} px/mm")
    report.say(
        "Arrows lead from the mask without the search for thin covers to the mask with it. "
        "Changes are medians over faces and regions of the absolute difference to the same face "
        "wearing nothing: per cent of severity and roughness, points of redness. Regions flagged "
        "`occluded` count in the last column only. Shadows of rims count as free skin, and free "
        "skin is counted for the whole outfit: wire rims, strands and stubble are worn together, "
        "and so are thin black rims, fringe and full beard."
    )
    report.table(
        (
            "worn",
            "skin",
            "% of cover masked",
            "lowest",
            "% of free skin masked",
            "severity",
            "roughness",
            "redness",
            "% regions occluded",
        ),
        rows,
    )


def photographs(report: Report, folder: Path) -> None:
    """Report how much of the face is masked in the photographs."""
    rows = []
    for part in sorted(p for p in folder.iterdir() if p.is_dir()):
        place = part / "photos" if (part / "photos").is_dir() else part
        shares: dict[str, list[float]] = {k: [] for k in ("before", "glasses", "hair", "stubble")}
        for n, path in enumerate(pictures(place)):
            if n % 20 == 0:
                progress(f"{part.name}: {n}")
            try:
                photo = load_photo(path)
                face = find_face(photo, options=FaceOptions(largest=True))
            except SkinscanError:
                continue
            after, before = seen(photo, face)
            domain = after.visible & ~feature_mask()
            shares["before"].append(float((~before.skin)[domain].mean()))
            for kind in ("glasses", "hair", "stubble"):
                mask: Mask = getattr(after.covers, kind)
                shares[kind].append(float((mask & before.skin)[domain].mean()))
        cells = [f"{100 * np.mean(shares['before']):.1f}"]
        for kind in ("glasses", "hair", "stubble"):
            here = np.array(shares[kind])
            cells.append(f"{100 * here.mean():.1f} ({(here > 0.01).sum()})")
        rows.append((part.name, str(len(shares["before"])), *cells))
    report.section("Photographs")
    report.say(
        "Mean share of the face, in per cent, that the mask left out before, and what each search "
        "adds; in brackets the number of photos in which it adds more than 1 %. Nobody has "
        "marked what is worn there, so this says how often the mask acts, not whether it is right."
    )
    report.table(("folder", "photos", "before", "glasses", "loose hair", "stubble"), rows)


def main() -> None:
    """Run and print."""
    options = parser(__doc__)
    options.add_argument("--faces", type=int, default=5, help="phantoms of each tone; 0: none")
    options.add_argument("--photos", type=Path, default=PHOTOS, help="%(default)s")
    args = options.parse_args()
    cv2.setNumThreads(1)
    report = Report("What covers the skin", "occlusion.py")
    if args.faces:
        phantoms(report, args.faces)
    if args.photos.is_dir():
        photographs(report, args.photos)
    else:
        report.say(f"No photographs: there is no folder {args.photos}.")
    report.write(args.write)


if __name__ == "__main__":
    main()
