"""Every sentence about a course: one catalogue, ready for translation.

Plain words for clients. Never a diagnosis, a promise, praise or fright; a test looks for them.
Templates take named fields, none of which may carry text that came from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from skinscan.metrics import Concern, metric
from skinscan.progress.values import EventKind, Verdict


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
        Concern.WRINKLES: "wrinkles.contrast",
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
        "wrinkles.severity": MetricWords("Lines and grain", "less", "more", _SHARE),
        "wrinkles.length_density": MetricWords("Length of lines", "shorter", "longer", _LENGTH),
        "wrinkles.contrast": MetricWords("Lines", "softer", "more visible", _SHARE),
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
        "treated_minus_untreated": " of treated minus untreated regions",
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
CAMERA_UNTOLD = (
    "Not every photo says which camera took it. Another camera or lens can look like a change of "
    "the skin: use the original files, of one camera."
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

# Charts and pictures

VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.IMPROVED: "improved",
        Verdict.NO_CHANGE: "no detectable change",
        Verdict.WORSE: "worse",
        Verdict.CHANGED: "changed",
        Verdict.NOT_COMPARABLE: "not comparable",
    }
)
EVENT_NAMES: Mapping[EventKind, str] = MappingProxyType(
    {
        EventKind.INJECTION: "injection",
        EventKind.FILLER: "filler",
        EventKind.LASER: "laser",
        EventKind.PEEL: "peel",
        EventKind.RETINOID: "retinoid",
        EventKind.ILLNESS: "illness",
        EventKind.SUN: "sun",
    }
)
STATE_COMPARED = "compared"
STATE_DOUBTFUL = "compared, doubtful"
STATE_NOT_COMPARED = "not compared"
CHART_INTERVAL = "95 % interval"
CHART_BAND = "too small to detect"
CHART_CHANGE = "Change ({unit})"
CHART_OF_BASELINE = "% of the baseline"
CHART_SUBTITLE = "{verdict}; below 0: {less}, above 0: {more}"
CHART_HEADING = "{concern}: {subject}"
AXIS_SESSION = "Session"
AXIS_PHOTO = "Photo"
TIP_FROM = "from"
TIP_TO = "to"
TIP_STATE = "State"
TIP_WHY = "Why"
TIP_EVENT = "Event"
TIP_NOTE = "Note"
COARSER = "Measured at a lower resolution than the course; left out of the trend."
BEFORE = "Before"
AFTER = "After"
CHART_ALT = (
    "Course of {subject}, {sessions} sessions, {compared} of them compared. Verdict: {verdict}."
)
CHART_ALT_CHANGE = " Change {change} {unit}, between {low} and {high}."
REGIONS_TITLE = "{subject}: each region"
REGIONS_ALT = "Course of {subject} in {count} regions, one small chart each. {claims}"
REGIONS_CLAIMED = "A change is claimed in: {regions}."
REGIONS_UNCLAIMED = "In none of them alone is a change claimed."
SUBJECTS_RIGHT = "Subject's right"
SUBJECTS_LEFT = "Subject's left"
NO_CHANGE_CLAIMED = "no change claimed"
MAP_ALT = "Drawn face, coloured where a change is claimed. {subject}: {changes}."
MAP_ALT_NONE = "Drawn face. {subject}: no change is claimed in any single region."
DIFFERENCE_TITLE = "Later photo against the earlier one"
DIFFERENCE_DARKER = "darker now"
DIFFERENCE_LIGHTER = "lighter now"
DIFFERENCE_UNIT = "Contrast in %"
DIFFERENCE_NOT_COMPARED = "not compared"
DIFFERENCE_CAPTION = (
    "Where single lines, spots and folds became lighter (blue) or darker (vermilion), after both "
    "skins were laid on each other and the light over distances of more than a centimetre was "
    "taken off both. It shows two photos, each with its own light and noise: what changed is "
    "decided by the numbers, not by this picture."
)
DIFFERENCE_ALT = "The face with the difference between two photos drawn in colour on its skin."
DIFFERENCE_NONE = (
    "No picture of the difference: the two photos agree in {share} % of the places compared, and "
    "{least} % are needed. Pose or light differ too much."
)

# The report

REPORT_TITLE = "Course of skin, {first} to {last}"
REPORT_TITLE_PAIR = "Change of skin between two photos"
REPORT_SESSIONS = "Sessions with photos: {count}."
REPORT_PAIR = "Two photos without dates."
REPORT_IN_SHORT = "In short"
REPORT_COURSE = "Course"
REPORT_WHERE = "Where"
REPORT_PHOTOS = "Photos"
REPORT_EVENTS = "Events"
REPORT_EVENT = "{date}: {kind}"
REPORT_NUMBERS = "Numbers"
REPORT_DIFFERENCES = "Differences between the photos"
REPORT_METHOD_TITLE = "Method and limits"
REPORT_CAPTION = "{concern}: {verdict}."
REPORT_CAPTION_APART = "{concern}: {verdict}; the concern as a whole: {whole}."
REPORT_REGIONS = "Region by region"
REPORT_MAP = "{subject}: change in each region since the baseline."
REPORT_NO_MAP = "No change is claimed in any single region."
REPORT_NUMBERS_NOTE = (
    "Each measure of the whole face, and of parts of it where a change is claimed. Single regions "
    "stand in changes.csv."
)
REPORT_HEADS = (
    "Measure",
    "Place",
    "At baseline",
    "Change",
    "Interval",
    "Smallest detectable",
    "Verdict",
)
REPORT_INTERVAL = "{low} to {high} ({coverage} %)"
REPORT_DIFFERENCE = "{when}: {sentence} ({concerns})"
REPORT_MOTION = "The course in motion"
REPORT_MOTION_ALT = (
    "The photos of all sessions one after another, a second each, in the frame of the first."
)
CHART_NOTE = (
    "Points are sessions, the blue band is the 95 % interval of each, the dashed black line the "
    "trend that the verdict rests on where there is one. Changes inside the grey band are too "
    "small to be told from chance in one session. Hollow marks are sessions that are doubtful or "
    "were not compared; the list of photo differences says why."
)
METHOD = (
    (
        "Each photo is rectified onto one standard face and measured region by region. A "
        "session is compared to the baseline only where the photos are comparable, at a "
        "resolution that both have."
    ),
    (
        "Four or more comparable sessions are summed up by the median slope between all pairs "
        "of sessions, fewer by the latest session minus the baseline."
    ),
    (
        "Intervals hold the error of the photo, of different photographic conditions, and of "
        "skin from day to day. An interval is wider where a change was selected among many."
    ),
    (
        "A change is claimed at most once for the whole course: first for concerns, then for "
        "measures inside them, then for regions, with false claims held to 5 % over the "
        "concerns."
    ),
    "“No detectable change” does not mean that there is none.",
    "Light, camera, expression and make-up change what a photo shows.",
)
DISCLAIMER = (
    "This report measures appearance and diagnoses nothing. Results vary between individuals, and "
    "nothing here promises one. See a licensed practitioner about treatment, and a doctor about "
    "any skin change that you are unsure of. Sleep, diet, water, exercise and daily skincare "
    "matter too."
)
NO_DIFFERENCES = "None was found that bars a comparison."
BEFORE_OF = "Before: {date}"
AFTER_OF = "After: {date}"
PAIR_ALT = "The same face twice, left {before}, right {after}."
PAIR_LINES_ALT = " Lines are drawn on it."
PAIR_CAPTION = "The later photo was turned, scaled and shifted as a whole; colours are the photos'."
LINES_CAPTION = (
    "Lines found in each photo: those narrower than half a millimetre yellow, wider ones "
    "vermilion. Single lines come and go with light; the numbers below count."
)

# The printed report

PRINT_MADE = "Made on {date}."
PRINT_PAGE = "Page {number} of {count}"
PRINT_LOGO_ALT = "Logo of the practice."
PRINT_PHOTO_ALT = "A face, photographed for this course. {title}."
PRINT_MORE = "Further ones, not listed here: {count}."
PRINT_CHART_NOTE = (
    "Points are sessions, the blue band is the 95 % interval of each, the dashed black line the "
    "trend that the verdict rests on where there is one. Changes inside the grey band are too "
    "small to be told from chance in one session. Hollow marks are sessions that are doubtful or "
    "were not compared."
)
PRINT_NUMBERS_NOTE = (
    "For each concern the measure that speaks for it, then every other change that is claimed."
)
CAPTURE_TITLE = "Capture quality"
CAPTURE_COUNT = "Photos: {count}."
CAPTURE_GRADES: Mapping[str, str] = MappingProxyType(
    {
        "good": "Every check was met: {count}.",
        "acceptable": "At least one check was only acceptable: {count}.",
        "poor": "At least one check asks for another photo: {count}.",
    }
)
CAPTURE_HEADS = ("Check not met", "Photos", "Sessions", "What helps")
CAPTURE_MORE_SESSIONS = "{dates} and {count} more"
RATINGS_TITLE = "What the client said"
RATINGS_NOTE = "As the client said it at each session; it has no part in the verdicts."
RATINGS_HEADS = ("Session", "Result", "Relaxation, 0 to 10", "Stress, 0 to 10")
#: The Global Aesthetic Improvement Scale.
RATINGS: Mapping[int, str] = MappingProxyType(
    {
        3: "very much improved",
        2: "much improved",
        1: "improved",
        0: "no change",
        -1: "worse",
    }
)
