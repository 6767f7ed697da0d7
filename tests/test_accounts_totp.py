"""One-time passwords: on after a code was shown to work, each code once, sealed."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_accounts import OTHER_PASSWORD, an_office

from skinscan.errors import (
    AccountMissingError,
    SealError,
    SignInError,
    SignInPausedError,
    TotpError,
    TotpNeededError,
)
from skinscan.store.accounts import invitations, totp
from skinscan.store.schema import User, new_id
from skinscan.store.sealing import new_key, unseal_json


@pytest.fixture
def owner(office):
    return office.an_owner()


@pytest.fixture
def app(office, owner):
    """The owner's authenticator app; one-time passwords are on."""
    shown = enrol(office, owner)
    confirm(office, owner, shown.at(office.time))
    office.later(seconds=30)
    return shown


def enrol(office, user_id):
    address = totp.enrol(office.database, office.key, user_id, shown_as="Praxis Ö")
    return pyotp.parse_uri(address)


def confirm(office, user_id, code):
    totp.confirm(office.database, office.key, user_id, code, **office.told)


def test_the_address_tells_the_app_what_it_needs(office, owner):
    address = totp.enrol(office.database, office.key, owner, shown_as="Praxis Ö")
    app = pyotp.parse_uri(address)
    assert address.startswith("otpauth://totp/")
    assert (app.name, app.issuer) == ("olga@example.org", "Praxis Ö")
    assert len(app.secret) == 32  # 160 bits, as RFC 4226 recommends


def test_nothing_changes_before_a_code_was_shown(office, owner):
    enrol(office, owner)
    office.sign_in()
    with pytest.raises(TotpError):
        confirm(office, owner, "000000")
    office.sign_in()


def test_confirming_needs_a_secret(office, owner):
    with pytest.raises(TotpError, match="no secret"):
        confirm(office, owner, "123456")


def test_a_sign_in_needs_the_code_then(office, app):
    with pytest.raises(TotpNeededError):
        office.sign_in()
    for blank in ("", "  "):
        with pytest.raises(TotpNeededError):
            office.sign_in(code=blank)
    code = app.at(office.time)
    office.sign_in(code=f" {code[:3]} {code[3:]} ")
    assert office.trail[-1][3] == {"by": "password and code"}


def test_a_wrong_code_is_refused_like_a_wrong_password(office, app):
    code = app.at(office.time)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    with pytest.raises(SignInError) as of_code:
        office.sign_in(code=wrong)
    with pytest.raises(SignInError) as of_password:
        office.sign_in(password=OTHER_PASSWORD, code=code)
    assert str(of_code.value) == str(of_password.value)
    assert office.trail[-2][3] == {"by": "code"}


def test_no_code_is_taken_twice(office, app):
    code = app.at(office.time)
    office.sign_in(code=code)
    with pytest.raises(SignInError):
        office.sign_in(code=code)
    # Nor one of an earlier step.
    with pytest.raises(SignInError):
        office.sign_in(code=app.at(office.time - timedelta(seconds=30)))
    office.later(seconds=30)
    office.sign_in(code=app.at(office.time))


def test_the_code_that_confirmed_does_not_sign_in(office, owner):
    app = enrol(office, owner)
    confirm(office, owner, app.at(office.time))
    with pytest.raises(SignInError):
        office.sign_in(code=app.at(office.time))


@pytest.mark.parametrize(
    ("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clocks_may_differ_by_one_step(office, app, steps, taken):
    office.later(minutes=5)
    code = app.at(office.time + timedelta(seconds=30 * steps))
    if taken:
        office.sign_in(code=code)
    else:
        with pytest.raises(SignInError):
            office.sign_in(code=code)


def test_codes_cannot_be_tried_out(office, app):
    """Who knows the password gets no more attempts at the code than at a password."""
    code = app.at(office.time)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    office.hasher.calls.clear()
    for number in range(1000):
        with pytest.raises((SignInError, TotpNeededError)):
            office.sign_in(code=wrong if number % 2 else None, address=f"198.51.100.{number}")
    assert office.verified() == 5
    with pytest.raises(SignInPausedError):
        office.sign_in(code=code)


def test_being_asked_for_the_code_is_no_failure_of_the_address(office, app):
    for _ in range(20):
        with pytest.raises(TotpNeededError):
            office.sign_in()
        office.sign_in(code=app.at(office.time))
        office.later(seconds=30)


def test_a_new_secret_replaces_the_old_only_when_confirmed(office, owner, app):
    new = enrol(office, owner)
    with pytest.raises(TotpNeededError):
        office.sign_in()
    office.sign_in(code=app.at(office.time))
    office.later(seconds=30)
    confirm(office, owner, new.at(office.time))
    office.later(seconds=30)
    with pytest.raises(SignInError):
        office.sign_in(code=app.at(office.time))
    office.sign_in(code=new.at(office.time))


def test_a_lost_phone(office, owner, app):
    assert totp.is_on(office.key, office.user(owner))
    totp.remove(office.database, office.key, owner, actor=None, audit=office.audit)
    assert not totp.is_on(office.key, office.user(owner))
    office.sign_in()
    totp.remove(office.database, office.key, owner, actor=None, audit=office.audit)
    assert office.actions().count("totp_off") == 1
    assert app.secret not in str(office.trail)


def test_a_reset_of_the_password_leaves_them_on(office, owner, app):
    secret = invitations.issue_reset(office.database, owner, made_by=None, **office.told)
    invitations.reset_password(
        office.database, office.key, secret=secret, password=OTHER_PASSWORD, **office.all
    )
    with pytest.raises(TotpNeededError):
        office.sign_in(password=OTHER_PASSWORD)
    office.sign_in(password=OTHER_PASSWORD, code=app.at(office.time))


def test_the_secret_is_sealed_for_its_user(office, owner, app):
    sealed = office.user(owner).totp_sealed
    opened = unseal_json(office.key, sealed, place=f"users.totp/{owner}")
    assert opened == {"active": app.secret, "pending": None}
    assert app.secret.encode() not in sealed
    paul = office.staff(owner)
    with office.database.write() as session:
        session.get(User, paul).totp_sealed = sealed
    with pytest.raises(SealError):
        totp.is_on(office.key, office.user(paul))
    with pytest.raises(SealError):
        totp.is_on(new_key(), office.user(owner))


def test_nobody_enrols_nobody(office):
    with pytest.raises(AccountMissingError):
        enrol(office, new_id())
    with pytest.raises(AccountMissingError):
        confirm(office, new_id(), "123456")


@pytest.fixture(scope="module")
def enrolling(tmp_path_factory):
    office = an_office(f"sqlite:///{tmp_path_factory.mktemp('totp') / 'd' / 'records.db'}")
    owner = office.an_owner()
    app = enrol(office, owner)
    yield office, owner, app
    office.database.close()


@given(code=st.text(st.characters()) | st.from_regex(r"\A\d{6}\Z"))
def test_whatever_is_typed_as_a_code_is_refused(code, enrolling):
    office, owner, app = enrolling
    near = {app.at(office.time + timedelta(seconds=30 * step)) for step in (-1, 0, 1)}
    if "".join(code.split()) in near:
        return
    with pytest.raises(TotpError):
        confirm(office, owner, code)
