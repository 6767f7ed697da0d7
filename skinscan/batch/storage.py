"""Object stores and local folders: the only place that speaks to fsspec.

An address with ``://`` is a store's (``s3://``, ``gs://``, ``az://``, whatever fsspec has a driver
for); everything else is a local path. Credentials and end points come from the environment or the
files that the store's own tools use, never from an address.

A request that fails for a passing reason (503, a time-out, a broken connection) is repeated with
growing pauses, a bounded number of times. What is wrong for good (no such object, no permission)
is not repeated.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, TypeVar

from skinscan.batch.files import output_error, written_whole
from skinscan.errors import (
    MissingExtraError,
    OutputError,
    SkinscanError,
    SourceFolderError,
    StorageError,
    UnreadableFileError,
)

FileSystem: TypeAlias = Any  # fsspec has no types
_Result = TypeVar("_Result")

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_CONNECT_TIMEOUT_S: Final = 10
_READ_TIMEOUT_S: Final = 30
_SMALL: Final = 65_536

#: Per driver: time limits, and where it can be told, no repetitions of its own, which multiply
#: with ours.
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "s3": {
        "config_kwargs": {
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "read_timeout": _READ_TIMEOUT_S,
            "retries": {"mode": "standard", "total_max_attempts": 1},
        }
    },
    "az": {"connection_timeout": _CONNECT_TIMEOUT_S, "read_timeout": _READ_TIMEOUT_S},
}
_EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az"}
_PERMANENT: Final = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,
    FileExistsError,
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a store is asked, and how long the pauses are.

    Attributes
    ----------
    attempts : int
        At least 1.
    first_pause_s : float
        Doubled after every attempt, s; each pause is shortened at random by up to half, so that
        many workers do not come back at once.
    """

    attempts: int = 6
    first_pause_s: float = 0.5


#: With it a request is given up after 8 to 16 s of pauses, and the time of its attempts.
PATIENCE: Final = Patience()


def is_url(address: str | os.PathLike[str]) -> bool:
    """Whether an address is a store's, and no local path."""
    return isinstance(address, str) and _SCHEME.match(address) is not None


def open_store(url: str) -> tuple[FileSystem, str]:
    """Return the driver for an address and the path inside it.

    Raises
    ------
    MissingExtraError
        If the driver is not installed.
    StorageError
        If there is no such driver.
    """
    import fsspec  # noqa: PLC0415 - only for stores

    protocol = url.partition("://")[0].lower()
    name = {"s3a": "s3", "abfs": "az"}.get(protocol, protocol)
    try:
        system, path = fsspec.url_to_fs(url, **_OPTIONS.get(name, {}))
    except ImportError as error:
        extra = _EXTRAS.get(protocol)
        raise MissingExtraError(
            expected=f"a driver for {protocol}://",
            found="none installed",
            remedy=f"Install it: pip install 'skinscan[{extra}]'"
            if extra
            else f"Install the driver that fsspec names for {protocol}",
        ) from error
    except ValueError as error:
        raise StorageError(
            expected="an address such as s3://bucket/prefix",
            found=f"{protocol}://, which fsspec cannot open",
            remedy="Check the beginning of the address",
        ) from error
    if name == "s3":
        system.retries = 1
    return system, path


def patiently(action: Callable[[], _Result], *, patience: Patience | None = None) -> _Result:
    """Do what may fail for a passing reason.

    Parameters
    ----------
    action : callable
        May be called several times.
    patience : Patience, optional
        `PATIENCE` if omitted.

    Raises
    ------
    StorageError
        If every attempt failed for a passing reason.
    FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError
    NotImplementedError
        At once, from the action.
    """
    patience = patience or PATIENCE
    pause_s = patience.first_pause_s
    for attempt in range(1, patience.attempts + 1):
        try:
            return action()
        except (SkinscanError, *_PERMANENT):
            raise
        except Exception as error:  # noqa: BLE001 - each driver has its own exceptions
            if attempt == patience.attempts:
                # The type only: drivers put names of objects into their messages.
                raise StorageError(
                    expected="an answer from the object store",
                    found=f"{type(error).__name__} after {attempt} attempts",
                    remedy="Check the store, the network and the credentials, and try again",
                ) from None
            time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause_s *= 2
    raise AssertionError  # pragma: no cover - attempts is at least 1


def fetch(url: str, *, limit_bytes: int, patience: Patience | None = None) -> bytes:
    """Read an object, but hardly more than a limit.

    Parameters
    ----------
    url : str
    limit_bytes : int
        At most one byte more is read, so that whoever checks the limit sees it exceeded.
    patience : Patience, optional

    Raises
    ------
    UnreadableFileError
        If there is no such object or it may not be read.
    StorageError
        If the store does not answer.
    """
    system, path = open_store(url)

    def read() -> bytes:
        # One request, where opening a file would cost two.
        data: bytes = system.cat_file(path, start=0, end=limit_bytes + 1)
        return data

    def read_or_empty() -> bytes:
        try:
            return read()
        except _PERMANENT:
            raise
        except Exception:
            # A range of an empty object is an error, in S3 and in Azure's store.
            if system.size(path) == 0:
                return b""
            raise

    try:
        return patiently(read_or_empty, patience=patience)
    except _PERMANENT as error:
        raise UnreadableFileError(
            expected="an object that can be read",
            found="no permission" if isinstance(error, PermissionError) else "no such object",
            remedy="Check the key and who may read it",
        ) from None


def listed(url: str) -> Iterator[tuple[str, str, int, int]]:
    """List a prefix with everything below it, one level of the store at a time.

    Parameters
    ----------
    url : str

    Yields
    ------
    tuple
        Address, path relative to the prefix, size in bytes and time of change in ns (both -1
        where unknown).

    Raises
    ------
    SourceFolderError
        If there is nothing.
    StorageError
        If the store does not answer.
    """
    system, top = open_store(url)
    top = top.rstrip("/")
    folders = [top]
    while folders:
        folder = folders.pop()
        entries = _entries(system, folder, top)
        below = []
        for entry in entries:
            name = str(entry["name"]).rstrip("/")
            if name == folder:
                if folder == top and entry["type"] == "file" and len(entries) == 1:
                    yield _described(system, entry, name.rpartition("/")[2])
            elif name.rpartition("/")[2].startswith("."):
                continue
            elif entry["type"] == "directory":
                below.append(name)
            else:
                yield _described(system, entry, name.removeprefix(top).lstrip("/"))
        folders += reversed(below)


def _entries(system: FileSystem, folder: str, top: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = patiently(
            lambda: system.ls(folder, detail=True, refresh=True)
        )
    except (FileNotFoundError, NotADirectoryError):
        found = []
    except _PERMANENT as error:
        raise _no_prefix("a prefix that may not be listed") from error
    finally:
        system.invalidate_cache(folder)  # ten million names must not stay in memory
    if not found and folder == top:
        raise _no_prefix("nothing under the prefix")
    return sorted(found, key=lambda entry: str(entry["name"]))


def _no_prefix(found: str) -> SourceFolderError:
    return SourceFolderError(
        expected="photos under a prefix such as s3://bucket/photos",
        found=found,
        remedy="Check the prefix, and who may read it",
    )


def _described(
    system: FileSystem, entry: dict[str, Any], relative: str
) -> tuple[str, str, int, int]:
    changed = entry.get("LastModified") or entry.get("mtime") or entry.get("last_modified")
    timestamp = getattr(changed, "timestamp", lambda: changed)()
    modified_ns = int(timestamp * 1e9) if isinstance(timestamp, int | float) else -1
    size = entry.get("size")
    return (
        system.unstrip_protocol(entry["name"]),
        relative,
        -1 if size is None else int(size),
        modified_ns,
    )


class OutputFolder:
    """A folder of results, local or in a store, in which every file is whole or absent.

    Parameters
    ----------
    address : str
        Local folders are made.

    Raises
    ------
    OutputError
        If the folder cannot be made.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._local = None if is_url(address) else Path(address).absolute()
        if self._local is None:
            self._system, top = open_store(address)
            self._top = top.rstrip("/")
        else:
            try:
                self._local.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise output_error(error, "the results") from error

    @property
    def local(self) -> Path | None:
        """The folder on this computer; None in a store."""
        return self._local

    def names(self) -> list[str]:
        """Names of the files directly inside, sorted."""
        if self._local is not None:
            return sorted(path.name for path in self._local.iterdir() if path.is_file())
        try:
            found = patiently(lambda: self._system.ls(self._top, detail=True, refresh=True))
        except FileNotFoundError:
            return []
        except _PERMANENT as error:
            raise _refused("list") from error
        return sorted(
            str(entry["name"]).rpartition("/")[2] for entry in found if entry["type"] == "file"
        )

    def read(self, name: str, action: Callable[[BinaryIO], _Result]) -> _Result:
        """Let an action read a file; it may be called several times, with the file anew.

        Raises
        ------
        OutputError
            If the file cannot be read.
        StorageError
            If the store does not answer.
        """

        def attempt() -> _Result:
            with self._system.open(f"{self._top}/{name}", "rb") as file:
                return action(file)

        try:
            if self._local is not None:
                with (self._local / name).open("rb") as file:
                    return action(file)
            return patiently(attempt)
        except _PERMANENT as error:
            raise _refused("read") from error

    def content(self, name: str) -> bytes | None:
        """Read a small file, not empty, as it is now; None if there is none.

        At most `_SMALL` bytes are read.

        Raises
        ------
        OutputError, StorageError
        """
        try:
            if self._local is not None:
                return (self._local / name).read_bytes()
            # A range: without one, drivers look up the size first, perhaps in a cache.
            path = f"{self._top}/{name}"
            found: bytes = patiently(lambda: self._system.cat_file(path, start=0, end=_SMALL))
        except FileNotFoundError:
            return None
        except _PERMANENT as error:
            raise _refused("read") from error
        return found

    def create(self, name: str, content: bytes) -> bool:
        """Write a small file unless there is one already, and tell whether it was written.

        Of several that try at a time one succeeds, where the store knows such conditions (S3,
        Google's and Azure's do).

        Raises
        ------
        OutputError, StorageError
        """
        try:
            if self._local is not None:
                with (self._local / name).open("xb") as file:
                    file.write(content)
            else:
                path = f"{self._top}/{name}"
                patiently(lambda: self._system.pipe_file(path, content, mode="create"))
        except FileExistsError:
            # A request whose answer was lost finds its own file when it is repeated.
            return self.content(name) == content
        except _PERMANENT as error:
            raise _refused("write") from error
        return True

    def remove(self, name: str) -> None:
        """Delete a file, if it is there.

        Raises
        ------
        OutputError, StorageError
        """
        try:
            if self._local is not None:
                (self._local / name).unlink()
                return
            patiently(lambda: self._system.rm_file(f"{self._top}/{name}"))
            self._system.invalidate_cache(self._top)
        except FileNotFoundError:
            return
        except _PERMANENT as error:
            raise _refused("delete from") from error

    @contextlib.contextmanager
    def written(self, name: str) -> Iterator[BinaryIO]:
        """Write a file that appears when the block has ended well.

        Raises
        ------
        OutputError
            If it cannot be written.
        StorageError
            If the store does not answer.
        """
        if self._local is not None:
            with written_whole(self._local / name, "the results") as file:
                yield file
            return
        with tempfile.TemporaryDirectory(prefix="skinscan-") as scratch:
            copy = Path(scratch, "file")
            try:
                with copy.open("w+b") as file:
                    yield file
            except OSError as error:
                raise output_error(error, "the results") from error
            path = f"{self._top}/{name}"
            try:
                patiently(lambda: self._system.put_file(str(copy), path))
            except _PERMANENT as error:
                raise _refused("write") from error
            self._system.invalidate_cache(self._top)


def _refused(what: str) -> OutputError:
    return OutputError(
        expected=f"an output folder to {what}",
        found="no permission, or no such bucket",
        remedy="Check the address, and who may write there",
    )
