"""Guessing: counted before anything is checked, alike for names that do not exist."""

from __future__ import annotations

import threading

import pytest
from made_accounts import OTHER_PASSWORD, PASSWORD, an_office
from made_store import new_postgresql

from skinscan.errors import SignInError, SignInPausedError
from skinscan.store.accounts import throttle
from skinscan.store.schema import Attempts

GUESSES = 1000


def guess(office, numbers, **how):
    """Make wrong guesses; how many were refused unseen."""
    paused = 0
    for number in numbers:
        told = {key: value(number) for key, value in how.items()}
        try:
            office.sign_in(password=f"guess {number} of them", **told)
        except SignInPausedError:
            paused += 1
        except SignInError:
            pass
    return paused


def addresses(number):
    return f"198.51.{number // 250}.{number % 250}"


def names(number):
    return f"user{number}@example.org"


HOW = {
    "one name, one address": {},
    "one name, many addresses": {"address": addresses},
    "many names, one address": {"name": names},
    "a name that does not exist": {"name": lambda _: "nobody", "address": addresses},
}


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_of_1000_guesses_at_most_10_are_checked(office, how):
    office.an_owner()
    office.hasher.calls.clear()
    paused = guess(office, range(GUESSES), **how)
    assert 1 <= office.verified() <= 10
    assert paused + office.verified() == GUESSES


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_of_1000_guesses_one_a_second_at_most_10_are_checked(office, how):
    office.an_owner()
    office.hasher.calls.clear()
    for number in range(GUESSES):
        guess(office, [number], **how)
        office.later(seconds=1)
    assert 1 <= office.verified() <= 10


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_of_1000_guesses_by_8_threads_at_most_10_are_checked(kind, how, sqlite_url, request):
    url = sqlite_url
    if kind == "postgresql":
        url = new_postgresql(request.getfixturevalue("postgresql_server"))
    office = an_office(url)
    office.an_owner()
    office.hasher.calls.clear()
    paused = []

    def work(first):
        paused.append(guess(office, range(first, GUESSES, 8), **how))

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paused) == 8  # none ended by another error
    assert 1 <= office.verified() <= 10
    assert sum(paused) + office.verified() == GUESSES
    office.database.close()


def test_a_patient_guesser_gets_less_than_40_a_day(office):
    office.an_owner()
    office.hasher.calls.clear()
    for number in range(24 * 60):
        guess(office, [number], address=addresses)
        office.later(minutes=1)
    assert office.verified() < 40


def test_the_right_password_waits_too_and_is_not_even_checked(office):
    office.an_owner()
    guess(office, range(5))
    office.hasher.calls.clear()
    with pytest.raises(SignInPausedError, match="Wait 1 min"):
        office.sign_in()
    assert office.verified() == 0
    office.later(seconds=59)
    with pytest.raises(SignInPausedError):
        office.sign_in()
    office.later(seconds=1)
    office.sign_in()


def test_waits_double_up_to_an_hour_and_trying_makes_them_no_longer(office):
    office.an_owner()
    guess(office, range(4))
    waits = []
    for number in range(9):
        guess(office, [number], address=addresses)
        before, minutes = office.verified(), 0
        while office.verified() == before:  # who tries every minute gets in as soon as anybody
            office.later(minutes=1)
            minutes += 1
            guess(office, [minutes], address=lambda m: f"203.0.{number}.{m}")  # noqa: B023
        waits.append(minutes)
        office.later(hours=2)
    assert waits == [1, 4, 16, 60, 60, 60, 60, 60, 60]  # every other one: each look was a guess


@pytest.mark.parametrize(
    ("count", "minutes"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (10, 32), (11, 60), (12, 60), (10**6, 60)],
)
def test_wait_by_attempts(count, minutes):
    assert throttle.wait_after(count).total_seconds() == 60 * minutes


def test_a_success_resets_the_name_and_not_the_address(office):
    office.an_owner()
    guess(office, range(4))
    office.sign_in()
    office.hasher.calls.clear()
    guess(office, range(4))  # the name has all its attempts again
    assert office.verified() == 4
    office.sign_in()
    # 8 failed from this address; two are left for anybody.
    office.hasher.calls.clear()
    guess(office, range(100), name=names)
    assert office.verified() == 2


def test_own_successes_buy_no_guesses_at_others(office):
    """Somebody with an account of their own signs in between guesses."""
    owner = office.an_owner()
    office.client(owner, name="mallory", password=OTHER_PASSWORD)
    office.hasher.calls.clear()
    checked = 0
    for number in range(100):
        before = office.verified()
        guess(office, [number], name=names)
        checked += office.verified() - before
        try:
            office.sign_in("mallory", OTHER_PASSWORD)
        except SignInPausedError:
            continue
    assert checked <= 10


def test_many_people_behind_one_address_sign_in(office):
    office.an_owner()
    for _ in range(50):
        office.sign_in()


def test_after_a_day_of_quiet_a_name_starts_anew(office):
    office.an_owner()
    guess(office, range(5))
    office.later(hours=24, minutes=1)
    office.hasher.calls.clear()
    guess(office, range(1000))
    assert office.verified() == 5


def test_an_address_is_free_again_after_its_window(office):
    guess(office, range(20), name=names)
    with pytest.raises(SignInPausedError, match="Wait 30 min"):
        office.sign_in("new")
    office.later(minutes=30)
    office.hasher.calls.clear()
    guess(office, range(100, 200), name=names)
    assert office.verified() == 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
        ("", "testclient", False),
    ],
)
def test_what_counts_as_one_address(office, one, other, same):
    one, other = (throttle.tries_of(office.key, b"", text).address for text in (one, other))
    assert (one == other) is same


def test_counters_tell_no_name_and_no_address(office):
    office.an_owner()
    guess(office, range(3), name=lambda _: "carla", address=lambda _: "203.0.113.77")
    office.database.close()
    files = list(office.database.path.parent.iterdir())
    content = b"".join(file.read_bytes() for file in files)
    assert [row.count for row in office.rows(Attempts)] == [3, 3]
    for told in (b"carla", b"203.0.113", b"olga"):
        assert told not in content


def test_counters_do_not_pile_up(office):
    for number in range(30):
        guess(office, [number], name=names, address=addresses)
    assert len(office.rows(Attempts)) == 60
    office.later(days=2)
    guess(office, [0])
    assert len(office.rows(Attempts)) == 2


def test_a_pause_is_in_the_trail_with_the_user_and_a_flood_is_not(office):
    owner = office.an_owner()
    office.trail.clear()
    guess(office, range(500), address=addresses)
    assert office.actions() == ["sign_in_refused"] * 4 + ["sign_in_paused", "sign_in_refused"]
    assert {subject for _, _, subject, _ in office.trail} == {owner}
    assert PASSWORD not in str(office.trail)
