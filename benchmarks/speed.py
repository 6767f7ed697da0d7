"""Time and memory of analysing one 12 MP JPEG, and photos per second of a folder.

Usage: python benchmarks/speed.py [PHOTO] [--repeats 9] [--write FILE.md]

Without PHOTO a phantom of 3024 x 4032 px at 9.5 px/mm is rendered once and kept in
benchmarks/results. Analysis and `cv2.imdecode` of the same bytes take turns in one process
with one thread, so that a busy machine slows both. Processor time is the steadier figure;
the time on the clock is given too.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _common import RESULTS, Report, number, parser, progress

import skinscan
import skinscan.facemap
import skinscan.metrics
import skinscan.metrics.lines
import skinscan.metrics.registry
import skinscan.native
import skinscan.photo
import skinscan.quality.checks
import skinscan.scan
import skinscan.skinmask
from skinscan.errors import SkinscanError
from skinscan.phantom import Capture, FaceTruth, Person, default_wrinkles, photograph

WIDTH_PX, HEIGHT_PX, PX_PER_MM = 3024, 4032, 9.5
GOAL_MULTIPLE, GOAL_MB, GOAL_FIRST_S = 4.0, 700, 2.0
#: Noise in 8-bit codes that makes the phantom's file about as large as a phone's.
NOISE_CODES = 5.0
#: Must be set before numpy and OpenCV load: one thread each.
ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")
}

_FRESH = """
import json, resource, sys, time
def now():
    return time.perf_counter(), time.process_time()
def peak():
    # The figure of getrusage starts at the parent's size; this one starts with the program.
    try:
        for line in open("/proc/self/status"):
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024**2 if sys.platform == "darwin" else 1024)
marks = [now()]
import skinscan
from skinscan import analyze
import cv2
cv2.setNumThreads(1)
data = open(sys.argv[1], "rb").read()
marks.append(now())
from skinscan.landmarks import default_finder
default_finder()
marks.append(now())
before = peak()
for _ in range(int(sys.argv[2])):
    analyze(data)
    marks.append(now())
steps = [[b - a for a, b in zip(one, two)] for one, two in zip(marks, marks[1:])]
print(json.dumps({"steps": steps, "before": before, "peak": peak()}))
"""

_PLAIN = """
import sys, time
import cv2, numpy
cv2.setNumThreads(1)
import skinscan
data = open(sys.argv[1], "rb").read()
code = numpy.frombuffer(data, dtype=numpy.uint8)
skinscan.analyze(data)
found = []
for _ in range(int(sys.argv[2])):
    start = time.process_time()
    cv2.imdecode(code, cv2.IMREAD_COLOR)
    between = time.process_time()
    skinscan.analyze(data)
    found.append((time.process_time() - between) / (between - start))
print(numpy.median(found))
"""

_FOLDER = """
import sys, time
import cv2
cv2.setNumThreads(1)
import skinscan
folder, workers, photo = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if workers == 1:
    skinscan.analyze(photo)  # the model and its tables, once
start = time.perf_counter()
table = skinscan.score_folder(folder, workers=workers, progress=False)
seconds = time.perf_counter() - start
assert not table["error"].fillna("").any()
print(seconds)
"""


def default_photo() -> Path:
    """Render the 12 MP phantom, or take the one rendered before by the same sources."""
    folder = Path(skinscan.__file__).parent / "phantom"
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(folder.glob("*.py"))))
    path = RESULTS / f"phantom-12mp-{digest.hexdigest()[:12]}.jpg"
    if not path.exists():
        progress(f"rendering a phantom of {WIDTH_PX} x {HEIGHT_PX} px, once")
        truth = FaceTruth(person=Person(seed=3), wrinkles=default_wrinkles(3))
        capture = Capture(
            distance_mm=600.0,
            focal_px=600.0 * PX_PER_MM,
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            jpeg_quality=92,
            seed=3,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photograph(truth, capture))
    return path


# --- where the time goes -------------------------------------------------------------------


class Stopwatch:
    """Processor time per stage; a stage inside another is taken out of the outer one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner: list[float] = []

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Time every call of a function."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any function
            self._inner.append(0.0)
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.process_time() - start
                own = took - self._inner.pop()
                self.seconds[name] = self.seconds.get(name, 0.0) + own
                if self._inner:
                    self._inner[-1] += took

        return timed


#: Stage, object, attribute; taken one inside another as they come.
_STAGES: tuple[tuple[str, Any, str], ...] = (
    ("open: header, limits, SHA-256", skinscan.scan, "open_photo"),
    ("decode (all sizes)", skinscan.photo.PhotoFile, "decode"),
    ("landmarks", skinscan.scan, "find_face"),
    ("rectify: sampling the photo", skinscan.facemap, "_remapped"),
    ("rectify: levels, colour, masks", skinscan.scan, "rectify"),
    ("skin mask", skinscan.facemap, "skin_mask"),
    ("skin mask: glasses, hair, stubble", skinscan.skinmask, "find_covers"),
    ("quality: direction of the light", skinscan.quality.checks, "estimate_light"),
    ("quality: all else", skinscan.scan, "assess"),
    ("outline of the face", skinscan.scan, "measure_shape"),
    ("lines: valleys in all directions", skinscan.metrics.lines, "search_valleys"),
    ("lines: tracing and linking", skinscan.metrics.lines, "_traced"),
    ("lines: profiles and fits", skinscan.metrics.lines, "measure_profiles"),
    ("lines: all else", skinscan.metrics.lines.FaceLines, "__getitem__"),
    ("standard errors", skinscan.scan, "standard_error"),
    ("measurements: samples, flags, tables", skinscan.scan, "measure"),
)
#: What no analysis of a face in a photo goes without.
_FLOOR = ("decode (all sizes)", "landmarks", "rectify: sampling the photo")


@contextmanager
def watched(watch: Stopwatch) -> Iterator[list[str]]:
    """Put the stopwatch into skinscan for a while; yields the stages that were not found."""
    missing: list[str] = []
    saved: list[tuple[Any, str, Any]] = []
    registry = skinscan.metrics.registry._REGISTRY  # noqa: SLF001 - a stopwatch has to get inside
    skinscan.metrics.metrics()
    kept = dict(registry)
    try:
        for name, owner, attribute in _STAGES:
            original = getattr(owner, attribute, None)
            if original is None:
                missing.append(name)
                continue
            saved.append((owner, attribute, original))
            setattr(owner, attribute, watch.wrap(name, original))
        for key, entry in kept.items():
            timed = watch.wrap(f"metrics: {entry.family}", entry.compute)
            registry[key] = dataclasses.replace(entry, compute=timed)
        yield missing
    finally:
        registry.update(kept)
        for owner, attribute, original in saved:
            setattr(owner, attribute, original)


def report_stages(report: Report, data: bytes, decode: float, repeats: int) -> None:
    """Where the time goes, as a multiple of one full decode."""
    runs = []
    absent: list[str] = []
    for _ in range(repeats):
        watch = Stopwatch()
        with watched(watch) as missing:
            watch.wrap("rest", skinscan.scan.analyze)(data)
        runs.append(watch.seconds)
        absent = missing
    middle = {k: float(np.median([r.get(k, 0.0) for r in runs])) for k in runs[0]}
    total = sum(middle.values())
    floor = sum(middle[name] for name in _FLOOR)
    report.section("Where the time goes")
    report.say(
        "Own time of each stage, without the stages inside it. Pictures that several metrics "
        "share are made when first asked for, and counted there."
        + (f" Not found in this version: {', '.join(absent)}." if absent else "")
    )
    report.table(
        ("stage", "ms", "× decode", "share %"),
        [
            (k, number(1000 * v, 1), number(v / decode), number(100 * v / total, 0))
            for k, v in sorted(middle.items(), key=lambda item: -item[1])
        ],
    )
    report.say(
        f"Decoding the photo twice (small for the landmarks, then at the size that is measured), "
        f"finding the landmarks and sampling the face once take {1000 * floor:.0f} ms, "
        f"{floor / decode:.1f} times the decode: the floor, before anything is measured."
    )


# --- processes of their own ----------------------------------------------------------------


def child(code: str, *arguments: str, **environment: str) -> str:
    """Run Python code in a fresh process; the last line it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


def report_process(report: Report, photo: Path) -> None:
    """Start and peak memory of a fresh process."""
    report.section("A fresh process")
    once = [json.loads(child(_FRESH, str(photo), "1")) for _ in range(3)]
    many = json.loads(child(_FRESH, str(photo), "6"))
    steps = np.median([d["steps"] for d in once], axis=0)
    titles = ("import", "landmark model", "first analysis, which builds the tables")
    rows = [(t, number(s[0]), number(s[1])) for t, s in zip(titles, steps, strict=True)]
    rows.append(("together: first result", *(number(float(v)) for v in steps.sum(axis=0))))
    rows.append(("sixth analysis in one process", *(number(v) for v in many["steps"][-1])))
    report.table(("what (median of 3)", "clock, s", "processor, s"), rows)
    report.say(
        f"Peak memory: {max(d['peak'] for d in once):.0f} MB after one analysis, "
        f"{many['peak']:.0f} MB after six "
        f"({np.median([d['before'] for d in once]):.0f} MB with the model loaded, before any "
        f"photo). Goals: {GOAL_MB} MB or less; the first result after {GOAL_FIRST_S:g} s or less."
    )


def report_plain(report: Report, photo: Path, repeats: int) -> None:
    """Compare with what a machine without a C compiler takes, by turns of processes."""
    taken: dict[str, list[float]] = {"1": [], "0": []}
    for turn in range(3):
        for switch, found in taken.items():
            progress(f"with and without compiled loops: turn {turn + 1} of 3")
            found.append(
                float(child(_PLAIN, str(photo), str(repeats), **{skinscan.native.SWITCH: switch}))
            )
    with_loops, without = (float(np.median(found)) for found in taken.values())
    report.say(
        f"Processes with and without compiled loops by turns, three of each: {with_loops:.1f} and "
        f"{without:.1f} decodes (`{skinscan.native.SWITCH}=0`, as where no C compiler was found)."
    )


def report_folder(report: Report, photo: Path, count: int) -> None:
    """Photos per second for a folder with 1 and 2 workers."""
    report.section("A folder")
    rows = []
    for workers in (1, 2):
        seconds = []
        for copies in (count, 3 * count):
            progress(f"folder of {copies} with {workers} worker(s)")
            with tempfile.TemporaryDirectory() as name:
                for k in range(copies):
                    shutil.copy(photo, Path(name) / f"{k:03d}{photo.suffix}")
                seconds.append(float(child(_FOLDER, name, str(workers), str(photo))))
        running = 2 * count / (seconds[1] - seconds[0])
        rows.append((str(workers), number(3 * count / seconds[1]), number(running)))
    report.table(("workers", f"photos/s, {3 * count} photos", "photos/s, once running"), rows)
    report.say(
        "`skinscan.score_folder` on copies of the photo, on the clock. The first figure includes "
        "the start of the workers (with 1, the process itself works and had its model before); "
        f"the second is the difference between {3 * count} and {count} photos."
    )


# --- one photo -------------------------------------------------------------------------------


def with_noise(data: bytes) -> bytes:
    """Write the same picture with noise all over as JPEG."""
    picture = skinscan.photo.load_photo(data).rgb
    noise = np.random.default_rng(0).normal(0.0, NOISE_CODES, picture.shape)
    noisy = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
    coded, code = cv2.imencode(".jpg", cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR), quality)
    assert coded
    return bytes(code)


def multiples(name: str, data: bytes, repeats: int) -> tuple[list[tuple[str, ...]], float]:
    """Time decoding and analysis by turns; rows of the table, and processor time of a decode."""
    code = np.frombuffer(data, dtype=np.uint8)

    def decode() -> None:
        cv2.imdecode(code, cv2.IMREAD_COLOR)  # noqa: TID251 - the yardstick itself

    skinscan.analyze(data)
    decode()
    spent: dict[str, list[tuple[float, float]]] = {"decode": [], "analysis": []}
    for n in range(repeats):
        progress(f"{name}: repeat {n + 1} of {repeats}")
        for what, job in (("decode", decode), ("analysis", lambda: skinscan.analyze(data))):
            clock, cpu = time.perf_counter(), time.process_time()
            job()
            spent[what].append((time.perf_counter() - clock, time.process_time() - cpu))
    rows = []
    for k, title in ((1, "processor"), (0, "clock")):
        one = np.array([v[k] for v in spent["decode"]])
        whole = np.array([v[k] for v in spent["analysis"]])
        low, high = np.quantile(whole / one, [0.25, 0.75])
        rows.append(
            (
                name,
                title,
                number(1000 * float(np.median(one)), 0),
                number(1000 * float(np.median(whole)), 0),
                number(float(np.median(whole / one)), 1),
                f"{low:.1f} to {high:.1f}",
            )
        )
    return rows, float(np.median([v[1] for v in spent["decode"]]))


def main() -> None:
    """Run and print."""
    options = parser(__doc__)
    options.add_argument("photo", nargs="?", type=Path, help="a JPEG; default: a 12 MP phantom")
    options.add_argument("--repeats", type=int, default=9, help="at least 7; default: %(default)s")
    options.add_argument("--folder-photos", type=int, default=6, help="default: %(default)s")
    args = options.parse_args()
    if args.repeats < 7:
        options.error("fewer than 7 repeats say little")
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # The libraries are loaded already: start again.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)  # noqa: S606
    cv2.setNumThreads(1)
    photo = args.photo or default_photo()
    data = photo.read_bytes()
    try:
        scan = skinscan.analyze(data)
    except SkinscanError as error:
        options.error(f"{photo}: {error}")
    report = Report("Speed", "speed.py")
    width, height = scan.photo_size_px
    source = "the photo given" if args.photo else "a phantom"
    report.say(
        f"One JPEG of {width} × {height} px, {len(data) / 1e6:.1f} MB ({source}), "
        f"{scan.resolution_px_mm:.1f} px/mm, levels {', '.join(f'{v:g}' for v in scan.levels)}; "
        f"{len(scan.measurements)} measurements, {len(scan.wrinkles)} lines."
    )
    if width * height < 11.5e6:
        report.say(f"**Not 12 MP**: {width * height / 1e6:.1f} MP; the goals do not apply.")
    report.section("One photo, one thread")
    rows, decode = multiples(
        "as rendered" if args.photo is None else "as given", data, args.repeats
    )
    noisy = with_noise(data)
    rows += multiples(f"with noise, {len(noisy) / 1e6:.1f} MB", noisy, args.repeats)[0]
    report.table(
        ("photo", "time", "cv2.imdecode, ms", "analysis, ms", "multiple", "middle half of pairs"),
        rows,
    )
    report.say(
        f"Medians of {args.repeats} interleaved repeats. Goal: {GOAL_MULTIPLE:g} times or less. "
        f"With noise: the same picture with noise of {NOISE_CODES:g} codes all over, which brings "
        "the file nearer to a phone's; a phantom's plain background decodes faster than any room."
    )
    report_plain(report, photo, args.repeats)
    report_stages(report, data, decode, args.repeats)
    report_process(report, photo)
    report_folder(report, photo, args.folder_photos)
    report.write(args.write)


if __name__ == "__main__":
    main()
