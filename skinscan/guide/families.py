"""What may differ between two photos, per metric family, in a sentence for the wall."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from types import MappingProxyType

from skinscan.conditions import KINDS
from skinscan.metrics import by_family
from skinscan.precision import PrecisionModel

#: Kinds of difference that a photographer can see and mend, with the words for them.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "light_direction": "lamp",
        "yaw": "turn of the head",
        "pitch": "height of the chin",
        "distance": "distance",
        "sharpness": "sharpness",
    }
)


def family_limits(model: PrecisionModel) -> Mapping[str, str]:
    """Say per family how far two photos may differ for half of its metrics to be compared.

    Parameters
    ----------
    model : PrecisionModel

    Returns
    -------
    Mapping[str, str]
        Family -> sentence; families without limits are absent.
    """
    result = {}
    for family, members in by_family():
        parts = []
        for kind, word in _WORDS.items():
            limits = [model.limits.get(m.name, {}).get(kind) for m in members]
            known = [limit for limit in limits if limit is not None]
            if known:
                parts.append(f"{word} {median(known):.2g} {KINDS[kind].unit}".strip())
        if parts:
            result[family.replace("_", "-")] = "At most: " + ", ".join(parts) + "."
    return MappingProxyType(result)
