"""Which rule finds softer lines, chosen on rendered people that test nothing else.

Usage: python benchmarks/rules.py [--persons 8] [--courses 200] [--write FILE]

Compares what could be read first of lines, how a concern's p-value could come about and how the
change of a course could be estimated, on courses of unchanged skin and of lines that soften by
20 %. Judged is the whole face, which decides what is claimed; regions come after it. The candidates
and what decides are in docs/decisions.md, "More power for lines". Measured photos are kept in
benchmarks/results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from _captures import CHOSEN_FROM
from _common import Report, bootstrap, number, parser, progress, span
from _course_pool import SESSIONS, small_pool_of
from _repeats import F64, Repeat, places
from numpy.typing import NDArray
from scipy.special import erfc

from skinscan.conditions import differences
from skinscan.facemap import LEVEL_TOLERANCE
from skinscan.metrics import Better, Concern, Metric, metric, metrics
from skinscan.precision import day_to_day, precision_model
from skinscan.progress.areas import areas_of
from skinscan.progress.selection import Q, selected, simes
from skinscan.progress.statistics import (
    DAYS_PER_WEEK,
    TREND_SESSIONS,
    capture_of_mean,
    least_squares_weights,
    theil_sen,
    widening,
)
from skinscan.progress.words import HEADLINES

_LINES = Concern.WRINKLES
#: Metrics of lines whose mean z is tried.
_MEAN_OF = ("wrinkles.severity", "wrinkles.contrast", "wrinkles.length_density")
#: Correlation of the capture errors of two of them where a mean z is taken, and the share of
#: capture in the variance of a usual face; all else counts as common to them.
_CAPTURE_ALIKE, _CAPTURE_SHARE = 0.3, 0.25
_MEAN = "mean z"
#: Sessions of the courses that are drawn.
_LENGTHS = (2, 4, SESSIONS)


# --- one person's numbers of the whole face ----------------------------------------------------


@dataclass(frozen=True, eq=False)
class Person:
    """Photos of one person, as numbers of the whole face.

    Attributes
    ----------
    entries : tuple of Metric
        Those with a better direction, M of them, that every photo has.
    values, capture : ndarray of float64, shape (P, M)
    day : ndarray of float64, shape (M,)
    added : ndarray of float64, shape (P, P, M)
        By baseline and later photo.
    still : tuple of int
        Photos of unchanged skin.
    softer : tuple of int
        One for each session but the first.
    drifting : Mapping of str to tuple of int
        Photos of unchanged skin after the lamp or the camera was replaced; none where not rendered.
    """

    entries: tuple[Metric, ...]
    values: F64
    capture: F64
    day: F64
    added: F64
    still: tuple[int, ...]
    softer: tuple[int, ...]
    drifting: Mapping[str, tuple[int, ...]]


def _level(entry: Metric, resolution: float) -> float | None:
    """Highest level that all photos have and the precision model knows."""
    known = [
        level
        for name, level in precision_model().levels
        if name == entry.name
        and level * LEVEL_TOLERANCE <= resolution
        and level >= entry.lowest_level_px_mm
    ]
    return max(known, default=None)


def _numbers(entry: Metric, photos: Sequence[Repeat]) -> tuple[F64, F64, float, F64] | None:
    """Value, capture part, day part and what unlike captures add, of the whole face."""
    model = precision_model()
    level = _level(entry, min(p.conditions.resolution_px_mm for p in photos))
    if level is None:
        return None
    inside = areas_of(entry, frozenset())[0].inside
    index = [
        k
        for k, p in enumerate(places())
        if p.metric == entry.name and p.level == level and p.region in inside
    ]
    groups = [places()[k].group for k in index]
    block = np.array([photo.values[index] for photo in photos])
    use = np.flatnonzero(np.isfinite(block).all(axis=0))
    if not len(use):
        return None
    part = model.levels[entry.name, level]
    capture = [
        capture_of_mean(
            [model.capture(entry, groups[r], level, row[r]) for r in use], shared=part.shared
        )
        for row in block
    ]
    day = float(np.mean([day_to_day(entry).of(part.size(v)) for v in block[0][use]]))
    added = [
        [
            np.mean([model.added_by(entry, level, v, unlike) for v in block[b][use]])
            for later in photos
            for unlike in [differences(later.conditions, photos[b].conditions)]
        ]
        for b in range(len(photos))
    ]
    return block[:, use].mean(axis=1), np.array(capture), day, np.array(added)


def person_of(seed: int, *, drifting: bool) -> Person | None:
    """Measure a person; None where a photo was refused."""
    pool = small_pool_of(seed, drifting=drifting)
    if not all(pool.softer):
        return None
    careful = [*pool.still, *(part[0] for part in pool.softer)]
    photos = [*careful, *pool.drifting["lamp"], *pool.drifting["camera"]]
    found = {
        entry: numbers
        for entry in metrics().values()
        if entry.better is not Better.NEUTRAL and (numbers := _numbers(entry, photos))
    }
    values, capture, day, added = zip(*found.values(), strict=True)
    count = len(pool.still)
    return Person(
        entries=tuple(found),
        values=np.stack(values, axis=-1),
        capture=np.stack(capture, axis=-1),
        day=np.array(day),
        added=np.stack(added, axis=-1),
        still=tuple(range(count)),
        softer=tuple(range(count, len(careful))),
        drifting={
            "lamp": tuple(range(len(careful), len(careful) + len(pool.drifting["lamp"]))),
            "camera": tuple(range(len(careful) + len(pool.drifting["lamp"]), len(photos))),
        },
    )


# --- courses -----------------------------------------------------------------------------------

#: Ways to estimate the change of a course.
_TREND, _LEAST_SQUARES, _LAST = "Theil-Sen", "least squares", "last minus first"


@dataclass(frozen=True, eq=False)
class Drawn:
    """Courses of one person.

    Attributes
    ----------
    entries : tuple of Metric
    before : ndarray of float64, shape (C, M)
    change, sem : Mapping of str to ndarray of float64, shape (C, M)
        By way to estimate.
    """

    entries: tuple[Metric, ...]
    before: F64
    change: Mapping[str, F64]
    sem: Mapping[str, F64]


#: Kinds of courses.
_STILL, _SOFTER, _LAMP, _CAMERA = _KINDS = ("unchanged", "softer", "lamp", "camera")


def _chosen(
    person: Person, sessions: int, *, kind: str, courses: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    if kind in person.drifting:
        half = sessions // 2
        parts = (person.still, person.drifting[kind])
        return np.array(
            [
                np.concatenate([rng.permutation(part)[:half] for part in parts])
                for _ in range(courses)
            ]
        )
    if kind == _STILL:
        return np.array([rng.permutation(person.still)[:sessions] for _ in range(courses)])
    steps = np.round(np.linspace(0, SESSIONS - 1, sessions)).astype(int)[1:]
    later = [person.softer[k - 1] for k in steps]
    return np.array([[rng.choice(person.still), *later] for _ in range(courses)])


def drawn(
    person: Person, sessions: int, *, kind: str, common: bool, courses: int, seed: int
) -> Drawn:
    """Draw weekly courses of one person."""
    rng = np.random.default_rng([seed, sessions, _KINDS.index(kind), common])
    index = _chosen(person, sessions, kind=kind, courses=courses, rng=rng)
    concerns = [list(Concern).index(e.concern) for e in person.entries]
    mood = rng.standard_normal((*index.shape, len(Concern) if common else len(concerns)))
    values = person.values[index] + (mood[..., concerns] if common else mood) * person.day
    days = np.arange(sessions) * DAYS_PER_WEEK
    capture = person.capture[index]
    added = person.added[index[:, :1], index]
    own = np.hypot(capture, person.day)
    change = {_LAST: values[:, -1] - values[:, 0]}
    sem = {_LAST: np.sqrt(own[:, 0] ** 2 + own[:, -1] ** 2 + added[:, -1] ** 2)}
    if sessions < TREND_SESSIONS:
        change |= dict.fromkeys((_TREND, _LEAST_SQUARES), change[_LAST])
        sem |= dict.fromkeys((_TREND, _LEAST_SQUARES), sem[_LAST])
    else:
        weights = least_squares_weights(days)
        shaped = weights[None, :, None]
        drift = np.maximum(
            np.sqrt(((shaped * added) ** 2).sum(axis=1)), np.abs((shaped * added).sum(axis=1))
        )
        exact = np.hypot(np.sqrt(((shaped * own) ** 2).sum(axis=1)), drift) * days[-1]
        change[_LEAST_SQUARES] = (shaped * values).sum(axis=1) * days[-1]
        change[_TREND] = theil_sen(days, values.transpose(0, 2, 1)) * days[-1]
        sem[_LEAST_SQUARES] = exact
        sem[_TREND] = exact * widening(tuple(days / days[-1]))
    return Drawn(person.entries, values[:, 0], change, sem)


# --- rules -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One way to judge.

    Attributes
    ----------
    title : str
    lead : str
        What is read first of lines.
    share : float
        Share of the weight of what is read first of lines; 1 asks nothing else. Other concerns
        stay as they are, with half of the weight on the first.
    estimator : str
    """

    title: str
    lead: str = "wrinkles.severity"
    share: float = 0.5
    estimator: str = _TREND

    def _weights(self, tested: Mapping[str, float], concern: Concern) -> dict[str, float]:
        lines = concern is _LINES
        lead, share = (self.lead, self.share) if lines else (HEADLINES[concern], 0.5)
        if lead not in tested or len(tested) == 1:
            return dict.fromkeys(tested, 1.0)
        rest = (1.0 - share) / (len(tested) - 1)
        weights = {name: share if name == lead else rest for name in tested}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def judged(self, courses: Drawn) -> list[tuple[bool, bool]]:
        """Of each course: whether anything is claimed, and whether lines are said to be better."""
        names = [e.name for e in courses.entries]
        z = courses.change[self.estimator] / courses.sem[self.estimator]
        if self.lead == _MEAN:
            z, names = _with_mean(z, names)
        p = erfc(np.abs(z) / math.sqrt(2.0))
        concern = [_LINES if n == _MEAN else metric(n).concern for n in names]
        wanted = [-1 if n == _MEAN or metric(n).better is Better.DOWN else 1 for n in names]
        return [self._judged(names, concern, p[k], np.sign(z[k]) == wanted) for k in range(len(z))]

    def _judged(
        self,
        names: Sequence[str],
        concern: Sequence[Concern],
        p: F64,
        better: NDArray[np.bool_],
    ) -> tuple[bool, bool]:
        tested, weights = {}, {}
        for c in Concern:
            found = {n: float(v) for n, of, v in zip(names, concern, p, strict=True) if of is c}
            weights[c] = self._weights(found, c)
            tested[c] = {n: found[n] for n in weights[c]}
        passed, level = selected(
            {c: simes(found, weights=weights[c]) for c, found in tested.items()}, level=Q
        )
        if _LINES not in passed:
            return bool(passed), False
        chosen, _ = selected(tested[_LINES], level=level, weights=weights[_LINES])
        return True, all(better[names.index(n)] for n in chosen)


def _with_mean(z: F64, names: Sequence[str]) -> tuple[F64, list[str]]:
    """Add the mean z of lines."""
    index = [names.index(n) for n in _MEAN_OF if n in names]
    alike = 1.0 - _CAPTURE_SHARE * (1.0 - _CAPTURE_ALIKE)
    spread = math.sqrt((1.0 + (len(index) - 1) * alike) / len(index))
    mean = z[:, index].mean(axis=1) / spread
    return np.column_stack([z, mean]), [*names, _MEAN]


_CONTRAST = "wrinkles.contrast"
RULES = (
    Rule("severity first, half of the weight (before)"),
    Rule("contrast first, half", _CONTRAST),
    Rule("length first, half", "wrinkles.length_density"),
    Rule("area first, half", "wrinkles.area_fraction"),
    Rule("mean z first, half", _MEAN),
    Rule("contrast first, three quarters", _CONTRAST, 0.75),
    Rule("contrast alone", _CONTRAST, 1.0),
    Rule("mean z alone", _MEAN, 1.0),
    Rule("contrast first, half, least squares", _CONTRAST, 0.5, _LEAST_SQUARES),
    Rule("contrast first, half, last minus first", _CONTRAST, 0.5, _LAST),
)


# --- tables ------------------------------------------------------------------------------------


def _share(hits: Sequence[Sequence[bool]]) -> str:
    """Share in all courses, its 95 % interval with the faces resampled."""
    shares = np.array([np.mean(own) for own in hits])
    found, ends = bootstrap(lambda index: float(shares[index].mean()), len(shares))
    return f"{100 * found:.1f} % ({span((100 * ends[0], 100 * ends[1]), 1)})"


def _spread(values: F64) -> float:
    """Robust standard deviation."""
    low, high = np.quantile(values, [0.1587, 0.8413])
    return float(high - low) / 2.0


def say_metrics(report: Report, people: Sequence[Person], courses: int) -> None:
    """Gain and capture noise of each metric of lines, and whether its errors are right."""
    report.section("Metrics of lines, whole face")
    rows = []
    for name in (n for n, e in metrics().items() if e.concern is _LINES):
        still, softer, z = [], [], []
        for k, person in enumerate(people):
            own = [e.name for e in person.entries]
            if name not in own:
                continue
            m = own.index(name)
            values = person.values[:, m]
            level = values[list(person.still)].mean()
            if level <= 0:
                continue
            still.append(values[list(person.still)].std(ddof=1) / level)
            softer.append(values[person.softer[-1]] / level - 1.0)
            made = drawn(person, SESSIONS, kind=_STILL, common=False, courses=courses, seed=k)
            z.append(made.change[_TREND][:, m] / made.sem[_TREND][:, m])
        if still:
            noise, less = float(np.sqrt(np.mean(np.square(still)))), float(np.mean(softer))
            rows.append(
                (
                    name,
                    number(-less / 0.2),
                    f"{100 * noise:.1f} %",
                    number(-less / noise, 1),
                    number(_spread(np.concatenate(z))),
                )
            )
    report.say(
        "Gain: share by which the number falls where lines are 20 % shallower, over 20 %. Noise: "
        "standard deviation of one careful photo. d': fall over noise. Last column: spread of the "
        "trend of unchanged courses of 8 sessions in its own standard errors; 1 is right, less is "
        "careful."
    )
    report.table(("metric", "gain", "noise", "d'", "spread over 8 sessions"), rows)


def say_rules(
    report: Report,
    people: Sequence[Person],
    kinds: Sequence[tuple[str, str, int, int]],
    *,
    common: bool,
    courses: int,
) -> None:
    """Judge courses of these kinds by every rule: title, kind, sessions, part of what is judged."""
    made = {
        (kind, sessions): [
            drawn(person, sessions, kind=kind, common=common, courses=courses, seed=k)
            for k, person in enumerate(people)
        ]
        for _, kind, sessions, _ in kinds
    }
    rows = []
    for rule in RULES:
        judged = {key: [rule.judged(d) for d in kept] for key, kept in made.items()}
        cells = [
            _share([[j[part] for j in own] for own in judged[kind, sessions]])
            for _, kind, sessions, part in kinds
        ]
        rows.append((rule.title, *cells))
    report.table(("rule", *(title for title, *_ in kinds)), rows)


def main() -> None:
    """Draw, judge by every rule, count."""
    options = parser(__doc__)
    options.add_argument("--persons", type=int, default=12)
    options.add_argument(
        "--drifting", type=int, default=6, help="persons whose lamp and camera are replaced"
    )
    options.add_argument("--courses", type=int, default=100, help="of each kind and person")
    args = options.parse_args()
    people = []
    for k in range(args.persons):
        progress(f"{k} of {args.persons}")
        found = person_of(CHOSEN_FROM + k, drifting=k < args.drifting)
        people += [found] if found else []
    report = Report("Rules: what finds softer lines?", "rules.py")
    report.say(
        f"{len(people)} rendered people from seed {CHOSEN_FROM} on, {args.courses} courses of each "
        "kind and person. Brackets: 95 % intervals, faces resampled. Whole face only."
    )
    say_metrics(report, people, args.courses)
    careful = [
        *((f"false claim, {n} sessions", _STILL, n, 0) for n in _LENGTHS),
        *((f"20 % found, {n} sessions", _SOFTER, n, 1) for n in _LENGTHS),
    ]
    for common in (False, True):
        report.section(
            "Days common to the metrics of a concern" if common else "Days of each metric's own"
        )
        say_rules(report, people, careful, common=common, courses=args.courses)
    others = [person for person in people if person.drifting[_LAMP] and person.drifting[_CAMERA]]
    if others:
        report.section("Lamp or camera replaced half-way, no photo names its camera")
        report.say(
            f"{len(others)} of these people, {SESSIONS} sessions, unchanged skin, days of each "
            "metric's own. Captures that are too unlike to be compared are judged all the same."
        )
        drift = [
            ("lamp: any false claim", _LAMP, SESSIONS, 0),
            ("lamp: lines said to improve", _LAMP, SESSIONS, 1),
            ("camera: any false claim", _CAMERA, SESSIONS, 0),
            ("camera: lines said to improve", _CAMERA, SESSIONS, 1),
        ]
        say_rules(report, others, drift, common=False, courses=args.courses)
    report.write(args.write)


if __name__ == "__main__":
    main()
