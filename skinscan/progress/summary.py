"""A course in sentences that a client understands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from skinscan.progress import words
from skinscan.progress.locales import Locale
from skinscan.progress.values import Change, ConcernChange, Scope, Verdict

#: Parts of the face named beside a concern's own sentence, the surest first.
_PLACES_NAMED = 3


def _number(change: Change, value: float, locale: Locale) -> str:
    """Write the size of a difference without its unit: of the baseline where that has a meaning."""
    size = 100.0 * value / change.before if math.isfinite(change.percent) else value
    return locale.number(abs(size))


def _amount(change: Change, value: float, locale: Locale) -> str:
    """Write the size of a difference with its unit."""
    percent = math.isfinite(change.percent)
    unit = words.PERCENT if percent else words.METRICS[change.metric].unit
    return f"{_number(change, value, locale)} {unit}"


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
    said = words.METRICS[change.metric]
    low, high = sorted((abs(change.low), abs(change.high)))
    contrast = change.scope is Scope.TREATED_MINUS_UNTREATED
    template = words.TREATED if contrast else words.CLAIMED
    return template.format(
        subject=said.subject,
        place="" if contrast else words.PLACES[change.place],
        amount=_amount(change, change.difference, locale),
        word=said.less if change.difference < 0 else said.more,
        since=since,
        low=_number(change, low, locale),
        high=_amount(change, high, locale),
    )


def no_change(item: ConcernChange, locale: Locale) -> str:
    """Write the sentence of a concern in which no change was found."""
    change = item.leading
    return words.NO_CHANGE.format(
        subject=words.METRICS[change.metric].subject,
        place=words.PLACES[change.place],
        amount=_amount(change, item.would_be_found, locale),
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
        sentence = leading.reasons[0].sentence
        yield words.NOT_COMPARABLE.format(concern=words.CONCERNS[item.concern], sentence=sentence)
        return
    if not item.verdict.claimed:
        yield no_change(item, locale)
        return
    if item.verdict is Verdict.CHANGED:
        yield words.CLAIMED_IN_BOTH_WAYS.format(concern=words.CONCERNS[item.concern])
    since = _since(leading, locale, dated=dated)
    yield claim(leading, locale, since=since)
    named = {Scope.GROUP, Scope.TREATED_MINUS_UNTREATED}
    places = [
        c
        for c in changes
        if c.metric == leading.metric
        and c.scope in named
        and c.verdict.claimed
        and c.place != "face"
    ]
    for change in sorted(places, key=lambda c: c.p)[:_PLACES_NAMED]:
        yield claim(change, locale, since=since)
