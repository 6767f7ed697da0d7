"""What a photo cannot tell of itself, as the user declares it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from skinscan.errors import BadOptionError
from skinscan.landmarks import View

#: Redness after needling fades within one to three days; a first setting by reasoning.
SETTLED_HOURS = 72.0


class MakeUp(StrEnum):
    """Make-up on the skin, as declared."""

    NONE = "none"
    WORN = "worn"
    UNKNOWN = "unknown"


class Noted(StrEnum):
    """What must be written down for a photo to mean something later."""

    TREATMENT = "treatment"
    DATE = "date"
    CAMERA = "camera"


@dataclass(frozen=True)
class Declaration:
    """What the user says about a photo; what is left out counts as not declared.

    Attributes
    ----------
    make_up : MakeUp
    hair_back, jewellery_off : bool or None
    views : frozenset of View or None
        Views taken in this session.
    before_treatment : bool or None
        Whether the photo was taken before the treatment of its session.
    hours_since_treatment : float or None
        Hours since the latest treatment that came before the photo, 0 or more.
    noted : frozenset of Noted or None
        What was written down with the photo.

    Raises
    ------
    BadOptionError
        If the hours are negative or no finite number.
    """

    make_up: MakeUp = MakeUp.UNKNOWN
    hair_back: bool | None = None
    jewellery_off: bool | None = None
    views: frozenset[View] | None = None
    before_treatment: bool | None = None
    hours_since_treatment: float | None = None
    noted: frozenset[Noted] | None = None

    def __post_init__(self) -> None:
        hours = self.hours_since_treatment
        if hours is not None and not (math.isfinite(hours) and hours >= 0):
            raise BadOptionError(
                expected="hours since the treatment of 0 or more",
                found=f"{hours:g}",
                remedy="Give the time from the end of the treatment to the photo",
            )

    @property
    def wears_make_up(self) -> bool:
        """Whether make-up was declared."""
        return self.make_up is MakeUp.WORN

    @property
    def just_treated(self) -> bool:
        """Whether the skin was treated too short a time ago; the hours decide where given."""
        if self.hours_since_treatment is not None:
            return self.hours_since_treatment < SETTLED_HOURS
        return self.before_treatment is False
