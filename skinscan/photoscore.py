"""How well was this photo taken? Nine points, after a published standard for aesthetic medicine.

The points are those of SEPIA, the Standards for the Evaluation of Photographs In Aesthetics
(Soares, von Haven & Yi 2022, doi:10.1097/GOX.0000000000004464), which people award by eye. Here
five come from the photo's own checks and four from what was declared about it. The limits of the
checks are skinscan's, so a score is made after SEPIA and is no SEPIA score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from skinscan.declaration import SETTLED_HOURS, Declaration, MakeUp, Noted
from skinscan.landmarks import View
from skinscan.quality import Grade, Quality


@dataclass(frozen=True)
class Point:
    """One of the points of a `PhotoScore`.

    Attributes
    ----------
    name, title : str
        Identifier, and the words for people.
    met : bool or None
        None when it was not declared or could not be measured; it then counts as 0.
    reason : str
        Sentences: why it is met, or what to do.
    """

    name: str
    title: str
    met: bool | None
    reason: str


@dataclass(frozen=True)
class PhotoScore:
    """All points of one photo.

    Attributes
    ----------
    points : tuple of Point
    """

    points: tuple[Point, ...]

    @property
    def total(self) -> int:
        """Number of points met."""
        return sum(point.met is True for point in self.points)

    @property
    def of(self) -> int:
        """Number of points there are."""
        return len(self.points)

    @property
    def open(self) -> int:
        """Number of points that are neither met nor missed."""
        return sum(point.met is None for point in self.points)

    def point(self, name: str) -> Point:
        """Return the point of that name."""
        return next(p for p in self.points if p.name == name)


_Judgement = tuple[bool | None, str]


@dataclass(frozen=True)
class Criterion:
    """How one point is awarded.

    Attributes
    ----------
    title : str
        For people.
    wants : str
        What meets it; a phrase.
    judge : callable
        Takes a photo's `Quality` and the `Declaration`; returns ``met`` and ``reason``.
    """

    title: str
    wants: str
    judge: Callable[[Quality, Declaration], _Judgement]


def _checked(title: str, *names: str) -> Criterion:
    """Make the criterion that all these checks of the photo are good."""

    def judge(quality: Quality, _: Declaration) -> _Judgement:
        checks = [quality.check(name) for name in names]
        weak = [c for c in checks if c.verdict is not Grade.GOOD and math.isfinite(c.value)]
        if weak:
            return False, " ".join(c.sentence for c in weak)
        unknown = [c for c in checks if not math.isfinite(c.value)]
        if unknown:
            return None, " ".join(f"{c.title}: could not be measured." for c in unknown)
        return True, " ".join(c.sentence for c in checks)

    return Criterion(title, f"good: {_listed([f'`{name}`' for name in names])}", judge)


def _styling(_: Quality, declared: Declaration) -> _Judgement:
    bare = {MakeUp.NONE: True, MakeUp.WORN: False, MakeUp.UNKNOWN: None}[declared.make_up]
    answers = {
        ("Make-up", "Take make-up off."): bare,
        ("Hair", "Hold the hair back."): declared.hair_back,
        ("Jewellery", "Take jewellery off."): declared.jewellery_off,
    }
    wrong = [remedy for (_, remedy), answer in answers.items() if answer is False]
    if wrong:
        return False, " ".join(wrong)
    silent = [subject for (subject, _), answer in answers.items() if answer is None]
    if silent:
        return None, f"{_listed(silent).capitalize()}: not declared."
    return True, "No make-up, hair held back, jewellery off."


def _views(_: Quality, declared: Declaration) -> _Judgement:
    if declared.views is None:
        return None, "Views: not declared."
    missing = [view.value for view in View if view not in declared.views]
    if missing:
        return False, f"Take this view too: {_listed(missing)}."
    return True, "All views taken."


def _timing(_: Quality, declared: Declaration) -> _Judgement:
    hours = declared.hours_since_treatment
    if hours is not None and hours < SETTLED_HOURS:
        return False, (
            f"Wait {SETTLED_HOURS:g} hours after a treatment: redness and swelling change the skin."
        )
    if hours is None and declared.before_treatment is False:
        return False, "Photograph before the treatment, or say how many hours after it."
    if hours is None and declared.before_treatment is None:
        return None, "Time since the treatment: not declared."
    return True, "Skin not just treated."


def _description(_: Quality, declared: Declaration) -> _Judgement:
    if declared.noted is None:
        return None, "Notes: not declared."
    missing = [noted.value for noted in Noted if noted not in declared.noted]
    if missing:
        return False, f"Note with the photo: {_listed(missing)}."
    return True, "Treatment, date and camera noted."


def _listed(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


#: Every point, in the order of the standard. Sharpness, glasses and skin in view are none of
#: its points: the capture check has them.
CRITERIA: dict[str, Criterion] = {
    "position": _checked("Position", "yaw", "pitch", "roll"),
    "expression": _checked("Expression", "expression", "eyes_open"),
    "lighting": _checked("Lighting", "exposure", "clipping", "light_direction", "light_evenness"),
    "background": _checked("Background", "background"),
    "zoom": _checked("Zoom", "resolution"),
    "styling": Criterion(
        "Make-up and styling", "declared: no make-up, hair held back, jewellery off", _styling
    ),
    "views": Criterion("Views", f"declared: {_listed([v.value for v in View])} taken", _views),
    "timing": Criterion(
        "Timing",
        "declared: before the treatment; where hours since the latest treatment are given, at "
        f"least {SETTLED_HOURS:g}",
        _timing,
    ),
    "description": Criterion(
        "Description", f"declared: {_listed([n.value for n in Noted])} noted", _description
    ),
}


def photo_score(quality: Quality, declared: Declaration) -> PhotoScore:
    """Award the nine points.

    Parameters
    ----------
    quality : Quality
        Checks of the photo. A point is met when all of its checks are good; acceptable is not
        enough.
    declared : Declaration
        A point that nobody declared counts as 0; it is never guessed.

    Returns
    -------
    PhotoScore

    References
    ----------
    Soares, von Haven & Yi 2022, doi:10.1097/GOX.0000000000004464
    """
    return PhotoScore(
        tuple(
            Point(name, criterion.title, *criterion.judge(quality, declared))
            for name, criterion in CRITERIA.items()
        )
    )
