"""A course in sentences that a client understands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from skinscan.metrics import metric
from skinscan.progress import words
from skinscan.progress.locales import Locale, decimals
from skinscan.progress.values import Change, ConcernChange, Scope, Verdict

#: Parts of the face named beside a concern's own sentence, the surest first.
_PLACES_NAMED = 3


def _written(values: Sequence[float], locale: Locale) -> list[str]:
    """Write sizes with the decimals of the first."""
    places = decimals(values[0])
    return [locale.number(abs(value), places=places) for value in values]


def _unit(change: Change) -> str:
    """Return the unit of a change: per cent of the baseline where that means something."""
    percent = math.isfinite(change.percent)
    return words.PERCENT if percent else words.words_of(change.metric).unit


def claim(change: Change, locale: Locale, *, since: str) -> str:
    """Write the sentence of a claimed change.

    Parameters
    ----------
    change : Change
        Claimed, so that its interval excludes 0.
    locale : Locale
    since : str
        Since when.
    """
    said = words.words_of(change.metric)
    if math.isfinite(change.percent):
        values = (change.percent, change.percent_low, change.percent_high)
    else:
        values = (change.difference, change.low, change.high)
    size, low, high = _written((values[0], *sorted(values[1:], key=abs)), locale)
    unit = _unit(change)
    contrast = change.scope is Scope.TREATED_MINUS_UNTREATED
    template = words.TREATED if contrast else words.CLAIMED
    return template.format(
        subject=said.subject,
        place="" if contrast else words.PLACES[change.place],
        amount=f"{size} {unit}",
        word=said.less if change.difference < 0 else said.more,
        since=since,
        low=low,
        high=f"{high} {unit}",
    )


def no_change(item: ConcernChange, locale: Locale) -> str:
    """Write the sentence of a concern in which no change was found."""
    change = item.leading
    per = 100.0 / change.before if math.isfinite(change.percent) else 1.0
    (size,) = _written((per * item.would_be_found,), locale)
    return words.NO_CHANGE.format(
        subject=words.words_of(change.metric).subject,
        place=words.PLACES[change.place],
        amount=f"{size} {_unit(change)}",
    )


def _since(change: Change, locale: Locale, *, dated: bool) -> str:
    if not dated or change.since is None or change.until is None:
        return words.BETWEEN_PHOTOS
    return words.SINCE.format(date=locale.date(change.since, beside=change.until))


def concern_sentences(
    item: ConcernChange, changes: Sequence[Change], locale: Locale, *, dated: bool
) -> Iterator[str]:
    """Write what may be said of one concern.

    Parameters
    ----------
    item : ConcernChange
    changes : sequence of Change
        All of the course.
    locale : Locale
    dated : bool
        Whether the sessions have dates.
    """
    leading = item.leading
    if item.verdict is Verdict.NOT_COMPARABLE:
        sentence = locale.sentence(leading.reasons[0].sentence)
        yield words.NOT_COMPARABLE.format(concern=words.CONCERNS[item.concern], sentence=sentence)
        return
    if not item.verdict.claimed:
        yield no_change(item, locale)
        return
    if item.verdict is Verdict.CHANGED:
        yield words.CLAIMED_IN_BOTH_WAYS.format(concern=words.CONCERNS[item.concern])
    since = _since(leading, locale, dated=dated)
    yield claim(leading, locale, since=since)
    named = {Scope.TREATED_MINUS_UNTREATED}
    if len(metric(leading.metric).groups) > 1:
        named.add(Scope.GROUP)
    places = [
        c for c in changes if c.metric == leading.metric and c.scope in named and c.verdict.claimed
    ]
    for change in sorted(places, key=lambda c: c.p)[:_PLACES_NAMED]:
        yield claim(change, locale, since=since)
