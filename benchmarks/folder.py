"""Score a folder: photos per second with 1 and 2 workers, and memory over many photos.

Run ``python benchmarks/folder.py``. Without ``--photos`` the sample course is scored; with
``--phantoms N`` so many rendered people, each another face, skin, pose and light. The same
photos are linked again and again under new names, so that the number of photos grows and nothing
else does. Memory is read from ``/proc`` (Linux): the proportional share of the parent and of its
workers, sampled twice a second, and reported for each tenth of the run. It is flat when the last
tenths are not above the first ones by more than a few per cent.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np

from skinscan.batch.score import score_to_file
from skinscan.batch.sources import find_photos
from skinscan.resources import sample_course_dir

RESULTS = Path(__file__).parent / "results"


def make_folder(folder: Path, photos: list[Path], count: int) -> None:
    """Fill a folder with hard links (or copies) of the same photos."""
    for k in range(count):
        photo = photos[k % len(photos)]
        link = folder / f"{k:06d}{photo.suffix}"
        try:
            os.link(photo, link)
        except OSError:  # another disk
            shutil.copy(photo, link)


def family() -> list[int]:
    """Return the ids of the running process and of its children."""
    found = [os.getpid()]
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(status.parent.name))
    return found


def memory_mb(pid: int) -> float:
    """Proportional resident memory of a process, MB; 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    return 0.0


class Sampler(threading.Thread):
    """Notes the memory of parent and workers while the block runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float, int]] = []
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample twice a second."""
        while not self._ended.wait(0.5):
            parent, *workers = family()
            shares = [memory_mb(pid) for pid in workers]
            self.samples.append((memory_mb(parent), sum(shares), sum(s > 0 for s in shares)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self.join()


def render(path: Path, seed: int, px_per_mm: float) -> None:
    """Render one person; in a process of its own, so that this one stays small."""
    from _captures import random_face  # noqa: PLC0415 - not in the process that is measured

    from skinscan.phantom import Capture, photograph  # noqa: PLC0415 - same

    rng = np.random.default_rng([seed, 301])
    capture = Capture.at_scale(
        px_per_mm * rng.uniform(0.9, 1.1),
        distance_mm=float(rng.uniform(550, 900)),
        yaw_deg=float(rng.uniform(-4, 4)),
        pitch_deg=float(rng.uniform(-4, 4)),
        light_azimuth_deg=float(rng.uniform(-30, 30)),
        light_softness=float(rng.uniform(0.3, 0.9)),
        light_temperature_k=float(rng.uniform(5000, 6200)),
        seed=seed,
    )
    path.write_bytes(photograph(random_face(seed), capture))


def phantoms(count: int, px_per_mm: float) -> Path:
    """Folder of rendered people; what an earlier run rendered is taken."""
    folder = RESULTS / f"folder-{px_per_mm:g}-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {folder / f"{seed:04d}.jpg": seed for seed in range(count)}
    missing = {path: seed for path, seed in wanted.items() if not path.exists()}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        done = [pool.submit(render, path, seed, px_per_mm) for path, seed in missing.items()]
        for future in done:
            future.result()
    return folder


def score(photos: list[Path], count: int, workers: int) -> tuple[float, Sampler, int]:
    """Score `count` photos; returns seconds, the memory samples, and how many failed."""
    with tempfile.TemporaryDirectory() as scratch, Sampler() as sampler:
        folder = Path(scratch, "photos")
        folder.mkdir()
        make_folder(folder, photos, count)
        began = time.perf_counter()
        summary = score_to_file(
            folder, Path(scratch, "scores.parquet"), workers=workers, progress=True
        )
        seconds = time.perf_counter() - began
        assert summary.photos == count
        assert summary.failed < count / 10, summary.failures
    return seconds, sampler, summary.failed


class Report:
    """Prints lines at once and keeps them for the results."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Print and keep."""
        self.lines += lines
        print(*lines, sep="\n", flush=True)

    def save(self, path: Path) -> None:
        """Write what was printed."""
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")

    def write(self, path: Path, title: str) -> None:
        """Write a page of the documentation."""
        text = "\n".join(self.lines)
        path.write_text(
            f"# {title}\n\nMade by `python benchmarks/folder.py {' '.join(sys.argv[1:])}`.\n\n"
            f"The different photos are linked again and again under new names.\n\n"
            f"```text\n{text}\n```\n",
            encoding="utf-8",
        )


def main() -> None:
    """Print the tables and write them to the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=sample_course_dir())
    parser.add_argument("--phantoms", type=int, help="render so many people instead")
    parser.add_argument("--px-per-mm", type=float, default=3.0, help="of the rendered people")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="also write the page here")
    parser.add_argument("--rate-photos", type=int, default=40, help="photos for the rate; 0: none")
    parser.add_argument("--memory-photos", type=int, default=1000, help="for memory; 0: none")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    source = options.photos
    if options.phantoms:
        source = phantoms(options.phantoms, options.px_per_mm)
    photos = [Path(photo.path) for photo in find_photos([source])]
    report = Report()
    version = importlib.metadata.version("skinscan")
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    if hasattr(os, "getloadavg"):  # others on the same computer slow everything
        machine += f", load average {os.getloadavg()[0]:.0f}"
    kind = f"rendered people, {options.px_per_mm:g} px/mm" if options.phantoms else "photos"
    size = sum(photo.stat().st_size for photo in photos) / len(photos) / 1000
    report.add(f"skinscan {version}, {machine}; {len(photos)} different {kind}, {size:.0f} kB each")
    # Memory first: measuring in this process would add its libraries to the parent's memory.
    if options.memory_photos:
        memory_table(report, photos, options.memory_photos, max(options.workers))
    if options.rate_photos:
        rate_table(report, photos, options.rate_photos, options.workers)
    report.save(RESULTS / "folder.txt")
    if options.write:
        report.write(options.write, f"A folder of {options.memory_photos:,} photos")


def rate_table(report: Report, photos: list[Path], count: int, workers: list[int]) -> None:
    """Photos per second by number of workers, start of the workers included."""
    report.add("", f"{'workers':>8} {'photos':>8} {'seconds':>9} {'photos/s':>9}")
    for number in workers:
        seconds, _, _ = score(photos, count, number)
        report.add(f"{number:>8} {count:>8} {seconds:>9.1f} {count / seconds:>9.2f}")


def memory_table(report: Report, photos: list[Path], count: int, workers: int) -> None:
    """Memory over one long run, by tenths of its time."""
    seconds, sampler, failed = score(photos, count, workers)
    report.add(
        "",
        f"Memory over {count} photos with {workers} workers "
        f"({seconds:.0f} s, {count / seconds:.2f} photos/s; {failed} failed)",
        "MB, median (highest) of each tenth of the time",
        f"{'tenth':>6} {'parent':>16} {'all workers':>18} {'workers seen':>13}",
    )
    tenths = np.array_split(np.array(sampler.samples), 10)
    for tenth, part in enumerate(tenths, start=1):
        parent, children, seen = part.T
        report.add(
            f"{tenth:>6} {np.median(parent):>8.0f} ({parent.max():>5.0f}) "
            f"{np.median(children):>9.0f} ({children.max():>6.0f}) {int(seen.max()):>13}"
        )
    # The first tenth still starts the workers.
    parent, children = (np.median(tenths[9], 0) / np.median(tenths[1], 0))[:2]
    report.add(f"Tenth 10 as a multiple of tenth 2: parent {parent:.3f}, workers {children:.3f}")


if __name__ == "__main__":
    main()
