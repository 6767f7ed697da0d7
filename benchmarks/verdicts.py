"""Whole courses of rendered people, judged by `skinscan.track`: how often rightly, how often not.

Usage: python benchmarks/verdicts.py [--persons 40] [--courses 320] [--workers 2] [--write FILE]

The people are some that the precision model was not fitted to. Their photos (`_course_pool.py`:
38 of each) are rendered and measured, or read from benchmarks/results; courses are drawn
from them, one session per week. What skin changes by from day to day is not in the photos: it is
drawn as `skinscan.precision` says. Intervals are by face: faces are resampled, not courses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from multiprocessing import get_context

import numpy as np
from _common import Z95, Report, bootstrap, parser, progress, span, wilson
from _course_pool import SESSIONS, Pool, pool_of, pools
from _pseudo_scans import another_day, pseudo_scan
from _repeats import Repeat, places

from skinscan.metrics import Concern, metrics
from skinscan.progress import Verdict, track
from skinscan.progress.words import HEADLINES

_START = date(2026, 3, 3)
#: What is read first of lines.
_LINES = HEADLINES[Concern.WRINKLES]
#: Reductions that a pair is tried with, to find the smallest that is found with 80 % power.
_TRIED = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
_HALF = SESSIONS // 2

Draw = Callable[[Pool, np.random.Generator], list[Repeat] | None]


@dataclass(frozen=True)
class Setting:
    """One kind of course.

    Attributes
    ----------
    title : str
    draw : callable
        (pool, random numbers) -> one photo per session; None where the person has too few.
    softer : bool
        Lines were softer in the photos.
    reduction : float
        Share by which numbers of lines are lessened on paper at the last session.
    """

    title: str
    draw: Draw
    softer: bool = False
    reduction: float = 0.0


@dataclass(frozen=True)
class Judged:
    """What became of one course.

    Attributes
    ----------
    claims : tuple of str
        Concerns with a claim, e.g. ``wrinkles improved``.
    compared : int
        Concerns that were compared.
    covered, intervals : int
        95 % intervals of the whole face that contain "no change", and all of them.
    read : float
        Change of what is read first of lines as a share of the baseline; NaN where not compared.
    """

    claims: tuple[str, ...]
    compared: int
    covered: int
    intervals: int
    read: float

    @property
    def found(self) -> bool:
        """Lines were said to have improved."""
        return f"{Concern.WRINKLES.value} {Verdict.IMPROVED.value}" in self.claims

    @property
    def improvement(self) -> bool:
        """Anything was said to have improved."""
        return any(c.endswith(Verdict.IMPROVED.value) for c in self.claims)

    @property
    def beside(self) -> bool:
        """Anything but better lines was claimed."""
        return bool(self.claims) and not (len(self.claims) == 1 and self.found)


def _picked(photos: Sequence[Repeat], count: int, rng: np.random.Generator) -> list[Repeat] | None:
    if len(photos) < count:
        return None
    return [photos[k] for k in rng.permutation(len(photos))[:count]]


def _still(sessions: int) -> Draw:
    return lambda pool, rng: _picked(pool.still, sessions, rng)


def _softer(sessions: Sequence[int]) -> Draw:
    """First an unchanged take, then one of each of these sessions."""

    def draw(pool: Pool, rng: np.random.Generator) -> list[Repeat] | None:
        parts = [pool.still, *(pool.softer[k - 1] for k in sessions)]
        if not all(parts):
            return None
        return [part[int(rng.integers(len(part)))] for part in parts]

    return draw


def _replaced(what: str, *, named: bool = False) -> Draw:
    """Draw a course half of which was taken after the lamp or the camera was replaced."""

    def draw(pool: Pool, rng: np.random.Generator) -> list[Repeat] | None:
        before, after = _picked(pool.still, _HALF, rng), _picked(pool.drifting[what], _HALF, rng)
        if before is None or after is None:
            return None
        if named:
            before, after = (
                [replace(p, conditions=replace(p.conditions, camera=name)) for p in part]
                for name, part in (("camera 1", before), ("camera 2", after))
            )
        return before + after

    return draw


def _lips(pool: Pool, rng: np.random.Generator) -> list[Repeat] | None:
    last = _picked(pool.still, 1, rng)
    fading = pool.drifting["lips"]
    return None if last is None or len(fading) < SESSIONS - 1 else [*fading, *last]


UNCHANGED = (
    Setting("careful, before and after", _still(2)),
    Setting("careful, 4 sessions", _still(4)),
    Setting(f"careful, {SESSIONS} sessions", _still(SESSIONS)),
)
DRIFTING = (
    Setting("lamp replaced half-way", _replaced("lamp")),
    Setting("camera replaced half-way, photos name it", _replaced("camera", named=True)),
    Setting("camera replaced half-way, photos do not name it", _replaced("camera")),
    Setting("a smile fades", _lips),
)
SOFTER = (
    Setting("before and after", _softer((SESSIONS - 1,)), softer=True),
    Setting("4 sessions", _softer((2, 5, 7)), softer=True),
    Setting(f"{SESSIONS} sessions", _softer(range(1, SESSIONS)), softer=True),
)
ON_PAPER = tuple(
    Setting(f"{100 * less:.0f} %", _still(2), softer=True, reduction=less) for less in _TRIED
)
SETTINGS = (*UNCHANGED, *DRIFTING, *SOFTER, *ON_PAPER)


def judge_course(pool: Pool, setting: Setting, seed: int) -> Judged | None:
    """Draw a course of one person's photos and judge it."""
    rng = np.random.default_rng([pool.seed, SETTINGS.index(setting), seed])
    chosen = setting.draw(pool, rng)
    if chosen is None:
        return None
    lines = np.array([metrics()[p.metric].concern is Concern.WRINKLES for p in places()])
    scans = [
        pseudo_scan(photo, another_day(rng, photo.values) * np.where(lines, 1.0 - less, 1.0))
        for photo, less in zip(chosen, np.linspace(0, setting.reduction, len(chosen)), strict=True)
    ]
    result = track(scans, dates=[_START + timedelta(weeks=k) for k in range(len(scans))])
    faces = [
        c
        for c in (result.change(name) for name in metrics())
        if c.verdict is not Verdict.NOT_COMPARABLE
    ]
    lines_read = next((c for c in faces if c.metric == _LINES), None)
    return Judged(
        claims=tuple(
            f"{c.concern.value} {c.verdict.value}" for c in result.concerns if c.verdict.claimed
        ),
        compared=sum(c.verdict is not Verdict.NOT_COMPARABLE for c in result.concerns),
        covered=sum(abs(c.difference) < Z95 * c.sem for c in faces),
        intervals=len(faces),
        read=lines_read.difference / lines_read.before
        if lines_read and lines_read.before
        else np.nan,
    )


Kept = Sequence[Sequence[Judged]]  # by person


def _judge_person(seed: int, courses: int) -> list[list[Judged]]:
    # Read again in each process: what a photo tells of its capture cannot be sent to another.
    pool = pool_of(seed)
    return [
        [judged for judged in (judge_course(pool, s, k) for k in range(courses)) if judged]
        for s in SETTINGS
    ]


# --- shares, by face -----------------------------------------------------------------------


def _by_face(
    kept: Kept, part: Callable[[Judged], float], whole: Callable[[Judged], float]
) -> tuple[float, tuple[float, float]]:
    """Share in all courses, and its 95 % interval with the faces resampled."""
    parts = np.array([sum(map(part, courses)) for courses in kept], dtype=float)
    wholes = np.array([sum(map(whole, courses)) for courses in kept], dtype=float)
    known = wholes > 0
    parts, wholes = parts[known], wholes[known]
    found, (low, high) = bootstrap(
        lambda index: float(parts[index].sum() / wholes[index].sum()), len(parts)
    )
    if low == high:
        # No face differs from another: resampling tells nothing, the number of faces does.
        low, high = np.clip(wilson(round(found * len(parts)), len(parts)), 0.0, 1.0)
    return found, (low, high)


def _courses(kept: Kept, hit: Callable[[Judged], bool]) -> tuple[float, tuple[float, float]]:
    return _by_face(kept, lambda j: float(hit(j)), lambda _: 1.0)


def _told(share: tuple[float, tuple[float, float]]) -> str:
    found, (low, high) = share
    return f"{100 * found:.1f} % ({span((100 * low, 100 * high), 1)})"


def _coverage(kept: Kept) -> tuple[float, tuple[float, float]]:
    return _by_face(kept, lambda j: float(j.covered), lambda j: float(j.intervals))


def _compared(kept: Kept) -> str:
    return f"{np.mean([j.compared for courses in kept for j in courses]):.1f} of {len(Concern)}"


def _most_frequent(kept: Kept) -> str:
    """Name the false claims that come most often."""
    told = [c for courses in kept for j in courses for c in j.claims]
    count = sum(map(len, kept))
    names = sorted(set(told), key=told.count, reverse=True)[:3]
    return ", ".join(f"{name} {100 * told.count(name) / count:.1f} %" for name in names) or "–"


def _read(kept: Kept) -> str:
    known = [100 * j.read for courses in kept for j in courses if np.isfinite(j.read)]
    return f"{np.median(known):.0f} %" if known else "–"


def _smallest(results: Mapping[str, Kept]) -> str:
    """Say between which reductions 80 % power is reached, by straight lines between those tried."""
    shares = np.array(
        [_courses(results[s.title], lambda j: j.found) for s in ON_PAPER], dtype=object
    )
    found = np.maximum.accumulate([float(s[0]) for s in shares])
    low = np.maximum.accumulate([s[1][0] for s in shares])
    high = np.maximum.accumulate([s[1][1] for s in shares])

    def at(power: np.ndarray) -> str:
        if power[-1] < 0.8:
            return f"more than {100 * _TRIED[-1]:.0f} %"
        return f"{100 * np.interp(0.8, power, _TRIED):.0f} %"

    return f"{at(found)} ({at(high)} to {at(low)})"


def _goal(
    name: str,
    goal: str,
    share: tuple[float, tuple[float, float]],
    *,
    least: float = 0.0,
    most: float = 1.0,
) -> tuple[str, ...]:
    low, high = share[1]
    return name, goal, _told(share), "missed" if high < least or low > most else "met"


def main() -> None:
    """Draw, judge, count."""
    options = parser(__doc__)
    options.add_argument("--persons", type=int, default=40)
    options.add_argument("--courses", type=int, default=320, help="of each kind")
    options.add_argument("--workers", type=int, default=2, choices=(1, 2))
    args = options.parse_args()
    people = pools(args.persons, workers=args.workers)
    each = -(-args.courses // len(people))
    results: dict[str, list[list[Judged]]] = {s.title: [] for s in SETTINGS}
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        judged = pool.map(_judge_person, [p.seed for p in people], [each] * len(people))
        for done, found in enumerate(judged, 1):
            progress(f"{done} of {len(people)}")
            for setting, courses in zip(SETTINGS, found, strict=True):
                results[setting.title].append(courses)
    report = Report("Verdicts: how often is a course judged rightly?", "verdicts.py")
    total = sum(len(c) for kept in results.values() for c in kept)
    still = sum(len(c) for s in (*UNCHANGED, *DRIFTING) for c in results[s.title])
    report.say(
        f"{len(people)} rendered people of any skin tone that the precision model was not "
        f"fitted to, {total} courses, {still} of them of unchanged skin. Skin's own change from "
        "day to day is drawn at its published or assumed size; so the figures hold where people "
        "vary that much. Brackets: 95 % intervals, faces resampled. A goal counts as missed where "
        "the interval excludes it."
    )
    report.section("Goals")
    report.table(
        ("question", "goal", "result", ""),
        [
            *(
                _goal(
                    f"any false claim: {s.title}",
                    "≤ 5 %",
                    _courses(results[s.title], lambda j: bool(j.claims)),
                    most=0.05,
                )
                for s in UNCHANGED
            ),
            *(
                _goal(
                    f"any false improvement: {s.title}",
                    "≤ 5 %",
                    _courses(results[s.title], lambda j: j.improvement),
                    most=0.05,
                )
                for s in DRIFTING
            ),
            _goal(
                f"lines 20 % softer are found: {SESSIONS} sessions",
                "≥ 90 %",
                _courses(results[f"{SESSIONS} sessions"], lambda j: j.found),
                least=0.9,
            ),
            *(
                _goal(
                    f"95 % intervals contain no change: {s.title}",
                    "93 to 97 %",
                    _coverage(results[s.title]),
                    least=0.93,
                    most=0.97,
                )
                for s in UNCHANGED
            ),
        ],
    )
    report.say(
        f"A claim is false wherever in a course it stands: six concerns, {len(metrics())} metrics "
        "and all regions are tested at once."
    )
    report.say(
        "Why lines 20 % softer miss their goal, and what was done for them: "
        '[decisions](decisions.md), "two goals of verdicts are missed" and "More power for lines". '
        'What a replaced camera does: the same page, "another camera".'
    )
    report.section("Unchanged skin")
    report.table(
        (
            "course",
            "any false claim",
            "any false improvement",
            "concerns compared",
            "intervals that contain no change",
            "most frequent false claims",
        ),
        [
            (
                s.title,
                _told(_courses(results[s.title], lambda j: bool(j.claims))),
                _told(_courses(results[s.title], lambda j: j.improvement)),
                _compared(results[s.title]),
                _told(_coverage(results[s.title])),
                _most_frequent(results[s.title]),
            )
            for s in (*UNCHANGED, *DRIFTING)
        ],
    )
    report.section("Lines 20 % shallower at the last session")
    report.say(
        "The photos were rendered with shallower lines, evenly less from session to session. "
        "Everything else stayed as it was."
    )
    report.table(
        (
            "course",
            "lines improved",
            "anything else claimed",
            f"{metrics()[_LINES].title.lower()} reads, median",
        ),
        [
            (
                s.title,
                _told(_courses(results[s.title], lambda j: j.found)),
                _told(_courses(results[s.title], lambda j: j.beside)),
                _read(results[s.title]),
            )
            for s in SOFTER
        ],
    )
    report.section("Smallest reduction that one pair of photos finds")
    report.say(
        "All numbers of lines of the later photo lessened on paper. Found with 80 % power: "
        f"**{_smallest(results)}**."
    )
    report.table(
        ("lines less by", "lines improved"),
        [(s.title, _told(_courses(results[s.title], lambda j: j.found))) for s in ON_PAPER],
    )
    report.write(args.write)


if __name__ == "__main__":
    main()
