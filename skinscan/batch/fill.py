"""Measure what a journal lacks."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from skinscan.batch.engine import run
from skinscan.batch.engines import EngineOptions, engine_running
from skinscan.batch.journal import Journal
from skinscan.batch.measure import Job, Outcome, Task
from skinscan.batch.sources import SourcePhoto


def tasks_of(photos: Sequence[SourcePhoto]) -> Iterator[Task]:
    """Say what an engine is to measure."""
    return (Task(photo.name, photo.path) for photo in photos)


def fill(
    journal: Journal, photos: Sequence[SourcePhoto], *, job: Job, options: EngineOptions
) -> Generator[Outcome]:
    """Measure the photos that a journal lacks.

    Closing the iterator ends the engine at once; what was given back until then is kept.

    Parameters
    ----------
    journal : Journal
    photos : sequence of SourcePhoto
    job : Job
    options : EngineOptions

    Yields
    ------
    Outcome
        When it is on the disk; in the order in which photos are done.

    Raises
    ------
    OutputError
        If an outcome cannot be kept.
    WorkerError, EngineError, ModelError
        If nothing can be measured.
    """
    missing = {photo.name: photo for photo in photos if not journal.has(photo)}
    if not missing:
        return
    with engine_running(job, options, photos=len(missing)) as running:
        for outcome in run(running, tasks_of(list(missing.values()))):
            journal.append(missing[outcome.photo], outcome)
            yield outcome
