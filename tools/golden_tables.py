"""Keep what photos measure in a table, and say what has moved: for changes that must move nothing.

    python tools/golden_tables.py --write FILE.csv [PHOTO ...]
    python tools/golden_tables.py --against FILE.csv [PHOTO ...]

Without PHOTO: three photos of the sample course and two rendered phantoms. Run it before the change
with --write and after it with --against, on one machine: the landmark model's last digits depend on
the processor, and what lies at a threshold follows them. `tests/test_golden_tables.py` holds two
small photos against `tests/data/golden.csv`, measured at the landmarks kept in
`tests/data/golden_faces.json`; ``python tools/golden_tables.py --write-test`` writes both.

A number may move by 0.5 % of the standard error of its capture or by 0.1 % of itself, whichever is
more. A number may not appear or vanish.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import skinscan
from skinscan.frame import LEVELS_PX_MM
from skinscan.landmarks import FaceFinder, RawFace, default_finder
from skinscan.metrics import metrics
from skinscan.phantom import Capture, FaceTruth, Person, default_wrinkles, photograph
from skinscan.photo import open_photo
from skinscan.precision import precision_model
from skinscan.regions import measured_regions
from skinscan.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_images"
TEST_TABLE = ROOT / "tests" / "data" / "golden.csv"
TEST_FACES = ROOT / "tests" / "data" / "golden_faces.json"

#: Share of the capture's standard error, and of the number itself, by which it may move.
OF_SEM, OF_VALUE = 0.005, 1e-3
#: Numbers are kept to this many significant digits.
DIGITS = 8

#: Photo, metric or check, region, level.
Key = tuple[str, str, str, float]
Table = Mapping[Key, float]


def numbers_of(scan: Scan) -> dict[Key, float]:
    """Every measurement of a scan, its lines in sum, and the values of its quality checks."""
    found = {
        (scan.name, m.metric, m.region, m.level_px_mm): float(m.value) for m in scan.measurements
    }
    top = max(scan.levels)
    for check in scan.quality.checks:
        found[scan.name, f"quality.{check.name}", "", top] = float(check.value)
    found[scan.name, "lines.count", "", top] = float(len(scan.wrinkles))
    found[scan.name, "lines.length_mm", "", top] = sum(w.length_mm for w in scan.wrinkles)
    return found


def as_csv(table: Table) -> str:
    """One row per photo, metric and region; a column for each level, empty where not measured."""
    rows: dict[tuple[str, str, str], dict[float, float]] = {}
    for (photo, name, region, level), value in table.items():
        rows.setdefault((photo, name, region), {})[level] = value
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "metric", "region", *(f"{lv:g}" for lv in LEVELS_PX_MM)])
    for key, values in rows.items():
        cells = [f"{values[lv]:.{DIGITS}g}" if lv in values else "" for lv in LEVELS_PX_MM]
        writer.writerow([*key, *cells])
    return text.getvalue()


def from_csv(text: str) -> dict[Key, float]:
    """Read what `as_csv` wrote."""
    header, *rows = csv.reader(io.StringIO(text))
    levels = [float(level) for level in header[3:]]
    return {
        (photo, name, region, level): float(cell)
        for photo, name, region, *cells in rows
        for level, cell in zip(levels, cells, strict=True)
        if cell
    }


def tolerance(key: Key, value: float) -> float:
    """How far a number may move."""
    _, name, region, level = key
    own = OF_VALUE * abs(value)
    entry = metrics().get(name)
    if entry is None:
        return own
    group = {item.name: item.group for item in measured_regions()}[region]
    sem = precision_model().capture(entry, group, level, value)
    return max(own, OF_SEM * sem) if math.isfinite(sem) else own


def moved(golden: Table, now: Table) -> list[tuple[Key, float, float, float]]:
    """Numbers beyond their tolerance: key, before, after, distance in tolerances (worst first)."""
    result = []
    for key in golden.keys() | now.keys():
        before, after = golden.get(key, math.nan), now.get(key, math.nan)
        if math.isnan(before) and math.isnan(after) and key in golden and key in now:
            continue
        apart = abs(after - before)
        # What a table keeps is rounded.
        rounding = 10.0 ** (1 - DIGITS) * abs(before)
        allowed = tolerance(key, before) if math.isfinite(before) else 0.0
        if not apart <= allowed + rounding + 1e-12:
            steps = apart / allowed if allowed and math.isfinite(apart) else math.inf
            result.append((key, before, after, steps))
    return sorted(result, key=lambda item: (-item[3], item[0]))


class Recorder:
    """Keeps what the landmark model finds, rounded as the file keeps it."""

    def __init__(self) -> None:
        self.found: list[list[dict[str, Any]]] = []

    def find(self, rgb: NDArray[np.uint8]) -> list[RawFace]:
        """Ask the model, and keep its answer."""
        self.found.append(
            [
                {
                    "points_px": raw.points_px.round(4).tolist(),
                    "blendshapes": {k: round(v, 6) for k, v in raw.blendshapes.items()},
                }
                for raw in default_finder().find(rgb)
            ]
        )
        return [_raw_face(face) for face in self.found[-1]]

    def close(self) -> None:
        """Leave the model to the process."""


class Replay:
    """Gives the answers that a `Recorder` kept, in their order."""

    def __init__(self, found: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        self._left: Iterator[Sequence[Mapping[str, Any]]] = iter(found)

    def find(self, rgb: NDArray[np.uint8]) -> list[RawFace]:  # noqa: ARG002 - it was searched before
        """Give the next answer."""
        return [_raw_face(face) for face in next(self._left)]

    def close(self) -> None:
        """Have nothing to free."""


def _raw_face(face: Mapping[str, Any]) -> RawFace:
    return RawFace(np.array(face["points_px"], np.float64), face["blendshapes"])


def recorded() -> list[FaceFinder]:
    """Find the faces of the two photos as they were found when the table was written."""
    return [Replay(found) for found in json.loads(TEST_FACES.read_text(encoding="utf-8"))]


def test_scans(finders: Sequence[FaceFinder]) -> list[Scan]:
    """Two photos of the sample course, the second at half size: the ones the test measures."""
    first, last = SAMPLES / "2026-03-03_front.jpg", SAMPLES / "2026-04-21_front.jpg"
    half = open_photo(last.read_bytes()).decode(reduction=2)
    return [
        skinscan.analyze(first.read_bytes(), name="first", finder=finders[0]),
        skinscan.analyze(half, name="last, half size", finder=finders[1]),
    ]


def _default_scans() -> list[Scan]:
    scans = [skinscan.analyze(p) for p in sorted(SAMPLES.glob("*.jpg"))[1:7:2]]
    for seed, px_mm in ((5, 6.4), (11, 9.3)):
        truth = FaceTruth(person=Person(seed=seed), wrinkles=default_wrinkles(seed))
        photo = photograph(truth, Capture.at_scale(px_mm))
        scans.append(skinscan.analyze(photo, name=f"phantom {seed}"))
    return scans


def _table(scans: Sequence[Scan]) -> dict[Key, float]:
    return {key: value for scan in scans for key, value in numbers_of(scan).items()}


def main() -> int:
    """Run; 1 where something moved."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("photos", nargs="*", type=Path)
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FILE.csv")
    what.add_argument("--against", type=Path, metavar="FILE.csv")
    what.add_argument("--write-test", action="store_true", help="write what the test reads")
    args = options.parse_args()
    if args.write_test:
        recorders = [Recorder(), Recorder()]
        TEST_TABLE.write_text(as_csv(_table(test_scans(recorders))), encoding="utf-8")
        kept = json.dumps([recorder.found for recorder in recorders], separators=(",", ":"))
        TEST_FACES.write_text(kept + "\n", encoding="utf-8")
        return 0
    table = _table([skinscan.analyze(p) for p in args.photos] or _default_scans())
    if args.write:
        args.write.write_text(as_csv(table), encoding="utf-8")
        return 0
    golden = from_csv(args.against.read_text(encoding="utf-8"))
    found = moved(golden, table)
    exact = sum(
        f"{golden.get(k, math.nan):.{DIGITS}g}" == f"{v:.{DIGITS}g}" for k, v in table.items()
    )
    print(f"{len(table)} numbers, {exact} to the last digit, {len(found)} beyond the tolerance")
    for (photo, name, region, level), before, after, steps in found[:40]:
        print(f"  {photo} {name} {region} {level:g} px/mm: {before:g} -> {after:g} ({steps:.1f} x)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
