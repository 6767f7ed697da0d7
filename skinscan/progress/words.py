"""Every sentence about a course: one catalogue, ready for translation.

Plain words for clients. Never a diagnosis, a promise, praise or fright; a test looks for them.
Templates take named fields, none of which may carry text that came from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from skinscan.metrics import Concern, metric
from skinscan.progress.values import EventKind


@dataclass(frozen=True)
class MetricWords:
    """How a metric is spoken of.

    Attributes
    ----------
    subject : str
        What is measured, as a client would call it.
    less, more : str
        What it is called when the number has fallen, and when it has risen.
    unit : str
        Behind differences that are no percentage of a first value.
    """

    subject: str
    less: str
    more: str
    unit: str


#: Where a concern is read first.
HEADLINES: Mapping[Concern, str] = MappingProxyType(
    {
        Concern.WRINKLES: "wrinkles.severity",
        Concern.TEXTURE: "texture.roughness_rq",
        Concern.TONE: "tone.evenness",
        Concern.UNDER_EYE: "under_eye.dark_circle_dl",
        Concern.LIFT: "lift.jaw_sag",
        Concern.RADIANCE: "radiance.specular_fraction",
    }
)

CONCERNS: Mapping[Concern, str] = MappingProxyType(
    {
        Concern.WRINKLES: "Wrinkles and fine lines",
        Concern.TEXTURE: "Texture",
        Concern.TONE: "Tone",
        Concern.UNDER_EYE: "Under the eyes",
        Concern.LIFT: "Lift",
        Concern.RADIANCE: "Radiance",
    }
)

_POINTS = "points"
_SHARE = "percentage points"
_PER_AREA = "per cm²"
_LENGTH = "mm per cm²"

METRICS: Mapping[str, MetricWords] = MappingProxyType(
    {
        "lift.brow_height": MetricWords("Brows", "lower", "higher", "mm"),
        "lift.lid_aperture": MetricWords("Opening of the eyes", "smaller", "larger", "mm"),
        "lift.mouth_corner_angle": MetricWords(
            "Corners of the mouth", "lower", "higher", "degrees"
        ),
        "lift.jaw_sag": MetricWords("Line of the jaw", "straighter", "more curved", "mm"),
        "lift.lower_face_ratio": MetricWords("Lower face", "narrower", "wider", _SHARE),
        "lift.asymmetry": MetricWords("Left and right", "more alike", "less alike", "mm"),
        "puffiness.cheek_width": MetricWords("Cheeks", "slimmer", "fuller", _SHARE),
        "puffiness.jaw_width": MetricWords("Jaw", "slimmer", "fuller", _SHARE),
        "radiance.specular_fraction": MetricWords(
            "Reflected light", "less of it", "more of it", _SHARE
        ),
        "radiance.luminance_contrast": MetricWords("Play of light", "weaker", "stronger", _SHARE),
        "texture.roughness_rq": MetricWords("Roughness", "smoother", "rougher", _SHARE),
        "texture.roughness_rz": MetricWords("Coarsest relief", "smoother", "rougher", _SHARE),
        "texture.glcm_contrast_0_5mm": MetricWords("Fine grain", "weaker", "stronger", _POINTS),
        "texture.glcm_homogeneity_0_5mm": MetricWords(
            "Evenness of fine grain", "lower", "higher", _POINTS
        ),
        "texture.glcm_entropy_0_5mm": MetricWords(
            "Variety of fine grain", "lower", "higher", _POINTS
        ),
        "texture.glcm_contrast_1mm": MetricWords("Coarse grain", "weaker", "stronger", _POINTS),
        "texture.glcm_homogeneity_1mm": MetricWords(
            "Evenness of coarse grain", "lower", "higher", _POINTS
        ),
        "texture.glcm_entropy_1mm": MetricWords(
            "Variety of coarse grain", "lower", "higher", _POINTS
        ),
        "texture.lbp_entropy": MetricWords(
            "Pattern of the skin", "simpler", "more varied", _POINTS
        ),
        "texture.pore_density": MetricWords("Visible pores", "fewer", "more", _PER_AREA),
        "texture.pore_area_fraction": MetricWords(
            "Area of visible pores", "smaller", "larger", _SHARE
        ),
        "tone.lightness": MetricWords("Lightness", "darker", "lighter", _POINTS),
        "tone.a": MetricWords("Red in the skin colour", "less", "more", _POINTS),
        "tone.b": MetricWords("Yellow in the skin colour", "less", "more", _POINTS),
        "tone.ita": MetricWords("Skin tone", "darker", "lighter", "degrees"),
        "tone.evenness": MetricWords("Uneven colour", "less", "more", _SHARE),
        "tone.redness": MetricWords("Redness", "less", "more", _POINTS),
        "tone.melanin": MetricWords("Pigment", "less", "more", _POINTS),
        "tone.spot_density": MetricWords("Pigment spots", "fewer", "more", _PER_AREA),
        "tone.spot_area_fraction": MetricWords(
            "Area of pigment spots", "smaller", "larger", _SHARE
        ),
        "under_eye.dark_circle_dl": MetricWords("Dark circles", "lighter", "darker", _POINTS),
        "under_eye.dark_circle_de": MetricWords(
            "Colour of dark circles", "closer to the cheek", "further from the cheek", _POINTS
        ),
        "under_eye.bag": MetricWords("Groove below the lid", "flatter", "deeper", _SHARE),
        "wrinkles.severity": MetricWords("Lines", "softer", "more visible", _SHARE),
        "wrinkles.length_density": MetricWords("Length of lines", "shorter", "longer", _LENGTH),
        "wrinkles.contrast": MetricWords("Darkness of lines", "fainter", "darker", _SHARE),
        "wrinkles.width": MetricWords("Width of lines", "narrower", "wider", "mm"),
        "wrinkles.area_fraction": MetricWords("Area covered by lines", "smaller", "larger", _SHARE),
        "wrinkles.fine_line_density": MetricWords("Fine lines", "fewer", "more", _LENGTH),
        "wrinkles.wrinkle_density": MetricWords("Wrinkles", "fewer", "more", _LENGTH),
        "wrinkles.fold_density": MetricWords("Folds", "fewer", "more", _LENGTH),
    }
)


def words_of(name: str) -> MetricWords:
    """Return how a metric is spoken of; one that the catalogue lacks, by its title.

    Parameters
    ----------
    name : str
        A registered metric.
    """
    if name in METRICS:
        return METRICS[name]
    entry = metric(name)
    return MetricWords(entry.title, "lower", "higher", entry.unit or _POINTS)


#: Behind the subject; the whole face needs no words.
PLACES: Mapping[str, str] = MappingProxyType(
    {
        "face": "",
        "treated": " in the treated regions",
        "untreated": " in the other regions",
        "forehead_upper": " on the upper forehead",
        "forehead_lower": " on the lower forehead",
        "glabella": " between the brows",
        "temple": " on the temples",
        "crows_feet": " around the eyes",
        "upper_lid": " on the upper lids",
        "under_eye": " under the eyes",
        "tear_trough": " at the inner corners below the eyes",
        "lid_bag": " just below the lower lids",
        "nose_bridge": " on the bridge of the nose",
        "nose_tip": " on the tip of the nose",
        "cheek_malar": " on the cheek bones",
        "cheek_buccal": " on the cheeks",
        "nasolabial": " from nose to mouth",
        "upper_lip": " above the lip",
        "marionette": " below the corners of the mouth",
        "chin": " on the chin",
        "jawline": " along the jaw",
    }
)

SINCE = " since {date}"
BETWEEN_PHOTOS = " between the two photos"

CLAIMED = "{subject}{place}: {amount} {word}{since} (between {low} and {high})."
CLAIMED_IN_BOTH_WAYS = "{concern}: some measures improved, others did not."
NO_CHANGE = (
    "{subject}{place}: no detectable change; a change of {amount} would probably have been found."
)
TREATED = (
    "{subject}: {amount} {word} in the treated regions than in the others{since} "
    "(between {low} and {high})."
)
NOT_COMPARABLE = "{concern}: not compared. {sentence}"
PERCENT = "%"
EVENT = (
    "{kind} on {date} may have changed the skin as well, so no change across that date can be put "
    "down to the treatment."
)
DAY_SOURCE_OWN = (
    "How much this skin changes from day to day was taken from {count} days before the treatment."
)
DAY_SOURCE_PUBLISHED = (
    "How much skin changes from day to day was taken from published figures; a second set of "
    "photos before the treatment would tell more."
)
ONLY_ONE_SESSION = "Only one session has photos so far: there is nothing to compare yet."
NOTE = (
    "This describes how skin looks in photos and nothing else. Results vary between individuals. "
    "Sleep, diet, water, exercise and skincare play their part, as does a licensed practitioner."
)

EVENTS: Mapping[EventKind, str] = MappingProxyType(
    {
        EventKind.INJECTION: "An injection",
        EventKind.FILLER: "A filler",
        EventKind.LASER: "A laser session",
        EventKind.PEEL: "A peel",
        EventKind.RETINOID: "A retinoid",
        EventKind.ILLNESS: "An illness",
        EventKind.SUN: "Much sun",
    }
)

EXPRESSION_NAMED = (
    "The expression moves lines and shapes ({expression}): photograph a relaxed face."
)

#: Why something is not compared; what the comparison of two photos finds brings its own sentence.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "missing_view": "This view was not photographed in this session, or not at the baseline.",
        "wrong_view": "This view does not show the region well.",
        "low_resolution": "The photos have too few pixels per millimetre for this.",
        "no_value": "Nothing could be measured here.",
        "no_sem": "It is not known how sure this number is.",
        "only_one_session": ONLY_ONE_SESSION,
        "before_baseline": "This session lies before the end of the baseline.",
    }
)
