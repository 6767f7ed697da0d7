"""What is given to the report beside the course itself."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date

import numpy as np

from skinscan.errors import BadOptionError
from skinscan.plots.lettering import RGB
from skinscan.progress import words

#: Names longer than this are no names, and would push the report off its pages.
_NAME_LENGTH = 200
_LEAST_SIDE_PX = 16
_MOST_POINTS = 10


@dataclass(frozen=True, eq=False)
class PhotoPair:
    """Two photos of one face, already laid on each other.

    Attributes
    ----------
    before, after : ndarray of uint8, shape (H, W, 3)
        sRGB, of one size.
    before_on, after_on : date or None
        When they were taken; None where nobody knows.

    Raises
    ------
    BadOptionError
        If they are no such pictures.
    """

    before: RGB
    after: RGB
    before_on: date | None = None
    after_on: date | None = None

    def __post_init__(self) -> None:
        for picture in (self.before, self.after):
            if (
                picture.dtype != np.uint8
                or picture.ndim != 3
                or picture.shape[2] != 3
                or min(picture.shape[:2]) < _LEAST_SIDE_PX
            ):
                raise BadOptionError(
                    expected=f"pictures of uint8, shape (H, W, 3), from {_LEAST_SIDE_PX} px a side",
                    found=f"{picture.dtype}, shape {picture.shape}",
                    remedy="Give sRGB pictures, as skinscan.plots makes them",
                )
        if self.before.shape != self.after.shape:
            raise BadOptionError(
                expected="two pictures of one size, laid on each other",
                found=f"{self.before.shape} and {self.after.shape}",
                remedy="Align them first",
            )


@dataclass(frozen=True)
class Rating:
    """What the client said at one session.

    Attributes
    ----------
    on : date
    result : int or None
        Global Aesthetic Improvement Scale, -1 (worse) to 3 (very much improved).
    relaxation, stress : int or None
        0 to 10.

    Raises
    ------
    BadOptionError
        If a number lies outside its scale.
    """

    on: date
    result: int | None = None
    relaxation: int | None = None
    stress: int | None = None

    def __post_init__(self) -> None:
        scales = (
            (self.result, min(words.RATINGS), max(words.RATINGS)),
            (self.relaxation, 0, _MOST_POINTS),
            (self.stress, 0, _MOST_POINTS),
        )
        for value, least, most in scales:
            if value is not None and value not in range(least, most + 1):
                raise BadOptionError(
                    expected=f"a whole number from {least} to {most}",
                    found=repr(value),
                    remedy="Correct the rating",
                )


def tidy_name(name: str) -> str:
    """Return a name as it is printed: composed letters, no blanks around it.

    Raises
    ------
    BadOptionError
        If it is longer than any name.
    """
    # Letters may come in parts (o and ̈): fonts draw the whole ones better.
    tidied = unicodedata.normalize("NFC", name).strip()
    if len(tidied) > _NAME_LENGTH:
        raise BadOptionError(
            expected=f"a name of at most {_NAME_LENGTH} letters",
            found=f"{len(tidied)} letters",
            remedy="Shorten it",
        )
    return tidied
