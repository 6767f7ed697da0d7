"""The private folder in which this server's runs keep what they need, and for no longer than it.

Every server process has a folder of its own, locked as long as it lives. What processes that ended
left behind is deleted at the next start, and by ``skinscan serve`` when it stops.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from io import FileIO
from pathlib import Path
from typing import Final

from skinscan.batch.files import lock
from skinscan.durable import make_private_folder
from skinscan.store.records import Places

#: Bytes that stay free on the disk: the practice's records may lie on the same one.
KEPT_FREE: Final = 2**30

_PREFIX: Final = "skinscan-batch-"
_LOCK: Final = "lock"
#: Age at which a folder without a lock was left by a process that died while making it, s.
_UNLOCKED_AGE_S: Final = 3600.0


def space_of(places: Places) -> Path:
    """Tell where: beside the database's file, else where this machine keeps temporary files."""
    if places.sqlite_file is not None:
        return places.sqlite_file.parent / "batch"
    return Path(tempfile.gettempdir())


class Space:
    """A folder of this process's own.

    Parameters
    ----------
    parent : Path
        Made if absent.

    Raises
    ------
    OSError
    """

    def __init__(self, parent: Path) -> None:
        sweep(parent)
        make_private_folder(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock = FileIO(
            os.open(self.folder / _LOCK, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "r+b"
        )
        lock(self._lock)

    def new_folder(self, name: str) -> Path:
        """Make a folder for one run."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder

    def has_room(self) -> bool:
        """Tell whether the disk has more than what stays free."""
        return shutil.disk_usage(self.folder).free > KEPT_FREE

    def close(self) -> None:
        """Delete everything."""
        self._lock.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep(parent: Path) -> int:
    """Delete what processes that have ended left behind.

    Parameters
    ----------
    parent : Path
        As given to `Space`; nothing is made.

    Returns
    -------
    int
        How many folders there were.
    """
    swept = 0
    with contextlib.suppress(OSError):
        for folder in parent.glob(f"{_PREFIX}*"):
            if _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
    return swept


def _is_left(folder: Path) -> bool:
    status = folder.lstat()
    # Elsewhere than beside the records, others may have made a folder of that name.
    if not folder.is_dir() or folder.is_symlink() or status.st_uid != _user():
        return False
    try:
        with FileIO(os.open(folder / _LOCK, os.O_RDWR), "r+b") as file:
            lock(file)
            return True
    except FileNotFoundError:
        return time.time() - status.st_mtime > _UNLOCKED_AGE_S
    except OSError:
        return False


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0  # Windows says 0 of every file
