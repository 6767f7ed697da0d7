"""Passwords and names: what is refused, what is the same, what it costs."""

from __future__ import annotations

import unicodedata

import pytest
import zxcvbn
from hypothesis import example, given
from hypothesis import strategies as st
from made_accounts import OTHER_PASSWORD, PASSWORD, CountingHasher
from pwdlib import PasswordHash

from skinscan.errors import NameFormError, WeakPasswordError
from skinscan.store.accounts.names import display_name, fold, login_index, sign_in_name
from skinscan.store.accounts.passwords import (
    JUDGED_LENGTH,
    MAX_LENGTH,
    Passwords,
    recommended,
    require_strong,
)
from skinscan.store.sealing import new_key

KEY = new_key()
ANY_TEXT = st.text(st.characters())  # with halves of characters
QUICK = Passwords(PasswordHash([CountingHasher()]))


# Passwords


@pytest.mark.parametrize(
    "password", [PASSWORD, OTHER_PASSWORD, "Zwölf Boxkämpfer jagen Viktor", "🐙🦔 Tasse über Wolke"]
)
def test_strong_passwords_pass(password):
    require_strong(password, about=["olga@example.org", "Olga Ö."])


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "shorter"),
        ("k3%vQ9!zL", "shorter"),
        ("x" * (MAX_LENGTH + 1), "longer"),
        ("passwordpassword", "abcabcabc"),
        ("qwertyuiop", "common password"),
        ("P@ssw0rd1234", "Add another word"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Repeats"),
        ("skinscan2026", "Add another word"),
        ("\ud800 lantern-otter-quarry", "halves"),
    ],
)
def test_weak_passwords_are_refused_with_advice(password, words):
    with pytest.raises(WeakPasswordError, match=words) as caught:
        require_strong(password)
    assert not password or password not in str(caught.value)


def test_what_is_known_of_the_person_is_weak():
    require_strong("hildegard.bingen@eibingen-abtei")
    with pytest.raises(WeakPasswordError):
        require_strong("eibingen-abtei", about=["hildegard.bingen@eibingen-abtei.example"])


def test_nothing_of_a_person_stays_behind():
    require_strong(PASSWORD, about=["hildegard"])
    assert "hildegard" not in str(zxcvbn.matching.RANKED_DICTIONARIES.get("user_inputs"))


def test_no_password_takes_long_to_judge(monkeypatch):
    seen = []
    judge = zxcvbn.zxcvbn
    monkeypatch.setattr(
        zxcvbn, "zxcvbn", lambda text, **other: seen.append(text) or judge(text[:20], **other)
    )
    require_strong("4@8({[<369!1|0$57%2" * 13)
    assert [len(text) for text in seen] == [JUDGED_LENGTH]


@given(ANY_TEXT)
def test_whatever_is_typed_is_strong_or_refused(password):
    try:
        require_strong(password)
    except WeakPasswordError:
        return
    assert QUICK.check(password, QUICK.hash(password)).right


@given(ANY_TEXT)
def test_whatever_is_typed_can_be_checked(password):
    known = QUICK.hash(PASSWORD)
    assert QUICK.check(password, known).right is (
        unicodedata.normalize("NFKC", password) == PASSWORD
    )
    assert not QUICK.check(password, None).right


def test_composed_and_decomposed_are_the_same_password():
    known = QUICK.hash(unicodedata.normalize("NFC", "Zwölf Boxkämpfer"))
    assert QUICK.check(unicodedata.normalize("NFD", "Zwölf Boxkämpfer"), known).right
    assert not QUICK.check("zwölf boxkämpfer", known).right


def test_a_check_costs_one_hash_with_or_without_one_on_file():
    hasher = CountingHasher()
    passwords = Passwords(PasswordHash([hasher]))
    known = passwords.hash(PASSWORD)
    for hash_ in (known, None):
        hasher.calls.clear()
        assert not passwords.check("something else", hash_).right
        assert dict(hasher.calls) == {"verify": 1}
    # Nobody's password is as costly as anybody's.
    assert passwords._nobodys.split("$")[1:4] == known.split("$")[1:4]


def test_nobodys_password_opens_nothing():
    assert not QUICK.check("the password of nobody", None).right


def test_a_hash_made_with_other_parameters_is_renewed():
    old = Passwords(PasswordHash([CountingHasher()])).hash(PASSWORD)
    new = Passwords(PasswordHash([CountingHasher(time_cost=2)]))
    checked = new.check(PASSWORD, old)
    assert checked.right
    assert ",t=2," in checked.renewed
    assert new.check(PASSWORD, checked.renewed).renewed is None
    assert new.check("another one", old).renewed is None


def test_the_recommended_way_is_argon2id_with_64_mib():
    assert recommended() is recommended()
    assert recommended().hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


# Names


@given(ANY_TEXT)
@example("ͅ")
@example("ẛ̣ ﷺ ß ǅ")
@example("¨")
def test_folding_twice_is_folding_once(name):
    assert fold(fold(name)) == fold(name)


@given(ANY_TEXT)
def test_case_form_and_spaces_around_do_not_count(name):
    for other in (f"  {name}\t", unicodedata.normalize("NFD", name)):
        assert login_index(KEY, other) == login_index(KEY, name)


@given(st.text(st.characters(codec="latin-1")))
def test_upper_case_does_not_count(name):
    assert login_index(KEY, name.upper()) == login_index(KEY, name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Olga@Example.org", "olga@example.ORG"),
        ("STRASSE", "straße"),
        ("ｏｌｇａ", "olga"),
        ("olga  ö", " OLGA Ö "),
    ],
)
def test_the_same_name(one, other):
    assert sign_in_name(one) == sign_in_name(other)
    assert login_index(KEY, one) == login_index(KEY, other)


@given(ANY_TEXT)
def test_a_name_is_accepted_in_its_one_form_or_refused(name):
    try:
        accepted = sign_in_name(name)
    except NameFormError:
        return
    assert 1 <= len(accepted) <= 254
    assert sign_in_name(accepted) == accepted
    assert accepted.isprintable()


@pytest.mark.parametrize(
    "name",
    ["", "   ", "a\x00b", "ol\u200bga", "a\u202eb", "\ud800", "x" * 255, "ﷺ" * 200, "\ue000"],
)
def test_names_that_are_refused(name):
    with pytest.raises(NameFormError):
        sign_in_name(name)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 121, "ol\u200bga"])
def test_names_that_are_not_shown(name):
    with pytest.raises(NameFormError):
        display_name(name)


def test_a_shown_name_keeps_its_case():
    assert display_name("  Olga  McO\u0308 ") == "Olga  McÖ"


def test_another_practice_finds_nothing():
    assert login_index(KEY, "olga") != login_index(new_key(), "olga")
