"""Records for the tests: a practice with people in it, and photos that cost no measuring."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

import cv2
import numpy as np

import skinscan
from skinscan.photo import open_photo
from skinscan.practice import clients, courses
from skinscan.practice.forms import Plan, Profile, SessionNotes
from skinscan.practice.photos import Prepared
from skinscan.practice.principal import TERMINAL, Principal
from skinscan.resources import sample_course_dir
from skinscan.store.canonical import canonical
from skinscan.store.records import Places, Records, create_records
from skinscan.store.schema import Purpose, Role, User, now

DAY = date(2026, 3, 3)
CANARY = "Canary Quetzalcoatl Featherstonehaugh"


def places(tmp_path):
    return Places.of(tmp_path / "data", tmp_path / "keys" / "master.key")


def user(records, role, *, client_id=None, disabled=False, practice_id=None):
    """Add somebody who can sign in; as whom they then ask."""
    with records.database.write() as session:
        row = User(
            practice_id=practice_id or records.practice_id,
            role=role,
            client_id=client_id,
            login_index=hashlib.sha256(np.random.default_rng().bytes(16)).digest(),
            profile_sealed=b"s",
            disabled_at=now() if disabled else None,
        )
        session.add(row)
        session.flush()
        return Principal(user_id=row.id, role=role)


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


@lru_cache(maxsize=1)
def sample_scan():
    """The Scan of a sample photo, measured once."""
    photo = min(sample_course_dir().glob("*_front.jpg"))
    return replace(skinscan.analyze(photo.read_bytes(), name=""), pixels=None)


def picture(seed, size=320):
    """A picture of noise as PNG: nobody's face."""
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return cv2.imencode(".png", noise)[1].tobytes()


def prepared(seed, size=320):
    """A photo that seems to have been measured; every seed is another picture."""
    return Prepared(canonical(open_photo(picture(seed, size))), sample_scan())


__all__ = ["CANARY", "DAY", "TERMINAL", "Office", "office", "picture", "places", "prepared", "user"]
