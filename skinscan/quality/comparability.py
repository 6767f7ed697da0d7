"""Whether a photo is comparable to the baseline, and in what.

Two photos are never alike in everything. What differs widens the interval of a change, and beyond
the limits of the precision model it bars single metrics, never the whole photo: another lamp bars
lines, not the height of the brows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from skinscan.conditions import KINDS, Kind, differences
from skinscan.declaration import Declaration
from skinscan.errors import AnotherPersonError, MirroredPhotoError, NotComparableError
from skinscan.identity import Similarity, Verdict
from skinscan.metrics import metrics
from skinscan.precision import PrecisionModel, precision_model
from skinscan.quality.checks import Grade, Quality

#: Up to here 100 times the logarithm of a ratio is read as a percentage without harm.
_SMALL_PCT = 50.0


@dataclass(frozen=True)
class Statement:
    """A declaration that bars a comparison."""

    title: str
    sentence: str
    bars: tuple[str, ...]


#: Make-up covers skin; swelling fills lines and moves shapes too.
_SKIN = ("wrinkles", "texture", "tone", "under_eye", "radiance")
#: By property of a `Declaration`.
STATEMENTS: Mapping[str, Statement] = MappingProxyType(
    {
        "wears_make_up": Statement(
            "Make-up",
            "One of the photos was taken with make-up: photograph bare, clean skin.",
            _SKIN,
        ),
        "just_treated": Statement(
            "Just treated",
            "One of the photos was taken just after a treatment, when redness and swelling fill "
            "lines: photograph before the needles.",
            (*_SKIN, "puffiness", "lift"),
        ),
    }
)


@dataclass(frozen=True)
class Difference:
    """One way in which two photos differ.

    Attributes
    ----------
    name, title, unit : str
    size : float
        Of the difference.
    limit : float
        Strictest limit of any metric; infinite where none has one.
    grade : Grade
        Good where no metric is barred, acceptable where some are, poor where most are.
    sentence : str
        What differs, by how much, and what to do about it.
    bars : tuple of str
        Metrics that cannot be compared because of it.
    """

    name: str
    title: str
    unit: str
    size: float
    limit: float
    grade: Grade
    sentence: str
    bars: tuple[str, ...]


@dataclass(frozen=True)
class Comparability:
    """What may be compared between a photo and the baseline.

    Attributes
    ----------
    differences : tuple of Difference
        The worst first.
    similarity : Similarity or None
        Whether both show the same skin; None where the pixels were not at hand.
    sizes : Mapping[str, float]
        Size of each kind of difference, for the precision model.
    """

    differences: tuple[Difference, ...]
    similarity: Similarity | None
    sizes: Mapping[str, float] = field(repr=False)

    def reasons(self, metric: str) -> tuple[Difference, ...]:
        """Differences that bar a metric; empty where it can be compared."""
        return tuple(d for d in self.differences if metric in d.bars)

    @property
    def barred(self) -> frozenset[str]:
        """Metrics that cannot be compared."""
        return frozenset(m for d in self.differences for m in d.bars)

    @property
    def verdict(self) -> Grade:
        """Good: everything can be compared; acceptable: part of it; poor: less than half."""
        share = len(self.barred) / len(metrics())
        return Grade.GOOD if share == 0 else Grade.ACCEPTABLE if share < 0.5 else Grade.POOR

    def confirm_person(self) -> None:
        """Stop before a photo ends in the wrong client's file.

        Raises
        ------
        AnotherPersonError
            The skin is another person's: ask before anything is saved.
        MirroredPhotoError
            The skin is the same, left and right exchanged: offer to flip the photo.
        """
        if self.similarity is None:
            return
        if self.similarity.verdict is Verdict.ANOTHER:
            raise AnotherPersonError(
                expected="the skin of the same person as in the baseline photo",
                found="skin of which no patch agrees with it",
                remedy="Check that this photo belongs to this client, and confirm it if it does",
            )
        if self.similarity.verdict is Verdict.MIRRORED:
            raise MirroredPhotoError(
                expected="left and right as in the baseline photo",
                found="the same skin mirrored, as front cameras save it",
                remedy="Flip the photo, and switch mirroring off in the camera's settings",
            )


def _quantity(size: float, kind: Kind) -> str:
    if kind.logarithmic and size > _SMALL_PCT:
        return f"a factor of {math.exp(size / 100.0):.2g}"
    return f"{size:.3g} {kind.unit}".strip()


def _graded(bars: tuple[str, ...], count: int) -> Grade:
    if not bars:
        return Grade.GOOD
    return Grade.POOR if len(bars) > count / 2 else Grade.ACCEPTABLE


def _of_kind(name: str, size: float, model: PrecisionModel) -> Difference:
    kind, entries = KINDS[name], metrics()
    if kind.limit is None:
        limits = {m: model.limits.get(m, {}).get(name, float("inf")) for m in entries}
    else:
        limits = {
            m: kind.limit if e.family in kind.bars else float("inf") for m, e in entries.items()
        }
    bars = tuple(m for m, limit in limits.items() if size > limit)
    strictest = min(limits.values(), default=float("inf"))
    allowed = (
        f"; up to {_quantity(strictest, kind)}, all measurements can be compared" if bars else ""
    )
    sentence = f"{kind.title} differs by {_quantity(size, kind)}{allowed}."
    if bars:
        sentence += f" {kind.advice}"
    return Difference(
        name=name,
        title=kind.title,
        unit=kind.unit,
        size=size,
        limit=strictest,
        grade=_graded(bars, len(entries)),
        sentence=sentence,
        bars=bars,
    )


def _declared(photo: Declaration, baseline: Declaration) -> tuple[Difference, ...]:
    entries = metrics()
    result = []
    for name, statement in STATEMENTS.items():
        if not (getattr(photo, name) or getattr(baseline, name)):
            continue
        bars = tuple(m for m, entry in entries.items() if entry.family in statement.bars)
        result.append(
            Difference(
                name=name,
                title=statement.title,
                unit="",
                size=1.0,
                limit=0.0,
                grade=_graded(bars, len(entries)),
                sentence=statement.sentence,
                bars=bars,
            )
        )
    return tuple(result)


def compare(
    photo: Quality,
    baseline: Quality,
    *,
    similarity: Similarity | None = None,
    declared: Declaration | None = None,
    baseline_declared: Declaration | None = None,
) -> Comparability:
    """Hold one photo against the baseline.

    Parameters
    ----------
    photo, baseline : Quality
        What `assess` said of each, ``scan.quality``.
    similarity : Similarity, optional
        From `skinscan.identity.similarity`, which needs the pixels of both.
    declared, baseline_declared : Declaration, optional
        What the practitioner declared about each photo.

    Returns
    -------
    Comparability

    Raises
    ------
    NotComparableError
        If the photos show different views of the face.
    """
    if photo.view is not baseline.view:
        raise NotComparableError(
            expected=f"two photos of the same view ({baseline.view.value})",
            found=f"a photo of the view {photo.view.value}",
            remedy="Compare front with front, left with left and right with right",
        )
    sizes = differences(photo.conditions, baseline.conditions)
    model = precision_model()
    found = [_of_kind(name, size, model) for name, size in sizes.items()]
    found += _declared(declared or Declaration(), baseline_declared or Declaration())
    found.sort(key=lambda d: -len(d.bars))
    return Comparability(differences=tuple(found), similarity=similarity, sizes=sizes)
