"""A practice that does not exist: the sample course on a throw-away store, for trying out."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeVar

from skinscan.errors import SourceFolderError, WorkerError
from skinscan.looks import Pictures
from skinscan.practice import clients, courses, photos
from skinscan.practice.forms import (
    ClientReport,
    Gais,
    Plan,
    Profile,
    SessionNotes,
    Settings,
    SkinState,
)
from skinscan.practice.photos import Prepared
from skinscan.practice.principal import Principal
from skinscan.resources import sample_course_dir
from skinscan.scan import scan_from_json, scan_to_json
from skinscan.store.accounts import invitations, logins
from skinscan.store.canonical import Canonical
from skinscan.store.records import Places, Records, create_records
from skinscan.store.schema import Purpose, Role, now

_T = TypeVar("_T")

#: Sign-in names of the demonstration.
OWNER, PRACTITIONER, CLIENT = "owner", "practitioner", "client"

_CLIENT_NAME: Final = "Sample Client"
_WORDS: Final = (
    "amber",
    "birch",
    "cedar",
    "clover",
    "copper",
    "coral",
    "ember",
    "fern",
    "flint",
    "harbor",
    "hazel",
    "indigo",
    "juniper",
    "lantern",
    "maple",
    "meadow",
    "nutmeg",
    "ochre",
    "olive",
    "onyx",
    "pebble",
    "poppy",
    "quartz",
    "river",
    "saffron",
    "sage",
    "slate",
    "thistle",
    "timber",
    "umber",
    "velvet",
    "walnut",
    "willow",
    "zephyr",
)


@dataclass(frozen=True)
class Demo:
    """A practice for trying out.

    Attributes
    ----------
    places : Places
    passwords : dict of str to str
        By sign-in name.
    entrance : str
        Path that signs the practitioner in at the client's progress.
    """

    places: Places
    passwords: dict[str, str]
    entrance: str


@contextmanager
def demo_practice(say: Callable[[str], None]) -> Iterator[Demo]:
    """Make a practice with the sample course in a folder that is removed afterwards.

    Raises
    ------
    SourceFolderError
        The sample course is not installed.
    WorkerError
        A process that measures it was ended from outside.
    """
    with tempfile.TemporaryDirectory(prefix="skinscan-demo-") as folder:
        yield make(Path(folder), say)


def make(folder: Path, say: Callable[[str], None]) -> Demo:
    """Make the practice below a folder."""
    sources = sorted(sample_course_dir().glob("*.jpg"))
    if not sources:
        raise SourceFolderError(
            expected="the sample course", found="none", remedy="Install skinscan again"
        )
    places = Places.of(folder / "data", folder / "keys" / "master.key")
    records, _ = create_records(places, settings=Settings(name="Rose Street Practice").to_json())
    with records:
        passwords = {name: _password() for name in (OWNER, PRACTITIONER, CLIENT)}
        owner, practitioner = _staff(records, passwords)
        client_id = clients.add_client(records, practitioner, Profile(_CLIENT_NAME, born_year=1974))
        for purpose in (Purpose.ANALYSIS, Purpose.RESEARCH):
            clients.give_consent(records, practitioner, client_id, purpose)
        _account(
            records,
            CLIENT,
            passwords[CLIENT],
            lambda audit_: invitations.invite_client(
                records.database, client_id, made_by=owner.user_id or "", audit=audit_
            ),
        )
        _course(records, practitioner, client_id, sources, say)
        with records.database.write() as session:
            secret = logins.begin(session, practitioner.user_id or "", at=now())
    return Demo(places, passwords, f"/enter/{secret}?client={client_id}")


def _staff(records: Records, passwords: dict[str, str]) -> tuple[Principal, Principal]:
    code = invitations.issue_set_up(records.database, records.practice_id, audit=records.write_down)
    owner_id = invitations.first_owner(
        records.database,
        records.practice_key,
        secret=code,
        name=OWNER,
        shown="The owner",
        password=passwords[OWNER],
        audit=records.write_down,
    )
    practitioner_id = _account(
        records,
        PRACTITIONER,
        passwords[PRACTITIONER],
        lambda audit_: invitations.invite_staff(
            records.database, records.practice_id, made_by=owner_id, audit=audit_
        ),
    )
    return Principal(owner_id, Role.OWNER), Principal(practitioner_id, Role.PRACTITIONER)


def _account(records: Records, name: str, password: str, invite: Callable[[Any], str]) -> str:
    return invitations.accept_invitation(
        records.database,
        records.practice_key,
        secret=invite(records.write_down),
        name=name,
        shown=f"The {name}",
        password=password,
        audit=records.write_down,
    )


def _course(
    records: Records,
    practitioner: Principal,
    client_id: str,
    sources: list[Path],
    say: Callable[[str], None],
) -> None:
    days = [date.fromisoformat(path.name[:10]) for path in sources]
    course_id = courses.add_course(
        records,
        practitioner,
        client_id,
        Plan(title="Sample course", aims="Softer lines around the eyes", regions=("crows_feet",)),
        started_on=min(days),
        planned_sessions=len(sources),
        interval_days=7,
    )
    # Sessions lie in the past, wherever "today" is.
    late = max(timedelta(), max(days) - now().date())
    for number, (day, ready) in enumerate(
        zip(days, side_by_side(_measured, sources), strict=True), 1
    ):
        say(f"Measuring the sample course: {number} of {len(sources)}")
        notes = SessionNotes(
            regions=("crows_feet", "under_eye"),
            skin=SkinState.CLEAN,
            contraindications_checked=True,
        )
        session_id = courses.add_session(records, practitioner, course_id, day - late, notes)
        photos.add_photo(records, practitioner, session_id, _prepared(ready))
        courses.share_session(records, practitioner, session_id)
        rated = Gais.NO_CHANGE if number <= len(sources) // 2 else Gais.IMPROVED
        courses.report_session(
            records,
            practitioner,
            session_id,
            ClientReport(result=rated, relaxation=min(10, 4 + number // 2), stress=5),
        )


def side_by_side(work: Callable[[Path], _T], sources: list[Path]) -> Iterator[_T]:
    """Do the same with each photo in two processes, and give the results in order.

    Raises
    ------
    WorkerError
        One of the processes was ended from outside.
    """
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(work, sources)
        except BrokenProcessPool:
            raise WorkerError(
                expected="two processes to measure the sample course",
                found="one that was ended from outside, as systems do that run out of memory",
                remedy="Close other programs and start again",
            ) from None


def _measured(path: Path) -> tuple[Any, ...]:
    ready = photos.prepare(path.read_bytes())
    kept, look = ready.kept, ready.look
    # Scans hold what does not travel between processes; their JSON does.
    return (
        kept.webp,
        kept.capture,
        kept.pixels_sha256,
        kept.size_px,
        scan_to_json(replace(ready.scan, pixels=None)),
        look.to_bytes() if look else b"",
    )


def _prepared(measured: tuple[Any, ...]) -> Prepared:
    *kept, scan, look = measured
    return Prepared(Canonical(*kept), scan_from_json(scan), Pictures.from_bytes(look))


def _password() -> str:
    return "-".join(secrets.choice(_WORDS) for _ in range(5))
