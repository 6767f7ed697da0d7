"""What the photos of a course were like: checks not met, and what barred comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from skinscan.flags import sentences
from skinscan.metrics import Concern, metric
from skinscan.progress import Progress
from skinscan.quality import RULES, Grade
from skinscan.scan import Scan


@dataclass(frozen=True)
class Advice:
    """One check that some photos did not meet.

    Attributes
    ----------
    title, sentence : str
        What was checked, and what helps.
    photos : int
    sessions : tuple of date
        In order; empty where the photos have no dates.
    """

    title: str
    sentence: str
    photos: int
    sessions: tuple[date, ...]


@dataclass(frozen=True)
class Difference:
    """Why sessions are doubtful or were not compared.

    Attributes
    ----------
    sentence : str
    sessions : tuple of date
        In order.
    concerns : tuple of Concern
        For which of them.
    """

    sentence: str
    sessions: tuple[date, ...]
    concerns: tuple[Concern, ...]


def grades(scans: Sequence[Scan]) -> dict[Grade, int]:
    """Count photos by the worst verdict of their checks."""
    found = [scan.quality.verdict for scan in scans]
    return {grade: found.count(grade) for grade in Grade}


def advice(scans: Sequence[Scan], dates: Sequence[date] | None) -> list[Advice]:
    """List the checks that were not met, those of most photos first."""
    days = dates if dates is not None else [None] * len(scans)
    not_met: dict[str, list[date | None]] = {}
    titles: dict[str, tuple[str, str]] = {}
    for scan, day in zip(scans, days, strict=True):
        for check in scan.quality.checks:
            if check.verdict is not Grade.GOOD:
                not_met.setdefault(check.name, []).append(day)
                rule = RULES.get(check.name)
                titles[check.name] = check.title, rule.do if rule else check.sentence
    return sorted(
        (
            Advice(*titles[name], len(on), tuple(sorted({day for day in on if day is not None})))
            for name, on in not_met.items()
        ),
        key=lambda item: (-item.photos, item.title),
    )


def differences(progress: Progress) -> list[Difference]:
    """List what differed between sessions, for the measures that speak for a concern.

    What holds for most sessions comes first.
    """
    found: dict[str, tuple[set[date], list[Concern]]] = {}
    for item in progress.concerns:
        own = metric(item.leading.metric).flags
        for point in item.leading.points:
            why = [r.sentence for r in point.reasons] + sentences(point.flags & ~own)
            for sentence in why:
                sessions, concerns = found.setdefault(sentence, (set(), []))
                sessions.add(point.on)
                if item.concern not in concerns:
                    concerns.append(item.concern)
    listed = [
        Difference(sentence, tuple(sorted(sessions)), tuple(concerns))
        for sentence, (sessions, concerns) in found.items()
    ]
    return sorted(listed, key=lambda d: (-len(d.sessions), -len(d.concerns), d.sentence))
