"""Signing in: one error for all that is wrong, at one cost; changing a password; keeping out."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_accounts import OTHER_PASSWORD, PASSWORD, CountingHasher, an_office
from pwdlib import PasswordHash

from skinscan.errors import (
    AccountMissingError,
    SignInError,
    SignInPausedError,
    StoreError,
    TotpNeededError,
    WeakPasswordError,
)
from skinscan.store.accounts import logins, sign_in, users
from skinscan.store.accounts.passwords import Passwords
from skinscan.store.schema import Attempts, AuditEntry, Login, User, new_id


def change(office, user_id, old=PASSWORD, new=OTHER_PASSWORD, address="192.0.2.1"):
    return sign_in.change_password(
        office.database, office.key, user_id, old=old, new=new, address=address, **office.all
    )


def disabled(office, owner):
    paul = office.staff(owner)
    users.disable(office.database, paul, actor=owner, **office.told)


def bound_to_a_provider(office, owner):
    paul = office.staff(owner)
    with office.database.write() as session:
        session.get(User, paul).password_hash = None


REFUSED = {
    "a wrong password": (lambda office, owner: office.staff(owner), OTHER_PASSWORD),
    "a name that does not exist": (lambda _office, _owner: None, PASSWORD),
    "a disabled user": (disabled, PASSWORD),
    "a disabled user's wrong password": (disabled, OTHER_PASSWORD),
    "a user without a password": (bound_to_a_provider, PASSWORD),
}


@pytest.mark.parametrize(("arrange", "password"), REFUSED.values(), ids=REFUSED)
def test_every_refusal_is_the_same_and_costs_the_same(office, arrange, password):
    owner = office.an_owner()
    arrange(office, owner)
    office.hasher.calls.clear()
    office.trail.clear()
    begun = []
    write, read = office.database.write, office.database.read
    watched = object.__new__(type(office.database))
    for name in ("engine", "path"):
        object.__setattr__(watched, name, getattr(office.database, name))
    object.__setattr__(watched, "write", lambda: begun.append("write") or write())
    object.__setattr__(watched, "read", lambda: begun.append("read") or read())
    office.database = watched
    with pytest.raises(SignInError) as caught:
        office.sign_in("paul@example.org", password)
    assert type(caught.value) is SignInError
    assert str(caught.value) == str(sign_in.refused())
    assert dict(office.hasher.calls) == {"verify": 1}
    assert begun == ["read", "write", "read", "write"]
    assert office.actions() == ["sign_in_refused"]
    counts = sorted(row.count for row in office.rows(Attempts))
    assert counts == [1, 1]


@given(
    name=st.text(st.characters()),
    password=st.text(st.characters()),
    code=st.none() | st.text(st.characters()),
    address=st.text(st.characters()),
)
def test_whatever_is_typed_is_refused(name, password, code, address, shared_office):
    with pytest.raises(SignInError):
        shared_office.sign_in(name, password, address, code=code)
    shared_office.later(days=2)


@pytest.fixture(scope="module")
def shared_office(tmp_path_factory):
    made = an_office(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'd' / 'records.db'}")
    made.an_owner()
    yield made
    made.database.close()


def test_a_refusal_tells_no_names(office):
    office.an_owner()
    with pytest.raises(SignInError) as caught:
        office.sign_in(password="a canary " * 2)
    for told in ("olga", "canary", "192.0.2.1"):
        assert told not in str(caught.value)
        assert told not in str(office.trail)


def test_signing_in_gives_a_secret_that_tells_who_it_is(office):
    owner = office.an_owner()
    secret = office.sign_in()
    who = logins.current(office.database, secret, clock=office.clock)
    assert (who.user_id, who.role.value, who.client_id) == (owner, "owner", None)
    assert who.practice_id == office.practice_id
    assert office.trail[-1] == ("account.signed_in", owner, owner, {"by": "password"})


def test_a_user_who_is_disabled_while_the_password_is_checked_stays_out(office):
    owner = office.an_owner()
    paul = office.staff(owner)
    check = office.passwords.check

    def slow(*arguments):
        checked = check(*arguments)
        users.disable(office.database, paul, actor=owner, **office.told)
        return checked

    office.passwords.check = slow
    with pytest.raises(SignInError):
        office.sign_in("paul@example.org")
    assert office.rows(Login) == []


def test_a_password_that_is_changed_while_it_is_checked_is_the_old_one(office):
    owner = office.an_owner()
    check = office.passwords.check

    def slow(*arguments):
        checked = check(*arguments)
        office.passwords.check = check
        change(office, owner)
        return checked

    office.passwords.check = slow
    with pytest.raises(SignInError):
        office.sign_in()


def test_a_hash_is_renewed_when_parameters_rise(office):
    owner = office.an_owner()
    before = office.user(owner).password_hash
    office.passwords = Passwords(PasswordHash([CountingHasher(time_cost=2)]))
    office.sign_in()
    after = office.user(owner).password_hash
    assert ",t=1," in before
    assert ",t=2," in after
    office.sign_in()
    assert office.user(owner).password_hash == after


def test_the_real_parameters_work(office):
    office.passwords = None  # the recommended ones
    office.an_owner()
    office.sign_in()
    with pytest.raises(SignInError):
        office.sign_in(password=OTHER_PASSWORD)


def test_several_people_sign_in_at_the_same_moment(office):
    owner = office.an_owner()
    for number in range(8):
        office.staff(owner, name=f"user{number}")
    outcomes = []

    def enter(number):
        outcomes.append(office.sign_in(f"user{number}", address=f"192.0.2.{number}"))

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*outcomes}) == 8


# Changing a password


def test_a_change_ends_all_logins_but_the_new_one(office):
    owner = office.an_owner()
    old = [office.sign_in() for _ in range(3)]
    new = change(office, owner)
    for secret in old:
        assert logins.current(office.database, secret, clock=office.clock) is None
    assert logins.current(office.database, new, clock=office.clock).user_id == owner
    assert office.trail[-1] == ("account.password_changed", owner, owner, {"logins_ended": 3})
    office.sign_in(password=OTHER_PASSWORD)
    with pytest.raises(SignInError):
        office.sign_in()


def test_a_wrong_old_password_changes_nothing_and_is_counted(office):
    owner = office.an_owner()
    cookie = office.sign_in()
    office.hasher.calls.clear()
    paused = 0
    for _ in range(100):
        try:
            change(office, owner, old="guess")
        except SignInPausedError:
            paused += 1
        except SignInError:
            continue
    assert (office.verified(), paused) == (5, 95)
    assert logins.current(office.database, cookie, clock=office.clock)
    office.later(minutes=1)
    office.sign_in()


def test_a_weak_new_password_is_not_counted(office):
    owner = office.an_owner()
    office.hasher.calls.clear()
    for _ in range(20):
        with pytest.raises(WeakPasswordError):
            change(office, owner, new="olga@example.org")
    assert not office.hasher.calls
    change(office, owner)


def test_nobody_changes_the_password_of_nobody(office):
    with pytest.raises(AccountMissingError):
        change(office, new_id())


# Keeping out, letting in


def test_disabling_ends_logins_and_enabling_brings_none_back(office):
    owner = office.an_owner()
    paul = office.staff(owner)
    cookie = office.sign_in("paul@example.org")
    users.disable(office.database, paul, actor=owner, **office.told)
    users.disable(office.database, paul, actor=owner, **office.told)
    assert logins.current(office.database, cookie, clock=office.clock) is None
    users.enable(office.database, paul, actor=owner, audit=office.audit)
    users.enable(office.database, paul, actor=owner, audit=office.audit)
    assert logins.current(office.database, cookie, clock=office.clock) is None
    office.sign_in("paul@example.org")
    assert office.actions()[-3:] == ["disabled", "enabled", "signed_in"]
    for change_it in (users.disable, users.enable):
        with pytest.raises(AccountMissingError):
            change_it(office.database, new_id(), actor=owner, audit=office.audit)


# The identity provider's word


def test_an_identity_signs_in_only_after_it_was_bound_by_an_invitation(office):
    from skinscan.store.accounts import invitations

    owner = office.an_owner()
    identity = users.Identity("https://id.example.org", "4711")

    def enter(who):
        return sign_in.sign_in_with_identity(office.database, who, **office.told)

    with pytest.raises(SignInError):
        enter(identity)
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    paul = office.accept(secret, password=None, identity=identity)
    assert logins.current(office.database, enter(identity), clock=office.clock).user_id == paul
    assert office.trail[-1][3] == {"by": "identity provider"}
    for other in (
        users.Identity("https://other.example.org", "4711"),
        users.Identity("https://id.example.org", "4712"),
    ):
        with pytest.raises(SignInError):
            enter(other)
    with pytest.raises(SignInError):  # no password opens it
        office.sign_in("paul@example.org", PASSWORD)
    # The same identity cannot be bound to a second account.
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    with pytest.raises(StoreError, match="has an account"):
        office.accept(secret, name="second", password=None, identity=identity)
    users.disable(office.database, paul, actor=owner, **office.told)
    with pytest.raises(SignInError):
        enter(identity)


def test_tidying_deletes_what_is_long_over(office):
    office.an_owner()
    cookie = office.sign_in()
    with pytest.raises(SignInError):
        office.sign_in("nobody")
    sign_in.tidy(office.database, clock=office.clock)
    assert logins.current(office.database, cookie, clock=office.clock)
    office.later(days=40)
    sign_in.tidy(office.database, clock=office.clock)
    for table in (Login, Attempts):
        assert office.rows(table) == []


def test_a_code_is_not_asked_for_before_the_password_is_right(office):
    """That one-time passwords are on tells that the name exists."""
    from skinscan.store.accounts import totp

    owner = office.an_owner()
    import pyotp

    address = totp.enrol(office.database, office.key, owner, shown_as="Praxis")
    app = pyotp.parse_uri(address)
    totp.confirm(office.database, office.key, owner, app.at(office.time), **office.told)
    with pytest.raises(SignInError):
        office.sign_in(password=OTHER_PASSWORD)
    with pytest.raises(TotpNeededError):
        office.sign_in()


def test_the_audit_trail_itself_takes_what_accounts_tell(office):
    from skinscan.store import audit

    def write_down(session, action, /, **told):
        office.trail.append((action, told["actor"], told["subject"], told["detail"]))
        audit.record(session, office.key, action, **told)

    office.audit = write_down
    owner = office.an_owner()
    office.client(owner)
    change(office, owner)
    for _ in range(10):
        with pytest.raises(SignInError):
            office.sign_in(password="a guess " * 2)
    with office.database.read() as session:
        assert audit.verify(session, office.key) == len(office.trail)
    assert [row.action for row in office.rows(AuditEntry)] == [
        action for action, *_ in office.trail
    ]
