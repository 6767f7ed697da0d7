"""Sealed content opens with its key, in its place, unchanged, and in no other case."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skinscan.errors import SealError
from skinscan.store.sealing import (
    Key,
    keyed_digest,
    new_key,
    seal,
    seal_json,
    unseal,
    unseal_json,
)

KEY = new_key()


@given(content=st.binary(max_size=2000), place=st.text(max_size=40))
def test_what_was_sealed_comes_back(content, place):
    sealed = seal(KEY, content, place=place)
    assert unseal(KEY, sealed, place=place) == content
    assert len(sealed) == len(content) + 29


@given(content=st.binary(max_size=50), where=st.integers(0), bit=st.integers(0, 7))
def test_any_changed_bit_is_noticed(content, where, bit):
    sealed = bytearray(seal(KEY, content, place="a/1"))
    sealed[where % len(sealed)] ^= 1 << bit
    with pytest.raises(SealError):
        unseal(KEY, bytes(sealed), place="a/1")


@given(garbage=st.binary(max_size=60))
def test_garbage_is_a_typed_error(garbage):
    with pytest.raises(SealError):
        unseal(KEY, garbage, place="a/1")


def test_another_place_and_another_key_do_not_open_it():
    sealed = seal(KEY, b"note", place="clients.profile/1")
    for key, place in ((KEY, "clients.profile/2"), (new_key(), "clients.profile/1")):
        with pytest.raises(SealError):
            unseal(key, sealed, place=place)


def test_equal_content_sealed_twice_is_not_equal():
    assert seal(KEY, b"x", place="") != seal(KEY, b"x", place="")


def test_json_comes_back_and_refuses_what_is_not_json():
    told = {"name": "Zoë", "years": [1, 2.5, None]}
    assert unseal_json(KEY, seal_json(KEY, told, place="p"), place="p") == told
    with pytest.raises(ValueError, match="JSON"):
        seal_json(KEY, float("nan"), place="p")


def test_digests_depend_on_key_content_and_use():
    digest = keyed_digest(KEY, b"a", use="login")
    assert digest == keyed_digest(Key(KEY.secret), b"a", use="login")
    others = {
        keyed_digest(KEY, b"b", use="login"),
        keyed_digest(KEY, b"a", use="pixels"),
        keyed_digest(new_key(), b"a", use="login"),
    }
    assert len(others | {digest}) == 4


def test_a_key_shows_nothing_and_is_not_pickled():
    assert KEY.secret.hex() not in repr(KEY)
    assert repr(KEY.secret) not in repr(KEY)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(KEY)
    with pytest.raises(ValueError, match="32"):
        Key(b"short")
