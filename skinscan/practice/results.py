"""A course's progress, from what the records hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from skinscan.declaration import Declaration, MakeUp
from skinscan.practice import courses, photos
from skinscan.practice.forms import SessionNotes, SkinState
from skinscan.practice.principal import Principal
from skinscan.practice.rules import Desk, On, Who, operation
from skinscan.progress import Event, Progress, track
from skinscan.scan import Scan
from skinscan.store import schema
from skinscan.store.records import Records
from skinscan.store.sealing import unseal_json

_DECLARATIONS = {
    SkinState.CLEAN: Declaration(make_up=MakeUp.NONE, before_treatment=True),
    SkinState.MAKE_UP: Declaration(make_up=MakeUp.WORN),
    SkinState.JUST_TREATED: Declaration(before_treatment=False),
}


def progress(
    records: Records,
    principal: Principal,
    course_id: str,
    *,
    scans: Mapping[str, Sequence[Scan]] | None = None,
) -> Progress | None:
    """Follow a course: what changed, how much, and how sure.

    Both staff and the client read the same verdicts.

    Parameters
    ----------
    records : Records
    principal : Principal
    course_id : str
    scans : Mapping of str to sequence of Scan, optional
        What `course_scans` gives this principal, where it was read already.

    Returns
    -------
    Progress or None
        None as long as nothing was measured.

    Raises
    ------
    DeniedError, RecordMissingError, StoreError
    """
    if scans is None:
        scans = photos.course_scans(records, principal, course_id)
    card = courses.course(records, principal, course_id)
    held = {s.id: s for s in courses.sessions(records, principal, course_id)}
    states = session_states(records, principal, course_id)
    # A session may have been removed after its scans were read.
    found = [(scan, k) for k, each in scans.items() if k in states.skin for scan in each]
    if not found:
        return None
    events = [
        Event(t.happened_on, t.note.kind)
        for t in courses.treatments(records, principal, card.client_id)
    ]
    measured = {session_id for _, session_id in found}
    baselines = sorted({held[b].held_on for b in card.baselines if b in measured})
    return track(
        [scan for scan, _ in found],
        dates=[held[session_id].held_on for _, session_id in found],
        treated_regions=sorted(states.regions | set(card.plan.regions)) or None,
        events=events,
        baseline=baselines or "first",
        declared=[_DECLARATIONS.get(states.skin[session_id]) for _, session_id in found],
    )


class States:
    """What of the practitioner's notes the verdicts depend on.

    Attributes
    ----------
    skin : dict of str to SkinState
        By session.
    regions : set of str
        Treated in any of them.
    """

    def __init__(self) -> None:
        self.skin: dict[str, SkinState] = {}
        self.regions: set[str] = set()


@operation(On.COURSE, Who.OWNER, Who.PRACTITIONER, Who.SELF, Who.TERMINAL)
def session_states(desk: Desk, course_id: str) -> States:
    """Read of each session's notes only what measuring needs; the client may know that."""
    states = States()
    for row in courses.session_rows(desk, course_id):
        content = unseal_json(desk.client_key, row.record_sealed, place=courses.notes_place(row.id))
        notes = SessionNotes.from_json(content)
        states.skin[row.id] = notes.skin
        states.regions |= set(notes.regions)
    return states


@operation(On.COURSE, Who.OWNER, Who.PRACTITIONER, Who.SELF, Who.TERMINAL)
def version(desk: Desk, course_id: str) -> tuple[str, ...]:
    """Tell which scans a course's progress is made of: it changes when they do."""
    return tuple(
        desk.session.scalars(
            select(schema.Scan.id)
            .join(schema.Photo, schema.Scan.photo_id == schema.Photo.id)
            .join(schema.Session, schema.Photo.session_id == schema.Session.id)
            .where(schema.Session.course_id == course_id, schema.Scan.current)
            .order_by(schema.Scan.id)
        )
    )
