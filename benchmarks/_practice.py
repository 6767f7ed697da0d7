"""A small practice and photos that need no measuring, for benchmarks and tests of the records."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from skinscan.photo import open_photo
from skinscan.practice import clients, courses
from skinscan.practice.forms import Plan, Profile
from skinscan.practice.photos import Prepared
from skinscan.practice.principal import Principal
from skinscan.scan import Scan, scan_from_json
from skinscan.store.canonical import canonical
from skinscan.store.records import Places, Records, create_records
from skinscan.store.schema import Purpose, Role, User, new_id, now

DAY = date(2026, 3, 3)

_MEASURE = """
import skinscan
from skinscan.resources import sample_course_dir
from skinscan.scan import scan_to_json
photo = min(sample_course_dir().glob("*_front.jpg"))
print(scan_to_json(skinscan.analyze(photo.read_bytes(), name="")))
"""


@dataclass(frozen=True)
class Small:
    """A practice with one practitioner, one client and one session."""

    records: Records
    practitioner: Principal
    client_id: str
    course_id: str
    session_id: str
    recovery_code: str


@cache
def sample_scan() -> Scan:
    """Scan of a sample photo, measured in another process: this one may fork afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], capture_output=True, check=True, text=True
    )
    return scan_from_json(done.stdout)


def picture(seed: int, size: int = 320) -> bytes:
    """Noise as PNG: nobody's face."""
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return cv2.imencode(".png", noise)[1].tobytes()


def prepared(seed: int, size: int = 320) -> Prepared:
    """Make a photo that seems to have been measured; every seed is another picture."""
    return Prepared(canonical(open_photo(picture(seed, size))), sample_scan())


def add_user(
    records: Records,
    role: Role,
    *,
    client_id: str | None = None,
    disabled: bool = False,
    practice_id: str | None = None,
) -> Principal:
    """Add somebody who can sign in; as whom they then ask."""
    with records.database.write() as session:
        row = User(
            practice_id=practice_id or records.practice_id,
            role=role,
            client_id=client_id,
            login_index=hashlib.sha256(new_id().encode()).digest(),
            profile_sealed=b"s",
            disabled_at=now() if disabled else None,
        )
        session.add(row)
        session.flush()
        return Principal(user_id=row.id, role=role)


def small_practice(folder: Path) -> Small:
    """Make a practice below a folder."""
    where = Places.of(folder / "data", folder / "keys" / "master.key")
    records, code = create_records(where, settings={"name": "Practice", "zone": "UTC"})
    practitioner = add_user(records, Role.PRACTITIONER)
    client_id = clients.add_client(records, practitioner, Profile("A Client"))
    clients.give_consent(records, practitioner, client_id, Purpose.ANALYSIS)
    course_id = courses.add_course(records, practitioner, client_id, Plan(), started_on=DAY)
    session_id = courses.add_session(records, practitioner, course_id, DAY)
    return Small(records, practitioner, client_id, course_id, session_id, code)
