"""The photo guide: one page, whole, the same each time, with the limits that the code has."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import pytest

import skinscan
from skinscan.declaration import SETTLED_HOURS
from skinscan.errors import BadOptionError
from skinscan.guide import Paper, family_limits, photo_guide, text
from skinscan.guide.text import farthest_cm, limit_rows, limit_text, steps
from skinscan.metrics import metrics
from skinscan.precision import PrecisionModel
from skinscan.quality import RULES, SIDE_YAW_DEG

FAMILIES = {
    "wrinkles": "Light within 3° of the first photo's, sharpness within 15 %.",
    "texture": "At least 6 px/mm in both photos, sharpness within 10 %.",
    "tone": "The same lamp; white balance within 400 K.",
    "under-eye": "Light from the same height, within 5°.",
    "puffiness": "Distance within 5 %.",
    "lift": "Distance within 5 %, neutral face, head within 4°.",
    "radiance": "The same lamp, no cream.",
}
SIZES_PT = {Paper.A4: (595.28, 841.89), Paper.LETTER: (612.0, 792.0)}
LEAST_MARGIN_PT = 28.0
MESSENGER = r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">messenger<'

poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="needs pdftotext (Debian: poppler-utils)"
)


def words_of(page, *options):
    return subprocess.run(
        ["pdftotext", *options, "-", "-"], input=page, capture_output=True, check=True
    ).stdout.decode()


def said(page, *options):
    return " ".join(words_of(page, *options).split())


@pytest.fixture(
    scope="module", params=[(paper, full) for paper in Paper for full in (False, True)], ids=str
)
def printed(request):
    paper, full = request.param
    extras = {"practice": "Praxis Łucja Ģirğis-Øster", "limits": FAMILIES} if full else {}
    return paper, photo_guide(paper=paper, **extras)


def test_it_is_one_page_of_that_paper(printed):
    paper, page = printed
    assert page.startswith(b"%PDF-")
    assert re.findall(rb"/Count (\d+)", page) == [b"1"]
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", page)
    assert [float(side) for side in box.groups()] == pytest.approx(SIZES_PT[paper], abs=0.1)


def test_all_fonts_are_embedded(printed):
    _, page = printed
    assert len(re.findall(rb"/FontFile2 \d", page)) == 2
    assert b"/Type1" not in page


def test_the_same_input_gives_the_same_bytes():
    code = (
        "import hashlib; from skinscan.guide import family_limits, photo_guide;"
        "print(hashlib.sha256(photo_guide()).hexdigest())"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert elsewhere.stderr == ""
    assert elsewhere.stdout.strip() == hashlib.sha256(photo_guide()).hexdigest()


def test_the_font_reader_keeps_quiet(caplog):
    photo_guide()
    assert caplog.records == []


@poppler
def test_everything_is_on_the_page(printed):
    _, page = printed
    words = said(page)
    laid_out = said(page, "-layout")
    for title, limit in limit_rows():
        assert title in laid_out
        assert " ".join(limit.split()) in laid_out
    for step in steps():
        assert step.title in words
        assert step.text in words
    for expected in (text.TITLE, text.WHY, text.DISCLAIMER, f"skinscan {skinscan.__version__}"):
        assert expected in words
    if "Praxis" in words:
        assert "Praxis Łucja Ģirğis-Øster" in words
        for family, sentence in FAMILIES.items():
            assert re.search(rf"{family}\s+{re.escape(sentence)}", laid_out, re.IGNORECASE)


@poppler
def test_nothing_is_cut_off_and_no_words_overlap(printed):
    paper, page = printed
    width, height = SIZES_PT[paper]
    boxes = [
        (tuple(map(float, numbers)), word)
        for *numbers, word in re.findall(
            r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>',
            words_of(page, "-bbox"),
        )
    ]
    assert len(boxes) > 150
    for (left, top, right, bottom), word in boxes:
        assert left > LEAST_MARGIN_PT, word
        assert top > LEAST_MARGIN_PT, word
        assert right < width - LEAST_MARGIN_PT, word
        assert bottom < height - LEAST_MARGIN_PT, word
    for (a, first), (b, second) in combinations(boxes, 2):
        wide = min(a[2], b[2]) - max(a[0], b[0])
        # Boxes reach from ascender to descender: neighbours' may touch, letters do not.
        high = min(a[3], b[3]) - max(a[1], b[1])
        assert wide < 0.5 or high < 0.3 * min(a[3] - a[1], b[3] - b[1]), (first, second)


def test_every_rule_has_its_limit():
    assert limit_rows() == tuple((r.title, limit_text(r)) for r in RULES.values())
    assert limit_text(RULES["light_direction"]) == f"at most {RULES['light_direction'].good:g}°"
    assert limit_text(RULES["visible_skin"]).startswith("at least ")
    assert limit_text(RULES["glasses"]) == "none"


def stretched():
    """Return other limits than those in force, none of them a number that stands there now."""
    return {
        name: replace(rule, good=rule.good * 1.37 + (rule.good == 0))
        for name, rule in RULES.items()
    }


@poppler
def test_the_numbers_follow_the_code(monkeypatch):
    from skinscan.guide import figure

    before = said(photo_guide())
    others = stretched()
    for module in (text, figure):
        monkeypatch.setattr(module, "RULES", others)
        monkeypatch.setattr(module, "SIDE_YAW_DEG", 53.0)
    monkeypatch.setattr(text, "SETTLED_HOURS", 101.0)
    after = said(photo_guide())
    old = [
        f"light within {RULES['light_direction'].good:g}°",
        f"chin level within {RULES['pitch'].good:g}°",
        f"{SIDE_YAW_DEG:g}°: left view",
        f"turned {SIDE_YAW_DEG:g}°",
        f"wait {SETTLED_HOURS:g} hours",
    ]
    new = [
        f"light within {others['light_direction'].good:g}°",
        f"chin level within {others['pitch'].good:g}°",
        "53°: left view",
        "turned 53°",
        "wait 101 hours",
    ]
    assert all(words in before for words in old)
    assert not any(words in after for words in old)
    assert all(words in after for words in new)


def test_more_pixels_per_mm_ask_for_a_nearer_camera(monkeypatch):
    assert farthest_cm(2) > farthest_cm(1) > 30
    before = farthest_cm(2)
    monkeypatch.setattr(text, "RULES", {"resolution": replace(RULES["resolution"], good=9.0)})
    assert farthest_cm(2) < before


def test_the_distance_gives_the_pixels_that_are_asked_for():
    # 26 mm on film of 36 mm, 4032 px along it: a sensor of 1 px per 36/4032 mm.
    for zoom in (1, 2):
        px_mm = zoom * 26.0 / (36.0 / 4032) / (10.0 * farthest_cm(zoom))
        assert 1.0 <= px_mm / RULES["resolution"].good < 1.15


@pytest.mark.parametrize(
    "options",
    [
        {"practice": "中文"},
        {"practice": "two\nlines"},
        {"practice": "a name without an end " * 5},
        {"limits": {"wrinkles": "❄"}},
        {"limits": {f"family {k}": "A long sentence about light. " * 8 for k in range(12)}},
    ],
)
def test_what_cannot_be_printed_is_refused(options):
    with pytest.raises(BadOptionError):
        photo_guide(**options)


def test_no_practice_and_a_blank_one_are_the_same():
    assert photo_guide(practice="  ") == photo_guide()


@poppler
def test_letters_shrink_before_anything_is_refused():
    def size(page):
        return max(float(b) - float(t) for t, b in re.findall(MESSENGER, words_of(page, "-bbox")))

    assert size(photo_guide(paper=Paper.LETTER, limits=FAMILIES)) < 0.9 * size(photo_guide())


def test_limits_of_families_come_from_the_precision_model():
    every = {m.name: {"light_direction": 4.0, "pitch": 2.0} for m in metrics().values()}
    every["lift.brow_height"] = {}
    model = PrecisionModel(command="", sources="", levels={}, limits=every)
    found = family_limits(model)
    assert found["wrinkles"] == "At most: lamp 4 °, height of the chin 2 °."
    assert set(found) == {m.family.replace("_", "-") for m in metrics().values()}
    assert family_limits(PrecisionModel("", "", {}, {})) == {}
