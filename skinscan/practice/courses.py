"""Courses, their sessions, and what else was done to the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from skinscan.errors import RecordConflictError
from skinscan.practice.clients import confirm_active, visible
from skinscan.practice.forms import ClientReport, Plan, SessionNotes, TreatmentNote, bad, number
from skinscan.practice.rules import Desk, On, Who, operation
from skinscan.store import schema
from skinscan.store.audit import Action
from skinscan.store.schema import Role, new_id, now
from skinscan.store.sealing import Key, seal_json, unseal_json

_STAFF = (Who.OWNER, Who.PRACTITIONER)
_EARLIEST = date(1990, 1, 1)


@dataclass(frozen=True)
class CourseCard:
    """A course.

    Attributes
    ----------
    id, client_id : str
    plan : Plan
    started_on : date
    planned_sessions, interval_days : int
    follow_up_days : int or None
        After the last session.
    baselines : tuple of str
        Sessions before treatment, where not the first one.
    closed_at : datetime or None
    held : int
        Sessions so far.
    last_on : date or None
        Of the latest session.
    """

    id: str
    client_id: str
    plan: Plan
    started_on: date
    planned_sessions: int
    interval_days: int
    follow_up_days: int | None
    baselines: tuple[str, ...]
    closed_at: datetime | None
    held: int
    last_on: date | None

    @property
    def next_on(self) -> date | None:
        """When the next session, or the follow-up, is due; None when nothing is."""
        if self.closed_at is not None:
            return None
        if self.last_on is None:
            return self.started_on
        if self.held < self.planned_sessions:
            return self.last_on + timedelta(days=self.interval_days)
        if self.held == self.planned_sessions and self.follow_up_days:
            return self.last_on + timedelta(days=self.follow_up_days)
        return None


@dataclass(frozen=True)
class SessionCard:
    """A session.

    Attributes
    ----------
    id, client_id, course_id : str
    held_on : date
    notes : SessionNotes or None
        None where the client asks: it is the practice's own record.
    report : ClientReport or None
        None until the client told something.
    shared_at : datetime or None
    version : int
        Of the record; changing it needs the version that was read.
    """

    id: str
    client_id: str
    course_id: str
    held_on: date
    notes: SessionNotes | None
    report: ClientReport | None
    shared_at: datetime | None
    version: int


@dataclass(frozen=True)
class TreatmentCard:
    """Something else that was done."""

    id: str
    happened_on: date
    note: TreatmentNote


@operation(On.CLIENT, *_STAFF, Who.TERMINAL, writes=True)
def add_course(
    desk: Desk,
    client_id: str,
    plan: Plan,
    *,
    started_on: date,
    planned_sessions: int = 8,
    interval_days: int = 7,
    follow_up_days: int | None = 28,
) -> str:
    """Plan a course; its identifier."""
    confirm_active(desk)
    _check_schedule(started_on, planned_sessions, interval_days, follow_up_days)
    course_id = new_id()
    desk.session.add(
        schema.Course(
            id=course_id,
            client_id=client_id,
            plan_sealed=seal_json(desk.client_key, plan.to_json(), place=_plan(course_id)),
            started_on=started_on,
            planned_sessions=planned_sessions,
            interval_days=interval_days,
            follow_up_days=follow_up_days,
            baselines=[],
        )
    )
    desk.record(Action.COURSE_CHANGED, detail={"what": "added"})
    return course_id


@operation(On.CLIENT, *_STAFF, Who.SELF, Who.TERMINAL)
def courses(desk: Desk, client_id: str) -> list[CourseCard]:
    """List a client's courses, oldest first."""
    rows = desk.session.scalars(
        select(schema.Course)
        .where(schema.Course.client_id == client_id)
        .order_by(schema.Course.started_on, schema.Course.id)
    ).all()
    return [_course(desk, row) for row in rows]


@operation(On.PRACTICE, *_STAFF, Who.TERMINAL)
def courses_of(desk: Desk, client_ids: Sequence[str]) -> dict[str, list[CourseCard]]:
    """List the courses of several clients at once, oldest first.

    Parameters
    ----------
    client_ids : sequence of str
        Those whom one may not see are left out, and so are those without a course.
    """
    wanted = visible(desk).where(schema.Client.id.in_(client_ids))
    keys = {c.id: desk.records.client_key(desk.session, c.id) for c in desk.session.scalars(wanted)}
    rows = desk.session.execute(
        select(schema.Course, func.count(schema.Session.id), func.max(schema.Session.held_on))
        .outerjoin(schema.Session, schema.Session.course_id == schema.Course.id)
        .where(schema.Course.client_id.in_(keys))
        .group_by(schema.Course.id)
        .order_by(schema.Course.started_on, schema.Course.id)
    )
    found: dict[str, list[CourseCard]] = {}
    for row, held, last_on in rows:
        card = _course_card(row, keys[row.client_id], held, last_on)
        found.setdefault(row.client_id, []).append(card)
    return found


@operation(On.COURSE, *_STAFF, Who.SELF, Who.TERMINAL)
def course(desk: Desk, course_id: str) -> CourseCard:  # noqa: ARG001 - read by the rule
    """Read a course."""
    return _course(desk, desk.target)


@operation(On.COURSE, *_STAFF, writes=True)
def edit_course(
    desk: Desk,
    course_id: str,
    plan: Plan,
    *,
    planned_sessions: int,
    interval_days: int,
    follow_up_days: int | None,
    baselines: Sequence[str] = (),
) -> None:
    """Change the plan of a course."""
    row = desk.target
    _check_schedule(row.started_on, planned_sessions, interval_days, follow_up_days)
    known = set(
        desk.session.scalars(select(schema.Session.id).where(schema.Session.course_id == course_id))
    )
    if not set(baselines) <= known:
        raise bad("baselines among the sessions of this course", "others")
    row.plan_sealed = seal_json(desk.client_key, plan.to_json(), place=_plan(course_id))
    row.planned_sessions = planned_sessions
    row.interval_days = interval_days
    row.follow_up_days = follow_up_days
    row.baselines = list(baselines)
    desk.record(Action.COURSE_CHANGED)


@operation(On.COURSE, *_STAFF, writes=True)
def close_course(desk: Desk, course_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Say that a course is over."""
    desk.target.closed_at = desk.target.closed_at or now()
    desk.record(Action.COURSE_CHANGED, detail={"what": "closed"})


@operation(On.COURSE, *_STAFF, writes=True)
def reopen_course(desk: Desk, course_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Say that a course goes on after all."""
    confirm_active(desk)
    desk.target.closed_at = None
    desk.record(Action.COURSE_CHANGED, detail={"what": "reopened"})


@operation(On.COURSE, *_STAFF, Who.TERMINAL, writes=True)
def add_session(
    desk: Desk, course_id: str, held_on: date, notes: SessionNotes | None = None
) -> str:
    """Open a session of a course; its identifier."""
    confirm_active(desk)
    _check_day(held_on)
    session_id = new_id()
    desk.session.add(
        schema.Session(
            id=session_id,
            client_id=desk.client_id or "",
            course_id=course_id,
            held_on=held_on,
            record_sealed=seal_json(
                desk.client_key, (notes or SessionNotes()).to_json(), place=notes_place(session_id)
            ),
            made_by=desk.made_by,
        )
    )
    desk.record(Action.SESSION_CHANGED, detail={"what": "added"})
    return session_id


@operation(On.COURSE, *_STAFF, Who.SELF, Who.TERMINAL)
def sessions(desk: Desk, course_id: str) -> list[SessionCard]:
    """List the sessions of a course, oldest first."""
    return [_session(desk, row) for row in session_rows(desk, course_id)]


@operation(On.SESSION, *_STAFF, Who.SELF, Who.TERMINAL)
def session(desk: Desk, session_id: str) -> SessionCard:  # noqa: ARG001 - read by the rule
    """Read a session."""
    return _session(desk, desk.target)


@operation(On.SESSION, *_STAFF, writes=True)
def edit_session(
    desk: Desk, session_id: str, notes: SessionNotes, *, held_on: date, version: int
) -> None:
    """Change what was written down of a session.

    Raises
    ------
    RecordConflictError
        Somebody else changed it since it was read: nothing is overwritten.
    """
    row = desk.target
    if row.version != version:
        raise RecordConflictError(
            expected="the session as you read it",
            found="one that was changed meanwhile",
            remedy="Load it again and repeat the change",
        )
    _check_day(held_on)
    row.held_on = held_on
    row.record_sealed = seal_json(desk.client_key, notes.to_json(), place=notes_place(session_id))
    desk.record(Action.SESSION_CHANGED)


@operation(On.SESSION, *_STAFF, writes=True)
def remove_session(desk: Desk, session_id: str) -> None:
    """Remove a session that holds no photos."""
    photos = desk.session.scalar(
        select(func.count()).select_from(schema.Photo).where(schema.Photo.session_id == session_id)
    )
    if photos:
        raise bad("a session without photos", f"{photos} of them", "Remove the photos first")
    course = desk.session.get(schema.Course, desk.target.course_id)
    if course is not None and session_id in course.baselines:
        course.baselines = [kept for kept in course.baselines if kept != session_id]
    desk.session.delete(desk.target)
    desk.record(Action.SESSION_REMOVED)


@operation(On.SESSION, Who.SELF, *_STAFF, writes=True)
def report_session(desk: Desk, session_id: str, report: ClientReport) -> None:
    """Write down what the client tells: by themself, or through the practitioner."""
    desk.target.report_sealed = seal_json(
        desk.client_key, report.to_json(), place=_report(session_id)
    )
    desk.record(Action.SESSION_CHANGED, detail={"what": "report"})


@operation(On.SESSION, *_STAFF, writes=True)
def share_session(desk: Desk, session_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Let the client see the photos of a session."""
    desk.target.shared_at = desk.target.shared_at or now()
    desk.record(Action.SESSION_SHARED)


@operation(On.SESSION, *_STAFF, writes=True)
def unshare_session(desk: Desk, session_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Take the photos of a session back."""
    desk.target.shared_at = None
    desk.record(Action.SESSION_UNSHARED)


@operation(On.CLIENT, *_STAFF, Who.TERMINAL, writes=True)
def add_treatment(desk: Desk, client_id: str, happened_on: date, note: TreatmentNote) -> str:
    """Write down what else was done; its identifier."""
    _check_day(happened_on)
    treatment_id = new_id()
    desk.session.add(
        schema.Treatment(
            id=treatment_id,
            client_id=client_id,
            happened_on=happened_on,
            event_sealed=seal_json(
                desk.client_key, note.to_json(), place=_treatment_place(treatment_id)
            ),
            made_by=desk.made_by,
        )
    )
    desk.record(Action.TREATMENT_CHANGED, detail={"what": "added"})
    return treatment_id


@operation(On.CLIENT, *_STAFF, Who.SELF, Who.TERMINAL)
def treatments(desk: Desk, client_id: str) -> list[TreatmentCard]:
    """List what else was done, oldest first."""
    rows = desk.session.scalars(
        select(schema.Treatment)
        .where(schema.Treatment.client_id == client_id)
        .order_by(schema.Treatment.happened_on, schema.Treatment.id)
    ).all()
    key = desk.client_key
    return [
        TreatmentCard(
            row.id,
            row.happened_on,
            TreatmentNote.from_json(
                unseal_json(key, row.event_sealed, place=_treatment_place(row.id))
            ),
        )
        for row in rows
    ]


@operation(On.TREATMENT, *_STAFF, writes=True)
def remove_treatment(desk: Desk, treatment_id: str) -> None:  # noqa: ARG001 - read by the rule
    """Remove one that was written down by mistake."""
    desk.session.delete(desk.target)
    desk.record(Action.TREATMENT_CHANGED, detail={"what": "removed"})


def session_rows(desk: Desk, course_id: str) -> Sequence[schema.Session]:
    """Find the rows of a course's sessions, oldest first."""
    return desk.session.scalars(
        select(schema.Session)
        .where(schema.Session.course_id == course_id)
        .order_by(schema.Session.held_on, schema.Session.created_at)
    ).all()


def _course(desk: Desk, row: schema.Course) -> CourseCard:
    held, last_on = desk.session.execute(
        select(func.count(), func.max(schema.Session.held_on)).where(
            schema.Session.course_id == row.id
        )
    ).one()
    return _course_card(row, desk.client_key, held, last_on)


def _course_card(row: schema.Course, key: Key, held: int, last_on: date | None) -> CourseCard:
    return CourseCard(
        id=row.id,
        client_id=row.client_id,
        plan=Plan.from_json(unseal_json(key, row.plan_sealed, place=_plan(row.id))),
        started_on=row.started_on,
        planned_sessions=row.planned_sessions,
        interval_days=row.interval_days,
        follow_up_days=row.follow_up_days,
        baselines=tuple(row.baselines),
        closed_at=row.closed_at,
        held=held,
        last_on=last_on,
    )


def _session(desk: Desk, row: schema.Session) -> SessionCard:
    key = desk.client_key
    asked_by_client = desk.user is not None and desk.user.role is Role.CLIENT
    return SessionCard(
        id=row.id,
        client_id=row.client_id,
        course_id=row.course_id,
        held_on=row.held_on,
        notes=None
        if asked_by_client
        else SessionNotes.from_json(unseal_json(key, row.record_sealed, place=notes_place(row.id))),
        report=ClientReport.from_json(unseal_json(key, row.report_sealed, place=_report(row.id)))
        if row.report_sealed is not None
        else None,
        shared_at=row.shared_at,
        version=row.version,
    )


def _check_schedule(
    started_on: date, planned_sessions: int, interval_days: int, follow_up_days: int | None
) -> None:
    if started_on < _EARLIEST:
        raise bad(f"a day after {_EARLIEST}", "an earlier one")
    number(planned_sessions, "planned sessions", 1, 100)
    number(interval_days, "days between sessions", 1, 365)
    number(follow_up_days, "days until the follow-up", 1, 730)


def _check_day(day: date) -> None:
    # Whoever is east of UTC has tomorrow already.
    if not _EARLIEST <= day <= now().date() + timedelta(days=1):
        raise bad(f"a day from {_EARLIEST} to today", "another one")


def _plan(course_id: str) -> str:
    return f"courses.plan/{course_id}"


def notes_place(session_id: str) -> str:
    """Tell the place that a session's notes are bound to."""
    return f"sessions.record/{session_id}"


def _report(session_id: str) -> str:
    return f"sessions.report/{session_id}"


def _treatment_place(treatment_id: str) -> str:
    return f"treatments.event/{treatment_id}"
