"""Every English word that the page shows: one catalogue, ready for translation.

Templates take named fields. None of them may carry text that came from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import isfinite
from types import MappingProxyType
from typing import Final

from skinscan.progress.locales import locale

# The page

PAGE_TITLE: Final = "skinscan"
TITLE: Final = "skinscan"
LEAD: Final = (
    "How skin changes over a course of treatments, measured in ordinary photos. "
    "It measures cosmetic appearance; it diagnoses nothing."
)
DISCLAIMERS: Final = (
    (
        "skinscan measures cosmetic appearance. It diagnoses nothing, and no number here is "
        "medical advice."
    ),
    (
        "Results vary between individuals. A licensed practitioner matters, and so do the basics: "
        "sleep, diet, water, exercise and skincare."
    ),
)
PRIVACY_FORGOTTEN: Final = (
    "Your photos stay in this computer's memory. They are not written to disk, not sent "
    "anywhere, and forgotten within two minutes after you close this page."
)
PRIVACY_KEPT: Final = "Photos and notes are kept encrypted by your practice and sent nowhere."
UNEXPECTED: Final = (
    "Something went wrong on our side. Your photos are safe and nothing was stored. "
    "Reload the page and try again; if it happens again, leave out the photo that you added last."
)

# Start

SAMPLE_TITLE: Final = "Look at a sample course"
SAMPLE_TEXT: Final = (
    "Photos of one rendered face, which belongs to nobody, over several sessions. You see what "
    "skinscan would show for a course of yours."
)
SAMPLE_BUTTON: Final = "Open the sample course"
SAMPLE_MISSING: Final = (
    "The sample course is not part of this installation. Upload photos of your own instead."
)
UPLOAD_TITLE: Final = "Measure photos of your own"
UPLOAD_TEXT: Final = (
    "Choose the photos of all sessions at once: front view, neutral expression, same light and "
    "distance each time, taken before the treatment. JPEG, PNG, WebP or HEIC."
)
UPLOAD_LABEL: Final = "Photos of the sessions"
UPLOAD_HELP: Final = (
    "The date of a session is read from the photo, else from a file name such as "
    "2026-03-03_front.jpg; you can correct it."
)
UPLOAD_MORE_TITLE: Final = "Add photos to this course"
UPLOAD_TOO_MANY: Final = (
    "A course on this page holds {limit} photos. {left} were left out: measure folders with "
    "`skinscan score`."
)
NEW_COURSE: Final = "Start a new course"

# Scoring

SCORING: Final = "Measuring photo {number} of {count} …"
SCORING_LEFT: Final = " about {seconds} s left"
SCORING_DONE: Final = "{count} photos measured"

# Problems with single files, by the error's cause

PROBLEMS_TITLE_ONE: Final = "One file is not part of the course. The others are not affected."
PROBLEMS_TITLE_MANY: Final = (
    "{count} files are not part of the course. The others are not affected."
)
PROBLEMS_DISMISS: Final = "Hide this message"
PROBLEMS_KEEP: Final = "They show the same person, the right way round: keep them"
PROBLEM_UNEXPECTED: Final = (
    "This photo could not be measured. Try again with the original file from the camera."
)
PROBLEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "not_an_image": (
            "This file is not a photo, whatever its name says. Choose the photo itself: a JPEG, "
            "PNG, WebP or HEIC file straight from the camera."
        ),
        "unsupported_format": (
            "This kind of picture cannot be read. Save the photo as JPEG, PNG, WebP or HEIC and "
            "choose it again."
        ),
        "truncated": (
            "This photo is damaged or incomplete; part of it got lost on the way. Copy it from "
            "the phone or camera again."
        ),
        "too_large": (
            "This photo is too large (the limits are 25 MB and 50 megapixels). Export it at a "
            "smaller size and choose it again."
        ),
        "too_small": (
            "This photo has too few pixels. Use the original from the camera, not a preview or "
            "a copy that a messenger shrank."
        ),
        "bad_aspect": (
            "This picture is too long and thin to be a photo of a face. Choose the photo itself, "
            "not a panorama or a screenshot."
        ),
        "bad_colour_mode": (
            "This picture is not an ordinary colour photo (it may be black and white or prepared "
            "for print). Use the camera's original."
        ),
        "no_face": (
            "No face was found in this photo. Take it from the front with the whole face in the "
            "picture, well lit, without mask or sunglasses."
        ),
        "several_faces": (
            "There is more than one face in this photo. Photograph the client alone, or crop "
            "the picture to one face."
        ),
        "face_too_small": (
            "The face is too small in this photo. Go closer, so that the face fills most of the "
            "height of the picture."
        ),
        "another_person": (
            "The skin in this photo does not agree with that of the other photos of this view. "
            "Check that it belongs to this client."
        ),
        "mirrored_photo": (
            "This photo shows left and right exchanged, as a mirror or some front cameras do. Use "
            "the original, or switch mirroring off."
        ),
        "not_comparable": (
            "The distances of these photos are measured in two different ways, so their numbers "
            "cannot be compared. Photograph the whole face each time."
        ),
        "model": (
            "skinscan's face model is missing or damaged, so no photo can be measured. Install "
            "skinscan again."
        ),
    }
)

# Dates

DATE_MISSING_TITLE: Final = "When were these photos taken?"
DATE_MISSING_TEXT: Final = (
    "Neither the photo nor its file name tells the date. Enter the day of the session; until "
    "then the photo is not part of the course."
)
DATE_LABEL: Final = "Date of the session"
DATE_SOURCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "camera": "Date read from the photo.",
        "name": "Date read from the file's name.",
        "typed": "Date entered by you.",
        "unknown": "Date not known yet.",
    }
)

# Summary

FACT_SESSIONS: Final = "Sessions"
FACT_PERIOD: Final = "Period"
FACT_PHOTOS: Final = "Photos"
FACT_LEVEL: Final = "Compared at"
LEVEL: Final = "{level} px per mm"
LEVEL_LIMITED: Final = (
    "All sessions are compared at {level} px per mm, the finest resolution that every photo "
    "has. {who} set the limit: a photo taken closer would let finer detail be compared."
)
LEVEL_NONE: Final = (
    "These photos share no resolution at which they could be compared. Photograph closer."
)
VIEW_LABEL: Final = "View"
VIEWS: Final[Mapping[str, str]] = MappingProxyType(
    {"front": "Front", "left": "Left side", "right": "Right side"}
)
ONE_SESSION: Final = (
    "This is one session. Add photos of other days to see a course; the numbers of this one "
    "are below."
)
NO_DATED: Final = "No photo has a date yet. Enter the dates above to see the course."

NOT_JUDGED_TITLE: Final = "Changes are shown, not judged."
NOT_JUDGED_NO_SEM: Final = (
    "No uncertainty is known yet for these measurements: how far two photos of unchanged skin "
    "differ will come with a later version. Until then a difference may come from the light, the "
    "distance, the expression or chance, and no change is claimed."
)
NOT_JUDGED_WITH_SEM: Final = (
    "The bars show how sure each single measurement is (95 % interval). Whether a difference is "
    "larger than chance is not decided here, and no change is claimed."
)
PHOTOS_NEED_A_LOOK: Final = "The capture check marks {count} of {total} photos as poor:"
PHOTOS_NEED_A_LOOK_END: Final = "Their points are drawn hollow. See “Photos and capture check”."

COURSE_SAMPLE: Final = "Sample course: a rendered face, which belongs to nobody."
COURSE_OWN: Final = "Your course"

# What changed

#: How dates and numbers of sentences are written.
LOCALE: Final = "en-GB"
WRITTEN: Final = locale(LOCALE)
PROGRESS_TITLE: Final = "What changed"
PROGRESS_NONE: Final = "These sessions cannot be compared."
PROGRESS_CHARTS: Final = "Session by session"
PROGRESS_CHARTS_TEXT: Final = (
    "Difference to the first session. The grey band holds what is too small to be detected; the "
    "blue one is the 95 % interval of each session. Hollow points are doubtful or not compared: "
    "point at them to read why."
)
CHART_DIRECTIONS: Final = "below 0: {less}; above 0: {more}"
PAIR_TITLE: Final = "Before and after"
PAIR_TEXT: Final = (
    "Each photo is turned, scaled and shifted as a whole to lie on the first one; light and "
    "colours are as photographed. What was measured stands above, not in the eye of who compares."
)
PAIR_BEFORE: Final = "Before"
PAIR_AFTER: Final = "After"
PAIR_MODE: Final = "Show the two photos"
PAIR_MODES: Final[Mapping[str, str]] = MappingProxyType(
    {"slider": "With a slider", "side": "Side by side", "difference": "Difference"}
)
DIFFERENCE_WAIT: Final = "Laying one skin on the other …"
DIFFERENCE_SAME: Final = "Choose two different sessions."
DIFFERENCE_NO_PIXELS: Final = (
    "No picture of the difference: these photos are not at hand any more. Add them again."
)
DIFFERENCE_DAYS: Final = "{after} against {before}."
MOTION_TITLE: Final = "The course in motion"
MOTION_SHOW: Final = "Show all sessions one after another"
VIEWER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stage": (
            "Photos in one frame. Plus and minus enlarge and reduce, arrow keys move an enlarged "
            "picture."
        ),
        "slider": "Edge between the earlier and the later photo, per cent from the left",
        "session": "Session shown",
        "lines": "Show the lines found",
        "smaller": "Reduce",
        "larger": "Enlarge",
        "whole": "Show the whole face",
        "play": "Play",
        "pause": "Pause",
    }
)
REGIONS_TITLE: Final = "Where on the face"
REGIONS_NO_MAP: Final = "In no single region is a change of this claimed, so there is no map."
CHANGE_CAPTION: Final = (
    "Change over the course. Intervals are 95 %, wider where a change is claimed among many. A "
    "single change smaller than the last number cannot be told from chance."
)
CHANGE_HEAD: Final = ("What and where", "Change", "Between", "Smallest detectable", "Verdict")
BETWEEN: Final = "{low} and {high}"
SPAN: Final = "{low} to {high}"
NUMBERS_TITLE: Final = "From here on: the numbers of single sessions."
NUMBERS_TEXT: Final = (
    "Values as measured, with the 95 % interval of each. Which differences are more than chance "
    "is said above and nowhere below."
)

# Overview

OVERVIEW_TITLE: Final = "The course at a glance"
OVERVIEW_TEXT: Final = "Large numbers: first → latest session, averaged over both sides."
CARD_VALUE: Final = "{first} → {latest}"
CARD_PERCENT: Final = "{percent} against the first session"
CARD_ABSOLUTE: Final = "{change} against the first session"
CARD_NONE: Final = "Not measured in these photos."
CARD_NEEDS_LEVEL: Final = "Needs {needed} px per mm; these photos share {level}. Photograph closer."
BETTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "down": "lower is better",
        "up": "higher is better",
        "neutral": "no direction is better",
    }
)
BETTER_SENTENCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "down": "A lower value is better.",
        "up": "A higher value is better.",
        "neutral": "Neither direction is better; the value describes.",
    }
)
CONCERNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "texture": "Texture",
        "tone": "Tone",
        "wrinkles": "Wrinkles and lines",
        "lift": "Lift",
        "under_eye": "Under the eyes",
        "radiance": "Radiance",
    }
)

# Charts

AXIS_DATE: Final = "Session"
ALT_COURSE: Final = (
    "Line chart. {metric} ({unit}){where} over {sessions} sessions from {first} to {latest}. "
    "{lines}"
)
ALT_TABLE: Final = " The values are in the table of values below."
ALT_WHERE: Final = ", {place},"
ALT_LINE: Final = "{region}: from {first} to {latest}."
UNITLESS: Final = "no unit"
TIP_DATE: Final = "Session"
TIP_REGION: Final = "Region"
TIP_VALUE: Final = "Value"
TIP_NOTE: Final = "Note"
SIDE: Final[Mapping[str, str]] = MappingProxyType(
    {"left": "Left side", "right": "Right side", "": "Middle"}
)
LEGEND_MARKED: Final = "Hollow points need care: see the notes below the chart."
LEGEND_MARKED_GLANCE: Final = "Hollow points need care: see the photos and the notes below."
LEGEND_INTERVAL: Final = "Bars: 95 % interval of each measurement."

# Detail

DETAIL_TITLE: Final = "One measurement in detail"
CHOOSE_CONCERN: Final = "Concern"
CHOOSE_METRIC: Final = "Measurement"
CHOOSE_REGIONS: Final = "Regions"
NO_REGION: Final = "Choose at least one region."
DEFINITION: Final = "What is measured"
DEFINITION_RESPONDS: Final = "Responds to: {phrases}."
DEFINITION_BLIND: Final = "Does not respond to: {phrases}."
DEFINITION_SOURCE: Final = "Source: {source}"
NOTES_TITLE: Final = "Notes on hollow points"
NOTE_POOR: Final = "The capture check calls this photo poor."
TABLE_TITLE: Final = "Table of values"
TABLE_CAPTION: Final = "{metric}, {unit}, at {level} px per mm"
TABLE_SESSION: Final = "Session"
TABLE_MARK: Final = "◇"
NOT_MEASURED: Final = "–"

# Behind a number

BEHIND_TITLE: Final = "Behind a number of this table"
BEHIND_PLACE: Final = "Place"
BEHIND_WHOLE: Final = "Whole face"
BEHIND_MEANS: Final = "A lower reading means {less}, a higher one {more}."
BEHIND_LOWEST: Final = "Needs photos of {level} px per mm or more."
BEHIND_FOUND: Final = "In this course a change of {size} would probably have been found."
BEHIND_CAPTURE: Final = "Standard error of one photo of one region, from the capture: {size}."
BEHIND_DAY: Final = "From the skin of one day to another: {size}."
BEHIND_DAY_OWN: Final = "the days before the treatment"
BEHIND_DAY_SOURCE: Final = "Source of the day-to-day part: {source}"
BEHIND_SDC: Final = "Smallest change of this course that is larger than chance: {size}."
BEHIND_CAPTION: Final = "{place}, {unit}, session by session"
BEHIND_HEAD: Final = ("Session", "Reading", "95 % interval", "Compared")
BEHIND_BASELINE: Final = "baseline"

# Photos

PHOTOS_TITLE: Final = "Photos and capture check"
CHOOSE_PHOTO: Final = "Session"
SHOW_REGIONS: Final = "Show regions"
SHOW_LINES: Final = "Show lines"
REMOVE_PHOTO: Final = "Leave this photo out"
QUALITY: Final[Mapping[str, str]] = MappingProxyType(
    {"good": "good", "acceptable": "acceptable", "poor": "poor"}
)
CHECK_SUMMARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "good": "This photo is good to compare.",
        "acceptable": "This photo can be compared; some things could be better.",
        "poor": "Take care: this photo is hard to compare with the others.",
    }
)
CHECK_LIMIT: Final = "{value} ({limit})"
PHOTO_FACTS: Final = "{width} × {height} px, {resolution} px per mm on the skin"
LINES_FOUND: Final = "{count} lines found, {length} mm in all"
ALT_PHOTO: Final = "Photo of the session of {date}, {view}{drawn}"
ALT_THUMB: Final = "Face in the photo of {date}; capture check: {verdict}"
ALT_WITH: Final = ", with {what} drawn on it"
ALT_REGIONS: Final = "the measured regions"
ALT_LINES: Final = "the lines found"


def long_date(day: date) -> str:
    """Write a date in full: 3 Mar 2026."""
    return WRITTEN.date(day, brief=True)


def short_date(day: date) -> str:
    """Write a date without its year: 3 Mar."""
    return WRITTEN.date(day, beside=day, brief=True)


def number(value: float) -> str:
    """Write a value with three significant digits and a true minus sign."""
    if not isfinite(value):
        return NOT_MEASURED
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3
    return WRITTEN.number(value, places=digits)


def plain(value: float) -> str:
    """Write a round number: 4.5, but 3."""
    return WRITTEN.plain(value)


def signed(value: float) -> str:
    """Write a difference with its sign."""
    text = number(value)
    return text if text.startswith("−") else f"+{text}"


def signed_percent(value: float) -> str:
    """Write a percentage with its sign: +12 %."""
    rounded = round(value)
    sign = "−" if rounded < 0 else "+" if rounded > 0 else "±"
    return f"{sign}{abs(rounded)} %"


def listed(words: Sequence[str]) -> str:
    """Join words: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
