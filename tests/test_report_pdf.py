"""The report on paper: whole, the same each time, on at most three pages, with letters of all."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from fake_courses import LINES, START, scan, weekly, write_precision
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_progress_words import CATALOGUE
from typer.testing import CliRunner

from skinscan import precision
from skinscan.cli import commands
from skinscan.declaration import Declaration
from skinscan.errors import BadOptionError, LogoError, UnknownNameError
from skinscan.guide import Paper
from skinscan.guide.sheet import open_sheet, refuse_unknown_letters
from skinscan.metrics import Concern, metrics
from skinscan.precision import precision_model
from skinscan.progress import Event, EventKind, Verdict, compare, track, words
from skinscan.progress.locales import LOCALES
from skinscan.quality import RULES
from skinscan.report import PhotoPair, Rating, charts, confirm_names, page, progress_pdf
from skinscan.report.blocks import Block, paged
from skinscan.report.logo import kept_logo, read_logo, screen_logo

MADE = date(2026, 11, 29)
PRACTICE, CLIENT = "Praxis Łódź & Ærø", "Zoë Őry-Şahin Æbelø Ņina Ğüneş Ťa"
LEAST_MARGIN_PT = 35.0

needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="needs pdftotext (Debian: poppler-utils)"
)


@pytest.fixture(autouse=True, scope="module")
def _precision(tmp_path_factory):
    path = write_precision(tmp_path_factory.mktemp("precision"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "precision_path", lambda: path)
        precision_model.cache_clear()
        yield
    precision_model.cache_clear()


SQUARE = charts.Drawing(
    b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="28" viewBox="0 0 40 28">'
    b'<rect x="0" y="0" width="40" height="28" fill="#cccccc"/></svg>',
    0.7,
    "a chart",
)


@pytest.fixture
def _no_charts(monkeypatch):
    """Draw squares instead of charts, where charts are not what is tested."""
    monkeypatch.setattr(charts, "drawn", lambda *_, **__: SQUARE)


def checked(item, *names):
    """Let a photo miss these checks."""
    checks = tuple(RULES[name].apply(name, float("nan")) for name in names)
    return replace(item, quality=replace(item.quality, checks=checks))


def picture(seed, shape=(120, 90, 3)):
    return np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)


def png(mode="RGBA", size=(120, 40), **options):
    data = io.BytesIO()
    Image.new(mode, size).save(data, "PNG", **options)
    return data.getvalue()


def jpeg(mode="RGB", size=(120, 40)):
    data = io.BytesIO()
    Image.new(mode, size).save(data, "JPEG")
    return data.getvalue()


def course(factors=(1.0, 0.9, 0.7, 0.6, 0.5), **options):
    scans = [scan({LINES: f}) for f in factors]
    scans[1] = checked(scans[1], "exposure", "roll")
    return track(scans, dates=weekly(len(factors)), **options), scans


def printed_of(progress, scans, **options):
    given_ = {"practice": "", "made_on": MADE, "dates": weekly(len(scans))}
    return progress_pdf(progress, scans=scans, **(given_ | options))


def full(**options):
    """Everything that can stand in a report."""
    progress, scans = course(events=[Event(START + timedelta(days=3), EventKind.PEEL)])
    days = weekly(5)
    extras = {
        "practice": PRACTICE,
        "client": CLIENT,
        "logo": png(),
        "pair": PhotoPair(picture(1), picture(2), days[0], days[-1]),
        "ratings": [Rating(days[1], 2, 7, 3), Rating(days[0], None, None, 10)],
    }
    return progress, printed_of(progress, scans, **(extras | options))


@pytest.fixture(scope="module", params=list(Paper), ids=str)
def printed(request):
    return full(paper=request.param)


def words_in(content, *options):
    return subprocess.run(
        ["pdftotext", *options, "-", "-"], input=content, capture_output=True, check=True
    ).stdout.decode()


def said(content, *options):
    return " ".join(words_in(content, *options).split())


def letters(text):
    """Only what is not blank: cells wrap where they must."""
    return re.sub(r"\s", "", text)


def pages(content):
    return int(re.search(rb"/Count (\d+)", content)[1])


# The whole --------------------------------------------------------------------------------------


def test_it_has_at_most_three_pages_and_embeds_its_fonts(printed):
    _, content = printed
    assert content.startswith(b"%PDF-")
    assert 1 <= pages(content) <= 3
    assert len(re.findall(rb"/FontFile2 \d", content)) == 2
    assert b"/Type1" not in content


@needs_poppler
def test_all_that_was_found_is_said(printed):
    progress, content = printed
    text = letters(words_in(content))
    laid_out = said(content, "-layout")
    sentences = [*progress.summary(), words.DISCLAIMER, words.PAIR_CAPTION, words.RATINGS_NOTE]
    for sentence in [*sentences, *words.METHOD, PRACTICE, CLIENT]:
        assert letters(sentence) in text, sentence
    assert "29 November 2026" in laid_out
    assert "Before: 3 March 2026" in laid_out
    assert "much improved" in laid_out
    assert letters(RULES["exposure"].do) in text
    assert "asks for another photo: 1" in laid_out
    assert f"Page {pages(content)} of {pages(content)}" in laid_out


@needs_poppler
def test_every_concern_has_its_words_verdict_and_numbers(printed):
    progress, content = printed
    rows = said(content, "-layout")
    text = letters(words_in(content))
    assert {item.concern for item in progress.concerns} == set(Concern)
    for item in progress.concerns:
        assert words.CONCERNS[item.concern] in rows
        assert letters(metrics()[words.HEADLINES[item.concern]].title) in text
        heading = f"{words.CONCERNS[item.concern]}: {words.words_of(item.leading.metric).subject}"
        assert letters(heading).lower() in text.lower()  # above its chart
    leading = progress.concern("wrinkles").leading
    assert leading.verdict is Verdict.IMPROVED
    assert f"−{abs(leading.percent):.0f} %" in rows
    assert "no detectable change" in rows


@needs_poppler
def test_nothing_is_cut_off_and_no_words_overlap(printed):
    _, content = printed
    found = re.findall(
        r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>',
        words_in(content, "-bbox"),
        re.DOTALL,
    )
    assert len(found) == pages(content)
    for width, height, body in found:
        boxes = [
            (tuple(map(float, numbers)), word)
            for *numbers, word in re.findall(
                r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>',
                body,
            )
        ]
        assert len(boxes) > 50
        for (left, top, right, bottom), word in boxes:
            assert left > LEAST_MARGIN_PT, word
            assert top > LEAST_MARGIN_PT, word
            assert right < float(width) - LEAST_MARGIN_PT, word
            assert bottom < float(height) - LEAST_MARGIN_PT / 1.5, word
        for (a, first), (b, second) in combinations(boxes, 2):
            wide = min(a[2], b[2]) - max(a[0], b[0])
            # Boxes reach from ascender to descender: neighbours' may touch, letters do not.
            high = min(a[3], b[3]) - max(a[1], b[1])
            assert wide < 0.5 or high < 0.3 * min(a[3] - a[1], b[3] - b[1]), (first, second)


def test_metadata_name_the_course_and_nobody(printed):
    _, content = printed
    info = content[content.rindex(b"/Title") :]
    title = re.match(rb"/Title \((.*?)\)\n", info, re.DOTALL)[1]
    assert title.decode() == "Course of skin, 3 March 2026 to 31 March 2026"
    assert b"/Author" not in content
    assert b"D:20261129000000Z" in content
    for name in ("Praxis", "Łódź", "Şahin", "Æbelø"):
        for coding in ("utf-8", "utf-16-be"):
            assert name.encode(coding) not in content
            assert name.encode(coding).hex().encode() not in content.lower()


def test_readers_are_told_language_contents_and_pictures(printed):
    _, content = printed
    assert b"/Lang (en)" in content
    assert b"/DisplayDocTitle true" in content
    assert b"/Outlines" in content
    # Six charts, two photos, the logo.
    assert len(re.findall(rb"/Alt [(<]", content)) == 9


MAKE = """
import hashlib, pathlib, tempfile
from fake_courses import write_precision
from skinscan import precision
path = write_precision(pathlib.Path(tempfile.mkdtemp()))
precision.precision_path = lambda: path
import test_report_pdf
print(hashlib.sha256(test_report_pdf.full()[1]).hexdigest())
"""


@pytest.mark.slow
def test_the_same_course_gives_the_same_bytes_elsewhere():
    here = str(Path(__file__).parent)
    paths = os.pathsep.join([here, os.environ.get("PYTHONPATH", ""), *sys.path[1:]])
    elsewhere = subprocess.run(
        [sys.executable, "-c", MAKE],
        # New York changes its clocks inside the course.
        env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "7", "TZ": "America/New_York"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert elsewhere.stdout.strip() == hashlib.sha256(full()[1]).hexdigest()


# Kinds of courses -------------------------------------------------------------------------------


@needs_poppler
@pytest.mark.usefixtures("_no_charts")
def test_two_sessions():
    scans = [scan(), scan({LINES: 0.4})]
    progress = track(scans, dates=weekly(2))
    content = printed_of(progress, scans)
    assert pages(content) <= 3
    for sentence in progress.summary():
        assert letters(sentence) in letters(words_in(content))
    assert "Sessions with photos: 2." in said(content)


@needs_poppler
@pytest.mark.usefixtures("_no_charts")
def test_two_photos_without_dates():
    scans = [scan(), checked(scan({LINES: 0.4}, light_deg=40.0), "roll")]
    content = printed_of(compare(*scans), scans, dates=None, pair=PhotoPair(picture(1), picture(2)))
    text = said(content)
    assert words.REPORT_TITLE_PAIR in text
    assert words.REPORT_PAIR in text
    assert "2026" not in text.replace("29 November 2026", "")


@needs_poppler
def test_a_course_that_cannot_be_compared_says_why_and_draws_nothing():
    scans = [scan(), scan({LINES: 0.4})]
    late = Declaration(before_treatment=False)
    progress = track(scans, dates=weekly(2), declared=[None, late])
    content = printed_of(progress, scans)
    text = letters(words_in(content))
    assert text.count(letters("not compared.")) >= len(Concern)
    for sentence in progress.summary():
        assert letters(sentence) in text
    assert b"/Alt" not in content
    assert letters(words.PRINT_CHART_NOTE) not in text
    assert letters(words.PRINT_NUMBERS_NOTE) not in text
    assert letters(words.NO_DIFFERENCES) not in text


@needs_poppler
def test_one_session_is_one_page():
    scans = [scan()]
    content = printed_of(track(scans, dates=[START]), scans)
    assert pages(content) == 1
    text = said(content)
    assert words.ONLY_ONE_SESSION in text
    assert letters(words.DISCLAIMER) in letters(text)
    assert words.REPORT_NUMBERS not in text.split()


@needs_poppler
@pytest.mark.usefixtures("_no_charts")
@pytest.mark.parametrize("sessions", [2, 26])
def test_the_fullest_course_fits_on_three_pages(sessions):
    changed = dict.fromkeys(metrics(), 0.2)
    scans = [scan()]
    for k in range(1, sessions):
        made = scan(changed, light_deg=50.0 if k % 5 == 2 else 0.0, smile=0.9 if k % 7 == 3 else 0)
        scans.append(checked(made, *RULES))
    days = weekly(sessions)
    kinds = list(EventKind)
    events = [Event(START + timedelta(days=1 + k % 7), kinds[k % 7]) for k in range(40)]
    progress = track(
        scans, dates=days, events=events, treated_regions=["crows_feet", "glabella", "chin"]
    )
    content = printed_of(
        progress,
        scans,
        practice="W" * 200,
        client="Ł" * 200,
        logo=png(),
        pair=PhotoPair(picture(1), picture(2), days[0], days[-1]),
        ratings=[Rating(on, 1, 5, 5) for on in days],
    )
    assert pages(content) <= 3
    text = letters(words_in(content))
    assert letters(words.DISCLAIMER) in text
    for concern in Concern:
        assert letters(words.CONCERNS[concern]) in text


@needs_poppler
@pytest.mark.usefixtures("_no_charts")
def test_dates_and_decimals_follow_the_place():
    progress, scans = course()
    american = said(printed_of(progress, scans, locale="en-US"))
    assert "March 3, 2026" in american
    assert "Made on November 29, 2026." in american
    text = said(printed_of(progress, scans, locale="en-ZA"))
    assert re.search(r"\d,\d", text)
    assert re.search(r"\d\.\d(?!\.)", text.replace("skinscan 0.1.0", "")) is None


def test_an_unknown_place_is_refused():
    progress, scans = course()
    with pytest.raises(UnknownNameError):
        printed_of(progress, scans, locale="xx")


def test_each_scan_needs_its_date():
    progress, scans = course()
    with pytest.raises(BadOptionError, match="4 dates for 5 scans"):
        printed_of(progress, scans, dates=weekly(4))


# Names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["中文", "two\nlines", "❄", "N" * 201, "tab\there"])
def test_names_that_cannot_be_printed_are_refused(name):
    with pytest.raises(BadOptionError) as caught:
        confirm_names("Rose Street", name)
    assert name not in str(caught.value)


def test_every_latin_letter_can_be_printed():
    latin = [chr(c) for c in range(0xC0, 0x250) if unicodedata.category(chr(c)).startswith("L")]
    confirm_names("".join(latin[:200]), "".join(latin[200:]), "Nguyễn Thị Ḫ ẞ")


@pytest.mark.usefixtures("_no_charts")
def test_letters_in_parts_are_put_together():
    progress, scans = course()
    whole = unicodedata.normalize("NFC", CLIENT)
    parts = unicodedata.normalize("NFD", CLIENT)
    assert parts != whole
    assert printed_of(progress, scans, client=f" {parts} ") == printed_of(
        progress, scans, client=whole
    )


def test_the_font_has_every_letter_of_the_catalogue():
    units = [m.unit + m.title for m in metrics().values()]
    rules = [rule.title + rule.do for rule in RULES.values()]
    months = ["".join(item.months) + item.decimal for item in LOCALES.values()]
    with open_sheet(Paper.A4, title="", language="en", created=page.datetime(2026, 1, 1)) as pdf:
        refuse_unknown_letters(pdf, *CATALOGUE, *words.METHOD, *units, *rules, *months)


# Pictures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_logos_of_every_kind_of_png_are_read(mode):
    assert read_logo(png(mode)).shape == (40, 120, 3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_logos_are_read_from_webp_and_kept_as_png_of_the_same_look(mode):
    data = io.BytesIO()
    Image.new(mode, (120, 40), (10, 90, 90, 255)[: len(mode)]).save(data, "WEBP", lossless=True)
    kept = kept_logo(data.getvalue())
    assert kept.startswith(b"\x89PNG")
    assert np.array_equal(read_logo(kept), read_logo(data.getvalue()))
    assert read_logo(screen_logo(kept_logo(png("RGB", (2000, 500))))).shape == (96, 384, 3)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_logos_of_every_kind_of_jpeg_are_read(mode):
    assert read_logo(jpeg(mode)).shape == (40, 120, 3)


def test_a_logo_lies_on_white_and_becomes_no_larger_than_it_is_printed():
    logo = read_logo(png("RGBA", (2000, 1000)))
    assert logo.shape == (300, 600, 3)
    assert (logo == 255).all()


def gif():
    data = io.BytesIO()
    Image.new("P", (120, 40)).save(data, "GIF")
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture at all",
        gif(),
        png()[:60],
        jpeg()[:-80],
        png("RGB", (6000, 20)),
        png("1", (4800, 4800)),
        png("RGB", (4, 4)),
        png("I;16"),
        png() + bytes(2 * 2**20),
    ],
    ids=range(10),
)
def test_logos_that_are_none_broken_or_huge_are_refused(data):
    with pytest.raises(LogoError, match="PNG, JPEG or WebP"):
        read_logo(data)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_logo_is_read_or_refused(data):
    good = bytearray(data.draw(st.sampled_from([png(), png("P"), jpeg(), jpeg("CMYK")])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at] = data.draw(st.integers(0, 255))
    try:
        logo = read_logo(bytes(good[: data.draw(st.integers(1, len(good)))]))
    except LogoError:
        return
    assert logo.dtype == np.uint8


@pytest.mark.parametrize(
    "pair",
    [
        (picture(1), picture(2, (120, 91, 3))),
        (picture(1).astype(float), picture(2)),
        (picture(1)[..., 0], picture(2)[..., 0]),
        (picture(1, (8, 8, 3)), picture(2, (8, 8, 3))),
    ],
    ids=["sizes", "floats", "grey", "tiny"],
)
def test_pictures_that_are_no_pair_are_refused(pair):
    with pytest.raises(BadOptionError):
        PhotoPair(*pair)


@pytest.mark.parametrize("numbers", [(4, 0, 0), (-2, 0, 0), (0, 11, 0), (0, 0, -1), (0.5, 0, 0)])
def test_ratings_outside_their_scale_are_refused(numbers):
    with pytest.raises(BadOptionError):
        Rating(START, *numbers)


def test_ratings_have_the_words_of_the_practices_form():
    from skinscan.practice.forms import Gais

    assert {int(item) for item in Gais} == set(words.RATINGS)


# Pages ------------------------------------------------------------------------------------------


def block(height, **options):
    return Block(height, lambda _: None, **options)


@given(
    st.lists(st.tuples(st.floats(1, 90), st.floats(0, 9), st.booleans()), min_size=1, max_size=30)
)
def test_blocks_stay_in_order_and_on_their_page(shapes):
    given_ = [block(h, above=above, keep=keep) for h, above, keep in shapes]
    fallen = paged(given_, room=200.0, first_room=180.0)
    flat = [b for placed in fallen for _, b in placed]
    assert [id(b) for b in flat] == [id(b) for b in given_]
    for number, placed in enumerate(fallen):
        assert placed[0][0] == 0.0
        for (top, first), (below, second) in pairwise(placed):
            assert below == pytest.approx(top + first.height + second.above)
        end = placed[-1][0] + placed[-1][1].height
        kept = all(b.keep for _, b in placed[:-1])
        assert kept or end <= (180.0 if number == 0 else 200.0) + 1e-6


def test_a_heading_goes_with_its_text_and_a_table_takes_its_head_along():
    head = block(5.0)
    rows = [block(10.0, again=head) for _ in range(4)]
    fallen = paged([block(15.0), block(5.0, keep=True), *rows], room=50.0, first_room=25.0)
    assert [len(placed) for placed in fallen] == [1, 5]
    fallen = paged([block(5.0, keep=True), *rows], room=50.0, first_room=25.0)
    assert fallen[1][0][1] is head
    assert [top for top, _ in fallen[1]] == [0.0, 5.0, 15.0]


# At the terminal --------------------------------------------------------------------------------


def test_a_name_that_cannot_be_printed_stops_before_anything_is_measured(tmp_path):
    options = ["track", str(tmp_path / "absent"), "-o", str(tmp_path), "--practice", "中"]
    result = CliRunner().invoke(commands.app, options)
    assert result.exit_code == 2
    assert "U+4E2D" in result.stderr
