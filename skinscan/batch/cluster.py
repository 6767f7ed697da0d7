"""The engine for a cluster: Dask distributed, the extra ``skinscan[cluster]``.

A shard is cut into orders of a few photos, so that a computer that goes away takes little work with
it. Workers give back rows, packed; they stay packed here until their shard is complete.

Faults:

* A photo that kills or blocks what measures it: the worker's child process dies, not the worker;
  the photo is in quarantine after two children (`child`).
* A worker goes away: the scheduler gives its orders to others. An order with which two workers in
  a row went away (``allowed-failures: 1``) comes back; it is split into its photos. A photo that
  comes back alone is tried once more while no other suspect is under way; when it comes back
  again, it is in quarantine.
* The scheduler goes away: the engine looks for it again for some minutes, then orders anew what it
  has no answer to.
* All workers go away: the engine waits as long for new ones.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import queue
import time
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final, Literal, TypeAlias

from skinscan.batch import cluster_task
from skinscan.batch.child import PHOTO_TIMEOUT_S, PHOTOS_PER_CHILD, quarantined
from skinscan.batch.engine import Shard
from skinscan.batch.measure import Job, Outcome, Task
from skinscan.errors import EngineError, MissingExtraError, SkinscanError

try:
    import dask
    import distributed
except ImportError as error:
    raise MissingExtraError(
        expected="Dask distributed, for --engine dask",
        found="no such package",
        remedy="Install it: pip install 'skinscan[cluster]'",
    ) from error

Suspicion: TypeAlias = Literal["none", "alone", "last try"]

#: Photos per order: seconds of work, so that asking for more costs nothing beside it.
PHOTOS_PER_ORDER: Final = 16
#: How long to look for a scheduler that went away, or to wait for a first worker, s.
PATIENCE_S: Final = 300.0

_ORDERS_PER_THREAD: Final = 2
_LOOK_AGAIN_S: Final = 5.0
_CONNECT_S: Final = 10.0
_PAUSE_S: Final = 1.0


@dataclass(frozen=True)
class _Order:
    """Some photos of a shard under way."""

    shard: int
    start: int
    tasks: tuple[Task, ...]
    suspicion: Suspicion = "none"


@dataclass
class _Shard:
    size: int
    given_back: int = 0
    answers: dict[int, bytes] = field(default_factory=dict)


class DaskEngine:
    """Measures on a Dask cluster.

    Parameters
    ----------
    job : Job
        Must be picklable, and importable by the workers.
    scheduler : str or None
        Address; None starts a cluster on this computer.
    workers : int
        Of the cluster on this computer.
    photos_per_order, photos_per_child : int
    photo_timeout_s, patience_s : float

    Raises
    ------
    EngineError
        If the scheduler cannot be reached.
    """

    def __init__(
        self,
        job: Job,
        *,
        scheduler: str | None,
        workers: int = 1,
        photos_per_order: int = PHOTOS_PER_ORDER,
        photos_per_child: int = PHOTOS_PER_CHILD,
        photo_timeout_s: float = PHOTO_TIMEOUT_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._run = cluster_task.Run(
            id=uuid.uuid4().hex,
            skinscan_version=version("skinscan"),
            job=pickle.dumps(job),
            photo_timeout_s=photo_timeout_s,
            photos_per_child=photos_per_child,
        )
        self._photos_per_order = photos_per_order
        self._patience_s = patience_s
        self._shards: dict[int, _Shard] = {}
        self._orders: dict[str, tuple[_Order, Any]] = {}
        self._suspects: deque[_Order] = deque()
        self._last_try: _Order | None = None
        self._changed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._numbers = iter(range(2**62))
        self._threads = 0
        self._looked = -float("inf")
        self._workers_seen = time.monotonic()
        self._cluster = None if scheduler is not None else _local_cluster(workers)
        self._address = scheduler
        try:
            self._client = self._connected(patience_s=_CONNECT_S)
        except BaseException:
            if self._cluster is not None:
                self._cluster.close()
            raise

    @property
    def photos_wanted(self) -> int:
        """Two orders for each thread of the cluster's present workers."""
        self._look_at_workers()
        return _ORDERS_PER_THREAD * self._photos_per_order * max(1, self._threads)

    def submit(self, shard: Shard) -> None:
        """Order a shard's photos."""
        number = next(self._numbers)
        self._shards[number] = _Shard(len(shard))
        for start in range(0, len(shard), self._photos_per_order):
            self._order(_Order(number, start, shard[start : start + self._photos_per_order]))

    def completed(self) -> Iterator[tuple[Outcome, ...]]:
        """Yield shards in the order in which they become complete.

        Raises
        ------
        EngineError
            If the scheduler or all workers stay away, or a worker has another skinscan.
        SkinscanError
            What the job raised because it concerns every photo.
        """
        while self._shards:
            try:
                key = self._changed.get(timeout=_PAUSE_S)
            except queue.Empty:
                self._look_at_workers()
                continue
            # What belongs to a connection that was given up is no longer there.
            if key in self._orders:
                order, future = self._orders.pop(key)
                self._settle(order, future)
            yield from self._complete()

    def close(self) -> None:
        """Cancel what is under way, and end the children on all workers."""
        self._shards.clear()
        with contextlib.suppress(Exception):  # whatever is gone need not be told
            self._client.cancel([future for _, future in self._orders.values()], force=True)
        with contextlib.suppress(Exception):
            self._client.run(cluster_task.forget, self._run.id, on_error="ignore")
        self._orders.clear()
        _give_up(self._client)
        if self._cluster is not None:
            self._cluster.close()
        cluster_task.forget(self._run.id)

    def _order(self, order: _Order) -> None:
        key = f"skinscan-{self._run.id}-{next(self._numbers)}"
        try:
            future = self._client.submit(
                cluster_task.measure,
                cluster_task.Order.of(self._run, order.tasks),
                key=key,
                pure=False,
            )
        except Exception as error:  # noqa: BLE001 - Dask's exceptions are of many kinds
            self._orders[key] = (order, None)
            self._reconnect(error)
            return
        self._orders[key] = (order, future)
        future.add_done_callback(lambda done: self._changed.put(done.key))

    def _settle(self, order: _Order, future: Any) -> None:  # noqa: ANN401 - Dask's
        """Take the answer to an order, or deal with there being none."""
        status = future.status
        if status == "error":
            error = future.exception()
            if isinstance(error, distributed.KilledWorker):
                self._suspect(order)
                return
            raise error if isinstance(error, SkinscanError) else _foreign(error)
        if status == "finished":
            try:
                self._take(order, future.result())
            except (OSError, CancelledError, TimeoutError) as error:
                self._orders[future.key] = (order, future)
                self._reconnect(error)
            return
        # Cancelled or lost: the scheduler went away, and forgot everything.
        self._orders[future.key] = (order, future)
        self._reconnect(None)

    def _take(self, order: _Order, answer: bytes) -> None:
        shard = self._shards[order.shard]
        shard.answers[order.start] = answer
        shard.given_back += len(order.tasks)
        self._next_suspect(order)

    def _complete(self) -> Iterator[tuple[Outcome, ...]]:
        ready = [n for n, shard in self._shards.items() if shard.given_back == shard.size]
        for number in ready:
            answers = self._shards.pop(number).answers
            yield tuple(
                outcome
                for start in sorted(answers)
                for outcome in cluster_task.unpack(answers[start])
            )

    def _suspect(self, order: _Order) -> None:
        """Workers went away with these photos: find out which one it was."""
        if len(order.tasks) > 1:
            for place, task in enumerate(order.tasks, start=order.start):
                self._order(_Order(order.shard, place, (task,), "alone"))
        elif order.suspicion == "last try":
            self._take(order, cluster_task.pack((quarantined(order.tasks[0]),)))
        else:
            self._suspects.append(_Order(order.shard, order.start, order.tasks, "last try"))
            self._next_suspect(None)

    def _next_suspect(self, settled: _Order | None) -> None:
        """Let one suspect at a time try again, so that none is blamed for another."""
        if settled is not None and settled is self._last_try:
            self._last_try = None
        if self._last_try is None and self._suspects:
            self._last_try = self._suspects.popleft()
            self._order(self._last_try)

    def _look_at_workers(self) -> None:
        """Note how many threads the cluster has; give up when there is none for long."""
        now = time.monotonic()
        if now - self._looked < _LOOK_AGAIN_S:
            return
        self._looked = now
        with contextlib.suppress(Exception):  # a lost connection shows in the orders
            self._threads = sum(self._client.nthreads().values())
        if self._threads:
            self._workers_seen = now
        elif now - self._workers_seen > self._patience_s:
            raise EngineError(
                expected="workers in the cluster",
                found=f"none for {self._patience_s:.0f} s",
                remedy="Start workers (dask worker ADDRESS), then run with --resume",
            )

    def _reconnect(self, error: BaseException | None) -> None:
        """Look for the scheduler again, and order anew what has no answer."""
        unanswered = [order for order, _ in self._orders.values()]
        self._orders.clear()
        _give_up(self._client)
        if self._cluster is not None:
            raise EngineError(
                expected="the cluster on this computer to stay",
                found="that it ended" if error is None else type(error).__name__,
                remedy="Run with --resume",
            ) from error
        self._client = self._connected(patience_s=self._patience_s)
        self._workers_seen = time.monotonic()
        self._looked = -float("inf")
        for order in unanswered:
            self._order(order)

    def _connected(self, *, patience_s: float) -> Any:  # noqa: ANN401 - Dask's
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return distributed.Client(
                    self._address if self._cluster is None else self._cluster,
                    timeout=_CONNECT_S,
                    set_as_default=False,
                )
            except (OSError, ValueError) as error:
                if isinstance(error, ValueError) or time.monotonic() > deadline:
                    raise EngineError(
                        expected="a Dask scheduler at the address given",
                        found=f"none ({type(error).__name__})",
                        remedy="Start it (dask scheduler), check the address and the network",
                    ) from error
            time.sleep(_PAUSE_S)


def _local_cluster(workers: int) -> Any:  # noqa: ANN401 - Dask's
    # The workers are threads, because measuring happens in their children: no process has to run
    # the caller's script again, and orders pass through no port. Dask opens one for its health
    # page all the same: any free one, for this computer only.
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address=None,
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.ERROR,
        )


def _give_up(client: Any) -> None:  # noqa: ANN401 - Dask's
    with contextlib.suppress(Exception):  # it may be closed, or its scheduler gone
        client.close(timeout=2)


def _foreign(error: BaseException) -> EngineError:
    return EngineError(
        expected="workers that can run skinscan",
        found=f"{type(error).__name__} on a worker",
        remedy="Install the same skinscan and Python on all workers, and look into their logs",
    )
