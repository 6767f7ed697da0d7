"""Events of a course, as the shell is told of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from skinscan.cli.sheets import Sheet
from skinscan.errors import BadOptionError
from skinscan.progress import Event, EventKind

_KINDS = ", ".join(item.value for item in EventKind)
_SHEET = Sheet(
    option="--events",
    needed=("date", "kind"),
    others=("note",),
    example=f"dates as 2026-03-24, kinds out of {_KINDS}, notes of at most 200 characters",
)
_LONGEST_NOTE = 200


def parse_event(text: str) -> Event:
    """Read ``kind:2026-03-24``.

    Raises
    ------
    BadOptionError
        If the kind is unknown or the date is none.
    """
    kind, _, day = text.partition(":")
    try:
        return Event(date.fromisoformat(day), EventKind(kind))
    except ValueError as error:
        raise BadOptionError(
            expected=f"an event such as filler:2026-03-24, of the kinds {_KINDS}",
            found=repr(text),
            remedy="Correct --event",
        ) from error


def read_events(path: Path) -> tuple[Event, ...]:
    """Read a table with the columns ``date``, ``kind`` and, if there is one, ``note``.

    Parameters
    ----------
    path : Path
        CSV, UTF-8; dates as ``2026-03-24``.

    Returns
    -------
    tuple of Event
        As they stand there.

    Raises
    ------
    BadOptionError
        If it cannot be read, lacks a column, or has a row with no date, an unknown kind, too long a
        note, or an event that another row has.
    """
    found: list[Event] = []
    for row in _SHEET.rows(path):
        try:
            on = date.fromisoformat(row.cells["date"])
        except ValueError as error:
            raise _SHEET.error(f"no date in line {row.line}") from error
        try:
            kind = EventKind(row.cells["kind"].lower())
        except ValueError as error:
            raise _SHEET.error(f"an unknown kind in line {row.line}") from error
        note = " ".join(row.cells["note"].split())
        if len(note) > _LONGEST_NOTE:
            raise _SHEET.error(f"a note of {len(note)} characters in line {row.line}")
        if not note.isprintable():
            raise _SHEET.error(f"a note with control characters in line {row.line}")
        event = Event(on, kind, note)
        if event in found:
            raise _SHEET.error(f"an event in line {row.line} that stands there before")
        found.append(event)
    return tuple(found)
