"""Scans over time -> Progress. Pure functions: no pixels, no files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from skinscan.declaration import Declaration
from skinscan.errors import BadOptionError, NotComparableError
from skinscan.metrics import metrics
from skinscan.progress.areas import treated_names
from skinscan.progress.following import follow
from skinscan.progress.judging import judge
from skinscan.progress.result import Progress
from skinscan.progress.sessions import Baseline, arrange
from skinscan.progress.values import Event
from skinscan.scan import Scan

#: Stand for the days of two photos without dates.
_BEFORE, _AFTER = date(1, 1, 1), date(1, 1, 2)


def track(
    scans: Sequence[Scan],
    *,
    dates: Sequence[date],
    treated_regions: Collection[str] | None = None,
    events: Collection[Event] | None = None,
    baseline: Baseline = "first",
    declared: Sequence[Declaration | None] | None = None,
) -> Progress:
    """Compare the sessions of one client's course.

    Photos of one day are takes of one session and are pooled. Every session is compared to the
    baseline at the highest resolution level that both have. With four or more comparable
    sessions, the baseline among them, the change of the course is the Theil-Sen slope times
    the time from the baseline to the latest session, else the latest minus the baseline. What is
    not comparable is left out metric by metric and says why.

    Parameters
    ----------
    scans : sequence of Scan
        Of one person, in any order, any views. That it is one person is for the caller to know,
        or to ask `Comparability.confirm_person`.
    dates : sequence of date
        Of each scan.
    treated_regions : collection of str, optional
        Names of regions or region groups. Their mean then stands for a metric instead of the
        whole face's, and is set against that of the others.
    events : collection of Event, optional
        What else may have changed the skin.
    baseline : "first", date or sequence of date
        Sessions before treatment; the mean of several is taken, and what the skin changes by from
        day to day is then learnt from them.
    declared : sequence of Declaration or None, optional
        About each scan: make-up, just treated.

    Returns
    -------
    Progress

    Raises
    ------
    BadOptionError
        Lists of different lengths, no scan, one photo under two dates, or a baseline on a day
        without photos.
    NotComparableError
        Scans whose millimetres have different sources, or that another version of the metrics
        measured.
    UnknownNameError
        A treated region that does not exist.

    Examples
    --------
    >>> progress = skinscan.track(scans, dates=dates)  # doctest: +SKIP
    >>> progress.summary()  # doctest: +SKIP
    """
    first: dict[str, date] = {}
    for scan, on in zip(scans, dates, strict=False):
        if first.setdefault(scan.sha256, on) != on:
            raise BadOptionError(
                expected="every photo in one session",
                found="the same photo under two dates",
                remedy="Remove the copy from the session that it does not belong to",
            )
    return _progress(
        scans,
        dates,
        treated_regions=treated_regions,
        events=events,
        baseline=baseline,
        declared=declared,
        dated=True,
    )


def compare(
    before: Scan,
    after: Scan,
    *,
    dates: tuple[date, date] | None = None,
    treated_regions: Collection[str] | None = None,
    declared: tuple[Declaration | None, Declaration | None] | None = None,
) -> Progress:
    """Compare two photos.

    Parameters
    ----------
    before, after : Scan
    dates : tuple of two dates, optional
        By default those that the photos carry. Without an earlier and a later one, the
        result speaks of two photos instead of dates.
    treated_regions : collection of str, optional
        As in `track`.
    declared : tuple of Declaration or None, optional
        About each photo.

    Returns
    -------
    Progress
        Of two sessions.

    Raises
    ------
    NotComparableError
        Photos of different views, whose millimetres have different sources, or that another version
        of the metrics measured.
    UnknownNameError
        A treated region that does not exist.
    """
    if before.view is not after.view:
        raise NotComparableError(
            expected=f"two photos of the same view ({before.view.value})",
            found=f"a photo of the view {after.view.value}",
            remedy="Compare front with front, left with left and right with right",
        )
    days = dates or _captured(before, after)
    dated = days is not None and days[0] < days[1]
    return _progress(
        (before, after),
        days if days is not None and dated else (_BEFORE, _AFTER),
        treated_regions=treated_regions,
        events=None,
        baseline="first",
        declared=declared,
        dated=dated,
    )


def _captured(before: Scan, after: Scan) -> tuple[date, date] | None:
    if before.captured_at is None or after.captured_at is None:
        return None
    return before.captured_at.date(), after.captured_at.date()


def _progress(
    scans: Sequence[Scan],
    dates: Sequence[date],
    *,
    treated_regions: Collection[str] | None,
    events: Collection[Event] | None,
    baseline: Baseline,
    declared: Sequence[Declaration | None] | None,
    dated: bool,
) -> Progress:
    treated = treated_names(treated_regions or ())
    known = tuple(sorted(events or ()))
    course = arrange(scans, dates, baseline=baseline, declared=declared)
    changes, concerns = judge(
        {
            name: follow(course, entry, treated=treated, events=known)
            for name, entry in metrics().items()
        }
    )
    return Progress(
        sessions=tuple(s.on for s in course.sessions),
        baseline=tuple(s.on for s in course.baseline),
        dated=dated,
        treated_regions=tuple(sorted(treated)),
        events=known,
        camera_told=course.camera_told,
        concerns=concerns,
        changes=changes,
    )
