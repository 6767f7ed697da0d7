"""Which numbers are amounts: zero means none, and a percentage of a first value makes sense."""

from __future__ import annotations

from skinscan.metrics import Metric

#: The others are differences or positions on a scale (redness against the face's own reference,
#: L*, ITA), where a percentage would mislead.
_AMOUNT_FAMILIES = frozenset({"wrinkles", "texture"})
_AMOUNT_WORDS = ("density", "area_fraction", "evenness")
#: Units of scales without such a zero, whatever the family.
_SCALE_UNITS = frozenset({"", "bit", "°"})


def is_amount(entry: Metric) -> bool:
    """Whether a percentage of the metric's value means something."""
    if entry.unit in _SCALE_UNITS:
        return False
    return entry.family in _AMOUNT_FAMILIES or entry.name.endswith(_AMOUNT_WORDS)
