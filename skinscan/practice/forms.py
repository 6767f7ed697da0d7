"""What is written down about clients, courses and sessions: the content that is sealed.

Each form says what it takes and refuses the rest; it is sealed as JSON and read back as itself.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from typing import Any, Self

from skinscan.errors import BadInputError
from skinscan.progress import EventKind
from skinscan.regions import groups, regions

#: Characters of a name, and of a longer text.
NAME_LENGTH = 200
TEXT_LENGTH = 10_000
#: Lines of a list.
LIST_LENGTH = 200

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class SkinState(StrEnum):
    """The skin when it was photographed."""

    CLEAN = "clean"
    MAKE_UP = "make_up"
    JUST_TREATED = "just_treated"
    UNKNOWN = "unknown"


class Gais(IntEnum):
    """Global Aesthetic Improvement Scale, as the client rates it."""

    VERY_MUCH_IMPROVED = 3
    MUCH_IMPROVED = 2
    IMPROVED = 1
    NO_CHANGE = 0
    WORSE = -1


def bad(expected: str, found: str, remedy: str = "Correct the entry") -> BadInputError:
    """Make the error for something that cannot be taken."""
    return BadInputError(expected=expected, found=found, remedy=remedy)


def text(value: str, what: str, *, most: int = TEXT_LENGTH, least: int = 0) -> str:
    """Take a text without what no person types.

    Raises
    ------
    BadInputError
    """
    taken = _CONTROL.sub("", value).strip()
    if not least <= len(taken) <= most:
        raise bad(f"{what} of {least} to {most} characters", f"{len(taken)}")
    return taken


def number(value: float | None, what: str, least: float, most: float) -> None:
    """Refuse a number outside of its range; None is no number and fine."""
    if value is not None and not least <= value <= most:
        raise bad(f"{what} from {least:g} to {most:g}", f"{value:g}")


class Form:
    """What all forms can."""

    def to_json(self) -> dict[str, Any]:
        """Give the content for sealing."""
        return dataclasses.asdict(self)  # type: ignore[call-overload,no-any-return]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what was sealed; fields of later versions are left out."""
        hints = typing.get_type_hints(cls)
        known = {
            f.name: _revived(hints[f.name], content[f.name])
            for f in dataclasses.fields(cls)  # type: ignore[arg-type]
            if f.name in content
        }
        return cls(**known)


def _revived(kind: Any, value: Any) -> Any:  # noqa: ANN401 - types and JSON
    if value is None:
        return None
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return _revived(next(a for a in arguments if a is not type(None)), value)
    if typing.get_origin(kind) is tuple:
        return tuple(_revived(arguments[0], entry) for entry in value)
    if isinstance(kind, type) and issubclass(kind, Form):
        return kind.from_json(value)
    if isinstance(kind, type) and issubclass(kind, StrEnum | IntEnum):
        return kind(value)
    return value


@dataclass(frozen=True)
class Profile(Form):
    """Who a client is.

    Attributes
    ----------
    name : str
    born_year : int or None
    contact, notes : str
    """

    name: str
    born_year: int | None = None
    contact: str = ""
    notes: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", text(self.name, "a name", most=NAME_LENGTH, least=1))
        object.__setattr__(self, "contact", text(self.contact, "a contact", most=NAME_LENGTH))
        object.__setattr__(self, "notes", text(self.notes, "notes"))
        number(self.born_year, "a year of birth", 1900, 2100)


@dataclass(frozen=True)
class Plan(Form):
    """What a course is for.

    Attributes
    ----------
    title, aims : str
    regions : tuple of str
        Regions or groups that are usually treated.
    """

    title: str = ""
    aims: str = ""
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", text(self.title, "a title", most=NAME_LENGTH))
        object.__setattr__(self, "aims", text(self.aims, "aims"))
        _check_regions(self.regions)


@dataclass(frozen=True)
class PointUsed(Form):
    """One point, needle or device that was used.

    Attributes
    ----------
    name : str
        As "ST 36" or "LED 633 nm".
    region : str
        Name of a region or group, or empty.
    detail : str
        Depth, minutes, settings.
    """

    name: str
    region: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", text(self.name, "a point", most=NAME_LENGTH, least=1))
        object.__setattr__(self, "detail", text(self.detail, "a detail", most=NAME_LENGTH))
        _check_regions((self.region,) if self.region else ())


@dataclass(frozen=True)
class SessionNotes(Form):
    """What the practitioner writes down of a session.

    Attributes
    ----------
    regions : tuple of str
        Treated ones.
    points : tuple of PointUsed
    notes, adverse_events : str
    skin : SkinState
        When the photos were taken.
    contraindications_checked : bool
    """

    regions: tuple[str, ...] = ()
    points: tuple[PointUsed, ...] = ()
    notes: str = ""
    adverse_events: str = ""
    skin: SkinState = SkinState.UNKNOWN
    contraindications_checked: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", text(self.notes, "notes"))
        object.__setattr__(self, "adverse_events", text(self.adverse_events, "adverse events"))
        _check_regions(self.regions)
        if len(self.points) > LIST_LENGTH:
            raise bad(f"at most {LIST_LENGTH} points", str(len(self.points)))


@dataclass(frozen=True)
class ClientReport(Form):
    """What the client tells before a session.

    Attributes
    ----------
    result : Gais or None
    relaxation, stress : int or None
        0 to 10.
    sleep_hours, water_litres : float or None
        Per day.
    diet, exercise, skincare, sun : str
    """

    result: Gais | None = None
    relaxation: int | None = None
    stress: int | None = None
    sleep_hours: float | None = None
    water_litres: float | None = None
    diet: str = ""
    exercise: str = ""
    skincare: str = ""
    sun: str = ""

    def __post_init__(self) -> None:
        number(self.relaxation, "relaxation", 0, 10)
        number(self.stress, "stress", 0, 10)
        number(self.sleep_hours, "hours of sleep", 0, 24)
        number(self.water_litres, "litres of water", 0, 20)
        for name in ("diet", "exercise", "skincare", "sun"):
            object.__setattr__(self, name, text(getattr(self, name), name, most=1000))


@dataclass(frozen=True)
class TreatmentNote(Form):
    """What else was done to the face, or befell it.

    Attributes
    ----------
    kind : EventKind
    note : str
    """

    kind: EventKind
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "note", text(self.note, "a note", most=1000))


@dataclass(frozen=True)
class Settings(Form):
    """Choices of the owner.

    Attributes
    ----------
    name : str
        Of the practice.
    zone : str
        Time zone, as "Europe/Berlin".
    language : str
        As "en" or "de".
    own_clients_only : bool
        Whether practitioners see only clients of their own.
    totp_required : bool
        Whether staff must use one-time passwords.
    keep_years : int or None
        After how many years without a session a client is due for erasure.
    """

    name: str = ""
    zone: str = "UTC"
    language: str = "en"
    own_clients_only: bool = False
    totp_required: bool = False
    keep_years: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", text(self.name, "a name", most=NAME_LENGTH))
        number(self.keep_years, "years", 1, 100)
        if self.zone not in time_zones():
            raise bad("a time zone as Europe/Berlin", "none that is known")


@cache
def time_zones() -> frozenset[str]:
    """List the time zones that there are; the system's files are gone through once."""
    return frozenset(zoneinfo.available_timezones())


def _check_regions(names: tuple[str, ...]) -> None:
    known = set(regions()) | set(groups())
    unknown = [name for name in names if name not in known]
    if unknown:
        raise bad("names of regions of the face", f"{len(unknown)} that are none")
