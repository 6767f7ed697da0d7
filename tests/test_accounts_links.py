"""Single-use links: for the first owner, invitations, passwords; each once, in time, for one."""

from __future__ import annotations

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_accounts import OTHER_PASSWORD, PASSWORD, START, Office
from made_store import a_client

from skinscan.errors import (
    AccountExistsError,
    AccountMissingError,
    LinkError,
    NameFormError,
    NameTakenError,
    OwnerResetError,
    SignInError,
    SignInPausedError,
    WeakPasswordError,
)
from skinscan.store.accounts import invitations, logins, tokens, users
from skinscan.store.schema import Client, Practice, Role, Token, TokenKind, User, new_id


def link_is_dead(office, secret, **other):
    with pytest.raises(LinkError):
        office.accept(secret, name="somebody else", **other)


# Secrets


@given(st.text(st.characters()))
def test_any_text_has_a_digest_and_only_equal_ones_share_it(text):
    assert len(tokens.digest_of(text)) == 32
    assert tokens.digest_of(text) != tokens.digest_of(text + "x")


def test_secrets_have_256_bits_and_only_their_digest_is_kept(office):
    owner = office.an_owner()
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    assert len(secret) == 43
    assert len({tokens.new_secret() for _ in range(1000)}) == 1000
    (row,) = [row for row in office.rows(Token) if row.kind is TokenKind.STAFF]
    assert row.digest == hashlib.sha256(secret.encode()).digest()
    office.database.close()
    for file in office.database.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes()
    assert secret not in str(office.trail)


@given(guess=st.text(st.characters()))
def test_no_other_text_is_a_link(guess, shared_office):
    link_is_dead(shared_office, guess)


@pytest.fixture(scope="module")
def shared_office(tmp_path_factory):
    from made_accounts import an_office

    made = an_office(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'd' / 'records.db'}")
    made.an_owner()
    yield made
    made.database.close()


# The first owner


def test_the_first_owner_comes_by_the_code_of_the_terminal(office):
    owner = office.an_owner()
    user = office.user(owner)
    assert (user.role, user.client_id, user.practice_id) == (
        Role.OWNER,
        None,
        office.practice_id,
    )
    assert users.profile_of(office.key, user) == users.Profile("olga@example.org", "Olga Ö.")
    assert user.password_hash.startswith("$argon2id$")
    assert office.actions() == ["set_up_issued", "created"]
    office.sign_in("OLGA@example.org ")


def test_each_start_makes_a_new_code_and_voids_the_old(office):
    old, new = (
        invitations.issue_set_up(office.database, office.practice_id, **office.told)
        for _ in range(2)
    )
    how = {"name": "a", "shown": "A", "password": PASSWORD, **office.all}
    with pytest.raises(LinkError):
        invitations.first_owner(office.database, office.key, secret=old, **how)
    invitations.first_owner(office.database, office.key, secret=new, **how)


def test_there_is_no_second_first_owner(office):
    office.an_owner()
    with pytest.raises(AccountExistsError):
        invitations.issue_set_up(office.database, office.practice_id, **office.told)


def test_a_code_left_over_makes_no_second_owner(office):
    """An owner came to be some other way after the code was made."""
    secret = invitations.issue_set_up(office.database, office.practice_id, **office.told)
    with office.database.write() as session:
        session.add(
            User(
                practice_id=office.practice_id,
                role=Role.OWNER,
                login_index=b"x" * 32,
                profile_sealed=b"",
            )
        )
    with pytest.raises(AccountExistsError):
        invitations.first_owner(
            office.database,
            office.key,
            secret=secret,
            name="a",
            shown="A",
            password=PASSWORD,
            **office.all,
        )


def test_a_code_is_no_invitation_and_an_invitation_no_code(office):
    code = invitations.issue_set_up(office.database, office.practice_id, **office.told)
    link_is_dead(office, code)
    owner = office.an_owner()
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    with pytest.raises(LinkError):
        invitations.first_owner(
            office.database,
            office.key,
            secret=secret,
            name="a",
            shown="A",
            password=PASSWORD,
            **office.all,
        )


# Invitations


def test_staff_and_clients_come_by_invitation(office):
    owner = office.an_owner()
    paul = office.user(office.staff(owner))
    carla = office.user(office.client(owner))
    assert (paul.role, paul.client_id) == (Role.PRACTITIONER, None)
    assert carla.role is Role.CLIENT
    assert carla.client_id == office.clients()[0].id
    for name in ("paul@example.org", "carla@example.org"):
        office.sign_in(name)
    assert office.actions()[2:6] == ["invited", "created", "invited", "created"]


def test_an_invitation_works_once(office):
    owner = office.an_owner()
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    office.accept(secret)
    link_is_dead(office, secret)


def test_an_invitation_works_once_also_at_the_same_moment(office):
    owner = office.an_owner()
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    outcomes = []
    gate = threading.Barrier(8)

    def accept(number):
        gate.wait()
        try:
            outcomes.append(office.accept(secret, name=f"user {number}"))
        except LinkError:
            outcomes.append(None)

    threads = [threading.Thread(target=accept, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert len([user for user in outcomes if user]) == 1
    assert len(office.rows(User)) == 2


@pytest.mark.parametrize(
    ("kind", "hours"),
    [
        (TokenKind.SET_UP, 24),
        (TokenKind.STAFF, 72),
        (TokenKind.CLIENT, 336),
        (TokenKind.RESET, 24),
    ],
)
def test_links_expire(office, kind, hours):
    with office.database.write() as session:
        secret = tokens.issue(
            session,
            kind,
            practice_id=office.practice_id,
            role=Role.OWNER,
            made_by=None,
            now=office.clock(),
        )
    office.later(hours=hours, seconds=-1)
    with office.database.read() as session:
        assert tokens.require(session, secret, kinds=[kind], now=office.time).kind is kind
    office.later(seconds=1)
    with office.database.read() as session, pytest.raises(LinkError):
        tokens.require(session, secret, kinds=[kind], now=office.time)


def test_a_new_invitation_voids_the_old_of_this_client_only(office):
    owner = office.an_owner()
    one, other = office.new_client(), office.new_client()

    def invite(client_id):
        return invitations.invite_client(office.database, client_id, made_by=owner, **office.told)

    old, others, new = invite(one), invite(other), invite(one)
    link_is_dead(office, old)
    assert office.user(office.accept(new, name="one")).client_id == one
    assert office.user(office.accept(others, name="other")).client_id == other


def test_two_practitioners_can_be_invited_at_the_same_time(office):
    owner = office.an_owner()
    for name in [
        (
            invitations.invite_staff(
                office.database, office.practice_id, made_by=owner, **office.told
            ),
            name,
        )
        for name in ("paul", "petra")
    ]:
        office.accept(name[0], name=name[1])
    assert len(office.rows(User)) == 3


def test_a_client_has_one_account(office):
    owner = office.an_owner()
    client_id = office.new_client()
    secret = invitations.invite_client(office.database, client_id, made_by=owner, **office.told)
    office.accept(secret)
    with pytest.raises(AccountExistsError):
        invitations.invite_client(office.database, client_id, made_by=owner, **office.told)


def test_only_clients_that_exist_and_no_client_as_staff(office):
    owner = office.an_owner()
    with pytest.raises(AccountMissingError):
        invitations.invite_client(office.database, new_id(), made_by=owner, **office.told)
    with pytest.raises(ValueError, match="invite_client"):
        invitations.invite_staff(
            office.database,
            office.practice_id,
            role=Role.CLIENT,
            made_by=owner,
            **office.told,
        )


@pytest.mark.parametrize(
    ("name", "password", "error"),
    [
        ("OLGA@example.org", PASSWORD, NameTakenError),
        ("", PASSWORD, NameFormError),
        ("paul", "password", WeakPasswordError),
        ("lantern-otter", "lantern-otter", WeakPasswordError),
    ],
)
def test_a_mistake_does_not_cost_the_invitation(office, name, password, error):
    owner = office.an_owner()
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    with pytest.raises(error):
        office.accept(secret, name=name, password=password)
    assert len(office.rows(User)) == 1
    office.accept(secret)


def test_who_holds_no_link_costs_no_hash(office):
    office.an_owner()
    office.hasher.calls.clear()
    link_is_dead(office, tokens.new_secret())
    with pytest.raises(LinkError):
        invitations.reset_password(
            office.database,
            office.key,
            secret=tokens.new_secret(),
            password=PASSWORD,
            **office.all,
        )
    assert not office.hasher.calls


def test_open_invitations_are_listed_and_withdrawn(office):
    owner = office.an_owner()
    client_id = office.new_client()
    how = {"made_by": owner, **office.told}
    staff = invitations.invite_staff(office.database, office.practice_id, **how)
    office.later(minutes=1)
    invitations.invite_client(office.database, client_id, **how)

    def listed():
        return invitations.open_invitations(office.database, office.practice_id, clock=office.clock)

    assert [(one.role, one.client_id, one.made_by) for one in listed()] == [
        (Role.CLIENT, client_id, owner),
        (Role.PRACTITIONER, None, owner),
    ]
    invitations.withdraw(office.database, listed()[1].id, actor=owner, audit=office.audit)
    link_is_dead(office, staff)
    assert len(listed()) == 1
    with pytest.raises(AccountMissingError):
        invitations.withdraw(office.database, new_id(), actor=owner, audit=office.audit)
    office.later(days=15)
    assert listed() == []


def test_an_account_needs_exactly_one_proof(office):
    with pytest.raises(ValueError, match="either"):
        office.accept("x", password=None)


# Passwords


def reset_link(office, user_id, made_by=None):
    return invitations.issue_reset(office.database, user_id, made_by=made_by, **office.told)


def reset(office, secret, password=OTHER_PASSWORD):
    return invitations.reset_password(
        office.database, office.key, secret=secret, password=password, **office.all
    )


def test_a_reset_changes_the_password_and_ends_all_logins(office):
    owner = office.an_owner()
    paul = office.staff(owner)
    cookies = [office.sign_in("paul@example.org") for _ in range(2)]
    secret = reset_link(office, paul, owner)
    assert logins.current(office.database, cookies[0], clock=office.clock)  # not before it is used
    assert reset(office, secret) == paul
    for cookie in cookies:
        assert logins.current(office.database, cookie, clock=office.clock) is None
    with pytest.raises(SignInError):
        office.sign_in("paul@example.org")
    office.sign_in("paul@example.org", OTHER_PASSWORD)
    with pytest.raises(LinkError):
        reset(office, secret)
    assert office.trail[-3][:3] == ("account.password_reset", paul, paul)
    assert office.trail[-3][3] == {"logins_ended": 2}


def test_a_reset_frees_a_name_that_others_locked(office):
    owner = office.an_owner()
    paul = office.staff(owner)
    for number in range(5):
        with pytest.raises(SignInError):
            office.sign_in("paul@example.org", "guess", f"192.0.2.{number}")
    with pytest.raises(SignInPausedError):
        office.sign_in("paul@example.org")
    reset(office, reset_link(office, paul, owner))
    office.sign_in("paul@example.org", OTHER_PASSWORD)


def test_an_owners_link_is_made_in_the_terminal_only(office):
    owner = office.an_owner()
    paul = office.staff(owner)
    for who in (paul, owner):
        with pytest.raises(OwnerResetError):
            reset_link(office, owner, who)
    reset(office, reset_link(office, owner))
    office.sign_in(password=OTHER_PASSWORD)


def test_a_weak_password_does_not_cost_the_link_and_a_new_link_voids_it(office):
    owner = office.an_owner()
    secret = reset_link(office, owner)
    with pytest.raises(WeakPasswordError):
        reset(office, secret, "olga@example.org")
    new = reset_link(office, owner)
    with pytest.raises(LinkError):
        reset(office, secret)
    reset(office, new)


def test_links_of_two_users_do_not_void_each_other(office):
    owner = office.an_owner()
    paul, carla = office.staff(owner), office.client(owner)
    secrets = [reset_link(office, user, owner) for user in (paul, carla)]
    assert [reset(office, secret) for secret in secrets] == [paul, carla]


def test_no_link_for_nobody_or_the_disabled(office):
    owner = office.an_owner()
    paul = office.staff(owner)
    secret = reset_link(office, paul, owner)
    users.disable(office.database, paul, actor=owner, **office.told)
    with pytest.raises(LinkError):
        reset(office, secret)
    for user in (paul, new_id()):
        with pytest.raises(AccountMissingError):
            reset_link(office, user, owner)


def test_invitations_by_somebody_disabled_are_void(office):
    owner = office.an_owner()
    paul = office.staff(owner)
    secret = invitations.invite_client(
        office.database, office.new_client(), made_by=paul, **office.told
    )
    users.disable(office.database, paul, actor=owner, **office.told)
    link_is_dead(office, secret)


def test_what_is_written_and_its_line_in_the_trail_are_one(office):
    """A trail that cannot be written undoes what it is about."""

    class Broken(Office):
        def audit(self, *_, **__):
            raise OSError

    owner = office.an_owner()
    secret = reset_link(office, owner)
    before = office.user(owner).password_hash
    broken = Broken(office.database, office.key, START)
    with pytest.raises(OSError):  # noqa: PT011 - raised above, without words
        reset(broken, secret)
    assert office.user(owner).password_hash == before
    reset(office, secret)


def test_a_client_of_another_practice_brings_their_own(office):
    with office.database.write() as session:
        other = Practice(key_wrapped=b"v" * 40)
        session.add(other)
        session.flush()
        client = a_client(other)
        session.add(client)
    owner = office.an_owner()
    secret = invitations.invite_client(office.database, client.id, made_by=owner, **office.told)
    assert office.user(office.accept(secret)).practice_id == other.id
    assert len(office.rows(Client)) == 1
