"""Where sealed photos and scans lie: a folder, or whatever fsspec reaches.

An object is written once under a random name and never changed. Its name begins with the client's
identifier, so that erasing a client is deleting what lies under it.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from skinscan.durable import PARTIAL, make_private_folder, sync_folder, write_private
from skinscan.errors import (
    ObjectMissingError,
    ObjectStoreError,
    ObjectStoreUnavailableError,
    StorageFullError,
)

_NAME = re.compile(r"[0-9a-f]{32}/[a-z]+-[0-9a-f]{32}")

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Stored:
    """What lies in an object store.

    Attributes
    ----------
    name : str
        With ``/`` between client and object; of litter, where it lies.
    size : int
        Bytes.
    age_s : float
        Seconds since it was written.
    whole : bool
        Whether it is an object, and no litter of a write that was cut off.
    """

    name: str
    size: int
    age_s: float
    whole: bool


class ObjectStore(Protocol):
    """What the vault needs of a place."""

    def put(self, name: str, content: bytes) -> None:
        """Write an object; it is safe when this returns."""

    def get(self, name: str) -> bytes:
        """Read an object."""

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is fine."""

    def list(self, client_id: str | None = None) -> Iterator[Stored]:
        """Tell all that lies there, or of one client, litter included."""


def object_name(client_id: str, kind: str, object_id: str) -> str:
    """Name an object."""
    return _checked(f"{client_id}/{kind}-{object_id}")


class FolderObjects:
    """Objects in a local folder.

    Parameters
    ----------
    root : Path
        Made if missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def put(self, name: str, content: bytes) -> None:
        """See `ObjectStore`.

        Raises
        ------
        StorageFullError, ObjectStoreUnavailableError
        """
        path = self.root / _checked(name)
        try:
            make_private_folder(path.parent)
            write_private(path, content)
        except OSError as error:
            raise _translated(error) from error

    def get(self, name: str) -> bytes:
        """See `ObjectStore`.

        Raises
        ------
        ObjectMissingError, ObjectStoreUnavailableError
        """
        try:
            return (self.root / _checked(name)).read_bytes()
        except OSError as error:
            raise _translated(error) from error

    def delete(self, name: str) -> None:
        """See `ObjectStore`."""
        path = self.root / name
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ValueError("outside of the object store")
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
                if path.parent != self.root and not any(path.parent.iterdir()):
                    path.parent.rmdir()
        except OSError as error:
            raise _translated(error) from error

    def list(self, client_id: str | None = None) -> Iterator[Stored]:
        """See `ObjectStore`."""
        folder = self.root if client_id is None else self.root / client_id
        now = time.time()
        for path in sorted(folder.rglob("*")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if path.is_dir():
                continue
            name = path.relative_to(self.root).as_posix()
            yield Stored(
                name, status.st_size, now - status.st_mtime, _NAME.fullmatch(name) is not None
            )


class FsspecObjects:
    """Objects wherever fsspec reaches; a store that writes an object whole or not at all.

    Parameters
    ----------
    url : str
        As ``s3://bucket/prefix``.
    options : dict, optional
        For the file system.

    Raises
    ------
    ObjectStoreUnavailableError
        No such kind of store, or its package is missing.
    """

    def __init__(self, url: str, options: dict[str, Any] | None = None) -> None:
        import fsspec  # noqa: PLC0415 - a practice with a folder does not wait for it

        try:
            self._fs, root = fsspec.core.url_to_fs(url, **(options or {}))
        except (ImportError, ValueError) as error:
            raise ObjectStoreUnavailableError(
                expected="the address of an object store, and the package for it",
                found=type(error).__name__,
                remedy="Correct the address, or install the extra: s3, gs or az",
            ) from error
        self._root = root.rstrip("/")

    def put(self, name: str, content: bytes) -> None:
        """See `ObjectStore`."""
        path = self._path(name)
        with _reached():
            self._fs.pipe_file(path, content)

    def get(self, name: str) -> bytes:
        """See `ObjectStore`."""
        path = self._path(name)
        with _reached():
            content: bytes = self._fs.cat_file(path)
        return content

    def delete(self, name: str) -> None:
        """See `ObjectStore`."""
        with _reached():
            try:
                self._fs.rm_file(f"{self._root}/{name}")
            except FileNotFoundError:
                return

    def list(self, client_id: str | None = None) -> Iterator[Stored]:
        """See `ObjectStore`."""
        folder = self._root if client_id is None else f"{self._root}/{client_id}"
        with _reached():
            self._fs.invalidate_cache()
            found = self._fs.find(folder, detail=True)
        now = time.time()
        for path, entry in sorted(found.items()):
            name = path[len(self._root) + 1 :]
            written = entry.get("LastModified") or entry.get("mtime") or entry.get("created") or now
            seconds = written if isinstance(written, int | float) else written.timestamp()
            yield Stored(name, entry["size"], now - seconds, _NAME.fullmatch(name) is not None)

    def _path(self, name: str) -> str:
        return f"{self._root}/{_checked(name)}"


def open_objects(url: str) -> ObjectStore:
    """Open the object store at an address: a folder's path or ``file://``, or another URL."""
    if "://" not in url:
        return FolderObjects(Path(url))
    if url.startswith("file://"):
        return FolderObjects(Path(url.removeprefix("file://")))
    return FsspecObjects(url)


class _reached:  # noqa: N801 - a context manager reads as a verb
    """Turn what file systems raise into errors of the store."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, ObjectStoreError) or not isinstance(error, Exception):
            return
        raise _translated(error) from error


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("no name of an object")
    return name


def _translated(error: Exception) -> ObjectStoreError | StorageFullError:
    if isinstance(error, FileNotFoundError):
        return ObjectMissingError(
            expected="an object that the records name",
            found="nothing there",
            remedy="Run: skinscan doctor; restore a backup if objects are missing",
        )
    if isinstance(error, OSError) and error.errno in _FULL:
        return StorageFullError(
            expected="room on the disk",
            found="none left",
            remedy="Nothing was saved: make room and do it again",
        )
    return ObjectStoreUnavailableError(
        expected="an object store that can be reached, read and written",
        found=os.strerror(error.errno).lower()
        if isinstance(error, OSError) and error.errno
        else type(error).__name__,
        remedy="Check the address, the connection and the rights; nothing was saved",
    )


__all__ = [
    "PARTIAL",
    "FolderObjects",
    "FsspecObjects",
    "ObjectStore",
    "Stored",
    "object_name",
    "open_objects",
]
