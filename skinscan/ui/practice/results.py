"""What a course has come to, for staff and for the client: the same verdicts."""

from __future__ import annotations

import streamlit as st

from skinscan.metrics import metrics
from skinscan.practice.courses import CourseCard, SessionCard
from skinscan.ui import markup
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.capture import of_chosen_view, strip
from skinscan.ui.course import SessionPhoto, common_level, in_order, points, views
from skinscan.ui.detail import detail
from skinscan.ui.overview import glance
from skinscan.ui.pairs import pictures_section
from skinscan.ui.practice.asking import Asker, calm
from skinscan.ui.practice.held import CourseVisit, open_course
from skinscan.ui.progress import progress_section, regions_section


def course_results(asker: Asker, course: CourseCard) -> None:
    """Show what changed over a course: sentences, charts, pictures, map, table, ratings."""
    with calm():
        held = open_course(asker, course)
        if not held.photos:
            text = strings.PROGRESS_NOTHING_STAFF if asker.is_staff else strings.PROGRESS_NOTHING
            markup.write(text, "sk-lead")
            return
        _shown(asker, held)


def _shown(asker: Asker, held: CourseVisit) -> None:
    dated = in_order(held.photos.values())
    compared = progress_section(held, dated)
    if not compared and len({photo.taken_on for photo in dated}) < 2:
        markup.write(
            strings.RESULT_BASELINE if asker.is_staff else strings.PROGRESS_NOTHING, "sk-lead"
        )
    seen = in_order(held.visible())
    if seen:
        _pictures(held, seen)
    elif not asker.is_staff:
        markup.write(strings.PHOTOS_NOT_SHARED, "sk-small")
    if compared:
        regions_section(held, dated, plain=not asker.is_staff)
    ratings(held.sessions, own=not asker.is_staff)
    if held.course is not None:
        name = markup.escaped(strings.REPORT_PDF)
        st.html(
            f'<p class="sk-links"><a href="/report/{held.course.id}" target="_self">{name}</a></p>'
        )
    if compared:
        with st.expander(photo_strings.DETAIL_TITLE):
            if st.toggle(photo_strings.DETAIL_TITLE, key="show_detail"):
                _detail(held)


def _pictures(held: CourseVisit, seen: list[SessionPhoto]) -> None:
    chosen = of_chosen_view(seen)
    held.fetch(chosen)
    pictures_section(held, chosen)
    st.subheader(photo_strings.PHOTOS_TITLE, anchor=False)
    strip(held, chosen)


def _detail(held: CourseVisit) -> None:
    dated = in_order(held.photos.values())
    front = in_order(dated, views(dated)[0])
    level = common_level(front)
    if level is None:
        markup.note(photo_strings.LEVEL_NONE, (), look=True)
        return
    registry = metrics()
    found = points(front, level=level, registry=registry)
    glance(found, registry, level)
    detail(found, registry, level)


def ratings(sessions: list[SessionCard], *, own: bool) -> None:
    """Show what the client said beside what was measured."""
    told = [(s.held_on, s.report) for s in sessions if s.report is not None]
    if not told:
        return
    st.subheader(strings.RATINGS_TITLE_OWN if own else strings.RATINGS_TITLE, anchor=False)
    head = "".join(f'<th scope="col">{markup.escaped(h)}</th>' for h in strings.RATINGS_HEAD)
    rows = []
    for day, report in told:
        cells = (
            strings.GAIS[int(report.result)] if report.result is not None else "–",
            "–" if report.relaxation is None else f"{report.relaxation}/10",
            "–" if report.stress is None else f"{report.stress}/10",
        )
        body = "".join(f"<td>{markup.escaped(text)}</td>" for text in cells)
        name = markup.escaped(photo_strings.long_date(day))
        rows.append(f'<tr><th scope="row">{name}</th>{body}</tr>')
    st.html(
        f'<div class="sk-table" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
