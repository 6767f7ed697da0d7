"""The database behind the records: an SQLite file, or PostgreSQL by its address.

Both give the same promises. A `write` is alone: no other write runs between its first reading and
its commit, so that what was read is still true when it is written. A `read` sees one moment of the
database and cannot change it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, orm
from sqlalchemy.engine import URL
from sqlalchemy.orm.exc import StaleDataError

from skinscan.errors import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseExistsError,
    DatabaseMissingError,
    DatabaseUnavailableError,
    DatabaseUrlError,
    RecordConflictError,
    StorageFullError,
    StoreError,
)

#: How long one waits for others before giving up, s.
BUSY_TIMEOUT_S = 30.0

#: Names the lock that makes writers of one PostgreSQL database take turns: "skinscan" in ASCII.
_WRITERS = 0x736B696E7363616E

_OPTION = "skinscan_mode"

_SQLITE_CAUSES: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: DatabaseBusyError,
    sqlite3.SQLITE_LOCKED: DatabaseBusyError,
    sqlite3.SQLITE_FULL: StorageFullError,
    sqlite3.SQLITE_CORRUPT: DatabaseDamagedError,
    sqlite3.SQLITE_NOTADB: DatabaseDamagedError,
    sqlite3.SQLITE_CANTOPEN: DatabaseUnavailableError,
    sqlite3.SQLITE_READONLY: DatabaseUnavailableError,
    sqlite3.SQLITE_PERM: DatabaseUnavailableError,
    sqlite3.SQLITE_AUTH: DatabaseUnavailableError,
    sqlite3.SQLITE_IOERR: DatabaseUnavailableError,
}

#: By SQLSTATE or its first two characters, the class.
_POSTGRESQL_CAUSES: dict[str, type[StoreError]] = {
    "53100": StorageFullError,
    "53": DatabaseUnavailableError,
    "55P03": DatabaseBusyError,
    "40": DatabaseBusyError,
    "08": DatabaseUnavailableError,
    "28": DatabaseUnavailableError,
    "3D": DatabaseMissingError,
    "57": DatabaseUnavailableError,
    "58": DatabaseUnavailableError,
    "25006": DatabaseUnavailableError,
    "XX001": DatabaseDamagedError,
    "XX002": DatabaseDamagedError,
}

_WORDS: dict[type[StoreError], tuple[str, str, str]] = {
    DatabaseBusyError: (
        "the database to be free",
        "others that kept it for too long",
        "Try again; if it stays so, look for a program that hangs",
    ),
    StorageFullError: (
        "room on the disk",
        "none left",
        "Nothing was saved: make room and do it again",
    ),
    DatabaseDamagedError: (
        "an intact database",
        "one that cannot be read",
        "Stop using it, keep a copy, and restore the last backup",
    ),
    DatabaseUnavailableError: (
        "a database that can be reached and written to",
        "one that cannot",
        "Check that the server runs, the address, and the rights on file and folder",
    ),
    DatabaseMissingError: (
        "a database at this address",
        "none",
        "Check the address, or create the database first",
    ),
    RecordConflictError: (
        "a record that nobody else has changed and that contradicts no other",
        "one that does",
        "Load it again and repeat the change",
    ),
}


class Mode(StrEnum):
    """What a transaction is for."""

    READ = "read"
    WRITE = "write"
    MIGRATE = "migrate"


@dataclass(frozen=True)
class Database:
    """An open database.

    Attributes
    ----------
    engine : Engine
        Its connections; transactions go through `read` and `write`.
    path : Path or None
        The file, of SQLite.
    """

    engine: Engine
    path: Path | None

    @contextmanager
    def write(self) -> Iterator[orm.Session]:
        """Change records: all of the block, or on any exception nothing.

        Raises
        ------
        StoreError
            What kept it from being saved, by cause.
        """
        with self._transaction(Mode.WRITE) as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[orm.Session]:
        """Read records as they were at one moment; a change is refused.

        Raises
        ------
        StoreError
            What kept it from being read, by cause.
        """
        with self._transaction(Mode.READ) as session:
            yield session

    @contextmanager
    def connection(self, mode: Mode) -> Iterator[Connection]:
        """Run plain SQL in a transaction; for migrations and checks."""
        with translated(), self._engine(mode).begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, mode: Mode) -> Iterator[orm.Session]:
        # What was loaded stays readable after the block.
        session = orm.Session(self._engine(mode), expire_on_commit=False)
        with translated(), session, session.begin():
            session.connection()  # begin now, not at the first statement: who waits, waits here
            yield session

    def _engine(self, mode: Mode) -> Engine:
        options: dict[str, object] = {_OPTION: mode}
        if self.path is None and mode is Mode.READ:
            options |= {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        return self.engine.execution_options(**options)


def open_database(
    url: str, *, create: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> Database:
    """Open the database at an address.

    Parameters
    ----------
    url : str
        ``sqlite:///folder/records.db`` or ``postgresql://user@host/name``.
    create : bool
        Make the SQLite file, which must not exist yet, readable to its owner only, in a folder of
        the same kind; a folder that exists keeps its rights. Without, the file must exist.
    busy_timeout_s : float
        How long to wait for others, s.

    Raises
    ------
    DatabaseUrlError, DatabaseMissingError, DatabaseExistsError
    DatabaseUnavailableError, DatabaseDamagedError, DatabaseBusyError
        It cannot be opened.
    """
    address = _address(url)
    path = None
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or "").absolute()
        _place_file(path, create=create)
        engine = _open_sqlite(address.set(database=str(path)), busy_timeout_s)
    else:
        engine = _open_postgresql(address, busy_timeout_s)
    try:
        with translated(), engine.connect():
            pass
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, path)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what database drivers raise into errors of the store, by cause."""
    try:
        yield
    except (StaleDataError, exc.IntegrityError) as error:
        _raise(RecordConflictError, error)
    except exc.TimeoutError as error:
        _raise(DatabaseBusyError, error)
    except exc.DBAPIError as error:
        kind = _cause(error.orig)
        if kind is None:
            raise
        _raise(kind, error)
    except sqlite3.Error as error:
        kind = _cause(error)
        if kind is None:
            raise
        _raise(kind, error)


def _raise(kind: type[StoreError], error: Exception) -> NoReturn:
    expected, found, remedy = _WORDS[kind]
    raise kind(expected=expected, found=found, remedy=remedy) from error


def _cause(error: BaseException | None) -> type[StoreError] | None:
    if isinstance(error, sqlite3.Error):
        # The low byte is the cause, the rest says where.
        return _SQLITE_CAUSES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return _POSTGRESQL_CAUSES.get(state) or _POSTGRESQL_CAUSES.get(state[:2])
    # Without a state the server never answered. (The driver's name, as it may not be installed.)
    unreached = type(error).__name__ in {"OperationalError", "ConnectionTimeout"}
    return DatabaseUnavailableError if unreached else None


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except exc.ArgumentError as error:
        raise _bad_url("something else") from error
    if address.drivername == "sqlite":
        if address.query or address.database in (None, "", ":memory:"):
            raise _bad_url("SQLite without a file, or with options")
        return address
    if address.drivername in ("postgresql", "postgresql+psycopg"):
        return address.set(drivername="postgresql+psycopg")
    raise _bad_url("another kind of database")


def _bad_url(found: str) -> DatabaseUrlError:
    return DatabaseUrlError(
        expected="sqlite:///FILE or postgresql://USER@HOST/NAME",
        found=found,
        remedy="Correct the address of the database",
    )


def _place_file(path: Path, *, create: bool) -> None:
    if not create:
        if not path.is_file():
            _raise(DatabaseMissingError, FileNotFoundError())
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError as error:
        raise DatabaseExistsError(
            expected="a new place for the database",
            found="a file there",
            remedy="Open it, or choose another place",
        ) from error
    except OSError as error:
        _raise(DatabaseUnavailableError, error)


def _open_sqlite(address: URL, busy_timeout_s: float) -> Engine:
    engine = create_engine(
        address,
        connect_args={"timeout": busy_timeout_s},
        pool_timeout=busy_timeout_s,
        max_overflow=30,
        hide_parameters=True,  # parameters are people's data, and error texts end up in logs
    )

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: see below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {round(busy_timeout_s * 1000)}")
        (journal,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
        if journal != "wal":
            _raise(DatabaseUnavailableError, OSError("this disk cannot hold a journal"))
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        mode = connection.get_execution_options().get(_OPTION, Mode.READ)
        # Only outside of a transaction is `foreign_keys` heeded. With it on, a migration that
        # makes a table anew would delete the rows that refer to it.
        connection.exec_driver_sql(f"PRAGMA foreign_keys = {int(mode is not Mode.MIGRATE)}")
        connection.exec_driver_sql(f"PRAGMA query_only = {int(mode is Mode.READ)}")
        # A plain BEGIN takes the lock at the first change, too late for what was read before.
        connection.exec_driver_sql("BEGIN" if mode is Mode.READ else "BEGIN IMMEDIATE")

    return engine


def _open_postgresql(address: URL, busy_timeout_s: float) -> Engine:
    try:
        engine = create_engine(
            address,
            connect_args={"connect_timeout": max(2, round(busy_timeout_s))},
            pool_timeout=busy_timeout_s,
            pool_pre_ping=True,  # a server that was restarted must not cost one failed request
            max_overflow=30,
            hide_parameters=True,
        )
    except ImportError as error:
        raise DatabaseUnavailableError(
            expected="the driver of PostgreSQL",
            found="none installed",
            remedy="Run: pip install 'skinscan[postgres]'",
        ) from error

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        mode = connection.get_execution_options().get(_OPTION, Mode.READ)
        if mode is Mode.READ:
            return
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(busy_timeout_s * 1000)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")

    return engine
