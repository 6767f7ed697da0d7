"""Records for the tests: a practice with people in it, and photos that cost no measuring."""

from __future__ import annotations

from dataclasses import dataclass, field

from _practice import DAY, picture, prepared
from _practice import add_user as user

from skinscan.practice import clients, courses
from skinscan.practice.forms import Plan, Profile, SessionNotes
from skinscan.practice.principal import TERMINAL, Principal
from skinscan.store.records import Places, Records, create_records
from skinscan.store.schema import Purpose, Role

CANARY = "Canary Quetzalcoatl Featherstonehaugh"


def places(tmp_path):
    return Places.of(tmp_path / "data", tmp_path / "keys" / "master.key")


@dataclass
class Office:
    """A practice with an owner, two practitioners, two clients and a session of the first."""

    records: Records
    code: str
    owner: Principal
    carer: Principal
    colleague: Principal
    client_id: str
    client: Principal
    other_id: str
    other: Principal
    course_id: str
    session_id: str
    extra: dict = field(default_factory=dict)


def office(where, *, name=CANARY):
    records, code = create_records(where, settings={"name": "Practice", "zone": "UTC"})
    owner, carer, colleague = (
        user(records, role) for role in (Role.OWNER, Role.PRACTITIONER, Role.PRACTITIONER)
    )
    ids = [
        clients.add_client(records, carer, Profile(n, born_year=1970, notes=f"about {n}"))
        for n in (name, "Somebody Else")
    ]
    for each in ids:
        clients.give_consent(records, carer, each, Purpose.ANALYSIS)
    course_id = courses.add_course(
        records, carer, ids[0], Plan(title=f"Course of {name}"), started_on=DAY
    )
    session_id = courses.add_session(
        records, carer, course_id, DAY, SessionNotes(notes=f"notes on {name}")
    )
    return Office(
        records=records,
        code=code,
        owner=owner,
        carer=carer,
        colleague=colleague,
        client_id=ids[0],
        client=user(records, Role.CLIENT, client_id=ids[0]),
        other_id=ids[1],
        other=user(records, Role.CLIENT, client_id=ids[1]),
        course_id=course_id,
        session_id=session_id,
    )


__all__ = ["CANARY", "DAY", "TERMINAL", "Office", "office", "picture", "places", "prepared", "user"]
