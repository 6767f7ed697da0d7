"""Bring a database to the tables of this program: Alembic, without a file of settings."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, inspect, select

from skinscan.errors import (
    DatabaseDamagedError,
    DatabaseForeignError,
    DatabaseNewerError,
    DatabaseOlderError,
)
from skinscan.store.database import Database, Mode
from skinscan.store.schema import Base


def config(connection: Connection | None = None) -> Config:
    """Make the settings of Alembic, for one connection if it is to run."""
    settings = Config()
    folder = str(Path(__file__).parent).replace("%", "%%")
    settings.set_main_option("script_location", folder)
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def newest() -> str:
    """Tell the version of the tables that this program writes."""
    version = ScriptDirectory.from_config(config()).get_current_head()
    if version is None:
        raise RuntimeError("this build of skinscan has no migrations")
    return version


def version_of(database: Database) -> str | None:
    """Tell the version of a database's tables; None of an empty one."""
    with database.connection(Mode.READ) as connection:
        return _version(connection)


def require_current(database: Database) -> None:
    """Make sure that this program can work with a database.

    Raises
    ------
    DatabaseOlderError, DatabaseNewerError, DatabaseForeignError
        It cannot.
    """
    with database.connection(Mode.READ) as connection:
        current = _known_version(connection)
    if current != newest():
        raise DatabaseOlderError(
            expected="tables of this version of skinscan",
            found="older ones, or none",
            remedy="Upgrade the database first",
        )


def upgrade(database: Database) -> Path | None:
    """Bring a database to the tables of this program: wholly, or on any error not at all.

    Returns
    -------
    Path or None
        The copy of the SQLite file that was made before, if it held data and had to change. It
        holds the keys of clients too: an erasure has to delete it (`copies_of`).

    Raises
    ------
    DatabaseNewerError, DatabaseForeignError
        It is not ours to change.
    DatabaseDamagedError
        Rows refer to rows that are missing; it stays as it was.
    """
    copy = None
    with database.connection(Mode.MIGRATE) as connection:
        current = _known_version(connection)
        if current == newest():
            return None
        if database.path is not None and _has_rows(connection):
            copy = _copy(database.path, current)
        command.upgrade(config(connection), "head")
        if database.path is not None:
            _check_references(connection)
    return copy


def copies_of(path: Path) -> list[Path]:
    """Find the copies that upgrades of an SQLite file have left, oldest first."""
    return sorted(path.parent.glob(f"{path.name}.before-*"))


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known_version(connection: Connection) -> str | None:
    current = _version(connection)
    if current is None:
        if inspect(connection).get_table_names():
            raise DatabaseForeignError(
                expected="an empty database or one of skinscan",
                found="tables of another program",
                remedy="Give skinscan a database of its own",
            )
        return None
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if current not in known:
        raise DatabaseNewerError(
            expected="a database of this version of skinscan or an older one",
            found="one of a newer version",
            remedy="Install the newer skinscan again; the database was not changed",
        )
    return current


def _has_rows(connection: Connection) -> bool:
    names = set(inspect(connection).get_table_names()) - {"alembic_version"}
    tables = [Table(name, Base.metadata.__class__()) for name in names]
    return any(
        connection.execute(select(1).select_from(table).limit(1)).first() is not None
        for table in tables
    )


def _copy(path: Path, version: str | None) -> Path:
    """Copy an SQLite file with what its journal holds, on the disk before this returns."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    copy = path.with_name(f"{path.name}.before-{stamp}-from-{version}")
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        for written in (copy, copy.parent):
            handle = os.open(written, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy


def _check_references(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise DatabaseDamagedError(
            expected="rows that refer to rows that exist",
            found="some that refer to nothing",
            remedy="The upgrade was undone: restore the last backup, or ask for help",
        )
