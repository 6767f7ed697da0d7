"""Records for the tests: a practice with people in it, and photos that cost no measuring."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from _practice import DAY, picture, prepared
from _practice import add_user as user

from skinscan.practice import clients, courses, photos
from skinscan.practice.forms import Plan, Profile, SessionNotes
from skinscan.practice.principal import TERMINAL, Principal
from skinscan.store.database import open_database
from skinscan.store.keys import load_keyring
from skinscan.store.objects import open_objects
from skinscan.store.records import Places, Records, create_records
from skinscan.store.schema import Purpose, Role
from skinscan.store.vault import Vault

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


def office(where, *, photo=False):
    """A practice in folders of its own: a copy of one that is made once and then only read.

    Its tables, keys and sealed rows take longer to make than most tests take. With ``photo``, the
    session has one: ``extra["photo"]``.
    """
    first, kept = _made_once(photo=photo)
    folders = {"data": where.sqlite_file.parent, "keys": where.key_file.parent}
    for path, mode, content in kept:
        target = folders[path.parts[0]].joinpath(*path.parts[1:])
        if content is None:
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(content)
        target.chmod(mode)
    records = replace(
        first.records,
        places=where,
        database=open_database(where.database),
        vault=Vault(open_objects(where.objects)),
        keyring=load_keyring(where.key_file),
    )
    return replace(first, records=records, extra=copy(first.extra))


@cache
def _made_once(*, photo):
    """The office and, by path, the mode and content of its files and (None) folders."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        it = _new_office(places(root))
        if photo:
            it.extra["photo"] = photos.add_photo(it.records, it.carer, it.session_id, prepared(1))
        it.records.close()
        return it, [
            (p.relative_to(root), p.stat().st_mode, None if p.is_dir() else p.read_bytes())
            for p in sorted(root.rglob("*"))
        ]


def _new_office(where):
    records, code = create_records(where, settings={"name": "Practice", "zone": "UTC"})
    owner, carer, colleague = (
        user(records, role) for role in (Role.OWNER, Role.PRACTITIONER, Role.PRACTITIONER)
    )
    ids = [
        clients.add_client(records, carer, Profile(n, born_year=1970, notes=f"about {n}"))
        for n in (CANARY, "Somebody Else")
    ]
    for each in ids:
        clients.give_consent(records, carer, each, Purpose.ANALYSIS)
    course_id = courses.add_course(
        records, carer, ids[0], Plan(title=f"Course of {CANARY}"), started_on=DAY
    )
    session_id = courses.add_session(
        records, carer, course_id, DAY, SessionNotes(notes=f"notes on {CANARY}")
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
