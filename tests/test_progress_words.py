"""Sentences for clients: complete, plain, and never more than the numbers say."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from fake_courses import LINES, START, scan, weekly, write_precision

from skinscan import precision
from skinscan.declaration import Declaration
from skinscan.errors import UnknownNameError
from skinscan.metrics import Concern, metrics
from skinscan.precision import precision_model
from skinscan.progress import Event, EventKind, Scope, compare, track, words
from skinscan.progress.amounts import is_amount
from skinscan.progress.areas import areas_of
from skinscan.progress.locales import LOCALES, locale
from skinscan.progress.summary import claim

#: Diagnosis, promise, praise and fright have no place in what a client reads.
FORBIDDEN = (
    *(
        "diagnos",
        "disease",
        "disorder",
        "patholog",
        "medical",
        "symptom",
        "patient",
        "cure",
        "heal",
    ),
    *("guarantee", "promis", "will be", "will improve", "rejuvenat", "younger", "anti-ag"),
    *("great", "excellent", "perfect", "amazing", "wonderful", "beautiful", "success", "well done"),
    *("congrat", "good news", "impressive", "bad", "poor", "ugly", "alarm", "worr", "danger"),
    *("severe", "damage", "unfortunate", "sadly", "fear", "warning", "abnormal", "worst", "fail"),
)


@pytest.fixture(autouse=True)
def _precision(tmp_path, monkeypatch):
    path = write_precision(tmp_path)
    monkeypatch.setattr(precision, "precision_path", lambda: path)
    precision_model.cache_clear()
    yield
    precision_model.cache_clear()


def every_string(value):
    """All strings of the catalogue."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, words.MetricWords):
        yield from (value.subject, value.less, value.more, value.unit)
    elif hasattr(value, "values"):
        for item in value.values():
            yield from every_string(item)


#: Says what a report is not; the words are needed there.
DISCLAIMS = ("DISCLAIMER",)

CATALOGUE = [
    text
    for name, value in vars(words).items()
    if name.isupper() and name not in ("HEADLINES", *DISCLAIMS)
    for text in every_string(value)
]


def test_the_catalogue_is_seen_whole():
    assert len(CATALOGUE) > 150
    assert words.NOTE in CATALOGUE


@pytest.mark.parametrize("word", FORBIDDEN)
def test_no_forbidden_word_occurs(word):
    assert [text for text in CATALOGUE if word in text.lower()] == []


def test_every_metric_concern_event_and_place_has_words():
    assert set(words.METRICS) == set(metrics())
    assert set(words.CONCERNS) == set(words.HEADLINES) == set(Concern)
    assert set(words.EVENTS) == set(EventKind)
    spoken = {Scope.FACE, Scope.TREATED, Scope.UNTREATED, Scope.GROUP}
    places = {
        area.name
        for entry in metrics().values()
        for area in areas_of(entry, frozenset({"chin"}))
        if area.scope in spoken
    }
    assert places <= set(words.PLACES)


def test_a_metric_that_the_catalogue_lacks_is_spoken_of_by_its_title(monkeypatch):
    without = {k: v for k, v in words.METRICS.items() if k != LINES}
    monkeypatch.setattr(words, "METRICS", without)
    said = compare(scan(), scan({LINES: 0.4})).summary()
    assert any(text.startswith("Contrast of lines: 60 % lower between") for text in said)


def test_headlines_are_metrics_of_their_concern_with_a_better_direction():
    for concern, name in words.HEADLINES.items():
        assert metrics()[name].concern is concern
        assert metrics()[name].better != "neutral"


def test_every_metric_can_be_claimed_both_ways():
    progress = compare(scan(), scan(), dates=tuple(weekly(2)))
    for name in metrics():
        for low, difference, high in ((-6.0, -4.0, -2.0), (2.0, 4.0, 6.0)):
            unchanged = progress.change(name)
            change = replace(unchanged, low=low, difference=difference, high=high)
            if is_amount(metrics()[name]):
                change = replace(
                    change, percent=10 * difference, percent_low=10 * low, percent_high=10 * high
                )
            text = claim(change, locale("en-GB"), since=" since 3 March")
            said = words.METRICS[name]
            word = said.less if difference < 0 else said.more
            numbers = ("40 %", "20", "60 %") if is_amount(metrics()[name]) else None
            size, least, most = numbers or (f"4.0 {said.unit}", "2.0", f"6.0 {said.unit}")
            expected = f"{said.subject}: {size} {word} since 3 March (between {least} and {most})."
            assert text == expected


def test_a_claim_reads_as_people_speak():
    local = {(LINES, f"crows_feet_{side}"): 0.2 for side in ("left", "right")}
    scans = [scan(), scan(local)]
    said = track(scans, dates=weekly(2), treated_regions=["crows_feet"]).summary()
    pattern = r"Lines around the eyes: 80 % softer since 3 March \(between \d\d and 100 %\)\."
    assert any(re.fullmatch(pattern, text) for text in said), said
    start = "Lines: 8.0 percentage points softer in the treated regions than in the others since"
    assert any(text.startswith(start) for text in said), said


def test_nothing_found_says_what_would_have_been():
    progress = track([scan(), scan()], dates=weekly(2))
    said = progress.summary()
    pattern = r"Lines: no detectable change; a change of (\d+) % would probably have been found\."
    found = next(m for text in said if (m := re.fullmatch(pattern, text)))
    size = 10 * progress.concern("wrinkles").would_be_found
    assert float(found[1]) == pytest.approx(size, abs=0.5)
    assert not any("since" in text for text in said)


def test_worse_is_said_as_plainly():
    said = track([scan(), scan({LINES: 2.0})], dates=weekly(2)).summary()
    assert any(text.startswith("Lines: 100 % more visible since 3 March") for text in said)


def test_two_ways_at_once_are_told():
    changed = scan({LINES: 0.4, "wrinkles.width": 3.0})
    said = track([scan(), changed], dates=weekly(2)).summary()
    assert any(text.startswith("Wrinkles and fine lines: some measures") for text in said)


def test_what_was_not_compared_says_why():
    said = compare(scan(), scan(), declared=(None, Declaration(before_treatment=False))).summary()
    assert sum("not compared" in text and "treatment" in text for text in said) == len(Concern)


def test_photos_without_dates_are_spoken_of_as_photos():
    said = compare(scan(), scan({LINES: 0.4})).summary()
    assert any("softer between the two photos (" in text for text in said)


def test_one_session_is_told():
    said = track([scan()], dates=[START]).summary()
    assert said == (words.ONLY_ONE_SESSION, words.NOTE)


def test_events_are_told_once():
    event = Event(START + timedelta(days=3), EventKind.PEEL)
    outside = Event(START - timedelta(days=30), EventKind.LASER)
    said = track([scan(), scan()], dates=weekly(2), events=[outside, event]).summary()
    assert [text for text in said if "the treatment as well" in text] == []
    told = [text for text in said if text.startswith("A peel on 6 March ")]
    assert len(told) == 1
    assert not any("laser" in text for text in said)


def test_the_source_of_the_day_to_day_part_is_told():
    scans, dates = [scan() for _ in range(3)], weekly(3)
    assert words.DAY_SOURCE_PUBLISHED in track(scans, dates=dates).summary()
    both = track(scans, dates=dates, baseline=dates[:2]).summary()
    assert any("taken from 2 days before" in text for text in both)


def taken_with(photo, *, camera="", lens=""):
    found = replace(photo.quality.conditions, camera=camera, lens=lens)
    return replace(photo, quality=replace(photo.quality, conditions=found))


UNTOLD, TOLD = {"camera": ""}, {"camera": "Maker One"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (UNTOLD, UNTOLD, False),
        (TOLD, UNTOLD, False),
        (UNTOLD, TOLD, False),
        (TOLD, TOLD, True),
        ({"lens": "wide"}, {"lens": "wide"}, True),
        (TOLD, {"lens": "wide"}, False),
    ],
)
def test_a_claim_from_photos_that_do_not_name_their_camera_says_so(before, after, told):
    softer = compare(taken_with(scan(), **before), taken_with(scan({LINES: 0.4}), **after))
    assert softer.concern(Concern.WRINKLES).verdict.claimed
    assert softer.camera_told is told
    assert (words.CAMERA_UNTOLD in softer.summary()) is not told


def test_the_camera_is_no_matter_where_nothing_read_from_skin_is_claimed():
    assert words.CAMERA_UNTOLD not in compare(scan(), scan()).summary()
    lifted = compare(scan(), scan({"lift.jaw_sag": 0.3}))
    assert lifted.concern(Concern.LIFT).verdict.claimed
    assert words.CAMERA_UNTOLD not in lifted.summary()


# Dates and numbers ------------------------------------------------------------------------------


def test_dates_are_written_as_the_place_does():
    day, same, other = date(2026, 3, 3), date(2026, 9, 1), date(2027, 1, 5)
    assert locale("en-GB").date(day, beside=same) == "3 March"
    assert locale("en-GB").date(day, beside=other) == "3 March 2026"
    assert locale("en-US").date(day, beside=same) == "March 3"
    assert locale("en-US").date(day) == "March 3, 2026"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (18.4, "18"),
        (9.04, "9.0"),
        (0.0451, "0.045"),
        (1234.5, "1,234"),
        (0.0, "0"),
        (-1.26, "−1.3"),
    ],
)
def test_sizes_have_two_digits(value, text):
    assert locale("en-GB").number(value) == text


def test_an_interval_has_the_decimals_of_its_change():
    change = compare(scan(), scan()).change("under_eye.bag")
    change = replace(change, low=-1.127, difference=-0.551, high=-0.0057)
    text = claim(change, locale("en-GB"), since="")
    assert text == (
        "Groove below the lid: 0.55 percentage points flatter (between 0.01 and 1.13 "
        "percentage points)."
    )


def test_what_has_one_place_only_is_said_once():
    said = compare(scan(), scan({"under_eye.bag": 0.1})).summary()
    assert sum("Groove below the lid" in text for text in said) == 1


def test_decimals_follow_the_place():
    assert locale("en-ZA").number(1.26) == "1,3"
    said = compare(scan(), scan({"lift.jaw_sag": 0.3})).summary(locale="en-ZA")
    assert any("7,0 mm straighter" in text for text in said)


@pytest.mark.parametrize(
    ("name", "text"), [("en-GB", "−1,234,567.9"), ("en-ZA", "−1\u00a0234\u00a0567,9")]
)
def test_thousands_are_grouped_as_the_place_does(name, text):
    assert locale(name).number(-1234567.89, places=1) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(10.0, "10"), (3 * 0.1, "0,3"), (5e-5, "0,00005"), (2e6, "2\u00a0000\u00a0000"), (4.5, "4,5")],
)
def test_round_numbers_have_no_more_decimals_than_they_need(value, text):
    assert locale("en-ZA").plain(value) == text


def test_a_sentence_made_without_a_place_gets_its_marks_and_keeps_its_full_stops():
    text = "Light differs by 12.5 °, at most 6.0 °. Photograph again."
    assert locale("en-ZA").sentence(text) == text.replace("2.5", "2,5").replace("6.0", "6,0")
    assert locale("en-GB").sentence(text) == text


def test_why_nothing_was_compared_is_said_with_the_marks_of_the_place():
    def said(name):
        progress = track([scan(), scan(light_deg=40.5)], dates=weekly(2))
        return " ".join(progress.summary(locale=name))

    assert re.search(r"\d\.\d", said("en-GB"))
    assert re.search(r"\d,\d", said("en-ZA"))
    assert not re.search(r"\d\.\d", said("en-ZA"))


def test_short_names_of_months_are_the_places_too():
    day = date(2026, 3, 3)
    assert locale("en-GB").date(day, brief=True) == "3 Mar 2026"
    assert locale("en-US").date(day, beside=day, brief=True) == "Mar 3"


def test_an_unknown_place_is_refused():
    with pytest.raises(UnknownNameError, match="locale"):
        locale("xx")
    assert all(item.name == name for name, item in LOCALES.items())
