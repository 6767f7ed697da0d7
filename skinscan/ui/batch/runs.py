"""All runs of this server: one for each person, few at the same time, none for ever."""

from __future__ import annotations

import atexit
import secrets
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from skinscan.batch.files import output_error
from skinscan.batch.sources import find_photos_within
from skinscan.batch.workers import default_workers
from skinscan.errors import BatchBusyError, BatchTooLargeError, OutputError, RecordMissingError
from skinscan.ui.batch.run import Options, Run, State
from skinscan.ui.batch.space import Space, space_of
from skinscan.ui.web import office

#: Photos of a folder that one run measures; more are for `skinscan score`.
MOST_PHOTOS: Final = 5_000

#: Runs that measure at the same time.
MOST_RUNNING: Final = 2

#: How long a run is kept with which nothing happens, h.
KEPT_H: Final = 24

_STOP_TIMEOUT_S: Final = 2.0


class Runs:
    """Runs by whom they belong to.

    Parameters
    ----------
    space : Space
    workers : int
        Processes of each run.
    kept_s : float
        How long a run is kept with which nothing happens, s.
    """

    def __init__(self, space: Space, *, workers: int, kept_s: float = KEPT_H * 3600.0) -> None:
        self._space = space
        self._workers = workers
        self._kept_s = kept_s
        self._by_user: dict[str, Run] = {}
        self._timers: dict[str, threading.Timer] = {}
        self._lock = threading.RLock()

    def of(self, user_id: str) -> Run | None:
        """Find somebody's run."""
        with self._lock:
            return self._by_user.get(user_id)

    def find(self, user_id: str, run_id: str) -> Run:
        """Find a run that somebody names: their own, or none.

        Raises
        ------
        RecordMissingError
        """
        run = self.of(user_id)
        if run is None or not secrets.compare_digest(run.id.encode(), run_id.encode()):
            raise RecordMissingError(
                expected="a run of yours", found="none", remedy="Choose one on the page"
            )
        return run

    def gathering(self, user_id: str) -> Run:
        """Find or make the run for which somebody sends photos.

        Raises
        ------
        BatchBusyError
            They have a run that has begun.
        OutputError
            There is no room on the disk.
        """
        with self._lock:
            run = self._by_user.get(user_id)
            if run is None:
                run = self._made(user_id, lambda folder: Run(user_id, folder))
            elif run.state is not State.GATHERING or run.inbox is None:
                raise _busy("another run of yours")
            if not self._has_room():
                raise _no_room()
            return run

    def of_folder(self, user_id: str, folder: Path, root: Path) -> Run:
        """Make a run over a folder.

        Raises
        ------
        SourceFolderError
            It cannot be read, or holds no photo.
        BatchTooLargeError
            It holds too many.
        BatchBusyError, OutputError
            As `gathering`.
        """
        photos, left_out = find_photos_within(folder, root, most=MOST_PHOTOS + 1)
        if len(photos) > MOST_PHOTOS:
            raise BatchTooLargeError(
                expected=f"at most {MOST_PHOTOS} photos",
                found="more",
                remedy="Choose a folder inside of it, or use skinscan score",
            )
        with self._lock:
            if user_id in self._by_user:
                raise _busy("another run of yours")
            if not self._has_room():
                raise _no_room()
            return self._made(
                user_id, lambda own: Run(user_id, own, photos=photos, left_out=left_out)
            )

    def start(self, run: Run, options: Options, *, noted: Callable[[], None]) -> None:
        """Begin to measure, or go on; returns at once.

        Parameters
        ----------
        run : Run
        options : Options
        noted : callable
            Writes down that it begins; called only if it may.

        Raises
        ------
        BatchBusyError
            The server has as many runs as it takes.
        OutputError
        """
        with self._lock:
            if run.state is State.RUNNING:
                return
            running = sum(each.state is State.RUNNING for each in self._by_user.values())
            if running >= MOST_RUNNING:
                raise _busy("as many runs as the server takes")
            noted()
            run.start(options, workers=self._workers, ended=lambda: self._keep(run))

    def drop(self, run: Run) -> None:
        """Forget a run that is not running, with all that there is of it."""
        with self._lock:
            if run.state is State.RUNNING or self._by_user.get(run.user_id) is not run:
                return
            del self._by_user[run.user_id]
            self._timers.pop(run.user_id).cancel()
        run.remove()

    def close(self) -> None:
        """Stop everything and delete it."""
        with self._lock:
            left = list(self._by_user.values())
            self._by_user.clear()
            for timer in self._timers.values():
                timer.cancel()
        for run in left:
            run.stop()
        for run in left:
            run.wait(_STOP_TIMEOUT_S)
            if run.state is not State.RUNNING:
                run.remove()
        self._space.close()

    def _made(self, user_id: str, make: Callable[[Path], Run]) -> Run:
        try:
            run = make(self._space.new_folder(secrets.token_hex(16)))
        except OSError as error:
            raise output_error(error, "what a run needs") from error
        self._by_user[user_id] = run
        self._keep(run)
        return run

    def _has_room(self) -> bool:
        try:
            return self._space.has_room()
        except OSError as error:
            raise output_error(error, "what a run needs") from error

    def _keep(self, run: Run) -> None:
        """Give a run its time from now on."""
        with self._lock:
            if self._by_user.get(run.user_id) is not run:
                return
            kept = self._timers.get(run.user_id)
            if kept is not None:
                kept.cancel()
            timer = threading.Timer(self._kept_s, self.drop, (run,))
            timer.daemon = True
            timer.start()
            self._timers[run.user_id] = timer


def _busy(found: str) -> BatchBusyError:
    return BatchBusyError(expected="room for a run", found=found, remedy="Wait until it is done")


def _no_room() -> OutputError:
    return OutputError(
        expected="free space on the server's disk", found="too little", remedy="Make room there"
    )


@cache
def runs() -> Runs:
    """Open the runs of this process.

    Raises
    ------
    OutputError
        There is no folder for them.
    """
    try:
        space = Space(space_of(office.records().places))
    except OSError as error:
        raise output_error(error, "what runs need") from error
    # All runs together leave the pages half of the machine, wherever it has more than one core.
    workers = max(1, default_workers(MOST_PHOTOS) // (2 * MOST_RUNNING))
    found = Runs(space, workers=workers)
    atexit.register(found.close)
    return found
