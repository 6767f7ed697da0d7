"""How many workers."""

from __future__ import annotations

import os
from typing import Final

from skinscan.errors import BadOptionError

#: Photos below which a further worker does not pay for its start.
_PHOTOS_WORTH_A_WORKER: Final = 4


def check_workers(workers: int) -> None:
    """Refuse a number of workers below 1.

    Raises
    ------
    BadOptionError
    """
    if workers < 1:
        raise BadOptionError(
            expected="at least 1 worker",
            found=str(workers),
            remedy="Leave the number of workers out to use all cores",
        )


def default_workers(photos: int) -> int:
    """How many workers are worth starting for so many photos.

    Parameters
    ----------
    photos : int

    Returns
    -------
    int
        At least 1, and at most the cores that this process may use.
    """
    available = getattr(os, "process_cpu_count", os.cpu_count)() or 1
    if hasattr(os, "sched_getaffinity"):
        available = min(available, len(os.sched_getaffinity(0)))
    return max(1, min(available, photos // _PHOTOS_WORTH_A_WORKER))
