"""Getting photos in: the sample course, the uploader, the progress bar, the problems."""

from __future__ import annotations

from datetime import datetime
from time import monotonic
from typing import Final

import streamlit as st

from skinscan.ui import markup, strings
from skinscan.ui.course import SessionPhoto
from skinscan.ui.forgetting import taken
from skinscan.ui.scoring import Upload, measure_all, sample_uploads
from skinscan.ui.server import MAX_UPLOAD_MB
from skinscan.ui.state import MAX_PHOTOS, Visit

_TYPES: Final = ("jpg", "jpeg", "png", "webp", "heic", "heif")
_COURSE_PARAMETER: Final = "course"
_SAMPLE: Final = "sample"


def open_what_the_address_asks(visit: Visit) -> None:
    """Queue the sample course if the address ends in ``?course=sample``, once per visit."""
    if st.query_params.get(_COURSE_PARAMETER) == _SAMPLE and not visit.sample_opened:
        visit.sample_opened = True
        visit.queue(sample_uploads())


def measure_pending(visit: Visit) -> None:
    """Measure what was chosen, with a progress bar; then run the page anew."""
    if not visit.pending:
        return
    total = len(visit.pending)
    bar = st.progress(0.0, strings.SCORING.format(number=1, count=total))

    began = monotonic()

    def progress(number: int, count: int) -> None:
        text = strings.SCORING.format(number=number, count=count)
        if number > 1:
            left = (monotonic() - began) / (number - 1) * (count - number + 1)
            text += strings.SCORING_LEFT.format(seconds=max(1, round(left)))
        bar.progress((number - 1) / count, text)

    photos, problems = measure_all(
        visit.pending, known=visit.measured, progress=progress, references=visit.references
    )
    bar.progress(1.0, strings.SCORING_DONE.format(count=len(photos)))
    visit.take(photos, problems)
    st.rerun()


def welcome(visit: Visit) -> None:
    """Show the two ways to begin."""
    left, right = st.container(key="welcome").columns(2, gap="large")
    with left, st.container(border=True, height="stretch"):
        st.header(strings.SAMPLE_TITLE, anchor=False)
        markup.write(strings.SAMPLE_TEXT, "sk-small")
        if st.button(strings.SAMPLE_BUTTON, type="primary", key="open_sample"):
            uploads = sample_uploads()
            if uploads:
                visit.queue(uploads)
                st.rerun()
            markup.note(strings.SAMPLE_MISSING, (), look=True)
    with right, st.container(border=True, height="stretch"):
        st.header(strings.UPLOAD_TITLE, anchor=False)
        markup.write(strings.UPLOAD_TEXT, "sk-small")
        uploader(visit)


def add_more(visit: Visit) -> None:
    """Offer the uploader below a course, and a new beginning."""
    with st.expander(strings.UPLOAD_MORE_TITLE):
        markup.write(strings.UPLOAD_TEXT, "sk-small")
        uploader(visit)
    if st.button(strings.NEW_COURSE, key="new_course"):
        visit.clear()
        st.query_params.clear()
        st.rerun()


def uploader(visit: Visit) -> None:
    """Show the uploader; chosen files move into the visit."""
    chosen = st.file_uploader(
        strings.UPLOAD_LABEL,
        type=list(_TYPES),
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_MB,
        key=f"upload_{visit.round}",
        help=strings.UPLOAD_HELP,
    )
    if chosen:
        visit.queue([Upload(label=name, data=data) for name, data in taken(chosen)])
        st.rerun()


def problems(visit: Visit) -> None:
    """Say for each file that failed what to do about it."""
    if visit.left_out:
        text = strings.UPLOAD_TOO_MANY.format(limit=MAX_PHOTOS, left=visit.left_out)
        markup.note(text, (), look=True)
    if not visit.problems:
        return
    count = len(visit.problems)
    title = (
        strings.PROBLEMS_TITLE_ONE
        if count == 1
        else strings.PROBLEMS_TITLE_MANY.format(count=count)
    )
    with st.container(border=True, key="problems"):
        markup.note(title, (), look=True)
        for problem in visit.problems:
            # The name goes through Streamlit's Markdown, escaped; never through HTML.
            st.markdown(f"**{markup.plain(problem.label)}**  \n{problem.sentence}")
        doubtful = any(problem.photo is not None for problem in visit.problems)
        if doubtful and st.button(strings.PROBLEMS_KEEP, key="keep_doubtful"):
            visit.keep_doubtful()
            st.rerun()
        if st.button(strings.PROBLEMS_DISMISS, key="hide_problems"):
            visit.problems = []
            st.rerun()


def missing_dates(visit: Visit) -> None:
    """Ask for the dates that neither camera nor file name told."""
    undated = [photo for photo in visit.photos.values() if photo.taken_on is None]
    if not undated:
        return
    with st.container(border=True, key="missing_dates"):
        markup.note(strings.DATE_MISSING_TITLE, (strings.DATE_MISSING_TEXT,), look=True)
        for photo in undated:
            date_field(visit, photo, label=markup.plain(photo.label))


def date_field(visit: Visit, photo: SessionPhoto, *, label: str) -> None:
    """Show a photo's date and take a correction."""
    typed = st.date_input(
        label,
        value=photo.taken_on,
        max_value=datetime.now().astimezone().date(),
        format="YYYY-MM-DD",
        key=f"date_{photo.sha256}",
    )
    if typed is not None and typed != photo.taken_on:
        visit.set_date(photo.sha256, typed)
        st.rerun()
