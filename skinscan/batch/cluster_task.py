"""What Dask's workers run: a few photos, one by one, in a child process of the worker.

The worker itself loads no image library: a photo that crashes one, or never ends, takes a child
with it and leaves the worker alone, so that Dask never has to guess whose fault it was. Each thread
of a worker keeps its child for the next photos, until the child is replaced, has waited for long,
or the run ends.
"""

from __future__ import annotations

import pickle
import threading
import zlib
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final, cast

from skinscan.batch.child import Child, Processes
from skinscan.batch.measure import Outcome, Task
from skinscan.errors import EngineError

_FAST: Final = 1


@dataclass(frozen=True)
class Run:
    """What all orders of a run share.

    Attributes
    ----------
    id : str
    skinscan_version : str
    job : bytes
        Pickled, and opened in the child only.
    photo_timeout_s : float
    photos_per_child : int
    idle_s : float
        How long a child may wait for photos. Who ordered may have been killed, and tell nobody.
    """

    id: str
    skinscan_version: str
    # Dask logs the arguments of tasks that fail: nothing of them may be readable there.
    job: bytes = field(repr=False)
    photo_timeout_s: float
    photos_per_child: int
    idle_s: float = 60.0


@dataclass(frozen=True)
class Order:
    """A few photos to measure."""

    run: Run
    tasks: bytes = field(repr=False)

    @staticmethod
    def of(run: Run, tasks: tuple[Task, ...]) -> Order:
        """Pack photos."""
        return Order(run, pickle.dumps(tasks))


class _Seat:
    """A thread's child, ended when it has nothing to do for long."""

    def __init__(self, run: Run, processes: Processes) -> None:
        self._child = Child(
            run.job,
            processes,
            photo_timeout_s=run.photo_timeout_s,
            photos_per_child=run.photos_per_child,
        )
        self._idle_s = run.idle_s
        self._busy = threading.Lock()
        self._clock: threading.Timer | None = None

    def measure(self, tasks: tuple[Task, ...]) -> tuple[Outcome, ...]:
        with self._busy:
            if self._clock is not None:
                self._clock.cancel()
            try:
                return tuple(self._child.measure(task) for task in tasks)
            finally:
                self._clock = threading.Timer(self._idle_s, self._leave)
                self._clock.daemon = True
                self._clock.start()

    def _leave(self) -> None:
        if self._busy.acquire(blocking=False):
            try:
                self._child.end()
            finally:
                self._busy.release()


class _Children:
    """The children of one run in this process, one per thread."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._mine = threading.local()
        self.processes = Processes()

    def seat(self) -> _Seat:
        """Return the calling thread's seat."""
        if not hasattr(self._mine, "seat"):
            self._mine.seat = _Seat(self._run, self.processes)
        return cast("_Seat", self._mine.seat)


_lock = threading.Lock()
_runs: dict[str, _Children] = {}


def measure(order: Order) -> bytes:
    """Measure the photos of an order.

    Returns
    -------
    bytes
        For `unpack`: rows, never pixels.

    Raises
    ------
    EngineError
        If this worker has another skinscan than whoever ordered.
    WorkerError
        If no child can be started.
    SkinscanError
        What the job raised because it concerns every photo.
    """
    here = version("skinscan")
    if here != order.run.skinscan_version:
        raise EngineError(
            expected=f"workers with skinscan {order.run.skinscan_version}",
            found=f"one with {here}",
            remedy="Install the same version on all workers",
        )
    with _lock:
        children = _runs.setdefault(order.run.id, _Children(order.run))
    # Orders come from skinscan's client, through the scheduler that the worker trusts.
    tasks: tuple[Task, ...] = pickle.loads(order.tasks)  # noqa: S301
    return pack(children.seat().measure(tasks))


def pack(outcomes: tuple[Outcome, ...]) -> bytes:
    """Make outcomes small for the way and for waiting."""
    return zlib.compress(pickle.dumps(outcomes, protocol=pickle.HIGHEST_PROTOCOL), _FAST)


def unpack(answer: bytes) -> tuple[Outcome, ...]:
    """Open what `measure` returned."""
    outcomes: tuple[Outcome, ...] = pickle.loads(zlib.decompress(answer))  # noqa: S301 - own worker
    return outcomes


def forget(run_id: str) -> None:
    """End the children of a run in this process; what they were measuring is given up."""
    with _lock:
        children = _runs.pop(run_id, None)
    if children is not None:
        children.processes.close()
