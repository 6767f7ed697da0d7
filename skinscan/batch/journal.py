"""What is done already, kept through crashes.

Beside the output ``scores.csv`` lies ``scores.csv.partial`` while a run is under way: one line per
photo, appended and flushed to the disk as soon as the photo is done. A line is zlib-compressed
JSON in base64, so it carries its own checksum; a line that a crash tore off is dropped and its
photo done again. The first line holds the settings, because results of different settings or
versions must not be mixed in one table. The file is locked while a run uses it, and the lock ends
with its process, however that ends.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from skinscan.batch.files import output_error
from skinscan.batch.lock import open_locked
from skinscan.batch.measure import Outcome
from skinscan.batch.sources import SourcePhoto
from skinscan.durable import sync_folder
from skinscan.errors import OutputError

_WHAT: Final = "the partial results"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class _Entry:
    offset: int
    size_bytes: int
    modified_ns: int
    settled: bool


def journal_path(output: Path) -> Path:
    """Where the partial results for an output are kept."""
    return output.with_name(output.name + ".partial")


def _encode(content: object) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode("ascii")
    return base64.b64encode(zlib.compress(text, 6)) + b"\n"


def _decode(line: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the content of a line, or None if the line is damaged."""
    try:
        return json.loads(zlib.decompress(base64.b64decode(line.rstrip(b"\n"), validate=True)))
    except (ValueError, zlib.error):
        return None


class Journal:
    """The outcomes of the photos that are done.

    Use `open_journal`; the journal is a context manager that closes itself.
    """

    def __init__(self, path: Path, writer: FileIO) -> None:
        self._path = path
        # Unbuffered: nothing may linger here and fail later, when the file is closed.
        self._writer = writer
        self._reader = path.open("rb")
        self._entries: dict[str, _Entry] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entries or self._writer.closed:
            self.close()
        else:
            self.remove()  # nothing in it: leave no trace

    def __len__(self) -> int:
        return len(self._entries)

    def has(self, photo: SourcePhoto) -> bool:
        """Whether the photo is done, and has not changed since.

        One that its store did not give is not done.
        """
        entry = self._entries.get(photo.name)
        return (
            entry is not None
            and entry.settled
            and entry.size_bytes == photo.size_bytes
            and entry.modified_ns == photo.modified_ns
        )

    def append(self, photo: SourcePhoto, outcome: Outcome) -> None:
        """Keep an outcome; it is on the disk when this returns.

        Raises
        ------
        OutputError
            If it cannot be written, for instance because the disk is full.
        """
        line = _encode(
            {
                "photo": photo.name,
                "size_bytes": photo.size_bytes,
                "modified_ns": photo.modified_ns,
                "view": outcome.view,
                "rows": outcome.rows,
                "error": outcome.error,
            }
        )
        offset = self._append(line)
        self._entries[photo.name] = _Entry(
            offset, photo.size_bytes, photo.modified_ns, outcome.settled
        )

    def _append(self, line: bytes) -> int:
        try:
            offset = self._writer.seek(0, os.SEEK_END)
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[self._writer.write(rest) :]
                os.fsync(self._writer.fileno())
            except OSError:
                with contextlib.suppress(OSError):  # an unfinished line must not meet the next one
                    self._writer.truncate(offset)
                raise
        except OSError as error:
            raise output_error(error, _WHAT) from error
        return offset

    def outcomes(self, photos: Iterable[SourcePhoto]) -> Iterator[Outcome]:
        """Read outcomes back, in the order of `photos`.

        Yields
        ------
        Outcome

        Raises
        ------
        OutputError
            If a photo has no outcome, or it can no longer be read.
        """
        for photo in photos:
            entry = self._entries.get(photo.name)
            content = None
            if entry is not None:
                self._reader.seek(entry.offset)
                content = _decode(self._reader.readline())
            if content is None:
                raise OutputError(
                    expected="one outcome for every photo",
                    found="partial results that are damaged",
                    remedy="Run again with --resume; what is missing is measured again",
                )
            rows = tuple(tuple(row) for row in content["rows"])
            yield Outcome(content["photo"], content["view"], rows, content["error"])

    def close(self) -> None:
        """Close the journal and keep it."""
        self._reader.close()
        self._writer.close()

    def remove(self) -> None:
        """Close and delete the journal: the output is complete."""
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _start(self, settings: Mapping[str, object]) -> None:
        try:
            self._writer.truncate(0)
        except OSError as error:
            raise output_error(error, _WHAT) from error
        self._append(_encode({"format": _FORMAT, "settings": settings}))
        sync_folder(self._path.parent)

    def _read(self) -> Mapping[str, object] | None:
        """Index the lines and cut off a torn last one; return the settings, if there are any."""
        header = _decode(self._reader.readline())
        settings = header.get("settings") if isinstance(header, dict) else None
        offset = self._reader.tell()
        while (line := self._reader.readline()).endswith(b"\n"):
            content = _decode(line)
            if isinstance(content, dict):
                outcome = Outcome(content["photo"], error=content["error"])
                self._entries[outcome.photo] = _Entry(
                    offset, content["size_bytes"], content["modified_ns"], outcome.settled
                )
            offset += len(line)
        if settings is not None and line:
            self._writer.truncate(offset)
        return settings


def open_journal(output: Path, settings: Mapping[str, object], *, resume: bool) -> Journal:
    """Open the partial results for an output, or begin them.

    Parameters
    ----------
    output : Path
        The final table.
    settings : mapping of str to JSON values
        What must be equal for results to be mixed.
    resume : bool
        Continue what is there. Without it, results of an interrupted run are an error, because
        starting again would throw them away.

    Returns
    -------
    Journal

    Raises
    ------
    OutputError
        If the file cannot be written, is in use, holds results and `resume` is not set, or
        holds results of other settings.
    """
    path = journal_path(output)
    writer = open_locked(path, _WHAT)
    try:
        journal = Journal(path, writer)
    except OSError as error:
        writer.close()
        raise output_error(error, _WHAT) from error
    try:
        found = journal._read()  # noqa: SLF001 - opening is part of the class, kept out of its use
        if len(journal) == 0:
            journal._start(settings)  # noqa: SLF001 - same
        else:
            _check(found, settings, resume=resume)
    except BaseException:
        journal.close()
        raise
    return journal


def _check(
    found: Mapping[str, object] | None, wanted: Mapping[str, object], *, resume: bool
) -> None:
    delete = "delete the .partial file beside the output to start again"
    if not resume:
        raise OutputError(
            expected="no earlier run in the way",
            found="partial results of an interrupted run",
            remedy=f"Add --resume to continue it, or {delete}",
        )
    found = found or {}
    different = sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))
    if different:
        raise OutputError(
            expected="partial results made with the same settings",
            found=f"another {' and '.join(different)}",
            remedy=f"Use the same settings, or {delete}",
        )
