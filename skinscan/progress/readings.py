"""What one session tells of one metric in one place, or why it tells nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from statistics import fmean

from skinscan.flags import SENTENCES, Flag, flag_names
from skinscan.landmarks import View
from skinscan.metrics import Measurement, Metric
from skinscan.precision import pooled_takes, precision_model
from skinscan.progress.sessions import Session, Take
from skinscan.progress.values import Reason
from skinscan.progress.words import EXPRESSION_NAMED, REASONS

#: Families that follow the expression as much as the skin: a smile folds it and moves its edges.
EXPRESSION_BOUND = frozenset({"wrinkles", "under_eye", "puffiness", "lift"})


#: Flags that say why there is no number, the plainest first.
_WITHOUT_VALUE = (Flag.LOW_RESOLUTION, Flag.NOTHING_FOUND, Flag.OCCLUDED)


@dataclass(frozen=True)
class Found:
    """One number of one session at one level.

    Attributes
    ----------
    takes : int
        Photos pooled.
    level_px_mm : float
    value : float
        Mean of the takes.
    capture, day, added : float
        Parts of its standard error: of the photos, of the skin from day to day, and of a capture
        unlike the baseline's.
    reasons : tuple of Reason
        Why it must not be compared; the value is then for looking only.
    flags : Flag
    """

    takes: int
    level_px_mm: float
    value: float
    capture: float
    day: float
    added: float
    reasons: tuple[Reason, ...]
    flags: Flag

    @property
    def usable(self) -> bool:
        """Whether it may be compared."""
        return not self.reasons


def reason(name: str) -> Reason:
    """Return one of the reasons of the catalogue."""
    return Reason(name, REASONS[name])


def nothing(*reasons: Reason, flags: Flag = Flag.NONE) -> Found:
    """Return what there is where nothing was found."""
    return Found(0, math.nan, math.nan, math.nan, math.nan, math.nan, reasons, flags)


def unique(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Each cause once, its first sentence standing for all."""
    return tuple({r.name: r for r in reversed(reasons)}.values())[::-1]


def _expression(take: Take) -> Reason:
    """Name the expression that differs most from the baseline's, else the strongest."""
    ours = take.scan.quality.conditions.expression
    theirs = take.reference.quality.conditions.expression
    change = {name: abs(ours[name] - theirs.get(name, 0.0)) for name in ours}
    size = change if any(change.values()) else ours
    name = max(size, key=lambda k: size[k])
    return Reason("expression", EXPRESSION_NAMED.format(expression=name))


def _reasons(take: Take, entry: Metric, m: Measurement | None) -> list[Reason]:
    """Why one photo's number must not be compared; the expression first, if it is that."""
    differing = take.comparability.reasons(entry.name)
    found = [Reason(d.name, d.sentence) for d in differing if d.name != "expression"]
    flagged = m is not None and bool(m.flags & Flag.EXPRESSION)
    if len(found) < len(differing) or (flagged and entry.family in EXPRESSION_BOUND):
        found.insert(0, _expression(take))
    if m is None:
        return [*found, reason("low_resolution")]
    if m.flags & Flag.WRONG_VIEW:
        found.append(reason("wrong_view"))
    if not math.isfinite(m.value):
        cause = next((f for f in _WITHOUT_VALUE if f & m.flags), Flag.NONE)
        found.append(Reason(flag_names(cause), SENTENCES[cause]) if cause else reason("no_value"))
    elif not math.isfinite(m.sem) or (m.metric, m.level_px_mm) not in precision_model().levels:
        found.append(reason("no_sem"))
    return found


def read(session: Session, entry: Metric, region: str, view: View, *, level: float) -> Found:
    """Pool the takes of a session.

    Takes that must not be compared are left out as long as others remain.

    Parameters
    ----------
    session : Session
    entry : Metric
    region : str
    view : View
    level : float
        px/mm, at most the metric's finest.
    """
    takes = session.takes.get(view, ())
    if not takes:
        return nothing(reason("missing_view"))
    good: list[tuple[Take, Measurement]] = []
    barred: list[Measurement] = []
    reasons: list[Reason] = []
    for take in takes:
        m = take.numbers.get((entry.name, region, level))
        found = _reasons(take, entry, m)
        reasons += found
        if m is None:
            continue
        if found:
            barred.append(m)
        else:
            good.append((take, m))
    if not good:
        flags = reduce(or_, (m.flags for m in barred), Flag.NONE)
        values = [m.value for m in barred if math.isfinite(m.value)]
        empty = nothing(*unique(reasons), flags=flags)
        return replace(empty, value=fmean(values), level_px_mm=level) if values else empty
    model = precision_model()
    value, capture = pooled_takes(
        [m.value for _, m in good],
        capture=fmean([m.sem_capture for _, m in good]),
        freedom=model.levels[entry.name, level].freedom,
    )
    return Found(
        takes=len(good),
        level_px_mm=level,
        value=value,
        capture=capture,
        day=fmean([m.sem_day for _, m in good]),
        added=fmean(
            [model.added_by(entry, level, value, take.comparability.sizes) for take, _ in good]
        ),
        reasons=(),
        flags=reduce(or_, (m.flags for _, m in good)),
    )
