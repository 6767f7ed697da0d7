"""Sessions of one metric against the baseline, over the regions that both show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import fmean

from skinscan.landmarks import View
from skinscan.metrics import Metric
from skinscan.precision import day_from_baselines, precision_model
from skinscan.progress.areas import Area, combined
from skinscan.progress.readings import Found, read, unique
from skinscan.progress.sessions import Course, Session
from skinscan.progress.statistics import Reading, baseline_of
from skinscan.progress.values import Reason
from skinscan.regions import region


@dataclass(frozen=True)
class Pair:
    """A session against the baseline, over the regions that both show.

    Attributes
    ----------
    before : Reading
        Mean of the baseline's sessions.
    after : Found
    day_to_day : float
        Standard deviation of the skin itself between days.
    baselines : int
        Sessions of which the baseline is the mean.
    """

    before: Reading
    after: Found
    day_to_day: float
    baselines: int


def _views(entry: Metric, name: str) -> tuple[View, ...]:
    if entry.front_only:
        return (View.FRONT,)
    return tuple(view for view in View if region(name).seen_from(view))


class Follower:
    """Reads one metric in every session, each number once."""

    def __init__(self, course: Course, entry: Metric) -> None:
        self.course, self.entry = course, entry
        self.found = cache(self._found)
        self.founds = cache(self._founds)
        self.view = cache(self._view)
        self.usable = cache(self._usable)
        self.together = cache(self._together)
        self._tops = cache(self._tops_of)
        self._known = {lv for name, lv in precision_model().levels if name == entry.name}

    def _view(self, name: str) -> View:
        """Choose the view that shows a region in most sessions, the front among equals."""

        def count(view: View) -> tuple[bool, int]:
            had = any(view in s.takes for s in self.course.baseline)
            return had, sum(view in s.takes for s in self.course.later)

        return max(_views(self.entry, name), key=count)

    def _found(self, session: Session, name: str, level: float) -> Found:
        return read(session, self.entry, name, self.view(name), level=level)

    def top(self, session: Session, area: Area) -> float:
        """Highest level that a session and all of the baseline have in every view of an area.

        At most the metric's finest; a level at which its standard error is known goes before
        finer ones without.
        """
        return min(self._tops(session, self.view(name)) for name in area.regions)

    def _tops_of(self, session: Session, view: View) -> float:
        having = [s.levels(view) for s in (*self.course.baseline, session) if view in s.takes]
        shared = frozenset.intersection(*having) if having else frozenset()
        levels = {min(level, self.entry.finest_level_px_mm) for level in shared}
        return max(levels & self._known or levels, default=0.0)

    def _founds(self, session: Session, area: Area, level: float) -> dict[str, Found]:
        """Numbers of an area's regions."""
        return {name: self.found(session, name, level) for name in area.regions}

    def _usable(self, session: Session, area: Area, level: float) -> frozenset[str]:
        """Regions of an area whose number may be compared."""
        return frozenset(
            n for n, found in self.founds(session, area, level).items() if found.usable
        )

    def _together(self, session: Session, area: Area, level: float) -> Found:
        return combined(self.founds(session, area, level), area, shared=self.shared(level))

    def shared(self, level: float) -> float:
        """Share of the capture variance that all regions of a photo have in common."""
        return precision_model().levels[self.entry.name, level].shared

    def pair(self, session: Session, area: Area, level: float) -> Pair | tuple[Reason, ...]:
        """Hold a session against the baseline, or say why not.

        Parameters
        ----------
        session : Session
        area : Area
        level : float
            px/mm.
        """
        baseline = self.course.baseline
        had = [s for s in baseline if area.within(self.usable(s, area, level))]
        if not had:
            return reasons_in(self.founds(s, area, level) for s in baseline)
        both = frozenset.intersection(*(self.usable(s, area, level) for s in (session, *had)))
        kept = area.within(both)
        if kept is None:
            return reasons_in([self.founds(session, area, level)]) or reasons_in(
                self.founds(s, area, level) for s in had
            )
        bases = [(s, self.together(s, kept, level)) for s in had]
        day = day_from_baselines(
            [f.value for _, f in bases],
            [f.capture for _, f in bases],
            fmean([f.day for _, f in bases]),
        )
        return Pair(
            before=baseline_of([reading_of(s, f) for s, f in bases]),
            after=self.together(session, kept, level),
            day_to_day=day,
            baselines=len(bases),
        )


def reasons_in(parts: Iterable[Mapping[str, Found]]) -> tuple[Reason, ...]:
    """Every cause why numbers must not be compared, once."""
    return unique([r for part in parts for found in part.values() for r in found.reasons])


def reading_of(session: Session, found: Found) -> Reading:
    """Place a number in time."""
    return Reading(session.on.toordinal(), found.value, found.capture, found.added)
