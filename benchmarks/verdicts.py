"""Whole courses of rendered people, judged by `skinscan.track`: how often wrongly, how often not.

Usage: python benchmarks/verdicts.py [--persons 100] [--courses 500] [--workers 2] [--write FILE]

The people are those that the precision model was not fitted to (benchmarks/precision.py); their
photos are measured, or read from benchmarks/results. A course is one person's photos in random
order, one per week: the skin of a phantom never changes, so that every claim is false. What skin
changes by from day to day is drawn as `skinscan.precision` says, and a treatment lowers every
metric of wrinkles evenly from 0 to the reduction asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context

import numpy as np
from _captures import CAREFUL, TRIED_FROM
from _common import Z95, Report, parser, progress, span, wilson
from _pseudo_scans import pseudo_scan
from _repeats import F64, Repeat, places, repeats
from precision import person_photos

from skinscan.metrics import Concern, metrics
from skinscan.precision import day_to_day, precision_model
from skinscan.progress import Progress, Verdict, track

_START = date(2026, 3, 3)
_REDUCTION = 0.2


@dataclass(frozen=True)
class Setting:
    """One kind of course.

    Attributes
    ----------
    title : str
    sessions : int
    careful : bool
        Only photos as in a careful clinic; else careful ones first, then careless ones, so that the
        capture drifts along with the course.
    reduction : float
        Share by which wrinkles are less at the end.
    """

    title: str
    sessions: int
    careful: bool
    reduction: float


SETTINGS = (
    Setting("careful, before and after", 2, careful=True, reduction=0.0),
    Setting("careful, 4 sessions", 4, careful=True, reduction=0.0),
    Setting("drifting, 8 sessions", 8, careful=False, reduction=0.0),
    Setting("careful, before and after", 2, careful=True, reduction=_REDUCTION),
    Setting("careful, 4 sessions", 4, careful=True, reduction=_REDUCTION),
    Setting("drifting, 8 sessions", 8, careful=False, reduction=_REDUCTION),
)


@dataclass(frozen=True)
class Judged:
    """What became of one course.

    Attributes
    ----------
    false, found : bool
        Any claim that is not true; wrinkles said to have improved.
    compared : int
        Concerns that were compared.
    covered, intervals : int
        95 % intervals of the whole face that contain the truth, and all of them.
    """

    false: bool
    found: bool
    compared: int
    covered: int
    intervals: int


def _order(photos: Sequence[Repeat], setting: Setting, rng: np.random.Generator) -> list[Repeat]:
    careful, careless = list(photos[:CAREFUL]), list(photos[CAREFUL:])
    for part in (careful, careless):
        rng.shuffle(part)  # type: ignore[arg-type]
    return (careful if setting.careful else careful + careless)[: setting.sessions]


def _days(rng: np.random.Generator, values: F64) -> F64:
    """Change the numbers as skin does from one day to another: all regions of a metric alike."""
    model = precision_model()
    shift = {name: day_to_day(e).percent / 100 * rng.standard_normal()
             for name, e in metrics().items()}  # fmt: skip
    sizes = [
        model.levels[place.metric, place.level].size(value)
        if (place.metric, place.level) in model.levels and np.isfinite(value)
        else np.nan
        for place, value in zip(places(), values, strict=True)
    ]
    moved = values + np.array(sizes) * np.array([shift[place.metric] for place in places()])
    return np.where(np.isfinite(sizes), moved, values)


def _true_change(progress_: Progress, setting: Setting) -> Mapping[str, float]:
    """Know the change of each metric's whole face, given its baseline value."""
    return {
        name: -setting.reduction * progress_.change(name).before
        if entry.concern is Concern.WRINKLES
        else 0.0
        for name, entry in metrics().items()
    }


def judge_course(photos: Sequence[Repeat], setting: Setting, seed: int) -> Judged:
    """Make a course of one person's photos and judge it."""
    rng = np.random.default_rng([seed, setting.sessions])
    chosen = _order(photos, setting, rng)
    treated = np.array([metrics()[p.metric].concern is Concern.WRINKLES for p in places()])
    scans = [
        pseudo_scan(photo, _days(rng, photo.values) * np.where(treated, 1.0 - less, 1.0))
        for photo, less in zip(chosen, np.linspace(0, setting.reduction, len(chosen)), strict=True)
    ]
    result = track(scans, dates=[_START + timedelta(weeks=k) for k in range(len(scans))])
    truth = _true_change(result, setting)
    faces = [result.change(name) for name in metrics()]
    known = [c for c in faces if c.verdict is not Verdict.NOT_COMPARABLE]
    expected = {Concern.WRINKLES} if setting.reduction else set()
    # A change ends with the latest session that could be compared, which may not be the last one.
    full = 7 * (len(scans) - 1)
    part = {c.metric: (c.until - _START).days / full for c in known if c.until is not None}
    inside = [abs(c.difference - truth[c.metric] * part[c.metric]) < Z95 * c.sem for c in known]
    return Judged(
        false=any(
            c.verdict.claimed and (c.concern not in expected or c.verdict is Verdict.WORSE)
            for c in result.concerns
        ),
        found=result.concern(Concern.WRINKLES).verdict is Verdict.IMPROVED,
        compared=sum(c.verdict is not Verdict.NOT_COMPARABLE for c in result.concerns),
        covered=sum(inside),
        intervals=len(inside),
    )


def _judge_person(photos: Sequence[Repeat], seeds: Sequence[int]) -> list[list[Judged]]:
    return [[judge_course(photos, setting, seed) for seed in seeds] for setting in SETTINGS]


def main() -> None:
    """Resample, judge, count."""
    options = parser(__doc__)
    options.add_argument("--persons", type=int, default=100)
    options.add_argument("--courses", type=int, default=500, help="of each kind")
    options.add_argument("--workers", type=int, default=2, choices=(1, 2))
    args = options.parse_args()
    seeds = [TRIED_FROM + k for k in range(args.persons)]
    people = [
        [photo for photo in photos if photo is not None]
        for photos in repeats(person_photos, seeds, workers=args.workers)
        if None not in photos
    ]
    each = -(-args.courses // len(people))
    jobs = [range(k * each, (k + 1) * each) for k in range(len(people))]
    judged: list[list[Judged]] = [[] for _ in SETTINGS]
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        for done, found in enumerate(pool.map(_judge_person, people, jobs), 1):
            progress(f"{done} of {len(people)}")
            judged = [kept + more for kept, more in zip(judged, found, strict=True)]
    report = Report("Verdicts", "verdicts.py")
    report.say(
        f"{len(people)} rendered people, {each} courses of each kind per person; intervals of "
        "shares are Wilson's and take courses as independent."
    )
    report.table(
        ("course", "less wrinkles", "any false claim", "wrinkles improved", "concerns compared",
         "intervals that cover the truth"),
        [
            (
                setting.title,
                f"{100 * setting.reduction:.0f} %",
                _share([j.false for j in kept]),
                _share([j.found for j in kept]),
                f"{np.mean([j.compared for j in kept]):.1f} of {len(Concern)}",
                _percent(sum(j.covered for j in kept), sum(j.intervals for j in kept)),
            )
            for setting, kept in zip(SETTINGS, judged, strict=True)
        ],
    )  # fmt: skip
    report.write(args.write)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _share(hits: Sequence[bool]) -> str:
    low, high = wilson(sum(hits), len(hits))
    return f"{100 * np.mean(hits):.1f} % ({span((100 * low, 100 * high), 1)})"


if __name__ == "__main__":
    main()
