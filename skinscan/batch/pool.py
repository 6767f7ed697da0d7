"""The default engine: child processes of this one, each single-threaded."""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Iterator
from typing import Final

from skinscan.batch.child import PHOTO_TIMEOUT_S, PHOTOS_PER_CHILD, Child, ClosedError, Processes
from skinscan.batch.engine import Shard
from skinscan.batch.measure import Job, Outcome
from skinscan.batch.workers import check_workers

_JOIN_TIMEOUT_S: Final = 5.0
#: Photos under way per worker: enough that none waits for the next one.
_PHOTOS_UNDER_WAY: Final = 2


class PoolEngine:
    """Measures in child processes, a shard in each.

    Parameters
    ----------
    job : Job
        Must be picklable.
    workers : int
        Number of processes, at least 1.
    photos_per_worker : int
        Photos after which a process is replaced.
    photo_timeout_s : float
        Longest time for one photo, s.

    Raises
    ------
    BadOptionError
        If there is no worker.
    """

    def __init__(
        self,
        job: Job,
        *,
        workers: int,
        photos_per_worker: int = PHOTOS_PER_CHILD,
        photo_timeout_s: float = PHOTO_TIMEOUT_S,
    ) -> None:
        check_workers(workers)
        self._todo: queue.SimpleQueue[Shard | None] = queue.SimpleQueue()
        self._done: queue.Queue[tuple[Outcome, ...] | BaseException] = queue.Queue()
        self._outstanding = 0
        self._processes = Processes()
        pickled = pickle.dumps(job)
        self._lanes = [
            _Lane(
                Child(
                    pickled,
                    self._processes,
                    photo_timeout_s=photo_timeout_s,
                    photos_per_child=photos_per_worker,
                ),
                todo=self._todo,
                done=self._done,
            )
            for _ in range(workers)
        ]
        self._largest_shard = 1
        for lane in self._lanes:
            lane.start()

    @property
    def photos_wanted(self) -> int:
        """Two shards per worker."""
        return _PHOTOS_UNDER_WAY * len(self._lanes) * self._largest_shard

    def submit(self, shard: Shard) -> None:
        """Queue a shard for the next free worker."""
        self._largest_shard = max(self._largest_shard, len(shard))
        self._outstanding += 1
        self._todo.put(shard)

    def completed(self) -> Iterator[tuple[Outcome, ...]]:
        """Yield outcomes in the order in which workers finish.

        Raises
        ------
        WorkerError
            If workers cannot be started.
        SkinscanError
            What the job raised because it concerns every photo.
        """
        while self._outstanding:
            try:
                # Without a limit, Ctrl-C would wait for the next photo on Windows.
                item = self._done.get(timeout=0.5)
            except queue.Empty:
                continue
            self._outstanding -= 1
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        for _ in self._lanes:
            self._todo.put(None)
        self._processes.close()
        for lane in self._lanes:
            lane.join(_JOIN_TIMEOUT_S)


class _Lane(threading.Thread):
    """Feeds one child."""

    def __init__(
        self,
        child: Child,
        *,
        todo: queue.SimpleQueue[Shard | None],
        done: queue.Queue[tuple[Outcome, ...] | BaseException],
    ) -> None:
        super().__init__(name="skinscan-lane", daemon=True)
        self._child = child
        self._todo = todo
        self._done = done

    def run(self) -> None:
        """Serve shards until told to stop or the pool closes."""
        try:
            while (shard := self._todo.get()) is not None:
                try:
                    self._done.put(tuple(self._child.measure(task) for task in shard))
                except ClosedError:
                    return
                except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                    self._done.put(error)
        finally:
            self._child.end()
