"""Flags qualify a measurement; they never silently drop it. One bit, one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from types import MappingProxyType


class Flag(IntFlag):
    """Conditions that limit what a number means."""

    NONE = 0
    LOW_RESOLUTION = 1
    OFF_POSE = 2
    EXPRESSION = 4
    UNEVEN_LIGHT = 8
    CLIPPED = 16
    OCCLUDED = 32
    BLURRED = 64
    DARK = 128
    ABSOLUTE_COLOUR = 256
    NO_SEM = 512
    WRONG_VIEW = 2048
    EYES_CLOSED = 4096
    NOTHING_FOUND = 8192
    COLOURLESS = 16384
    LIGHT_DEPENDENT = 32768


#: What each flag means, for people.
SENTENCES: Mapping[Flag, str] = MappingProxyType(
    {
        Flag.LOW_RESOLUTION: "Too few pixels per millimetre for this measurement.",
        Flag.OFF_POSE: "The head is turned or tilted further than the measurement allows.",
        Flag.EXPRESSION: "The face is not neutral; lines and shapes follow the expression.",
        Flag.UNEVEN_LIGHT: "The light comes from one side; shading changes lines and colour.",
        Flag.CLIPPED: "Part of the region is over-exposed and was left out.",
        Flag.OCCLUDED: "Less than half of the region is visible and facing the camera.",
        Flag.BLURRED: "The photo is not sharp enough for fine detail.",
        Flag.DARK: "The face is under-exposed; noise is large.",
        Flag.ABSOLUTE_COLOUR: "Absolute colour depends on the light and the camera.",
        Flag.NO_SEM: "No standard error is known yet for this measurement.",
        Flag.WRONG_VIEW: "This view does not show the region well.",
        Flag.EYES_CLOSED: "The eyes are closed or half closed.",
        Flag.COLOURLESS: "The photo is black and white; colours mean nothing.",
        Flag.LIGHT_DEPENDENT: "Moves with the direction and softness of the light.",
        Flag.NOTHING_FOUND: "Nothing was found to take this property of (no line, for example).",
    }
)


def flag_names(flags: Flag) -> str:
    """Write flags as lower-case names joined by ``|``; empty for none."""
    return "|".join(f.name.lower() for f in Flag if f & flags and f.name)


def parse_flags(text: str) -> Flag:
    """Read what `flag_names` wrote."""
    result = Flag.NONE
    for name in filter(None, text.split("|")):
        result |= Flag[name.upper()]
    return result


def sentences(flags: Flag) -> list[str]:
    """Return the sentence of each flag that is set."""
    return [SENTENCES[f] for f in Flag if f & flags]
