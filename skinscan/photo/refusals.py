"""Errors that several modules raise."""

from __future__ import annotations

from typing import Final

from skinscan.errors import (
    BadColourModeError,
    PhotoError,
    TruncatedImageError,
    UnsupportedFormatError,
    UnsupportedSourceError,
)

READABLE: Final = "a JPEG, PNG, WebP or HEIC photo"
_SAVE_AGAIN: Final = "Export the photo as JPEG or PNG and use that file"
_COPY_AGAIN: Final = "Copy the photo from the camera again"


def damaged(what: str) -> TruncatedImageError:
    """Say that a photo is incomplete or damaged, and how."""
    return TruncatedImageError(expected="a complete photo", found=what, remedy=_COPY_AGAIN)


def bad_mode(found: str, remedy: str = "Use the camera's original colour photo") -> PhotoError:
    """Say that a picture's colours cannot be measured, and why."""
    return BadColourModeError(expected="an opaque 8-bit colour photo", found=found, remedy=remedy)


def unsupported(found: str) -> UnsupportedFormatError:
    """Say that a format is not read, by its name."""
    return UnsupportedFormatError(expected=READABLE, found=found, remedy=_SAVE_AGAIN)


def bad_source(found: str) -> UnsupportedSourceError:
    """Say that a source is of a kind that is not taken."""
    return UnsupportedSourceError(
        expected="a path, bytes, a binary file, a PIL image or a uint8 array of shape (H, W, 3)",
        found=found,
        remedy="Convert the object to one of these",
    )
