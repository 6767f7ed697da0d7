"""How dates and numbers are written, by place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from skinscan.errors import UnknownNameError

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

_SHORT_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


@dataclass(frozen=True)
class Locale:
    """One way of writing.

    Attributes
    ----------
    name : str
    decimal, group : str
        Marks before the decimals and between groups of three digits.
    day_and_month, full_date : str
        Templates of ``day``, ``month`` and ``year``.
    months, short_months : tuple of str
    language : str
        Tag of the language, as pages declare it.
    """

    name: str
    decimal: str
    group: str
    day_and_month: str
    full_date: str
    months: tuple[str, ...] = _MONTHS
    short_months: tuple[str, ...] = _SHORT_MONTHS
    language: str = "en"

    def date(self, day: date, *, beside: date | None = None, brief: bool = False) -> str:
        """Write a date, without its year where it is read beside another one of that year.

        Parameters
        ----------
        day : date
        beside : date, optional
        brief : bool
            With the month's short name.
        """
        short = beside is not None and beside.year == day.year
        template = self.day_and_month if short else self.full_date
        months = self.short_months if brief else self.months
        return template.format(day=day.day, month=months[day.month - 1], year=day.year)

    @property
    def date_label(self) -> str:
        """Vega expression that writes the date of an axis's tick, short."""
        months = json.dumps(self.short_months, ensure_ascii=False)
        quoted = json.dumps(self.day_and_month, ensure_ascii=False)
        day = quoted.replace("{day}", '" + utcdate(datum.value) + "')
        return day.replace("{month}", f'" + {months}[utcmonth(datum.value)] + "')

    @property
    def number_label(self) -> str:
        """Vega expression that writes the number of an axis's tick.

        Vega writes 1,234.5. Its commas are set aside first, because the decimal mark may be one.
        """
        aside = "replace(datum.label, /,/g, '|')"
        decimals_written = f"replace({aside}, /[.]/g, {json.dumps(self.decimal)})"
        return f"replace({decimals_written}, /[|]/g, {json.dumps(self.group)})"

    def number(self, value: float, *, places: int | None = None) -> str:
        """Write a size.

        Parameters
        ----------
        value : float
        places : int, optional
            Decimals; by default as many as two significant digits need.
        """
        shown = decimals(value) if places is None else places
        return self._marked(f"{value:,.{shown}f}")

    def plain(self, value: float) -> str:
        """Write a round number with no more decimals than it has."""
        return self._marked(f"{Decimal(f'{value:.12g}'):,f}")

    def sentence(self, text: str) -> str:
        """Put the decimal marks into a sentence that was written where no locale is known."""
        return re.sub(r"(?<=\d)\.(?=\d)", self.decimal, text)

    def _marked(self, text: str) -> str:
        """Exchange the marks of 1,234.5, all at once."""
        return text.translate({ord("-"): "−", ord("."): self.decimal, ord(","): self.group})


def decimals(value: float) -> int:
    """Decimals that two significant digits of a value need."""
    if value == 0 or not math.isfinite(value):
        return 0
    return max(1 - math.floor(math.log10(abs(value))), 0)


#: The language is that of the catalogue, `skinscan.progress.words`.
LOCALES: Mapping[str, Locale] = MappingProxyType(
    {
        item.name: item
        for item in (
            Locale("en-GB", ".", ",", "{day} {month}", "{day} {month} {year}"),
            Locale("en-US", ".", ",", "{month} {day}", "{month} {day}, {year}"),
            Locale("en-ZA", ",", "\u00a0", "{day} {month}", "{day} {month} {year}"),
        )
    }
)


def locale(name: str) -> Locale:
    """Return a locale.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    found = LOCALES.get(name)
    if found is None:
        raise UnknownNameError(
            expected=f"one of the locales {', '.join(LOCALES)}",
            found=repr(name),
            remedy="Choose one of them",
        )
    return found
