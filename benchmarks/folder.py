"""Score a folder: photos per second with 1 and 2 workers, and memory over many photos.

Run ``python benchmarks/folder.py``. Without ``--photos`` the sample course is scored. The same
photos are linked again and again under new names, so that the number of photos grows and nothing
else does. Memory is read from ``/proc`` (Linux): the proportional share of the parent and of its
workers, sampled twice a second, and reported for each tenth of the run. It is flat when the last
tenths are not above the first ones by more than a few per cent.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import platform
import shutil
import tempfile
import threading
import time
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


def score(photos: list[Path], count: int, workers: int) -> tuple[float, Sampler]:
    """Score `count` photos; returns seconds and the memory samples."""
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
        assert summary.failed == 0, summary.failures
    return seconds, sampler


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


def main() -> None:
    """Print the tables and write them to the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=sample_course_dir())
    parser.add_argument("--rate-photos", type=int, default=40, help="photos for the rate; 0: none")
    parser.add_argument("--memory-photos", type=int, default=1000, help="for memory; 0: none")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    photos = [Path(photo.path) for photo in find_photos([options.photos])]
    report = Report()
    version = importlib.metadata.version("skinscan")
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    report.add(f"skinscan {version}, {machine}; {len(photos)} different photos")
    # Memory first: measuring in this process would add its libraries to the parent's memory.
    if options.memory_photos:
        memory_table(report, photos, options.memory_photos, max(options.workers))
    if options.rate_photos:
        rate_table(report, photos, options.rate_photos, options.workers)
    report.save(RESULTS / "folder.txt")


def rate_table(report: Report, photos: list[Path], count: int, workers: list[int]) -> None:
    """Photos per second by number of workers, start of the workers included."""
    report.add("", f"{'workers':>8} {'photos':>8} {'seconds':>9} {'photos/s':>9}")
    for number in workers:
        seconds, _ = score(photos, count, number)
        report.add(f"{number:>8} {count:>8} {seconds:>9.1f} {count / seconds:>9.2f}")


def memory_table(report: Report, photos: list[Path], count: int, workers: int) -> None:
    """Memory over one long run, by tenths of its time."""
    seconds, sampler = score(photos, count, workers)
    report.add(
        "",
        f"Memory over {count} photos with {workers} workers "
        f"({seconds:.0f} s, {count / seconds:.2f} photos/s)",
        "MB, median (highest) of each tenth of the time",
        f"{'tenth':>6} {'parent':>16} {'all workers':>18} {'workers seen':>13}",
    )
    for tenth, part in enumerate(np.array_split(np.array(sampler.samples), 10), start=1):
        parent, children, seen = part.T
        report.add(
            f"{tenth:>6} {np.median(parent):>8.0f} ({parent.max():>5.0f}) "
            f"{np.median(children):>9.0f} ({children.max():>6.0f}) {int(seen.max()):>13}"
        )


if __name__ == "__main__":
    main()
