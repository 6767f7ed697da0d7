"""Which engine measures: its options, its start and its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from skinscan.batch.engine import Engine, InProcessEngine
from skinscan.batch.measure import Job
from skinscan.batch.pool import PoolEngine
from skinscan.batch.workers import check_workers, default_workers
from skinscan.errors import BadOptionError

EngineName: TypeAlias = Literal["pool", "dask"]


@dataclass(frozen=True)
class EngineOptions:
    """What was asked for.

    Attributes
    ----------
    engine : {"pool", "dask"}
    scheduler : str or None
        Address of Dask's scheduler; None starts a cluster on this computer.
    workers : int or None
        None leaves the number to skinscan.
    apart : bool
        Measure in other processes even where this one would do: a photo that kills whatever
        measures it must not end this one.
    """

    engine: EngineName = "pool"
    scheduler: str | None = None
    workers: int | None = None
    apart: bool = False


def check_engine(options: EngineOptions) -> EngineOptions:
    """Return the options if they fit together.

    Raises
    ------
    BadOptionError
    """
    if options.workers is not None:
        check_workers(options.workers)
    if options.engine not in get_args(EngineName):
        raise BadOptionError(
            expected=f"an engine out of {', '.join(get_args(EngineName))}",
            found=repr(options.engine),
            remedy="Use 'pool' on one computer, 'dask' on a cluster",
        )
    if options.scheduler is None:
        return options
    if options.engine != "dask":
        raise BadOptionError(
            expected="a scheduler together with the engine dask",
            found=f"a scheduler and the engine {options.engine}",
            remedy="Add --engine dask, or leave the scheduler out",
        )
    if options.workers is not None:
        raise BadOptionError(
            expected="either a scheduler or a number of workers",
            found="both",
            remedy="Leave --workers out: a cluster that runs has its own workers",
        )
    return options


def make_engine(job: Job, *, workers: int) -> Engine:
    """Choose the engine for a number of workers on this computer.

    Parameters
    ----------
    job : Job
    workers : int
        1 measures in this process, more in as many others.

    Raises
    ------
    BadOptionError
        If `workers` is below 1.
    """
    check_workers(workers)
    return InProcessEngine(job) if workers == 1 else PoolEngine(job, workers=workers)


@contextlib.contextmanager
def engine_running(job: Job, options: EngineOptions, *, photos: int) -> Iterator[Engine]:
    """Start an engine, and end it with the block.

    Parameters
    ----------
    job : Job
    options : EngineOptions
    photos : int
        How many there are to measure: few do not pay for many workers.
    """
    workers = options.workers or default_workers(photos)
    engine: Engine
    if options.engine == "dask":
        from skinscan.batch.cluster import DaskEngine  # noqa: PLC0415 - an optional package

        engine = DaskEngine(job, scheduler=options.scheduler, workers=workers)
    elif options.apart:
        engine = PoolEngine(job, workers=workers)
    else:
        engine = make_engine(job, workers=workers)
    try:
        yield engine
    finally:
        engine.close()
