"""What the guide says. Every number comes from the code that checks it."""

from __future__ import annotations

from dataclasses import dataclass

from skinscan.declaration import SETTLED_HOURS
from skinscan.quality import RULES, SIDE_YAW_DEG, Grade, Rule

TITLE = "How we photograph skin"
WHY = "Light, distance and expression change more between two photos than skin does."
DISCLAIMER = (
    "skinscan measures cosmetic appearance. It diagnoses nothing. Results vary between individuals."
)

#: A phone photo of 12 megapixels: its longer side, and what that side is on 35 mm film.
_LONG_SIDE_PX, _FILM_MM = 4032, 36.0
#: The main lens of usual phones, as a focal length on 35 mm film.
_MAIN_LENS_MM = 26.0
_ROUND_CM = 5


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes
    ----------
    title, text : str
    """

    title: str
    text: str


def farthest_cm(zoom: int) -> int:
    """Distance up to which a phone's lens gives the pixels that the resolution check wants.

    A pinhole camera of focal length f px sees f / distance px per mm. Rounded down to 5 cm.

    Parameters
    ----------
    zoom : int
        1 for the main lens, 2 for the lens marked 2×.
    """
    focal_px = _LONG_SIDE_PX * zoom * _MAIN_LENS_MM / _FILM_MM
    return int(focal_px / RULES["resolution"].good / 10.0 // _ROUND_CM * _ROUND_CM)


def steps() -> tuple[Step, ...]:
    """Return what to do, in order."""
    poor = Grade.POOR.value
    return (
        Step(
            "Before the needles",
            f"Photograph first, treat after. Or wait {SETTLED_HOURS:g} hours: redness and swelling "
            "fill lines.",
        ),
        Step(
            "Same lamp, same place, same time",
            "One large, soft lamp in front. Curtains closed, other lamps off.",
        ),
        Step(
            "Marks on the floor",
            "Tape for the chair and the tripod keeps the distance. A plain, matt wall behind.",
        ),
        Step(
            "Camera at eye height",
            "On a tripod. Nose to the lens, chin level, head upright.",
        ),
        Step(
            "Same phone, same lens",
            "Focus on the eyes, no flash. No portrait mode, no beauty filter.",
        ),
        Step(
            "Face at rest",
            "Lips closed, no smile, brows relaxed. Eyes open, looking into the lens.",
        ),
        Step(
            "Bare skin",
            "No make-up, no fresh cream. Hair held back, glasses and jewellery off.",
        ),
        Step(
            "Three views, two photos of each",
            f"Front, then the whole body turned {SIDE_YAW_DEG:g}° to either side. "
            "Camera and lamp stay.",
        ),
        Step(
            "Keep the original file",
            "Copy it by cable. A messenger shrinks photos and takes them elsewhere.",
        ),
        Step(
            "Read the check at once",
            f"skinscan says good, acceptable or {poor}, and what to do. If {poor}: take it again.",
        ),
    )


def limit_rows() -> tuple[tuple[str, str], ...]:
    """Return each check's title and what counts as good."""
    return tuple((rule.title, limit_text(rule)) for rule in RULES.values())


def limit_text(rule: Rule) -> str:
    """Write what counts as good, with its unit."""
    if rule.good == 0 and not rule.higher_is_better:
        return "none"
    relation = "at least" if rule.higher_is_better else "at most"
    space = "" if rule.unit in {"", "°"} else "\N{NO-BREAK SPACE}"
    return f"{relation} {rule.good:g}{space}{rule.unit}"
