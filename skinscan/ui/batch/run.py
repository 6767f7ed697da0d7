"""One run over many photos: which, how far, what failed, and its tables.

It goes on in a thread that feeds worker processes, whatever page is open. Its results are in a
journal in the run's private folder. A photo that was sent is deleted as soon as it was measured.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import IO, Final

from skinscan.batch.engines import EngineOptions
from skinscan.batch.files import output_error
from skinscan.batch.fill import fill
from skinscan.batch.journal import Journal, open_journal
from skinscan.batch.measure import Job, Levels, MeasurePhoto, Outcome
from skinscan.batch.sources import SourcePhoto
from skinscan.batch.tables import Form, long_records, write_table
from skinscan.errors import SkinscanError
from skinscan.ui.batch.inbox import Inbox
from skinscan.ui.scoring import log_unexpected

#: Photos that are named for each cause of failure; the table has all.
MOST_NAMED: Final = 100


class State(StrEnum):
    """What a run is doing."""

    GATHERING = "gathering"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class Source(StrEnum):
    """Where the photos come from."""

    FOLDER = "folder"
    SENT = "sent"


@dataclass(frozen=True)
class Table:
    """A form in which results can be had."""

    form: Form
    wide: bool
    media_type: str


#: The tables of a run, by the last part of their address.
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "scores.csv": Table("csv", wide=False, media_type="text/csv; charset=utf-8"),
        "scores.parquet": Table("parquet", wide=False, media_type="application/vnd.apache.parquet"),
        "scores-wide.csv": Table("csv", wide=True, media_type="text/csv; charset=utf-8"),
    }
)


@dataclass(frozen=True)
class Options:
    """How photos are measured."""

    levels: Levels = "highest"
    largest_face: bool = False


def job_of(options: Options) -> Job:
    """Say what measures a photo."""
    return MeasurePhoto(levels=options.levels, largest_face=options.largest_face)


@dataclass
class Failures:
    """Photos that failed for one cause.

    Attributes
    ----------
    sentence : str
        Of the first of them.
    count : int
    names : list of str
        Up to `MOST_NAMED`.
    """

    sentence: str
    count: int = 0
    names: list[str] = field(default_factory=list)


class Run:
    """A run of somebody.

    Parameters
    ----------
    user_id : str
        Whose it is.
    folder : Path
        For this run alone; its name cannot be guessed.
    photos : list of SourcePhoto, optional
        Those of a folder; without, they are sent.
    left_out : int
        Links that were left out.

    Attributes
    ----------
    id : str
        Name of its folder.
    inbox : Inbox or None
        Where photos arrive, if they are sent.
    state : State
    done : int
        Photos that were measured or failed.
    scored, quarantined : int
    failures : dict of str to Failures
        By cause.
    trouble : str
        Cause for which nothing could be measured any more; empty if there is none.
    """

    def __init__(
        self,
        user_id: str,
        folder: Path,
        *,
        photos: list[SourcePhoto] | None = None,
        left_out: int = 0,
    ) -> None:
        self.id = folder.name
        self.user_id = user_id
        self.inbox = Inbox(folder) if photos is None else None
        self.left_out = left_out
        self.state = State.GATHERING
        self.options = Options()
        self.done = self.scored = self.quarantined = 0
        self.failures: dict[str, Failures] = {}
        self.trouble = ""
        self._folder = folder
        self._photos = list(photos or ())
        self._journal: Journal | None = None
        self._stopping = threading.Event()
        self._using = threading.RLock()
        self._thread: threading.Thread | None = None
        self._first: tuple[float, int] | None = None

    @property
    def total(self) -> int:
        """Photos in all."""
        return len(self._photos) if self.inbox is None else len(self.inbox)

    @property
    def source(self) -> Source:
        """Where they come from."""
        return Source.FOLDER if self.inbox is None else Source.SENT

    @property
    def failed(self) -> int:
        """Photos without a measurement that are not in quarantine."""
        return self.done - self.scored - self.quarantined

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self.state is State.RUNNING and self._stopping.is_set()

    def speed(self) -> float:
        """Tell how many photos are done in a second; 0 as long as that is not known.

        Counted from the first photo of the last start: making processes takes its time.
        """
        if self._first is None:
            return 0.0
        at, done = self._first
        took = monotonic() - at
        return (self.done - done) / took if took > 0 else 0.0

    def start(self, options: Options, *, workers: int, ended: Callable[[], None]) -> None:
        """Measure what is missing; returns at once.

        Parameters
        ----------
        options : Options
            Of the first start; later ones go on with those.
        workers : int
        ended : callable
            Called when it is done, was stopped, or cannot go on.

        Raises
        ------
        OutputError
            Results cannot be kept.
        """
        with self._using:
            if self._journal is None:
                self.options = options
                if self.inbox is not None:
                    self._photos = self.inbox.close()
                self._journal = open_journal(self._folder / "results", {}, resume=False)
            self._stopping.clear()
            self.trouble = ""
            self.state = State.RUNNING
            self._first = None
            self._thread = threading.Thread(
                target=self._work,
                args=(self._journal, workers, ended),
                name="skinscan-batch",
                daemon=True,
            )
            self._thread.start()

    def stop(self) -> None:
        """Ask it to stop after the photo that is being measured."""
        self._stopping.set()

    def wait(self, timeout_s: float) -> None:
        """Wait until it is not running."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _work(self, journal: Journal, workers: int, ended: Callable[[], None]) -> None:
        try:
            outcomes = fill(
                journal,
                self._photos,
                job=job_of(self.options),
                options=EngineOptions(workers=workers, apart=True),
            )
            with contextlib.closing(outcomes):
                for outcome in outcomes:
                    self._count(outcome)
                    if self._stopping.is_set():
                        break
        except SkinscanError as error:
            log_unexpected(error)
            self.trouble = error.cause
        except Exception as error:  # noqa: BLE001 - a thread's error would be said to nobody
            log_unexpected(error)
            self.trouble = "internal"
        finally:
            self.state = State.DONE if self.done == self.total else State.STOPPED
            ended()

    def _count(self, outcome: Outcome) -> None:
        self.done += 1
        if self._first is None:
            self._first = (monotonic(), self.done)
        self.scored += outcome.state == "scored"
        self.quarantined += outcome.state == "quarantined"
        if outcome.error:
            cause, _, sentence = outcome.error.partition(": ")
            failures = self.failures.setdefault(cause, Failures(sentence))
            failures.count += 1
            if len(failures.names) < MOST_NAMED:
                failures.names.append(outcome.photo)
        if self.inbox is not None:
            self.inbox.forget(outcome.photo)

    def rows(self, most: int) -> list[tuple[str | float, ...]]:
        """Read the first rows of the table."""
        with self._using:
            return list(islice(chain.from_iterable(map(long_records, self._outcomes())), most))

    def table(self, name: str) -> IO[bytes]:
        """Write a table of what was measured.

        Parameters
        ----------
        name : str
            Out of `TABLES`.

        Returns
        -------
        file
            Under no name; gone when it is closed.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        table = TABLES[name]
        with self._using:
            try:
                file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - the caller closes it
                try:
                    write_table(
                        file,
                        self._outcomes,
                        form=table.form,
                        wide=table.wide,
                        levels=self.options.levels,
                    )
                    file.seek(0)
                except BaseException:
                    file.close()
                    raise
            except OSError as error:
                raise output_error(error, "the table") from error
            return file

    def _outcomes(self) -> Iterator[Outcome]:
        if self._journal is None:
            return iter(())
        journal = self._journal
        return journal.outcomes(photo for photo in self._photos if journal.has(photo))

    def remove(self) -> None:
        """Delete all that there is of it."""
        with self._using:
            if self._journal is not None:
                self._journal.remove()
            shutil.rmtree(self._folder, ignore_errors=True)
