"""Databases for the tests of the store: fresh ones of both kinds, and rows to put in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import create_engine, text

from skinscan.durable import make_private_folder
from skinscan.store.database import open_database
from skinscan.store.migrations import upgrade
from skinscan.store.schema import (
    AuditEntry,
    Client,
    Consent,
    Course,
    Login,
    Note,
    Photo,
    Practice,
    Purpose,
    Role,
    Scan,
    ScanState,
    Session,
    Token,
    TokenKind,
    Treatment,
    User,
    new_id,
)

DAY = date(2026, 3, 1)
TIME = datetime(2026, 3, 1, 9, 30, 15, 123456, tzinfo=UTC)


def new_postgresql(server):
    """Create an empty database on a server; its address."""
    name = f"t{new_id()}"
    engine = create_engine(
        server.replace("postgresql://", "postgresql+psycopg://") + "postgres",
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server + name


def with_tables(url, **options):
    """Open a new database with the tables of the records, of SQLite a copy of migrated ones."""
    if not url.startswith("sqlite"):
        database = open_database(url, **options)
        upgrade(database)
        return database
    path = Path(url.removeprefix("sqlite:///"))
    make_private_folder(path.parent)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_file_with_tables())
    return open_database(url, **options)


@cache
def _file_with_tables():
    with TemporaryDirectory() as folder:
        path = Path(folder) / "records.db"
        database = open_database(f"sqlite:///{path}", create=True)
        upgrade(database)
        database.close()
        return path.read_bytes()


def a_practice():
    return Practice(key_wrapped=b"w" * 40, settings={"name": "A", "zone": "Europe/Berlin"})


def a_client(practice, **other):
    return Client(
        **{"practice_id": practice.id, "key_wrapped": b"k" * 40, "profile_sealed": b"p"} | other
    )


def fill(session):
    """Put at least one row into every table; the client."""
    practice = a_practice()
    session.add(practice)
    session.flush()
    owner = User(
        practice_id=practice.id, role=Role.OWNER, login_index=b"o" * 32, profile_sealed=b"s"
    )
    session.add(owner)
    session.flush()
    client = a_client(practice, practitioner_id=owner.id)
    session.add(client)
    session.flush()
    mine = {"client_id": client.id}
    course = Course(
        **mine, plan_sealed=b"p", started_on=DAY, planned_sessions=8, interval_days=14, baselines=[]
    )
    session.add(course)
    session.flush()
    held = Session(**mine, course_id=course.id, held_on=DAY, record_sealed=b"r", made_by=owner.id)
    session.add(held)
    session.flush()
    photo = Photo(
        **mine,
        session_id=held.id,
        view="front",
        take=1,
        width_px=3000,
        height_px=4000,
        source_sealed=b"s",
        pixels_mac=b"m" * 32,
        object_sha256=b"h" * 32,
        object_bytes=5_000_000,
        made_by=owner.id,
    )
    session.add(photo)
    session.flush()
    session.add_all(
        [
            User(
                **mine,
                practice_id=practice.id,
                role=Role.CLIENT,
                login_index=b"c" * 32,
                profile_sealed=b"s",
            ),
            Token(
                **mine,
                digest=b"t" * 32,
                kind=TokenKind.CLIENT,
                practice_id=practice.id,
                role=Role.CLIENT,
                expires_at=TIME,
            ),
            Login(digest=b"l" * 32, user_id=owner.id),
            Consent(
                **mine, purpose=Purpose.ANALYSIS, wording="1", given_at=TIME, given_by=owner.id
            ),
            Treatment(**mine, happened_on=DAY, event_sealed=b"e", made_by=owner.id),
            Scan(**mine, photo_id=photo.id, metrics_version="0.1.0/2", state=ScanState.SCORED),
            AuditEntry(number=1, action="test", previous=b"", digest=b"d" * 32),
            Note(key="backup", value={"at": TIME.isoformat()}),
        ]
    )
    session.flush()
    return client
