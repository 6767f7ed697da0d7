"""One run at a time on one output.

A local output is held by a lock of the operating system on a file, which ends with the process
that holds it, however that ends. In a store there is no such thing: a marker object says which run
works there, and that run renews it again and again while it lives. A marker that stays as it is
was left behind by a run that was killed, and a resumed run may take it over.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Final

from skinscan.batch.files import lock, output_error
from skinscan.batch.storage import OutputFolder
from skinscan.errors import OutputError, OutputInUseError, SkinscanError

#: Name of the file or marker inside an archive's results.
LOCK: Final = "_lock"

#: A run renews its marker so often, s.
_BEAT_S: Final = 20.0
#: A marker that did not change for so long, while somebody looked, is nobody's, s.
_SILENT_S: Final = 90.0
_LOOK_S: Final = 5.0
#: A marker so old is nobody's at once, s. Stores refuse requests of computers whose clock is off
#: by 15 minutes, so that two clocks differ by less than twice that.
_OLD_S: Final = 45 * 60.0
#: Of two that take over one marker at a time, the later one has it: wait so long and look, s.
_SETTLE_S: Final = 2.0

_WANTED: Final = "an output that no other run is working on"

logger = logging.getLogger("skinscan.batch")


def open_locked(path: Path, what: str) -> FileIO:
    """Open a file, made if absent, and lock it until it is closed or the process ends.

    Parameters
    ----------
    path : Path
    what : str
        For messages, for example ``"the results"``.

    Raises
    ------
    OutputInUseError
        If another process has locked it.
    OutputError
        If the file cannot be opened, or files there cannot be locked.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise output_error(error, what) from error
        file = FileIO(descriptor, "r+b")
        try:
            _lock(file)
            # Whoever had it before may have deleted it after we opened it.
            if _is_at(path, file):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _is_at(path: Path, file: FileIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: FileIO) -> None:
    try:
        lock(file)
    except (BlockingIOError, PermissionError) as error:
        raise OutputInUseError(
            expected=_WANTED,
            found="results in use by another process",
            remedy="Wait for the other run, or choose another output",
        ) from error
    except OSError as error:
        raise OutputError(
            expected="a folder in which files can be locked",
            found=(error.strerror or type(error).__name__).lower(),
            remedy="Choose a folder on a disk of this computer, or an object store",
        ) from error


@contextlib.contextmanager
def only_run(folder: OutputFolder, *, resume: bool) -> Iterator[Callable[[], None]]:
    """Keep other runs from an output while the block runs.

    Parameters
    ----------
    folder : OutputFolder
    resume : bool
        Take over what a killed run left behind in a store; this may take `_SILENT_S`.

    Yields
    ------
    callable
        Raises `OutputInUseError` when another run has taken the output over. Call it before
        something is written.

    Raises
    ------
    OutputInUseError
        If another run is working on the output.
    OutputError, StorageError
        If the lock cannot be read or written.
    """
    if folder.local is not None:
        with _locked_file(folder.local / LOCK):
            yield lambda: None
        return
    marker = _Held(folder)
    marker.take(resume=resume)
    try:
        yield marker.check
    finally:
        marker.release()


@contextlib.contextmanager
def _locked_file(path: Path) -> Iterator[None]:
    file = open_locked(path, "the results")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows keeps it while it is open
            path.unlink()
        file.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class _Marker:
    """What the marker in a store says."""

    run: str = ""
    host: str = "a computer without a name"
    began: str = field(default_factory=_now)
    alive: str = field(default_factory=_now)
    beat: int = 0

    def encoded(self) -> bytes:
        return json.dumps(asdict(self), indent=2).encode("ascii") + b"\n"

    @classmethod
    def decoded(cls, content: bytes) -> _Marker:
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            found = cls(**json.loads(content))
            datetime.fromisoformat(found.began)
            if datetime.fromisoformat(found.alive).tzinfo is not None:
                return found
        return cls()

    def age_s(self) -> float:
        return (datetime.now(UTC) - datetime.fromisoformat(self.alive)).total_seconds()

    def __str__(self) -> str:
        return f"the run that began {self.began} on {self.host}"


class _Held:
    """The marker of this run."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._marker = _Marker(run=uuid.uuid4().hex, host=platform.node() or _Marker.host)
        self._ended = threading.Event()
        self._lost = False
        self._beating = threading.Thread(target=self._beat, name="skinscan-lock", daemon=True)

    def take(self, *, resume: bool) -> None:
        """Put the marker there, and keep it alive."""
        # Stores that know no conditions would replace what is there: so look first.
        found = self._folder.content(LOCK)
        if found is not None or not self._folder.create(LOCK, self._marker.encoded()):
            found = found or self._folder.content(LOCK) or b""
            other = _Marker.decoded(found)
            if not resume or self._is_alive(found, other):
                raise _in_use(other)
            self._take_over(other)
        self._beating.start()

    def check(self) -> None:
        """Refuse to go on when another run has taken over."""
        if self._lost:
            raise OutputInUseError(
                expected=_WANTED,
                found="that another run has taken it over",
                remedy="Let the other run end: it takes what this one has done, and measures "
                "the rest",
            )

    def release(self) -> None:
        """Take the marker away."""
        self._ended.set()
        self._beating.join()
        # What was measured is there; a marker that stays is taken over by the next run.
        with contextlib.suppress(SkinscanError):
            if not self._lost and self._is_mine():
                self._folder.remove(LOCK)

    def _is_alive(self, found: bytes, other: _Marker) -> bool:
        if other.age_s() > _OLD_S:
            return False
        logger.warning(
            "This output is marked as in use by %s. Waiting %.0f s to see whether it is alive.",
            other,
            _SILENT_S,
        )
        end = time.monotonic() + _SILENT_S
        while time.monotonic() < end:
            time.sleep(_LOOK_S)
            now = self._folder.content(LOCK)
            if now != found:
                return now is not None
        return False

    def _take_over(self, other: _Marker) -> None:
        self._write()
        time.sleep(_SETTLE_S)
        if not self._is_mine():
            raise _in_use(_Marker.decoded(self._folder.content(LOCK) or b""))
        logger.warning("Taken over: %s has given no sign of life.", other)

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            # When the store does not answer, the next beat may be luckier.
            with contextlib.suppress(SkinscanError):
                if not self._is_mine():
                    self._lost = True
                    return
                self._write()

    def _is_mine(self) -> bool:
        return _Marker.decoded(self._folder.content(LOCK) or b"").run == self._marker.run

    def _write(self) -> None:
        self._marker = replace(self._marker, alive=_now(), beat=self._marker.beat + 1)
        with self._folder.written(LOCK) as file:
            file.write(self._marker.encoded())


def _in_use(other: _Marker) -> OutputInUseError:
    return OutputInUseError(
        expected=_WANTED,
        found=f"one in use by {other}",
        remedy="Wait for the other run, or choose another output. If it was killed, add --resume: "
        f"it is taken over when it gives no sign of life for {_SILENT_S:.0f} s",
    )
