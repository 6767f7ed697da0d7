"""Whether a photo is good, and whether it is comparable to that of the baseline.

`skinscan.quality.checks` judges one photo by what a photographer can change,
`skinscan.quality.comparability` holds it against the baseline.
"""

from __future__ import annotations

from skinscan.quality.checks import RULES, Check, Grade, Quality, Rule, assess
from skinscan.quality.comparability import Comparability, Difference, compare

__all__ = [
    "RULES",
    "Check",
    "Comparability",
    "Difference",
    "Grade",
    "Quality",
    "Rule",
    "assess",
    "compare",
]
