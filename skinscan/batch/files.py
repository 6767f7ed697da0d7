"""Files that are either complete under their final name or not there at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final

from skinscan.durable import sync_folder
from skinscan.errors import OutputError

_LOCKED_BYTE: Final = 2**40


def output_error(error: OSError, what: str) -> OutputError:
    """Turn an operating system's error into one that names no file.

    Parameters
    ----------
    error : OSError
    what : str
        What was being written, for example ``"the table"``.
    """
    return OutputError(
        expected=f"to write {what}",
        found=(error.strerror or type(error).__name__).lower(),
        remedy="Choose a folder that exists, has free space and may be written to",
    )


def lock(file: FileIO) -> None:
    """Keep an open file to this process; the lock ends with it, however that ends.

    Raises
    ------
    OSError
        If another process has it.
    """
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def written_whole(path: Path, what: str) -> Iterator[BinaryIO]:
    """Write a file under a temporary name and rename it when it is complete.

    The temporary name is hidden, lies in the same folder and depends only on `path`, so that
    what a killed process left behind is overwritten by the next attempt.

    Parameters
    ----------
    path : Path
        Final name. What is there before stays until the new content is complete.
    what : str
        For the message.

    Yields
    ------
    binary file, open for writing

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise output_error(error, what) from error
