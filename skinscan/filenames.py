"""What people write into the names of photos."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_DATE: Final = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")


def date_from_name(name: str) -> date | None:
    """Read a date from the name of a file or folder: 2026-03-03, 2026_03_03 or 20260303."""
    for match in _DATE.finditer(name):
        year, _, month, day = match.groups()
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None
