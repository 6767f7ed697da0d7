"""Who looks at the page, and how a page asks the records: every refusal becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from skinscan.errors import (
    BadInputError,
    DeniedError,
    RecordConflictError,
    RecordMissingError,
    SkinscanError,
)
from skinscan.practice.forms import Settings
from skinscan.practice.principal import Principal
from skinscan.store.accounts.logins import SignedIn
from skinscan.store.records import Records
from skinscan.store.schema import Role
from skinscan.ui import markup
from skinscan.ui import practice_strings as strings
from skinscan.ui.scoring import explain, log_unexpected

_FLASH = "skinscan_flash"


@dataclass(frozen=True)
class Asker:
    """Who looks at the page.

    Attributes
    ----------
    records : Records
    principal : Principal
    who : SignedIn
    settings : Settings
    """

    records: Records
    principal: Principal
    who: SignedIn
    settings: Settings

    @property
    def is_staff(self) -> bool:
        """Whether they work here."""
        return self.who.role is not Role.CLIENT

    def today(self) -> date:
        """Tell the day at the practice."""
        return datetime.now(ZoneInfo(self.settings.zone)).date()

    def clock(self, at: datetime) -> str:
        """Write a time of day at the practice."""
        return at.astimezone(ZoneInfo(self.settings.zone)).strftime("%Y-%m-%d %H:%M")


@contextmanager
def calm() -> Iterator[None]:
    """Turn what the records refuse into a sentence on the page."""
    try:
        yield
    except RecordConflictError:
        markup.note(strings.CONFLICT, (), look=True)
    except (DeniedError, RecordMissingError):
        markup.note(strings.DENIED, (), look=True)
    except BadInputError as error:
        markup.note(told(error), (), look=True)
    except SkinscanError as error:
        log_unexpected(error)
        markup.note(explain(error), (strings.NOTHING_LOST,), look=True)


def told(error: SkinscanError) -> str:
    """Write an error as a sentence for people."""
    return f"{error.expected[:1].upper()}{error.expected[1:]}: {error.found}. {error.remedy}."


def say_next(text: str) -> None:
    """Say something at the top of the next run of the page."""
    st.session_state[_FLASH] = text


def say_now() -> None:
    """Say what the last run left to be said."""
    text = st.session_state.pop(_FLASH, "")
    if text:
        st.toast(text)


def acting(act: Callable[[], object], *, done: str = "") -> None:
    """Do something that changes records, then run the page anew; a refusal stays on the page."""
    with calm():
        act()
        if done:
            say_next(done)
        st.rerun()
