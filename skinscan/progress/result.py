"""A course of sessions, compared: the value that pages, charts and reports read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from skinscan.conditions import KINDS
from skinscan.errors import UnknownNameError
from skinscan.metrics import Concern, metric
from skinscan.progress import words
from skinscan.progress.locales import locale as locale_of
from skinscan.progress.summary import concern_sentences
from skinscan.progress.tables import (
    CHANGE_COLUMNS,
    SESSION_COLUMNS,
    change_rows,
    frame,
    session_rows,
)
from skinscan.progress.values import Change, ConcernChange, DaySource, Event, Scope, Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Progress:
    """What changed over a course, how much, and how sure.

    Attributes
    ----------
    sessions : tuple of date
        In order.
    baseline : tuple of date
        Sessions that the baseline is the mean of.
    dated : bool
        False where two photos without dates were compared: the sessions' dates then mean nothing
        but their order.
    treated_regions : tuple of str
        As declared, single regions; empty where nothing was declared.
    events : tuple of Event
        In order.
    camera_told : bool
        Whether each photo names the camera or the lens, as the baseline's does, so that another
        one is noticed.
    concerns : tuple of ConcernChange
        All six.
    changes : tuple of Change
        Every metric in every place.
    """

    sessions: tuple[date, ...]
    baseline: tuple[date, ...]
    dated: bool
    treated_regions: tuple[str, ...]
    events: tuple[Event, ...]
    camera_told: bool
    concerns: tuple[ConcernChange, ...]
    changes: tuple[Change, ...] = field(repr=False)

    @property
    def day_source(self) -> DaySource:
        """Where the day-to-day part of the errors comes from."""
        return DaySource.OWN_BASELINES if len(self.baseline) > 1 else DaySource.PUBLISHED

    def concern(self, name: Concern | str) -> ConcernChange:
        """Return one concern.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        for item in self.concerns:
            if item.concern == name:
                return item
        raise UnknownNameError(
            expected=f"one of {', '.join(c.value for c in Concern)}",
            found=repr(name),
            remedy="Choose one of them",
        )

    def change(self, name: str, place: str = "face", *, scope: Scope | None = None) -> Change:
        """Return one change.

        Parameters
        ----------
        name : str
            Metric.
        place : str
            Region, region group, or ``face``, ``treated``, ``untreated``,
            ``treated_minus_untreated``.
        scope : Scope, optional
            Only where a region and its group have the same name and it matters.

        Raises
        ------
        UnknownNameError
            If there is no such metric, or it is not measured in that place.
        """
        metric(name)
        for item in self.changes:
            if item.metric == name and item.place == place and scope in {None, item.scope}:
                return item
        raise UnknownNameError(
            expected=f"a place in which {name} is measured",
            found=repr(place),
            remedy="`progress.overview()` lists them",
        )

    def table(self) -> pd.DataFrame:
        """Return every session of every metric and region.

        Returns
        -------
        pandas.DataFrame
            Columns `skinscan.progress.tables.SESSION_COLUMNS`. The difference is to the baseline,
            with the interval of that one session; the verdict is the course's and stands in the row
            of its latest session.
        """
        return frame(session_rows(self.changes), SESSION_COLUMNS)

    def overview(self) -> pd.DataFrame:
        """Return every change of the course, of regions, groups and the whole face.

        Returns
        -------
        pandas.DataFrame
            Columns `skinscan.progress.tables.CHANGE_COLUMNS`.
        """
        return frame(change_rows(self.changes), CHANGE_COLUMNS)

    def summary(self, *, locale: str = "en-GB") -> tuple[str, ...]:
        """Say in plain words what changed.

        Parameters
        ----------
        locale : str
            How dates and numbers are written, a name in `skinscan.progress.locales.LOCALES`.

        Returns
        -------
        tuple of str
            Sentences: for each concern, then events, then what the numbers rest on.
        """
        written = locale_of(locale)
        if len(self.sessions) == 1:
            return (words.ONLY_ONE_SESSION, words.NOTE)
        result: list[str] = []
        for item in self.concerns:
            result += concern_sentences(item, self.changes, written, dated=self.dated)
        inside = sorted({e for item in self.concerns for e in item.leading.events})
        result += [
            words.EVENT.format(
                kind=words.EVENTS[e.kind], date=written.date(e.on, beside=self.sessions[-1])
            )
            for e in inside
        ]
        if all(item.verdict is Verdict.NOT_COMPARABLE for item in self.concerns):
            return (*result, words.NOTE)
        if self.day_source is DaySource.OWN_BASELINES:
            result.append(words.DAY_SOURCE_OWN.format(count=len(self.baseline)))
        else:
            result.append(words.DAY_SOURCE_PUBLISHED)
        if not self.camera_told and any(
            item.verdict.claimed and metric(item.leading.metric).family in KINDS["camera"].bars
            for item in self.concerns
        ):
            result.append(words.CAMERA_UNTOLD)
        return (*result, words.NOTE)
