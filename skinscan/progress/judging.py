"""Verdicts of a course: which of its changes are claimed, with intervals to match.

The steps are those of `skinscan.progress.selection`. What stands for a metric at the first two
is its mean over the treated regions where those were declared, else over the whole face. In
each concern the metric that is read first has half of the weight or more, all others together the
rest. Metrics without a better direction open no concern; inside one that passed they are selected
among themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from skinscan.metrics import Better, Concern, metric
from skinscan.progress.following import with_interval
from skinscan.progress.selection import Q, headline_weights, selected, simes
from skinscan.progress.statistics import found_at
from skinscan.progress.values import Change, ConcernChange, Scope, Verdict
from skinscan.progress.words import HEADLINES
from skinscan.regions import region

Changes = Mapping[str, Sequence[Change]]

#: Share of the weight of a concern on the metric that is read first; half where none is said. Of
#: lines it was chosen on rendered people of their own (docs/decisions.md, "More power for lines").
_USUAL_SHARE = 0.5
_SHARES: Mapping[Concern, float] = MappingProxyType({Concern.WRINKLES: 0.75})


def concern_weights(tested: Mapping[str, float], concern: Concern) -> Mapping[str, float]:
    """Weights of the metrics of a concern when it is judged.

    Parameters
    ----------
    tested : Mapping
        Those that are comparable, as keys.
    concern : Concern
    """
    share = _SHARES.get(concern, _USUAL_SHARE)
    return headline_weights(tested, HEADLINES[concern], share=share)


def _comparable(change: Change) -> bool:
    return change.verdict is not Verdict.NOT_COMPARABLE


def _first(changes: Sequence[Change]) -> Change:
    """Return what stands for a metric."""
    by_scope = {c.scope: c for c in changes}
    treated = by_scope.get(Scope.TREATED)
    return treated if treated and _comparable(treated) else by_scope[Scope.FACE]


def _claimed(change: Change, level: float) -> Change:
    """Claim a change, in the interval that belongs to its selection."""
    entry = metric(change.metric)
    if entry.better is Better.NEUTRAL:
        verdict = Verdict.CHANGED
    elif (change.difference < 0) == (entry.better is Better.DOWN):
        verdict = Verdict.IMPROVED
    else:
        verdict = Verdict.WORSE
    return replace(with_interval(change, entry, coverage=1.0 - level), verdict=verdict)


def _selected(changes: Sequence[Change], level: float) -> tuple[list[Change], float]:
    tested = {k: c.p for k, c in enumerate(changes) if _comparable(c)}
    chosen, left = selected(tested, level=level)
    return [changes[k] for k in sorted(chosen)], left


def _inside(changes: Sequence[Change], level: float) -> tuple[Change, ...]:
    """Claim what holds inside a metric that passed: parts of the face, then their sides."""
    first = _first(changes)
    parts = [c for c in changes if c is not first and c.scope is not Scope.REGION]
    parts_chosen, left = _selected(parts, level)
    groups = {c.place for c in parts_chosen if c.scope is Scope.GROUP}
    levels = {(first.scope, first.place): level}
    levels |= {(c.scope, c.place): left for c in parts_chosen}
    for group in groups:
        sides = [c for c in changes if c.scope is Scope.REGION and region(c.place).group == group]
        chosen, side_level = _selected(sides, left)
        levels |= {(c.scope, c.place): side_level for c in chosen}
    return tuple(
        _claimed(c, levels[c.scope, c.place]) if (c.scope, c.place) in levels else c
        for c in changes
    )


def _of_concern(changes: Changes, concern: Concern, *, neutral: bool) -> dict[str, float]:
    """P-value of each comparable metric of a concern."""
    firsts = {
        name: _first(found)
        for name, found in changes.items()
        if metric(name).concern is concern and (metric(name).better is Better.NEUTRAL) == neutral
    }
    return {name: first.p for name, first in firsts.items() if _comparable(first)}


def _would_be_found(leading: Change, tested: Mapping[str, float], concern: Concern) -> float:
    """Change that is found where no other metric moves, and no other concern."""
    weights = concern_weights(tested, concern)
    if leading.metric not in weights:
        return math.nan
    level = Q / len(Concern) * weights[leading.metric] / sum(weights.values())
    return found_at(level, leading.sem)


def _concern_change(changes: Changes, concern: Concern, p: float) -> ConcernChange:
    """Sum up a concern after its metrics were judged."""
    tested = _of_concern(changes, concern, neutral=False)
    firsts = [_first(changes[name]) for name in tested]
    headline = _first(changes[HEADLINES[concern]])
    claims = [c for c in firsts if c.verdict.claimed]
    verdicts = {c.verdict for c in claims}
    if len(verdicts) > 1:
        verdict = Verdict.CHANGED
    elif verdicts:
        verdict = verdicts.pop()
    elif firsts:
        verdict = Verdict.NO_CHANGE
    else:
        verdict = Verdict.NOT_COMPARABLE
    if claims and not headline.verdict.claimed:
        leading = min(claims, key=lambda c: c.p)
    elif _comparable(headline) or not firsts:
        leading = headline
    else:
        leading = firsts[0]
    return ConcernChange(
        concern=concern,
        p=p,
        verdict=verdict,
        leading=leading,
        would_be_found=_would_be_found(leading, tested, concern),
    )


def judge(changes: Changes) -> tuple[tuple[Change, ...], tuple[ConcernChange, ...]]:
    """Claim what the whole course allows to claim.

    Parameters
    ----------
    changes : Mapping of str to sequence of Change
        By metric, none claimed yet.

    Returns
    -------
    changes : tuple of Change
        In the same order, with verdicts, and intervals adjusted where one is claimed.
    concerns : tuple of ConcernChange
        All six.
    """
    tested = {concern: _of_concern(changes, concern, neutral=False) for concern in Concern}
    weights = {c: concern_weights(found, c) for c, found in tested.items()}
    p_values = {c: simes(found, weights=weights[c]) for c, found in tested.items()}
    passed, level = selected(p_values, level=Q)
    judged = dict(changes)
    for concern in passed:
        chosen, left = selected(tested[concern], level=level, weights=weights[concern])
        judged |= {name: _inside(changes[name], left) for name in chosen}
        neutral, left = selected(_of_concern(changes, concern, neutral=True), level=level)
        judged |= {name: _inside(changes[name], left) for name in neutral}
    concerns = tuple(_concern_change(judged, c, p_values[c]) for c in Concern)
    return tuple(c for found in judged.values() for c in found), concerns
