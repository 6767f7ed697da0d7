"""Phantoms photographed at every step of a dose, measured once and kept on disk."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from _common import RESULTS, progress, source_hash
from doses import MIDDLE, SETUPS, TRUE_VALUE, capture_of, person
from numpy.typing import NDArray

import skinscan.phantom
from skinscan.errors import SkinscanError
from skinscan.metrics import Metric
from skinscan.metrics.registry import Dose
from skinscan.phantom import Capture, FaceTruth, photograph
from skinscan.regions import members
from skinscan.scan import analyze

F64 = NDArray[np.float64]
Table = Mapping[str, Mapping[str, float]]
Scene = tuple[FaceTruth, Capture]

#: A region counts when its number is known in at least this share of the doses.
_KNOWN_SHARE = 0.8


@dataclass(frozen=True)
class Shot:
    """One photograph of one person at one step of one dose."""

    dose: Dose
    seed: int
    tone: str
    light: str
    value: float
    px_per_mm: float
    take: int = 0

    def scene(self) -> Scene:
        """Face and capture."""
        capture = capture_of(self.seed, self.light, self.px_per_mm, take=self.take)
        return SETUPS[self.dose].make(person(self.seed, self.tone), capture, self.value)


@cache
def _phantom_hash() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(skinscan.phantom.__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _scene_key(scene: Scene) -> str:
    parts = [part.to_dict() for part in scene]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _kept_at(shot: Shot, folder: Path) -> Path:
    key = _scene_key(shot.scene())
    return folder / f"{source_hash()[:12]}-{_phantom_hash()[:12]}" / key[:2] / f"{key}.json"


def _written(path: Path, data: bytes) -> None:
    """Write whole or not at all, whoever else writes the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)


def photo_of(scene: Scene) -> bytes:
    """Photograph a scene, or take the photo that was made of it before.

    Rendering is slower than measuring, and metrics change more often than phantoms: photos are
    kept by scene and by the sources of the phantom.

    Parameters
    ----------
    scene : tuple of FaceTruth and Capture

    Returns
    -------
    bytes
        A JPEG file.
    """
    key = _scene_key(scene)
    path = RESULTS / "photos" / _phantom_hash()[:12] / key[:2] / f"{key}.jpg"
    if not path.exists():
        _written(path, photograph(*scene))
    return path.read_bytes()


def measured(shot: Shot, *, folder: Path = RESULTS / "accuracy") -> Table:
    """Measure a shot, or load what the same sources found in the same scene before.

    Returns
    -------
    mapping
        metric -> region -> value at the highest level; NaN where there is none, empty
        where the photo was refused.
    """
    path = _kept_at(shot, folder)
    if not path.exists():
        found: dict[str, dict[str, float | None]] = {}
        try:
            scan = analyze(photo_of(shot.scene()))
        except SkinscanError as error:
            progress(f"{shot}: {error}")
        else:
            top = max(scan.levels)
            for m in scan.measurements:
                if m.level_px_mm == top:
                    known = m.value if math.isfinite(m.value) else None
                    found.setdefault(m.metric, {})[m.region] = known
        _written(path, json.dumps(found).encode())
    data = json.loads(path.read_text(encoding="utf-8"))
    return {
        metric: {r: math.nan if v is None else v for r, v in regions.items()}
        for metric, regions in data.items()
    }


def _measure_all(shots: Sequence[Shot], folder: Path) -> int:
    cv2.setNumThreads(1)
    for shot in shots:
        measured(shot, folder=folder)
    return len(shots)


def measure_all(shots: Iterable[Shot], *, workers: int, folder: Path) -> dict[Shot, Table]:
    """Measure shots, one person and sampling at a time, in some processes."""
    todo = sorted({s for s in shots if not _kept_at(s, folder).exists()}, key=_order)
    batches = [list(b) for _, b in itertools.groupby(todo, key=lambda s: _order(s)[:4])]
    done = 0
    if workers > 1 and len(batches) > 1:
        # spawned, because the landmark model does not survive a fork
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            for count in pool.map(_measure_all, batches, itertools.repeat(folder)):
                done += count
                progress(f"{done} of {len(todo)} photos")
    else:
        for batch in batches:
            done += _measure_all(batch, folder)
            progress(f"{done} of {len(todo)} photos")
    return {s: measured(s, folder=folder) for s in set(shots)}


def _order(shot: Shot) -> tuple[float, int, str, str, str, int, float]:
    """Sort so that neighbours share what is slow: sampling and person, then light and tone."""
    return (
        shot.px_per_mm,
        shot.seed,
        shot.dose.value,
        shot.light,
        shot.tone,
        shot.take,
        shot.value,
    )


# --- what a metric says over the steps of a dose --------------------------------------------


def acting_regions(dose: Dose, metric: Metric) -> tuple[str, ...]:
    """Regions of a metric on which a dose acts; all of the metric's where there are none."""
    where = SETUPS[dose].groups
    shared = [g for g in metric.groups if where is None or g in where]
    return tuple(r.name for g in (shared or metric.groups) for r in members(g))


def over_regions(tables: Sequence[Table], metric: Metric, regions: Sequence[str]) -> F64:
    """Mean of a metric over regions, one number per table.

    Regions without a number in more than a fifth of the tables are left out of all of them, so
    that every step compares the same skin; a step where one of the others has none is NaN.
    """
    grid = np.array(
        [
            [table.get(metric.name, {}).get(region, math.nan) for region in regions]
            for table in tables
        ]
    )
    known = np.isfinite(grid).mean(axis=0) >= _KNOWN_SHARE
    if not known.any():
        return np.full(len(tables), math.nan)
    return np.asarray(grid[:, known].mean(axis=1))


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric over the steps of its dose, for one person, tone and light.

    Attributes
    ----------
    doses : ndarray of float64, shape (N,)
    truth : ndarray of float64, shape (N,)
        What the metric should say where that is known in its own unit, else the dose.
    values : ndarray of float64, shape (N,)
        Mean over the regions on which the dose acts.
    """

    metric: str
    seed: int
    tone: str
    light: str
    doses: F64
    truth: F64
    values: F64


def series(
    dose: Dose,
    *,
    seeds: Sequence[int],
    tones: Sequence[str],
    values: Sequence[float],
    px: float,
    wander: bool = False,
    one_tone: bool = False,
) -> Iterator[tuple[Shot, ...]]:
    """List the shots of a dose, one tuple per person, tone and light.

    With ``one_tone`` only middle skin is seen under other lights than the first.
    """
    lights = SETUPS[dose].lights
    for light, seed, tone in itertools.product(lights, seeds, tones):
        if one_tone and light != lights[0] and tone != MIDDLE:
            continue
        yield tuple(
            Shot(dose, seed, tone, light, value, px, take=k + 1 if wander else 0)
            for k, value in enumerate(values)
        )


def curve(metric: Metric, shots: Sequence[Shot], tables: Mapping[Shot, Table]) -> Curve:
    """Read one metric out of the tables of one series."""
    first = shots[0]
    true_value = TRUE_VALUE.get(metric.name)
    doses = np.array([s.value for s in shots])
    return Curve(
        metric=metric.name,
        seed=first.seed,
        tone=first.tone,
        light=first.light,
        doses=doses,
        truth=np.array([true_value(*s.scene()) for s in shots]) if true_value else doses,
        values=over_regions([tables[s] for s in shots], metric, acting_regions(first.dose, metric)),
    )
