"""Photos that somebody sends for a run: on the disk, one at a time, until they were measured."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool

from skinscan.batch.files import output_error
from skinscan.batch.sources import SourcePhoto, clean_name
from skinscan.errors import BatchBusyError, BatchTooLargeError, PhotoTooLargeError

#: Photos that one run takes at most.
MOST_SENT: Final = 2_000

_LONGEST_NAME: Final = 250
_BUFFER: Final = 2**20


class Inbox:
    """Where the photos of a run arrive.

    Parameters
    ----------
    folder : Path
        For this run alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._photos: dict[str, SourcePhoto] = {}
        self._digests: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._closed = False

    def __len__(self) -> int:
        return len(self._photos)

    async def take(self, name: str, content: AsyncIterable[bytes], *, most_bytes: int) -> None:
        """Keep a photo; never the whole of it in memory.

        The same file sent again is there once; another one of the same name gets another name.

        Parameters
        ----------
        name : str
            What the table calls it; no file gets it.
        content : async iterable of bytes
        most_bytes : int

        Raises
        ------
        PhotoTooLargeError
            It is larger than `most_bytes`.
        BatchTooLargeError, BatchBusyError
            There are enough, or they are being measured already.
        OutputError
            It cannot be kept.
        """
        path = self._folder / f"{secrets.token_hex(8)}.photo"
        digest = hashlib.sha256()
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb", buffering=_BUFFER) as file:
                async for part in _limited(content, most_bytes):
                    digest.update(part)
                    await run_in_threadpool(file.write, part)
            self._add(path, _clean(name), digest.digest())
        except BaseException as error:
            # Also where the connection broke: half a photo is of no use to anybody.
            with contextlib.suppress(OSError):
                path.unlink()
            if isinstance(error, OSError):
                raise output_error(error, "a photo") from error
            raise

    def _add(self, path: Path, name: str, digest: bytes) -> None:
        with self._lock:
            label, number = name, 1
            while label in self._photos and self._digests[label] != digest:
                number += 1
                stem, dot, ending = name.rpartition(".")
                label = f"{stem} ({number}).{ending}" if dot else f"{name} ({number})"
            if label in self._photos:
                path.unlink()
                return
            if self._closed:
                raise BatchBusyError(
                    expected="photos before they are measured",
                    found="a run that has begun",
                    remedy="Wait until it is done",
                )
            if len(self._photos) >= MOST_SENT:
                raise BatchTooLargeError(
                    expected=f"at most {MOST_SENT} photos",
                    found="more",
                    remedy="Use skinscan score",
                )
            status = path.stat()
            self._digests[label] = digest
            self._photos[label] = SourcePhoto(label, str(path), status.st_size, status.st_mtime_ns)

    def close(self) -> list[SourcePhoto]:
        """Take no more, and list what is here by name."""
        with self._lock:
            self._closed = True
            return [self._photos[name] for name in sorted(self._photos)]

    def forget(self, name: str) -> None:
        """Delete a photo that was measured."""
        Path(self._photos[name].path).unlink(missing_ok=True)


def _clean(name: str) -> str:
    return clean_name(name.replace("\\", "/").strip()[-_LONGEST_NAME:]) or "photo"


async def _limited(content: AsyncIterable[bytes], most_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for part in content:
        size += len(part)
        if size > most_bytes:
            raise PhotoTooLargeError(
                expected=f"at most {most_bytes} bytes",
                found="more",
                remedy="Export the photo at a smaller size",
            )
        yield part
