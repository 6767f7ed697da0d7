"""Everything measured in a photo, at every level, as one vector; kept on disk by sources."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TypeVar

import cv2
import numpy as np
from _common import RESULTS, progress, source_hash
from numpy.typing import NDArray

from skinscan.conditions import Conditions, conditions_from_dict, conditions_to_dict
from skinscan.errors import SkinscanError
from skinscan.frame import LEVELS_PX_MM
from skinscan.metrics import metrics
from skinscan.regions import members
from skinscan.scan import analyze

F64 = NDArray[np.float64]
Job = TypeVar("Job")


@dataclass(frozen=True)
class Place:
    """Where one number of the vector belongs."""

    metric: str
    group: str
    region: str
    level: float


@cache
def places() -> tuple[Place, ...]:
    """Every number that a photo can have, in the order of the vector."""
    return tuple(
        Place(entry.name, group, region.name, level)
        for entry in metrics().values()
        for group in entry.groups
        for region in members(group)
        for level in LEVELS_PX_MM
        if entry.lowest_level_px_mm <= level <= entry.finest_level_px_mm
    )


@cache
def _index() -> Mapping[tuple[str, str, float], int]:
    return {(p.metric, p.region, p.level): k for k, p in enumerate(places())}


@dataclass(frozen=True, eq=False)
class Repeat:
    """What one photo says.

    Attributes
    ----------
    values : ndarray of float64, shape (len(places()),)
        NaN where the photo has no number.
    conditions : Conditions
    """

    values: F64
    conditions: Conditions


def repeat_of(data: bytes) -> Repeat | None:
    """Measure a photo, or read what the same sources found in the same bytes before.

    Parameters
    ----------
    data : bytes
        A picture file.

    Returns
    -------
    Repeat or None
        None where the photo was refused.
    """
    folder = RESULTS / "repeats" / source_hash()[:16]
    path = folder / f"{hashlib.sha256(data).hexdigest()[:24]}.npz"
    if not path.exists():
        values, told = np.full(len(places()), np.nan), ""
        try:
            scan = analyze(data)
        except SkinscanError as error:
            progress(f"refused: {error.cause}")
        else:
            index = _index()
            for m in scan.measurements:
                k = index.get((m.metric, m.region, m.level_px_mm))
                if k is not None:
                    values[k] = m.value
            told = json.dumps(conditions_to_dict(scan.quality.conditions))
        folder.mkdir(parents=True, exist_ok=True)
        buffer = BytesIO()
        np.savez_compressed(buffer, values=values.astype(np.float32), conditions=np.array(told))
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(buffer.getvalue())
        part.replace(path)
    with np.load(path) as kept:
        told = str(kept["conditions"])
        if not told:
            return None
        return Repeat(kept["values"].astype(np.float64), conditions_from_dict(json.loads(told)))


def _batch(photos: Callable[[Job], Iterable[bytes]], job: Job) -> int:
    cv2.setNumThreads(1)
    return sum(repeat_of(photo) is not None for photo in photos(job))


def repeats(
    photos: Callable[[Job], Iterable[bytes]], jobs: Sequence[Job], *, workers: int
) -> list[list[Repeat | None]]:
    """Measure the photos of each job, one job at a time, in some processes.

    Parameters
    ----------
    photos : callable
        Job -> picture files; a function of a module, so that workers find it.
    jobs : sequence
        One person each, say.
    workers : int
    """
    if workers > 1:
        # spawned, because the landmark model does not survive a fork
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            waiting = [pool.submit(_batch, photos, job) for job in jobs]
            for done, future in enumerate(waiting, 1):
                future.result()
                progress(f"{done} of {len(jobs)}")
    return [[repeat_of(photo) for photo in photos(job)] for job in jobs]
