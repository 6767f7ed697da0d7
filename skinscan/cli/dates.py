"""What is told of each photo of a client's folder: when it was taken, and what it cannot show.

The date, in order of trust: the table that was given for this purpose; the file's name
(``2026-03-03_front.jpg``); the name of the nearest folder that holds a date
(``2026-03-03/front.jpg``); the photo's own metadata. Names come before metadata because people
write them knowingly, while messengers, copies and wrong clocks change metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath

from skinscan.cli.sheets import Row, Sheet
from skinscan.declaration import Declaration, MakeUp
from skinscan.errors import BadOptionError
from skinscan.filenames import date_from_name

_MAKE_UP = ", ".join(item.value for item in MakeUp)
_SHEET = Sheet(
    option="--dates",
    needed=("photo", "date"),
    others=("make_up", "just_treated"),
    example=f"dates as 2026-03-03 or empty, make_up out of {_MAKE_UP}, just_treated yes or no",
)


@dataclass(frozen=True)
class Told:
    """What a table tells of a photo.

    Attributes
    ----------
    taken_on : date or None
        None where the table leaves it to the name or the metadata.
    declared : Declaration
    """

    taken_on: date | None = None
    declared: Declaration = field(default_factory=Declaration)


def read_dates(path: Path) -> Mapping[str, Told]:
    """Read a table with the columns ``photo``, ``date`` and, where present, two more.

    Parameters
    ----------
    path : Path
        CSV, UTF-8; photos by their path below the folder with ``/``, dates as ``2026-03-03``.
        ``make_up`` holds ``none``, ``worn``, ``unknown`` or nothing; ``just_treated`` holds
        ``yes``, ``no`` or nothing.

    Returns
    -------
    Mapping of str to Told
        By the photo's path below the folder.

    Raises
    ------
    BadOptionError
        If it cannot be read, lacks a column, tells of a photo twice, or has a cell that holds
        something else.
    """
    found: dict[str, Told] = {}
    for row in _SHEET.rows(path):
        name = row.cells["photo"]
        if not name or name in found:
            raise _SHEET.error(f"{'a photo twice' if name else 'no photo'} in line {row.line}")
        found[name] = Told(_date_in(row), _declared_in(row))
    return found


def _date_in(row: Row) -> date | None:
    try:
        return date.fromisoformat(row.cells["date"]) if row.cells["date"] else None
    except ValueError as error:
        raise _SHEET.error(f"no date in line {row.line}") from error


def _declared_in(row: Row) -> Declaration:
    treated = row.cells["just_treated"].lower()
    if treated not in {"", "yes", "no"}:
        raise _SHEET.error(f"neither yes nor no in line {row.line}")
    try:
        make_up = MakeUp(row.cells["make_up"].lower() or MakeUp.UNKNOWN)
    except ValueError as error:
        raise _SHEET.error(f"an unknown make_up in line {row.line}") from error
    # Not just treated says nothing about when the treatment of the session was.
    return Declaration(make_up=make_up, before_treatment=False if treated == "yes" else None)


def confirm_photos(told: Mapping[str, Told], names: set[str]) -> None:
    """Stop where a table tells of photos that are not there: what it says would be lost.

    Raises
    ------
    BadOptionError
    """
    strange = len(told.keys() - names)
    if strange:
        raise BadOptionError(
            expected="only photos of the folder in the table, by their path below it",
            found=f"{strange} others",
            remedy="Correct the names in the file given with --dates, or delete those rows",
        )


def date_of(name: str, told: date | None, captured_at: datetime | None) -> date:
    """Find the date of a photo.

    Parameters
    ----------
    name : str
        Path below the folder, with ``/``.
    told : date or None
        By the table.
    captured_at : datetime or None
        From the photo's metadata.

    Raises
    ------
    BadOptionError
        If nothing tells the date.
    """
    if told is not None:
        return told
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
