"""A child process that measures photos one by one, and is replaced when it dies or ages.

A photo that kills the child, or does not end, takes nothing else with it: the parent knows which
photo the child had. Such a photo is tried once more in a fresh child and then given back as failed
with the cause ``worker``: it is in quarantine. Every engine but the one in the calling process
measures through such a child, so the decision is taken here alone.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from typing import Final, cast

from skinscan.batch.measure import Outcome, Task, failed
from skinscan.batch.worker import BOOTSTRAP, READY, SINGLE_THREADED
from skinscan.errors import SkinscanError, WorkerError

#: Photos after which a child is replaced, so that no library's leak can add up.
PHOTOS_PER_CHILD: Final = 200
#: A photo that takes longer is treated like one that kills its child.
PHOTO_TIMEOUT_S: Final = 300.0
#: How often a photo may kill what measures it.
ATTEMPTS: Final = 2

_START_TIMEOUT_S: Final = 120.0


class Processes:
    """Living children; none can start once it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(self) -> subprocess.Popen[bytes]:
        """Start the interpreter of a child."""
        with self._lock:
            if self._closed:
                raise ClosedError
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
        """Kill every process; whoever waits for them sees the pipes end."""
        with self._lock:
            self._closed = True
            alive = list(self._alive)
        for process in alive:
            process.kill()
        for process in alive:
            process.wait()


class ClosedError(Exception):
    """No child may start any more: whoever wanted one may go."""


class _ChildGoneError(Exception):
    """The child ended, or was ended because it was stuck, before it answered."""


class Child:
    """One child at a time, started when needed.

    Parameters
    ----------
    job : bytes
        The pickled job.
    processes : Processes
        Where its processes are counted.
    photo_timeout_s : float
        Longest time for one photo, s.
    photos_per_child : int
        Photos after which a process is replaced.
    """

    def __init__(
        self,
        job: bytes,
        processes: Processes,
        *,
        photo_timeout_s: float = PHOTO_TIMEOUT_S,
        photos_per_child: int = PHOTOS_PER_CHILD,
    ) -> None:
        self._job = job
        self._processes = processes
        self._photo_timeout_s = photo_timeout_s
        self._photos_per_child = photos_per_child
        self._process: subprocess.Popen[bytes] | None = None
        self._photos = 0

    def measure(self, task: Task) -> Outcome:
        """Measure one photo; a photo that kills the child twice is given back as failed.

        Raises
        ------
        WorkerError
            If no child can be started.
        SkinscanError
            What the job raised because it concerns every photo.
        ClosedError
            If no child may start any more.
        """
        for _ in range(ATTEMPTS):
            if self._process is None:
                self._process = self._started()
            self._photos += 1
            try:
                answer = _ask(self._process, pickle.dumps((task,)), self._photo_timeout_s)
            except _ChildGoneError:
                self.end()
                continue
            if self._photos >= self._photos_per_child:
                self.end()
            if isinstance(answer, SkinscanError):
                raise answer
            (outcome,) = cast("list[Outcome]", answer)
            return outcome
        return quarantined(task)

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            process = self._processes.start()
        except OSError as error:
            raise _no_worker(error.strerror or type(error).__name__) from error
        self._process = process
        try:
            answer = _ask(process, pickle.dumps(sys.path) + self._job, _START_TIMEOUT_S)
        except _ChildGoneError:
            code = self.end()
            raise _no_worker(f"a process that ended with code {code}") from None
        if answer != READY:  # pragma: no cover - nothing else is ever sent first
            raise _no_worker("a process that speaks otherwise")
        self._photos = 0
        return process

    def end(self) -> int | None:
        """End the process, if there is one, and return its exit code."""
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
        raise _ChildGoneError
    watchdog = threading.Timer(timeout_s, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        process.stdin.write(message)
        process.stdin.flush()
        # The child is started by this process and runs this package.
        answer: object = pickle.load(process.stdout)  # noqa: S301
    except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise _ChildGoneError from error
    finally:
        watchdog.cancel()
    return answer


def quarantined(task: Task) -> Outcome:
    """Make the outcome of a photo that kills whatever measures it."""
    return failed(
        task,
        WorkerError(
            expected="a worker that survives the photo",
            found=f"that it ended {ATTEMPTS} times while measuring it",
            remedy="Save the photo again with another program, or leave it out",
        ),
    )
