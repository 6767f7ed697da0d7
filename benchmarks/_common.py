"""What the benchmark scripts share: intervals, tables, and scans kept on disk."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

import skinscan
from skinscan.errors import SkinscanError
from skinscan.native import STATE
from skinscan.scan import Scan, analyze, load_scan

ROOT = Path(__file__).resolve().parent.parent
#: Everything here can be made again; it is not under version control.
RESULTS = ROOT / "benchmarks" / "results"
#: Photographs for development; never part of the project.
PHOTOS = ROOT.parent / "shared" / "photos"
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"})
Z95 = 1.959964
RESAMPLES = 2000


# --- intervals -----------------------------------------------------------------------------


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % Wilson score interval of a share."""
    if not count:
        return float("nan"), float("nan")
    p = hits / count
    middle = (p + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 / (1 + Z95**2 / count) * np.sqrt(p * (1 - p) / count + Z95**2 / (4 * count**2))
    return float(middle - half), float(middle + half)


def resamples(count: int, *, seed: int = 0, draws: int = RESAMPLES) -> NDArray[np.intp]:
    """Index sets drawn with replacement, shape (draws, count); the same in every run."""
    return np.random.default_rng(seed).integers(0, count, (draws, count))


def interval(values: ArrayLike) -> tuple[float, float]:
    """2.5 and 97.5 % quantiles of bootstrap values."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], count: int, *, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Statistic of all of ``count`` items, and its 95 % percentile interval.

    ``statistic`` is given the indices of the items drawn.
    """
    if not count:
        return float("nan"), (float("nan"), float("nan"))
    drawn = [statistic(index) for index in resamples(count, seed=seed)]
    return statistic(np.arange(count)), interval(drawn)


# --- text ----------------------------------------------------------------------------------


def number(value: float, digits: int = 2) -> str:
    """Write a number; a dash where there is none."""
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def span(pair: tuple[float, float], digits: int = 2) -> str:
    """Write an interval."""
    return f"{number(pair[0], digits)} to {number(pair[1], digits)}"


class Report:
    """Markdown that is printed as it comes, and written at the end when asked."""

    def __init__(self, title: str, script: str) -> None:
        self._lines: list[str] = []
        self.say(f"# {title}")
        self.say(f"Made by `{' '.join(['python', f'benchmarks/{script}', *sys.argv[1:]])}`.")
        self.say(machine())

    def say(self, text: str) -> None:
        """Add a paragraph."""
        self._lines += [text, ""]
        print(text, end="\n\n", flush=True)

    def section(self, title: str) -> None:
        """Add a heading."""
        self.say(f"## {title}")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add a table; numbers are written with two digits."""
        body = [[c if isinstance(c, str) else _cell(c) for c in row] for row in rows]
        wide = [max(len(r[k]) for r in [list(head), *body]) for k in range(len(head))]
        lines = [
            "| " + " | ".join(c.ljust(w) for c, w in zip(row, wide, strict=True)) + " |"
            for row in [list(head), ["-" * w for w in wide], *body]
        ]
        self.say("\n".join(lines))

    def write(self, path: Path | None) -> None:
        """Write what was said to a Markdown file."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(self._lines).rstrip() + "\n", encoding="utf-8")
            print(f"written to {path}", file=sys.stderr)


def _cell(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def machine() -> str:
    """Say what ran: project, libraries, processor."""
    parts = [f"{n} {metadata.version(n)}" for n in ("mediapipe", "opencv-python-headless", "numpy")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"skinscan {skinscan.__version__} (sources {source_hash()[:8]}), "
        f"Python {platform.python_version()}, {', '.join(parts)}; "
        f"{platform.system()} {platform.machine()}, {cores} cores; compiled loops: {STATE}."
    )


def parser(doc: str | None, *, target: str = "FILE.md") -> argparse.ArgumentParser:
    """Make a parser with the option that every script has; ``target`` is what it writes."""
    made = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--write", type=Path, metavar=target, help="also write the tables here")
    return made


def progress(text: str) -> None:
    """Say on standard error what is being done."""
    print(f"  {text}", file=sys.stderr, flush=True)


# --- photos and scans ----------------------------------------------------------------------


def pictures(folder: Path, pattern: str = "*") -> list[Path]:
    """List the photos directly in a folder, sorted by name."""
    return sorted(
        p for p in folder.glob(pattern) if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()
    )


@cache
def source_hash() -> str:
    """Fingerprint of everything that decides a measurement."""
    package = Path(skinscan.__file__).parent
    outside = {"batch", "cli", "ui", "phantom", "progress", "plots", "guide", "practice", "store"}
    # Standard errors are added to numbers; they decide none.
    outside |= {
        "photoscore.py",
        "comparability.py",
        "declaration.py",
        "precision.py",
        "filenames.py",
    }
    # The package's own file only exports.
    own = package / "__init__.py"
    files = [
        p
        for p in sorted(package.rglob("*.py"))
        if p != own and not outside & set(p.relative_to(package).parts)
    ]
    files += sorted((ROOT / "models").glob("manifest.json"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def scan_kept(source: Path | bytes, *, largest_face: bool = False) -> Scan | SkinscanError:
    """Analyse a photo, or load what the same sources found in the same bytes before.

    Returns
    -------
    Scan or SkinscanError
        The error is returned, not raised: a benchmark counts it.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    key = f"{hashlib.sha256(data).hexdigest()[:24]}-{int(largest_face)}.json"
    path = RESULTS / "scans" / source_hash()[:16] / key
    if path.exists():
        return load_scan(path)
    try:
        scan = analyze(data, largest_face=largest_face)
    except SkinscanError as error:
        return error
    path.parent.mkdir(parents=True, exist_ok=True)
    scan.save(path)
    return scan
