"""The client's own pages: progress, how they are, and their data."""

from __future__ import annotations

import streamlit as st

from skinscan.practice import clients, courses
from skinscan.practice.courses import CourseCard
from skinscan.practice.forms import ClientReport, Gais
from skinscan.ui import markup
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.practice.asking import Asker, acting
from skinscan.ui.practice.clients import consents
from skinscan.ui.practice.results import course_results


def progress(asker: Asker) -> None:
    """Show what has changed."""
    st.title(strings.NAV_PROGRESS, anchor=False)
    course = _course(asker)
    if course is None:
        markup.write(strings.PROGRESS_NOTHING, "sk-lead")
        return
    course_results(asker, course)


def report(asker: Asker) -> None:
    """Take what the client tells before a session."""
    st.title(strings.REPORT_TITLE, anchor=False)
    markup.write(strings.REPORT_TEXT, "sk-lead")
    course = _course(asker)
    held = courses.sessions(asker.records, asker.principal, course.id) if course is not None else []
    if not held:
        markup.write(strings.REPORT_NONE, "sk-lead")
        return
    by_id = {s.id: s for s in reversed(held)}
    chosen = by_id[
        st.selectbox(
            strings.REPORT_SESSION,
            list(by_id),
            format_func=lambda k: photo_strings.long_date(by_id[k].held_on),
            key="report_session",
        )
    ]
    now = chosen.report or ClientReport()
    with st.form(f"report_{chosen.id}"):
        result = st.selectbox(
            strings.GAIS_LABEL,
            [None, *Gais],
            index=0 if now.result is None else 1 + list(Gais).index(now.result),
            format_func=lambda g: strings.GAIS_NOT_SAID if g is None else strings.GAIS[int(g)],
        )
        relaxation, stress = (
            st.segmented_control(
                label, list(range(11)), default=value, wrap=True, key=f"{name}_{chosen.id}"
            )
            for name, label, value in (
                ("relaxation", strings.RELAXATION, now.relaxation),
                ("stress", strings.STRESS, now.stress),
            )
        )
        one, two = st.columns(2)
        sleep = one.number_input(strings.SLEEP, 0.0, 24.0, value=now.sleep_hours, step=0.5)
        water = two.number_input(strings.WATER, 0.0, 20.0, value=now.water_litres, step=0.25)
        diet = st.text_input(strings.DIET, value=now.diet)
        exercise = st.text_input(strings.EXERCISE, value=now.exercise)
        skincare = st.text_input(strings.SKINCARE, value=now.skincare)
        sun = st.text_input(strings.SUN, value=now.sun)
        if not st.form_submit_button(strings.SAVE, type="primary"):
            return
    acting(
        lambda: courses.report_session(
            asker.records,
            asker.principal,
            chosen.id,
            ClientReport(result, relaxation, stress, sleep, water, diet, exercise, skincare, sun),
        ),
        done=strings.SAVED,
    )


def data(asker: Asker) -> None:
    """Show consents, the download of everything, and the wish for erasure."""
    st.title(strings.DATA_TITLE, anchor=False)
    client_id = asker.who.client_id or ""
    st.subheader(strings.CONSENTS_TITLE, anchor=False)
    markup.write(strings.DATA_CONSENT_TEXT, "sk-small")
    consents(asker, client_id)
    st.subheader(strings.DATA_EXPORT, anchor=False)
    markup.write(strings.DATA_EXPORT_TEXT, "sk-small")
    name = markup.escaped(strings.DATA_EXPORT)
    st.html(f'<p><a href="/export/{client_id}" target="_self">{name}</a></p>')
    st.subheader(strings.DATA_ERASE, anchor=False)
    card = clients.client(asker.records, asker.principal, client_id)
    if card.deletion_asked_at is not None:
        day = photo_strings.long_date(card.deletion_asked_at.date())
        markup.write(strings.DATA_ERASE_ASKED.format(date=day), "sk-small")
        return
    markup.write(strings.DATA_ERASE_TEXT, "sk-small")
    if st.button(strings.DATA_ERASE, key="ask_deletion"):
        acting(lambda: clients.ask_deletion(asker.records, asker.principal, client_id))


def _course(asker: Asker) -> CourseCard | None:
    found = courses.courses(asker.records, asker.principal, asker.who.client_id or "")
    return found[-1] if found else None
