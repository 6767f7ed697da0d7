"""What Dask's workers run: a few photos, one by one, in a child process of the worker.

The worker itself loads no image library: a photo that crashes one, or never ends, takes a child
with it and leaves the worker alone, so that Dask never has to guess whose fault it was. Each thread
of a worker keeps its child for the next photos, until the child is replaced or the run ends.
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
    """

    id: str
    skinscan_version: str
    # Dask logs the arguments of tasks that fail: nothing of them may be readable there.
    job: bytes = field(repr=False)
    photo_timeout_s: float
    photos_per_child: int


@dataclass(frozen=True)
class Order:
    """A few photos to measure."""

    run: Run
    tasks: bytes = field(repr=False)

    @staticmethod
    def of(run: Run, tasks: tuple[Task, ...]) -> Order:
        """Pack photos."""
        return Order(run, pickle.dumps(tasks))


class _Children:
    """The children of one run in this process, one per thread."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._mine = threading.local()
        self.processes = Processes()

    def child(self) -> Child:
        """Return the calling thread's child."""
        if not hasattr(self._mine, "child"):
            self._mine.child = Child(
                self._run.job,
                self.processes,
                photo_timeout_s=self._run.photo_timeout_s,
                photos_per_child=self._run.photos_per_child,
            )
        return cast("Child", self._mine.child)


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
    outcomes = tuple(children.child().measure(task) for task in tasks)
    return pack(outcomes)


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
