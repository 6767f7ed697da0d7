"""Whether a photo is good, and whether it is comparable to that of the baseline.

`skinscan.quality.checks` judges one photo by what a photographer can change,
`skinscan.quality.comparability` holds it against the baseline.
"""

from __future__ import annotations

from skinscan.quality.checks import (
    RULES,
    SIDE_YAW_DEG,
    Check,
    Grade,
    Quality,
    Rule,
    assess,
    expression_of,
)
from skinscan.quality.comparability import Comparability, Difference, compare

__all__ = [
    "RULES",
    "SIDE_YAW_DEG",
    "Check",
    "Comparability",
    "Difference",
    "Grade",
    "Quality",
    "Rule",
    "assess",
    "compare",
    "expression_of",
]
