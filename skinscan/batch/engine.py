"""Who measures: this process, or a pool of worker processes.

An engine has three methods: ``submit`` a shard, iterate over what is ``completed``, ``close``.
Two are here; one for a cluster can stand beside them.

Faults, in the pool: a worker that dies takes only its own shard with it. A shard of several
photos is then split and measured photo by photo; a photo that kills its worker twice is given
back as failed, and everything else goes on. The pool knows which worker had which photo, so no
photo is measured again because of another one.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol, TypeAlias, cast

from skinscan.batch.measure import Job, Outcome, Task, failed
from skinscan.batch.worker import BOOTSTRAP, READY, SINGLE_THREADED
from skinscan.errors import BadOptionError, SkinscanError

Shard: TypeAlias = tuple[Task, ...]

#: Photos after which a worker is replaced, so that no library's leak can add up.
PHOTOS_PER_WORKER = 200
#: A photo that takes longer is treated like one that kills its worker.
PHOTO_TIMEOUT_S = 300.0

_ATTEMPTS = 2
_START_TIMEOUT_S = 120.0
_JOIN_TIMEOUT_S = 5.0
#: Photos below which a further worker does not pay for its start.
_PHOTOS_WORTH_A_WORKER = 4


class WorkerError(SkinscanError):
    """A worker process ended or stuck while measuring, or could not be started."""

    cause = "worker"


class Engine(Protocol):
    """What measures shards of photos."""

    def submit(self, shard: Shard) -> None:
        """Take a shard; returns at once."""

    def completed(self) -> Iterator[tuple[Outcome, ...]]:
        """Yield the outcomes of each shard as it is done; ends when none is left.

        Shards may be submitted while iterating.
        """

    def close(self) -> None:
        """Stop at once and leave no process behind."""


class InProcessEngine:
    """Measures in the calling process, one photo after another.

    Parameters
    ----------
    job : Job
    """

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


class PoolEngine:
    """Measures in worker processes, each single-threaded.

    Parameters
    ----------
    job : Job
        Must be picklable.
    workers : int
        Number of processes, at least 1.
    photos_per_worker : int
        Photos after which a worker is replaced.
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
        photos_per_worker: int = PHOTOS_PER_WORKER,
        photo_timeout_s: float = PHOTO_TIMEOUT_S,
    ) -> None:
        check_workers(workers)
        self._todo: queue.SimpleQueue[Shard | None] = queue.SimpleQueue()
        self._done: queue.Queue[tuple[Outcome, ...] | BaseException] = queue.Queue()
        self._outstanding = 0
        self._processes = _Processes()
        self._lanes = [
            _Lane(
                _LaneWorker(pickle.dumps(job), self._processes, photo_timeout_s),
                todo=self._todo,
                done=self._done,
                photos_per_worker=photos_per_worker,
            )
            for _ in range(workers)
        ]
        for lane in self._lanes:
            lane.start()

    def submit(self, shard: Shard) -> None:
        """Queue a shard for the next free worker."""
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


class _Processes:
    """The pool's living processes; none can start once it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(self) -> subprocess.Popen[bytes]:
        """Start the interpreter of a worker."""
        with self._lock:
            if self._closed:
                raise _PoolClosedError
            process = subprocess.Popen(  # noqa: S603 - this interpreter, with constant code
                # -P keeps the working folder off the path until the real one is known.
                [sys.executable, "-P", "-c", BOOTSTRAP],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Native libraries chatter there, and would break the progress bar.
                stderr=subprocess.DEVNULL,
                env=os.environ | SINGLE_THREADED,
            )
            self._alive.add(process)
            return process

    def end(self, process: subprocess.Popen[bytes]) -> int:
        """Kill a process, if it still lives, and return its exit code."""
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # unsent bytes of a broken pipe
                if pipe is not None:
                    pipe.close()
        with self._lock:
            self._alive.discard(process)
        return code

    def close(self) -> None:
        """Kill every process; their lanes see the pipes end."""
        with self._lock:
            self._closed = True
            alive = list(self._alive)
        for process in alive:
            process.kill()
        for process in alive:
            process.wait()


class _PoolClosedError(Exception):
    """The pool is closing: the lane may go."""


class _WorkerGoneError(Exception):
    """A worker ended, or was ended because it was stuck, before it answered."""


class _LaneWorker:
    """The one worker process of a lane, started when needed."""

    def __init__(self, job: bytes, processes: _Processes, photo_timeout_s: float) -> None:
        self._job = job
        self._processes = processes
        self._photo_timeout_s = photo_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self.photos = 0

    def run(self, shard: Shard) -> object:
        """Send a shard to the worker and return its answer.

        Raises
        ------
        WorkerError
            If no worker can be started.
        _WorkerGoneError
            If the worker ends, or takes too long.
        """
        if self._process is None:
            self._process = self._started()
        self.photos += len(shard)
        return _ask(self._process, pickle.dumps(shard), self._photo_timeout_s * len(shard))

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            process = self._processes.start()
        except OSError as error:
            raise _no_worker(error.strerror or type(error).__name__) from error
        self._process = process
        try:
            answer = _ask(process, pickle.dumps(sys.path) + self._job, _START_TIMEOUT_S)
        except _WorkerGoneError:
            code = self.end()
            raise _no_worker(f"a process that ended with code {code}") from None
        if answer != READY:  # pragma: no cover - nothing else is ever sent first
            raise _no_worker("a process that speaks otherwise")
        self.photos = 0
        return process

    def end(self) -> int | None:
        """End the worker, if there is one, and return its exit code."""
        process, self._process = self._process, None
        return None if process is None else self._processes.end(process)


def _no_worker(found: str) -> WorkerError:
    return WorkerError(
        expected="worker processes to start",
        found=found,
        remedy="Try again with one worker",
    )


def _ask(process: subprocess.Popen[bytes], message: bytes, timeout_s: float) -> object:
    """Send bytes and wait for one pickled answer."""
    if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
        raise _WorkerGoneError
    watchdog = threading.Timer(timeout_s, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        process.stdin.write(message)
        process.stdin.flush()
        # The worker is this process's own child, running this package.
        answer: object = pickle.load(process.stdout)  # noqa: S301
    except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise _WorkerGoneError from error
    finally:
        watchdog.cancel()
    return answer


class _Lane(threading.Thread):
    """Feeds one worker: replaces it when it dies or has served long enough."""

    def __init__(
        self,
        worker: _LaneWorker,
        *,
        todo: queue.SimpleQueue[Shard | None],
        done: queue.Queue[tuple[Outcome, ...] | BaseException],
        photos_per_worker: int,
    ) -> None:
        super().__init__(name="skinscan-lane", daemon=True)
        self._worker = worker
        self._todo = todo
        self._done = done
        self._photos_per_worker = photos_per_worker

    def run(self) -> None:
        """Serve shards until told to stop or the pool closes."""
        try:
            while (shard := self._todo.get()) is not None:
                try:
                    self._done.put(self._measure(shard))
                except _PoolClosedError:
                    return
                except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                    self._done.put(error)
        finally:
            self._worker.end()

    def _measure(self, shard: Shard) -> tuple[Outcome, ...]:
        attempts = _ATTEMPTS if len(shard) == 1 else 1
        for _ in range(attempts):
            try:
                answer = self._worker.run(shard)
            except _WorkerGoneError:
                self._worker.end()
                continue
            if self._worker.photos >= self._photos_per_worker:
                self._worker.end()
            if isinstance(answer, SkinscanError):
                raise answer
            return tuple(cast("list[Outcome]", answer))
        if len(shard) == 1:
            return (_quarantined(shard[0]),)
        return tuple(outcome for task in shard for outcome in self._measure((task,)))


def _quarantined(task: Task) -> Outcome:
    return failed(
        task,
        WorkerError(
            expected="a worker that survives the photo",
            found=f"that it ended {_ATTEMPTS} times while measuring it",
            remedy="Save the photo again with another program, or leave it out",
        ),
    )


def check_workers(workers: int) -> None:
    """Refuse a number of workers below 1.

    Raises
    ------
    BadOptionError
    """
    if workers < 1:
        raise BadOptionError(
            expected="at least 1 worker",
            found=str(workers),
            remedy="Leave the number of workers out to use all cores",
        )


def default_workers(photos: int) -> int:
    """How many workers are worth starting for so many photos.

    Parameters
    ----------
    photos : int

    Returns
    -------
    int
        At least 1, and at most the cores that this process may use.
    """
    available = getattr(os, "process_cpu_count", os.cpu_count)() or 1
    if hasattr(os, "sched_getaffinity"):
        available = min(available, len(os.sched_getaffinity(0)))
    return max(1, min(available, photos // _PHOTOS_WORTH_A_WORKER))


def make_engine(job: Job, *, workers: int) -> Engine:
    """Choose the engine for a number of workers.

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


def run(engine: Engine, tasks: Iterable[Task], *, window: int) -> Iterator[Outcome]:
    """Measure photos, with a bounded number of them under way.

    Parameters
    ----------
    engine : Engine
    tasks : iterable of Task
        Read only as fast as photos are done.
    window : int
        Most photos submitted and not yet given back.

    Yields
    ------
    Outcome
        In the order in which they are done.
    """
    shards = ((task,) for task in tasks)
    for shard in islice(shards, window):
        engine.submit(shard)
    for outcomes in engine.completed():
        for shard in islice(shards, len(outcomes)):
            engine.submit(shard)
        yield from outcomes
