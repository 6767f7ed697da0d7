"""Logins: 30 min of silence, 12 h at most, ended when somebody ends them, only digests kept."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_accounts import an_office
from sqlalchemy import update

from skinscan.store.accounts import logins
from skinscan.store.schema import Login, User


@pytest.fixture
def owner(office):
    return office.an_owner()


def current(office, secret):
    return logins.current(office.database, secret, clock=office.clock)


@pytest.mark.parametrize(
    ("silence", "on"), [({"minutes": 29, "seconds": 59}, True), ({"minutes": 30}, False)]
)
@pytest.mark.usefixtures("owner")
def test_a_login_ends_after_30_minutes_of_silence(office, silence, on):
    secret = office.sign_in()
    office.later(**silence)
    assert (current(office, secret) is not None) is on
    if not on:
        assert current(office, secret) is None  # asking did not bring it back


@pytest.mark.usefixtures("owner")
def test_what_a_page_asks_by_itself_keeps_no_login_from_ending(office):
    secret = office.sign_in()
    for _ in range(2):
        office.later(minutes=14)
        assert logins.current(office.database, secret, noted=False, clock=office.clock) is not None
    office.later(minutes=2)
    assert current(office, secret) is None


@pytest.mark.usefixtures("owner")
def test_a_login_ends_after_12_hours_however_busy(office):
    secret = office.sign_in()
    for _ in range(12 * 6 - 1):
        office.later(minutes=10)
        assert current(office, secret)
    office.later(minutes=10)
    assert current(office, secret) is None


@pytest.mark.usefixtures("owner")
def test_being_there_is_written_down_once_a_minute(office, monkeypatch):
    secret = office.sign_in()
    written = []
    write = type(office.database).write
    monkeypatch.setattr(
        type(office.database), "write", lambda self: written.append(1) or write(self)
    )
    for _ in range(300):
        office.later(seconds=1)
        assert current(office, secret)
    assert len(written) == 5
    # At worst a minute of silence is not noticed: a login ends early, never late.
    office.later(minutes=30)
    assert current(office, secret) is None


@given(secret=st.text(st.characters()))
def test_no_other_text_is_a_login(secret, shared_office):
    assert logins.current(shared_office.database, secret, clock=shared_office.clock) is None


@pytest.fixture(scope="module")
def shared_office(tmp_path_factory):
    made = an_office(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'd' / 'records.db'}")
    made.an_owner()
    made.sign_in()
    yield made
    made.database.close()


@pytest.mark.usefixtures("owner")
def test_only_the_digest_is_kept(office):
    secret = office.sign_in()
    assert len(secret) == 43
    office.database.close()
    for file in office.database.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes()
    assert secret not in str(office.trail)


def test_signing_out_ends_this_device_only(office, owner):
    tablet, phone = office.sign_in(), office.sign_in()
    for _ in range(2):
        logins.sign_out(office.database, tablet, **office.told)
    logins.sign_out(office.database, "unknown", **office.told)
    assert current(office, tablet) is None
    assert current(office, phone).user_id == owner
    assert office.actions().count("signed_out") == 1


def test_one_or_all_logins_can_be_ended(office, owner):
    cookies = []
    for _ in range(3):
        cookies.append(office.sign_in())
        office.later(seconds=1)
    listed = logins.of_user(office.database, owner, clock=office.clock)
    assert len(listed) == 3
    how = {"actor": owner, **office.told}
    assert logins.end(office.database, owner, login_id=listed[0].id, **how) == 1
    assert [current(office, cookie) is None for cookie in cookies] == [False, False, True]
    assert logins.end(office.database, owner, **how) == 2
    assert [current(office, cookie) for cookie in cookies] == [None] * 3
    assert logins.of_user(office.database, owner, clock=office.clock) == []
    assert office.trail[-1] == ("account.logins_ended", owner, owner, {"ended": 2})


def test_nobody_ends_somebody_elses_login_by_its_number(office, owner):
    paul = office.staff(owner)
    cookie = office.sign_in()
    (login,) = office.rows(Login)
    ended = logins.end(office.database, paul, login_id=login.id, actor=paul, **office.told)
    assert ended == 0
    assert current(office, cookie)


@pytest.mark.usefixtures("owner")
def test_who_ends_a_login_has_the_last_word(office, monkeypatch):
    """It is ended between being looked at and being noted as seen."""
    secret = office.sign_in()
    office.later(minutes=2)
    write = type(office.database).write

    def end_first(self):
        monkeypatch.setattr(type(office.database), "write", write)
        with write(self) as session:
            session.execute(update(Login).values(ended_at=office.time))
        return write(self)

    monkeypatch.setattr(type(office.database), "write", end_first)
    assert current(office, secret) is None
    assert office.rows(Login)[0].ended_at is not None


@pytest.mark.usefixtures("owner")
def test_many_pages_ask_at_once(office):
    secret = office.sign_in()
    office.later(minutes=5)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(current(office, secret))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert None not in found


def test_the_role_is_the_one_of_now(office, owner):
    """A login does not remember what its user was."""
    from skinscan.store.schema import Role

    paul = office.staff(owner)
    cookie = office.sign_in("paul@example.org")
    with office.database.write() as session:
        session.get(User, paul).role = Role.OWNER
    assert current(office, cookie).role is Role.OWNER


def test_a_login_of_somebody_disabled_is_none_even_if_it_was_not_ended(office, owner):
    cookie = office.sign_in()
    with office.database.write() as session:
        session.get(User, owner).disabled_at = office.time
    assert current(office, cookie) is None
