"""Who measures: the interface of all engines, and the simplest of them.

An engine has three methods: ``submit`` a shard, iterate over what is ``completed``, ``close``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeAlias

from skinscan.batch.measure import Job, Outcome, Task

Shard: TypeAlias = tuple[Task, ...]


class Engine(Protocol):
    """What measures shards of photos."""

    @property
    def photos_wanted(self) -> int:
        """Photos under way with which nobody has to wait for the next one."""

    def submit(self, shard: Shard) -> None:
        """Take a shard; returns at once."""

    def completed(self) -> Iterator[tuple[Outcome, ...]]:
        """Yield the outcomes of each shard as it is done; ends when none is left.

        Outcomes are in the order of their shard. Shards may be submitted while iterating.
        """

    def close(self) -> None:
        """Stop at once and leave no process behind."""


class InProcessEngine:
    """Measures in the calling process, one photo after another.

    Parameters
    ----------
    job : Job
    """

    photos_wanted = 1

    def __init__(self, job: Job) -> None:
        self._job = job
        self._waiting: deque[Shard] = deque()

    def submit(self, shard: Shard) -> None:
        """Take a shard."""
        self._waiting.append(shard)

    def completed(self) -> Iterator[tuple[Outcome, ...]]:
        """Measure the next shard whenever its outcomes are asked for."""
        while self._waiting:
            yield tuple(self._job(task) for task in self._waiting.popleft())

    def close(self) -> None:
        """Forget what was not measured."""
        self._waiting.clear()


def run_shards(
    engine: Engine, shards: Iterable[Shard], *, window: int | None = None
) -> Iterator[tuple[Outcome, ...]]:
    """Measure shards, with a bounded number of photos under way.

    Parameters
    ----------
    engine : Engine
    shards : iterable of Shard
        Read only as fast as photos are done.
    window : int, optional
        Photos under way at which no further shard is submitted; by default what the engine
        wants. One shard is always under way.

    Yields
    ------
    tuple of Outcome
        Shards in the order in which they are done.
    """
    waiting = iter(shards)
    under_way = 0
    exhausted = False

    def refill() -> None:
        nonlocal under_way, exhausted
        most = engine.photos_wanted if window is None else window
        while not exhausted and under_way < max(1, most):
            shard = next(waiting, None)
            if shard is None:
                exhausted = True
            else:
                engine.submit(shard)
                under_way += len(shard)

    refill()
    for outcomes in engine.completed():
        under_way -= len(outcomes)
        refill()
        yield outcomes


def run(engine: Engine, tasks: Iterable[Task], *, window: int | None = None) -> Iterator[Outcome]:
    """Measure photos, each given back as soon as it is done.

    Parameters
    ----------
    engine : Engine
    tasks : iterable of Task
        Read only as fast as photos are done.
    window : int, optional
        Most photos submitted and not yet given back; by default what the engine wants.

    Yields
    ------
    Outcome
        In the order in which they are done.
    """
    for outcomes in run_shards(engine, ((task,) for task in tasks), window=window):
        yield from outcomes
