"""Write docs/capture.md from skinscan.quality and skinscan.photoscore: nothing goes undocumented.

Run ``python tools/capture_docs.py`` after a check or a point was added or changed;
``--check`` only compares, and exits with 1 when the page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from skinscan.conditions import KINDS
from skinscan.flags import flag_names
from skinscan.photoscore import CRITERIA
from skinscan.quality import RULES
from skinscan.quality.guidance import tolerance

PAGE = Path(__file__).resolve().parent.parent / "docs" / "capture.md"

_HEAD = """\
# The capture check

<!-- Written by tools/capture_docs.py from skinscan/quality.py and photoscore.py; edit the rules
there, not this page. -->

Light, distance and expression change more between two photos than skin does. Each photo is
therefore checked before it is believed. A verdict is `good`, `acceptable` or `poor`; a poor one
puts a flag on every measurement of the photo. The limits of pose and side light follow from
measured curves ([precision](precision.md)); the others are first settings by reasoning, because a
photo on its own has no curve there. What differs between two photos is judged by
`skinscan.quality.compare`.

| check | what | unit | good | acceptable | flag when poor | what to do |
| --- | --- | --- | --- | --- | --- | --- |
"""


_SCORE = """
## The photograph score

`skinscan show` gives each photo up to nine points, one each, after SEPIA, the Standards for the
Evaluation of Photographs In Aesthetics (Soares, von Haven & Yi 2022,
[doi:10.1097/GOX.0000000000004464](https://doi.org/10.1097/GOX.0000000000004464)). There, people
award the points by eye. Here five come from the checks above, of which each must be good, and four
from what you declare. What is not declared or cannot be measured counts as 0 and is shown as open,
never guessed. A score made so is not to be compared with one that people gave.

| point | what | met when |
| --- | --- | --- |
"""

_GUIDE = """
## The photo guide

`skinscan guide -o photo-guide.pdf` writes one page for the wall: the set-up from above and from the
side, the steps, and the limits above. It takes every limit from the code, so it never contradicts
the check. The distances are those at which the photo of a 12-megapixel phone (4032 px, lenses of 26
and 52 mm as on 35 mm film) just has the pixels that `resolution` asks for, rounded down to 5 cm.
"""

_CAMERA = """
## Before the photo is taken

The camera of a session ([app](app.md)) holds small frames (480 px) against the first photo of the
view by `skinscan.quality.guidance` and says what to change: first where to stand and how to turn,
then, once that is right, face and light. A hint comes beyond half of the difference from which on
half of the metrics are not compared, the rule by which a pose is good above:

| what | unit | no hint up to |
| --- | --- | --- |
"""

_CAMERA_MORE = """
Without a first photo the limits of a good photo above are taken, and an outline stands for the
distance. Eyes, expression, glasses, covered skin, burnt-out and dark skin are said where they are
worse than in the first photo. Sharpness, the background and the colour of the light are left to the
check of the photo itself: a small frame does not tell them. No metric is made of a frame.

Frames agree with their photos: a test holds rendered heads before the camera, too near, turned,
tilted, too dark and lit from the side, and asks for the way back.
"""


def page() -> str:
    """Return the page's text."""
    rows = []
    for name, rule in RULES.items():
        relation = "≥" if rule.higher_is_better else "≤"
        rows.append(
            f"| `{name}` | {rule.title} | {rule.unit or '–'} | {relation} {rule.good:g} "
            f"| {relation} {rule.acceptable:g} | {flag_names(rule.flag) or '–'} | {rule.do} |"
        )
    points = [f"| `{name}` | {c.title} | {c.wants} |" for name, c in CRITERIA.items()]
    hints = [
        f"| {KINDS[name].title} | {KINDS[name].unit} | {tolerance(name):.3g} |"
        for name in ("distance", "yaw", "pitch", "light_direction", "exposure")
    ]
    hints.insert(3, f"| {RULES['roll'].title} | {RULES['roll'].unit} | {RULES['roll'].good:.3g} |")
    parts = (
        (_HEAD, rows, _SCORE),
        ("", points, _GUIDE),
        (_CAMERA, hints, _CAMERA_MORE),
    )
    return "".join(before + "\n".join(each) + "\n" + after for before, each, after in parts)


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
