"""Clients: the list, and the page of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import streamlit as st

from skinscan.practice import clients, courses, photos, staff
from skinscan.practice.clients import ClientCard
from skinscan.practice.courses import CourseCard
from skinscan.practice.forms import Plan, Profile, TreatmentNote
from skinscan.progress import EventKind
from skinscan.regions import groups
from skinscan.store.schema import Purpose, Role
from skinscan.ui import markup
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.practice import session
from skinscan.ui.practice.asking import Asker, acting, calm
from skinscan.ui.practice.face import group_name
from skinscan.ui.practice.results import course_results
from skinscan.ui.web import office

_CLIENT, _SESSION = "client", "session"
#: Clients listed at once; searching finds the others.
_LISTED = 40


def show(asker: Asker) -> None:
    """Show the list, or the client or session that the address names."""
    client_id = st.query_params.get(_CLIENT)
    if client_id is None:
        _list(asker)
        return
    session_id = st.query_params.get(_SESSION)
    if session_id is None:
        _back()
    with calm():
        card = clients.client(asker.records, asker.principal, client_id)
        if session_id is not None:
            session.show(asker, card, session_id)
        else:
            _one(asker, card)


def _list(asker: Asker) -> None:
    st.title(strings.CLIENTS_TITLE, anchor=False)
    left, right = st.columns((2, 1), vertical_alignment="bottom")
    search = left.text_input(strings.CLIENTS_SEARCH, key="client_search")
    archived = right.toggle(strings.CLIENTS_ARCHIVED, key="client_archived")
    found = clients.clients(asker.records, asker.principal, search=search, archived=archived)
    if not found:
        text = strings.CLIENTS_NONE_FOUND if search or archived else strings.CLIENTS_EMPTY
        markup.write(text, "sk-lead")
    listed = found[:_LISTED]
    theirs = courses.courses_of(asker.records, asker.principal, [card.id for card in listed])
    for card in listed:
        _line(asker, card, _latest(theirs.get(card.id, [])))
    with st.expander(strings.CLIENT_ADD, expanded=not found and not search):
        _add(asker)


def _line(asker: Asker, card: ClientCard, course: CourseCard | None) -> None:
    with st.container(border=True, key=f"client_{card.id}"):
        left, right = st.columns((4, 1), vertical_alignment="center")
        with left:
            markup.write(card.profile.name, "sk-card-title")
            markup.write(_place(asker, course), "sk-card-what")
        if right.button(strings.CLIENT_OPEN, key=f"open_{card.id}", width="stretch"):
            st.query_params[_CLIENT] = card.id
            st.rerun()


def _place(asker: Asker, course: CourseCard | None) -> str:
    if course is None:
        return strings.CLIENT_NO_COURSE
    more = course.held > course.planned_sessions
    said = (strings.CLIENT_PLACE_MORE if more else strings.CLIENT_PLACE).format(
        held=course.held, planned=course.planned_sessions
    )
    if course.closed_at is not None:
        day = photo_strings.short_date(course.closed_at.date())
        return f"{said} · {strings.CLIENT_ENDED.format(date=day)}"
    if course.next_on is None:
        return said
    due = strings.CLIENT_OVERDUE if course.next_on < asker.today() else strings.CLIENT_DUE
    return f"{said} · {due.format(date=photo_strings.short_date(course.next_on))}"


def _latest(found: list[CourseCard]) -> CourseCard | None:
    still_open = [course for course in found if course.closed_at is None]
    kept = still_open or found
    return kept[-1] if kept else None


def _add(asker: Asker) -> None:
    with st.form("add_client", border=False, clear_on_submit=False):
        name = st.text_input(strings.CLIENT_NAME)
        born = st.number_input(
            strings.CLIENT_BORN, min_value=1900, max_value=asker.today().year, value=None, step=1
        )
        contact = st.text_input(strings.CLIENT_CONTACT)
        agreed = st.checkbox(strings.CONSENTS[Purpose.ANALYSIS.value])
        if not st.form_submit_button(strings.CLIENT_ADD, type="primary"):
            return
    with calm():
        profile = Profile(name, int(born) if born else None, contact)
        client_id = clients.add_client(asker.records, asker.principal, profile)
        if agreed:
            clients.give_consent(asker.records, asker.principal, client_id, Purpose.ANALYSIS)
        st.query_params[_CLIENT] = client_id
        st.rerun()


def _back() -> None:
    if st.button(f"← {strings.CLIENT_BACK}", key="back", type="tertiary"):
        st.query_params.clear()
        st.rerun()


def _one(asker: Asker, card: ClientCard) -> None:
    found = courses.courses(asker.records, asker.principal, card.id)
    course = _choose(found)
    left, right = st.columns((3, 1), vertical_alignment="bottom")
    with left:
        st.title(markup.plain(card.profile.name), anchor=False)
        markup.write(_place(asker, course), "sk-lead")
    active = card.archived_at is None
    if (
        course is not None
        and active
        and course.closed_at is None
        and right.button(strings.SESSION_NEW, type="primary", key="new_session", width="stretch")
    ):
        _new_session(asker, course)
    _alerts(asker, card)
    if course is None:
        if active:
            st.header(strings.COURSE_NEW, anchor=False)
            _plan(asker, card)
        _record(asker, card)
        return
    tab = st.segmented_control(
        card.profile.name,
        [strings.TAB_PROGRESS, strings.TAB_SESSIONS, strings.TAB_RECORD],
        default=strings.TAB_PROGRESS,
        label_visibility="collapsed",
        key=f"tab_{card.id}",
        required=True,
    )
    if tab == strings.TAB_SESSIONS:
        _sessions(asker, course)
        if active:
            _change_course(asker, course)
            with st.expander(strings.COURSE_NEXT):
                _plan(asker, card)
    elif tab == strings.TAB_RECORD:
        _record(asker, card)
    else:
        course_results(asker, course)


def _choose(found: list[CourseCard]) -> CourseCard | None:
    if len(found) < 2:
        return found[0] if found else None
    by_id = {course.id: course for course in found}
    latest = _latest(found)
    chosen = st.selectbox(
        strings.COURSE_CHOOSE,
        list(by_id),
        index=list(by_id).index(latest.id) if latest else 0,
        format_func=lambda k: strings.COURSE_NAME.format(
            date=photo_strings.long_date(by_id[k].started_on)
        ),
        key="course",
    )
    return by_id[chosen]


def _alerts(asker: Asker, card: ClientCard) -> None:
    if card.deletion_asked_at is not None:
        markup.note(strings.ALERT_DELETION, (), look=True)
    if card.archived_at is not None:
        markup.note(strings.ALERT_ARCHIVED, (), look=True)
    standing = _standing(asker, card.id)
    if Purpose.ANALYSIS not in standing:
        markup.note(strings.ALERT_CONSENT, (), look=True)


def _standing(asker: Asker, client_id: str) -> dict[Purpose, date]:
    found = clients.consents(asker.records, asker.principal, client_id)
    return {c.purpose: c.given_at.date() for c in found if c.withdrawn_at is None}


def _new_session(asker: Asker, course: CourseCard) -> None:
    with calm():
        today = asker.today()
        held = courses.sessions(asker.records, asker.principal, course.id)
        same = [s.id for s in held if s.held_on == today]
        st.query_params[_SESSION] = (
            same[-1]
            if same
            else courses.add_session(asker.records, asker.principal, course.id, today)
        )
        st.rerun()


def _sessions(asker: Asker, course: CourseCard) -> None:
    held = courses.sessions(asker.records, asker.principal, course.id)
    cards = photos.course_photos(asker.records, asker.principal, course.id)
    if not held:
        markup.write(strings.SESSION_EMPTY, "sk-lead")
    for each in reversed(held):
        with st.container(border=True, key=f"session_{each.id}"):
            left, right = st.columns((4, 1), vertical_alignment="center")
            line = strings.SESSION_LINE.format(
                date=photo_strings.long_date(each.held_on), count=len(cards.get(each.id, ()))
            )
            with left:
                markup.write(line, "sk-card-title")
                if each.notes is not None and each.notes.notes:
                    markup.write(each.notes.notes[:160], "sk-card-what")
            if right.button(strings.SESSION_OPEN, key=f"open_{each.id}", width="stretch"):
                st.query_params[_SESSION] = each.id
                st.rerun()


@dataclass(frozen=True)
class _Entered:
    """What was typed into the form of a course."""

    plan: Plan
    planned: int
    interval: int
    follow_up: int | None


def _entered(now: CourseCard | None) -> _Entered:
    """Ask for what a course is for and how often; as it is now, or as is usual."""
    aims = st.text_area(strings.COURSE_AIMS, value=now.plan.aims if now else "", height=80)
    one, two, three = st.columns(3)
    planned = one.number_input(strings.COURSE_PLANNED, 1, 100, now.planned_sessions if now else 8)
    interval = two.number_input(strings.COURSE_INTERVAL, 1, 365, now.interval_days if now else 7)
    follow_up = three.number_input(
        strings.COURSE_FOLLOW_UP,
        0,
        730,
        (now.follow_up_days or 0) if now else 28,
        help=strings.COURSE_FOLLOW_UP_NONE,
    )
    # The pills offer groups; single regions that came another way are kept.
    kept = now.plan.regions if now else ()
    regions = st.pills(
        strings.COURSE_REGIONS,
        list(groups()),
        selection_mode="multi",
        default=[name for name in kept if name in groups()],
        wrap=True,
        format_func=group_name,
    )
    single = tuple(name for name in kept if name not in groups())
    title = now.plan.title if now else ""
    plan = Plan(title=title, aims=aims, regions=(*regions, *single))
    return _Entered(plan, int(planned), int(interval), int(follow_up) or None)


def _plan(asker: Asker, card: ClientCard) -> None:
    with st.form("plan", border=False):
        started_on = st.date_input(strings.COURSE_START, value=asker.today(), format="YYYY-MM-DD")
        with calm():
            entered = _entered(None)
        if not st.form_submit_button(strings.COURSE_NEW, type="primary"):
            return
    acting(
        lambda: courses.add_course(
            asker.records,
            asker.principal,
            card.id,
            entered.plan,
            started_on=started_on,
            planned_sessions=entered.planned,
            interval_days=entered.interval,
            follow_up_days=entered.follow_up,
        )
    )


def _baselines(asker: Asker, course: CourseCard) -> tuple[str, ...]:
    """Ask for the sessions that all others are compared with."""
    held = courses.sessions(asker.records, asker.principal, course.id)
    days = {each.id: photo_strings.long_date(each.held_on) for each in held}
    chosen = st.multiselect(
        strings.COURSE_BASELINES,
        list(days),
        default=[each for each in course.baselines if each in days],
        format_func=days.__getitem__,
        help=strings.COURSE_BASELINES_HELP,
        placeholder=strings.COURSE_BASELINES_NONE,
    )
    return tuple(chosen)


def _change_course(asker: Asker, course: CourseCard) -> None:
    """Let the plan of a course be changed, and the course be ended or taken up again."""
    with st.expander(strings.COURSE_PLAN):
        with st.form(f"course_{course.id}", border=False):
            with calm():
                entered = _entered(course)
            baselines = _baselines(asker, course)
            saved = st.form_submit_button(strings.SAVE)
        if saved:
            acting(
                lambda: courses.edit_course(
                    asker.records,
                    asker.principal,
                    course.id,
                    entered.plan,
                    planned_sessions=entered.planned,
                    interval_days=entered.interval,
                    follow_up_days=entered.follow_up,
                    baselines=baselines,
                ),
                done=strings.SAVED,
            )
        change, text = (
            (courses.close_course, strings.COURSE_END)
            if course.closed_at is None
            else (courses.reopen_course, strings.COURSE_REOPEN)
        )
        if st.button(text, key=f"end_{course.id}"):
            acting(lambda: change(asker.records, asker.principal, course.id))


def _record(asker: Asker, card: ClientCard) -> None:
    _profile(asker, card)
    _consents(asker, card)
    _treatments(asker, card)
    if asker.who.role is Role.OWNER:
        _carer(asker, card)
    _account(asker, card)
    if card.archived_at is None:
        if st.button(strings.ARCHIVE, key="archive"):
            acting(lambda: clients.archive_client(asker.records, asker.principal, card.id))
    elif st.button(strings.UNARCHIVE, key="unarchive"):
        acting(lambda: clients.unarchive_client(asker.records, asker.principal, card.id))


def _profile(asker: Asker, card: ClientCard) -> None:
    with st.form("profile"):
        name = st.text_input(strings.CLIENT_NAME, value=card.profile.name)
        born = st.number_input(
            strings.CLIENT_BORN,
            min_value=1900,
            max_value=asker.today().year,
            value=card.profile.born_year,
            step=1,
        )
        contact = st.text_input(strings.CLIENT_CONTACT, value=card.profile.contact)
        notes = st.text_area(strings.CLIENT_NOTES, value=card.profile.notes, height=100)
        if st.form_submit_button(strings.SAVE):
            acting(
                lambda: clients.edit_client(
                    asker.records,
                    asker.principal,
                    card.id,
                    Profile(name, int(born) if born else None, contact, notes),
                ),
                done=strings.SAVED,
            )


def _consents(asker: Asker, card: ClientCard) -> None:
    st.subheader(strings.CONSENTS_TITLE, anchor=False)
    consents(asker, card.id)
    markup.write(strings.CONSENT_NOTE, "sk-small")


def consents(asker: Asker, client_id: str) -> None:
    """Show which consents stand, each with a switch."""
    standing = _standing(asker, client_id)
    for purpose in Purpose:
        text = strings.CONSENTS[purpose.value]
        if purpose in standing:
            since = photo_strings.long_date(standing[purpose])
            text += f" ({strings.CONSENT_SINCE.format(date=since)})"
        wanted = st.toggle(
            text, value=purpose in standing, key=f"consent_{purpose.value}_{purpose in standing}"
        )
        if wanted and purpose not in standing:
            acting(
                lambda p=purpose: clients.give_consent(  # type: ignore[misc]
                    asker.records, asker.principal, client_id, p
                )
            )
        elif not wanted and purpose in standing:
            acting(
                lambda p=purpose: clients.withdraw_consent(  # type: ignore[misc]
                    asker.records, asker.principal, client_id, p
                )
            )


def _treatments(asker: Asker, card: ClientCard) -> None:
    st.subheader(strings.TREATMENTS_TITLE, anchor=False)
    found = courses.treatments(asker.records, asker.principal, card.id)
    if not found:
        markup.write(strings.TREATMENTS_NONE, "sk-small")
    for each in found:
        left, right = st.columns((5, 1), vertical_alignment="center")
        kind = strings.TREATMENT_KINDS[each.note.kind.value]
        line = f"{photo_strings.long_date(each.happened_on)}: {kind}. {each.note.note}".strip()
        with left:
            markup.write(line, "sk-small")
        if right.button("✕", key=f"drop_{each.id}", help=strings.TREATMENT_REMOVE):
            acting(
                lambda k=each.id: courses.remove_treatment(  # type: ignore[misc]
                    asker.records, asker.principal, k
                )
            )
    with st.form("treatment", border=False, clear_on_submit=True):
        one, two, three = st.columns((1, 1, 2), vertical_alignment="bottom")
        kind_of: EventKind = one.selectbox(  # type: ignore[assignment]
            strings.TREATMENT_KIND,
            list(EventKind),
            format_func=lambda k: strings.TREATMENT_KINDS[k.value],
        )
        day = two.date_input(strings.SESSION_DATE, value=asker.today(), format="YYYY-MM-DD")
        note = three.text_input(strings.NOTES)
        if st.form_submit_button(strings.TREATMENT_ADD):
            acting(
                lambda: courses.add_treatment(
                    asker.records, asker.principal, card.id, day, TreatmentNote(kind_of, note)
                )
            )


def _carer(asker: Asker, card: ClientCard) -> None:
    """Let the owner say who looks after a client."""
    cards = [s for s in staff.staff(asker.records, asker.principal) if not s.disabled_at]
    # Two of one name are told apart: the browser answers with what it shows.
    names = [card.shown for card in cards]
    here = {
        c.id: c.shown if names.count(c.shown) == 1 else f"{c.shown} ({c.id[:4]})" for c in cards
    }
    now = card.practitioner_id if card.practitioner_id in here else None
    chosen = st.selectbox(
        strings.CARER,
        [None, *here],
        index=[None, *here].index(now),
        format_func=lambda k: strings.CARER_NONE if k is None else here[k],
        key=f"carer_{card.id}_{now}",
    )
    if chosen != now:
        acting(lambda: clients.assign_client(asker.records, asker.principal, card.id, chosen))


def _account(asker: Asker, card: ClientCard) -> None:
    st.subheader(strings.ACCOUNT_OF_CLIENT, anchor=False)
    if staff.account_of_client(asker.records, asker.principal, card.id) is None:
        if st.button(strings.INVITE_CLIENT, key="invite"):
            with calm():
                secret = staff.invite_client(
                    asker.records, asker.principal, card.id, audit=office.write_down
                )
                give_link(strings.INVITE_LINK, "welcome", secret)
        return
    markup.write(strings.HAS_ACCOUNT, "sk-small")
    if st.button(strings.MAKE_RESET, key="reset"):
        with calm():
            secret = staff.reset_client(
                asker.records, asker.principal, card.id, audit=office.write_down
            )
            give_link(strings.RESET_LINK.format(name=card.profile.name), "reset", secret)


def give_link(said: str, door: str, secret: str) -> None:
    """Show the address of a door, as the browser reaches this server, and what to do with it."""
    origin = st.context.headers.get("Origin") or ""
    markup.write(said, "sk-small")
    st.code(f"{origin}/{door}/{secret}", language=None, wrap_lines=True)
