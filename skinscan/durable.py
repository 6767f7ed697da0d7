"""Files that survive a power cut: whole or not there, and readable to their owner only."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

#: End of the name of a file that is being written.
PARTIAL = ".part"


def write_private(path: Path, content: bytes) -> None:
    """Write a file so that after a crash there is the old one or the new one, never half of one.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    content : bytes

    Raises
    ------
    OSError
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PARTIAL}")
    handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)  # noqa: PTH105 - one name for tests to cut the power at
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    # Without this the content is on the disk, and perhaps nothing that refers to it.
    sync_folder(path.parent)


def make_private_folder(path: Path) -> None:
    """Make a folder and the missing ones above it, all on the disk before this returns."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def sync_file(path: Path) -> None:
    """Have a file's content, and its name in its folder, on the disk before this returns.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
    """
    # Windows flushes only what is open for writing.
    _sync(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk before this returns.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
    """
    if os.name == "nt":  # cannot open folders, and its renames need no such call
        return
    try:
        _sync(path, os.O_RDONLY)
    except OSError as error:
        # Some shared drives have no such call for folders; a disk that fails says something else.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
