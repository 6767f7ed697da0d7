"""When each photo of a client's folder was taken.

In order of trust: the table that was given for this purpose; the file's name
(``2026-03-03_front.jpg``); the name of the nearest folder that holds a date
(``2026-03-03/front.jpg``); the photo's own metadata. Names come before metadata because people
write them knowingly, while messengers, copies and wrong clocks change metadata.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path, PurePosixPath

from skinscan.errors import BadOptionError
from skinscan.filenames import date_from_name

_COLUMNS = ("photo", "date")


def read_dates(path: Path) -> Mapping[str, date]:
    """Read a table with the columns ``photo`` and ``date``.

    Parameters
    ----------
    path : Path
        CSV, UTF-8; photos by their path below the folder with ``/``, dates as ``2026-03-03``.

    Raises
    ------
    BadOptionError
        If it cannot be read, lacks a column, or holds what is no date.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        return {row["photo"].strip(): date.fromisoformat(row["date"].strip()) for row in rows}
    except (OSError, KeyError, ValueError, AttributeError, csv.Error) as error:
        raise BadOptionError(
            expected=f"a CSV file with the columns {' and '.join(_COLUMNS)}, dates as 2026-03-03",
            found=type(error).__name__,
            remedy="Correct the file given with --dates",
        ) from error


def date_of(name: str, given: Mapping[str, date], captured_at: datetime | None) -> date:
    """Find the date of a photo.

    Parameters
    ----------
    name : str
        Path below the folder, with ``/``.
    given : Mapping of str to date
        By that path.
    captured_at : datetime or None
        From the photo's metadata.

    Raises
    ------
    BadOptionError
        If nothing tells the date.
    """
    if name in given:
        return given[name]
    path = PurePosixPath(name)
    for part in (path.name, *(folder.name for folder in path.parents)):
        found = date_from_name(part)
        if found is not None:
            return found
    if captured_at is not None:
        return captured_at.date()
    raise BadOptionError(
        expected="a date in the name of each photo, in that of its folder or in its metadata",
        found="a photo without",
        remedy="Rename it like 2026-03-03_front.jpg, or list it in a CSV file with --dates",
    )
