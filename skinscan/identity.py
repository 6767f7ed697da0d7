"""Whether a photo shows the skin of the same client as the baseline, and the right way round.

What it is: a guard against a photo in the wrong client's file, and against a selfie that a
phone mirrored. Moles, pores and creases of two photos are compared patch by patch, in memory;
nothing is kept, and no model of faces is used.

What it is not: recognition. It says nothing of who somebody is, finds nobody in a crowd or in a
collection, and needs two sharp photos of the same view of one face. Where it cannot tell, it says
so, and accuses nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from skinscan.facemap import FaceMap
from skinscan.registration import (
    Registration,
    Skin,
    common_level,
    register_textures,
    texture,
)

#: Patches of different people match by chance, or because both have a line there. Those that
#: count correlate more than that, and lie nearer to where their neighbours foretell, mm.
_CLEAR_CORRELATION, _NEAR_MM = 0.35, 1.0
#: From this share on the skin is the same; up to the other it is not. Thirds of the gap between
#: the same and different people in every second one of 63 (benchmarks/identity.py); the others
#: confirmed them.
SAME_SHARE, ANOTHER_SHARE = 0.20, 0.15
#: With fewer patches a handful of matches would decide.
LEAST_PATCHES = 40
#: Below this level pores are gone and the same skin may fail to match.
LEAST_LEVEL_PX_MM = 3.0
#: A blurred photo does not show another person. At 3 px/mm 114 sharp photos have 1.7 % or more,
#: 26 blurred by 5 px (1.6 mm) 1.2 % or less.
LEAST_DETAIL_PCT = 1.4


class Verdict(Enum):
    """What two photos say about their skin."""

    SAME = "same"
    ANOTHER = "another"
    MIRRORED = "mirrored"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Similarity:
    """How alike the skin of two photos is.

    Attributes
    ----------
    score : float
        Share of patches, 0 to 1, whose texture was found at the place that their neighbours
        foretell. Different people reach about 0.03 by chance.
    mirrored_score : float
        The same with the second photo mirrored.
    patches : int
        Patches with enough skin in both photos, the fewer of both ways round.
    level_px_mm : float
        Level at which they were compared.
    detail_pct : float
        Usual contrast of the texture in the less detailed of both, %.
    """

    score: float
    mirrored_score: float
    patches: int
    level_px_mm: float
    detail_pct: float

    @property
    def verdict(self) -> Verdict:
        """Same, mirrored or another; unsure where the photos do not carry it."""
        if self.patches < LEAST_PATCHES:
            return Verdict.UNSURE
        best = max(self.score, self.mirrored_score)
        if best >= SAME_SHARE:
            return Verdict.SAME if self.score >= self.mirrored_score else Verdict.MIRRORED
        carries = self.level_px_mm >= LEAST_LEVEL_PX_MM and self.detail_pct >= LEAST_DETAIL_PCT
        return Verdict.ANOTHER if carries and best <= ANOTHER_SHARE else Verdict.UNSURE


def _agreement(registration: Registration) -> float:
    patches = registration.patches
    clear = patches.matched & (patches.correlation > _CLEAR_CORRELATION)
    return float((clear & (patches.residual_mm < _NEAR_MM)).mean()) if len(clear) else 0.0


def similarity(first: FaceMap | Skin, second: FaceMap | Skin) -> Similarity:
    """Compare the skin of two photos.

    Parameters
    ----------
    first, second : FaceMap or Skin
        Of the same view.

    Returns
    -------
    Similarity
    """
    level = common_level(first, second)
    here, there = (texture(facemap.layers[level]) for facemap in (first, second))
    straight = register_textures(here, there)
    turned = register_textures(here, there.mirrored())
    return Similarity(
        score=_agreement(straight),
        mirrored_score=_agreement(turned),
        patches=min(len(r.patches.matched) for r in (straight, turned)),
        level_px_mm=level,
        detail_pct=min(here.detail_pct, there.detail_pct),
    )
