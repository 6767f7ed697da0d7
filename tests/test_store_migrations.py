"""Migrations: the tables of the schema, whatever was there stays, and back on any error."""

from __future__ import annotations

import sqlite3
import stat

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from made_store import fill
from sqlalchemy import CheckConstraint, func, inspect, select, text

from skinscan.errors import (
    DatabaseDamagedError,
    DatabaseForeignError,
    DatabaseNewerError,
    DatabaseOlderError,
)
from skinscan.store import migrations
from skinscan.store.database import Mode, open_database
from skinscan.store.schema import Base

#: A further version, as a later release will bring one: makes two tables anew, one of them with
#: rows that refer to it and are deleted with theirs.
NEXT = '''
"""Test."""
import sqlalchemy as sa
from alembic import op
revision = "next"
down_revision = "{newest}"
def upgrade():
    for table in ("users", "practices"):
        with op.batch_alter_table(table, recreate="{recreate}") as batch:
            batch.add_column(sa.Column("extra", sa.String()))
    {more}
'''


def counts(database):
    with database.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def later(tmp_path, monkeypatch):
    """Make this program one that has a further version of the tables."""
    plain = migrations.config
    newest = migrations.newest()

    def make(more="", recreate="auto"):
        folder = tmp_path / "later"
        folder.mkdir()
        written = NEXT.format(newest=newest, more=more, recreate=recreate)
        (folder / "next.py").write_text(written, encoding="utf-8")

        def config(connection=None):
            settings = plain(connection)
            own = settings.get_main_option("script_location") + "/versions"
            settings.set_main_option("version_locations", f"{own}:{folder}")
            return settings

        monkeypatch.setattr(migrations, "config", config)

    return make


def test_migrated_tables_are_those_of_the_schema(database):
    with database.connection(Mode.READ) as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
    assert migrations.version_of(database) == migrations.newest()
    migrations.require_current(database)


def test_conditions_and_references_are_those_of_the_schema(database):
    """What the comparison of Alembic leaves out: conditions, and what deletion does."""
    with database.connection(Mode.READ) as connection:
        found = inspect(connection)
        for table in Base.metadata.sorted_tables:
            checks = {check["name"] for check in found.get_check_constraints(table.name)}
            assert checks == {
                str(rule.name) for rule in table.constraints if isinstance(rule, CheckConstraint)
            }
            actions = {
                (key["constrained_columns"][0], key["options"].get("ondelete", "NO ACTION"))
                for key in found.get_foreign_keys(table.name)
            }
            assert actions == {
                (key.column_keys[0], key.ondelete) for key in table.foreign_key_constraints
            }


def test_a_second_upgrade_changes_nothing(database):
    with database.write() as session:
        fill(session)
    before = counts(database)
    assert migrations.upgrade(database) is None
    assert counts(database) == before


def test_a_populated_database_survives_an_upgrade(database, later):
    with database.write() as session:
        fill(session)
    before = counts(database)
    assert {name for name, count in before.items() if count == 0} == {"attempts", "erased"}
    recreate = "always" if database.path else "auto"
    later(recreate=recreate)
    with pytest.raises(DatabaseOlderError):
        migrations.require_current(database)

    copy = migrations.upgrade(database)

    assert migrations.version_of(database) == "next"
    assert counts(database) == before
    if database.path is None:
        assert copy is None
        return
    assert migrations.copies_of(database.path) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    kept = open_database(f"sqlite:///{copy}")
    assert counts(kept) == before
    assert migrations.version_of(kept) != "next"
    kept.close()


def test_foreign_keys_are_heeded_again_after_an_upgrade(sqlite_url, later):
    database = open_database(sqlite_url, create=True)
    migrations.upgrade(database)
    later(recreate="always")
    migrations.upgrade(database)
    with database.write() as session:
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    database.close()


def test_an_empty_database_needs_no_copy(sqlite_url):
    database = open_database(sqlite_url, create=True)
    assert migrations.upgrade(database) is None
    assert migrations.copies_of(database.path) == []
    database.close()


def test_an_upgrade_that_fails_half_way_leaves_all_as_it_was(database, later):
    with database.write() as session:
        fill(session)
    before, version = counts(database), migrations.version_of(database)
    later(more='raise RuntimeError("power cut")')
    with pytest.raises(RuntimeError, match="power cut"):
        migrations.upgrade(database)
    assert (counts(database), migrations.version_of(database)) == (before, version)
    with database.connection(Mode.READ) as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_upgrade_that_leaves_references_to_nothing_is_undone(sqlite_url, later):
    database = open_database(sqlite_url, create=True)
    migrations.upgrade(database)
    with database.write() as session:
        fill(session)
    before, version = counts(database), migrations.version_of(database)
    later(more='op.execute("DELETE FROM sessions")')
    with pytest.raises(DatabaseDamagedError):
        migrations.upgrade(database)
    assert (counts(database), migrations.version_of(database)) == (before, version)
    database.close()


def test_a_database_newer_than_the_program_is_refused_and_not_changed(database):
    with database.connection(Mode.WRITE) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    for check in (migrations.upgrade, migrations.require_current):
        with pytest.raises(DatabaseNewerError):
            check(database)
    assert migrations.version_of(database) == "from-the-future"


def test_the_database_of_another_program_is_refused_and_not_changed(empty_database):
    with empty_database.connection(Mode.WRITE) as connection:
        connection.execute(text("CREATE TABLE theirs (x INTEGER)"))
    for check in (migrations.upgrade, migrations.require_current):
        with pytest.raises(DatabaseForeignError):
            check(empty_database)
    with empty_database.connection(Mode.READ) as connection:
        assert inspect(connection).get_table_names() == ["theirs"]


def test_a_database_without_tables_must_be_upgraded_first(empty_database):
    with pytest.raises(DatabaseOlderError):
        migrations.require_current(empty_database)


def test_the_copy_holds_what_was_still_in_the_journal(sqlite_url, later):
    database = open_database(sqlite_url, create=True)
    migrations.upgrade(database)
    with database.read(), database.write() as session:  # a reader keeps the journal from emptying
        fill(session)
    later()
    copy = migrations.upgrade(database)
    with sqlite3.connect(copy) as kept:
        assert kept.execute("SELECT count(*) FROM clients").fetchone() == (1,)
    kept.close()
    database.close()
