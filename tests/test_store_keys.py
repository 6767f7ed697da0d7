"""Keys: wrapped, kept in a private file, recovered from paper, rotated without losing anything."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import office, places, prepared

from skinscan.errors import KeyFileError, RecoveryCodeError, SealError
from skinscan.practice import clients, photos
from skinscan.store import rotation
from skinscan.store.keys import (
    load_keyring,
    new_keyring,
    new_recovery_code,
    recover,
    recovery_key,
    save_keyring,
    wrap_for_recovery,
)
from skinscan.store.records import RECOVERY_NOTE, open_records
from skinscan.store.schema import Note
from skinscan.store.sealing import new_key


def test_a_wrapped_key_opens_in_its_place_with_its_keyring():
    ring, key = new_keyring(), new_key()
    wrapped = ring.wrap(key, place="clients.key/1")
    assert ring.unwrap(wrapped, place="clients.key/1").secret == key.secret
    for other, place in ((ring, "clients.key/2"), (new_keyring(), "clients.key/1")):
        with pytest.raises(SealError):
            other.unwrap(wrapped, place=place)
    assert key.secret not in wrapped


def test_an_old_master_opens_until_it_is_dropped():
    ring, key = new_keyring(), new_key()
    wrapped = ring.wrap(key, place="p")
    both = ring.with_new_master()
    assert both.unwrap(wrapped, place="p").secret == key.secret
    assert not both.is_current(wrapped)
    with pytest.raises(SealError):
        both.without_old().unwrap(wrapped, place="p")


def test_a_key_file_is_private_and_never_overwritten(tmp_path):
    ring, path = new_keyring(), tmp_path / "keys" / "master.key"
    save_keyring(ring, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_keyring(path).masters[ring.current].secret == ring.masters[ring.current].secret
    with pytest.raises(KeyFileError):
        save_keyring(new_keyring(), path)
    assert load_keyring(path).current == ring.current
    assert [p.name for p in path.parent.iterdir()] == ["master.key"]


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=50).map(str.encode)))
def test_what_is_no_key_file_is_said_so(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("k") / "master.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError):
        load_keyring(path)


def test_keys_do_not_show_in_texts():
    ring = new_keyring()
    assert ring.masters[ring.current].secret.hex() not in repr(ring)
    assert ring.masters[ring.current].secret.hex() not in str(vars(ring))


def test_a_recovery_code_opens_the_master_however_it_is_typed():
    ring, code = new_keyring(), new_recovery_code()
    wrapped = wrap_for_recovery(ring, code)
    for typed in (code, code.lower(), code.replace("-", " "), f"  {code.replace('-', '')} "):
        again = recover(wrapped, typed)
        assert again.masters[again.current].secret == ring.masters[ring.current].secret
    assert (
        recovery_key(code.replace("0", "O").replace("1", "l")).secret == recovery_key(code).secret
    )
    with pytest.raises(RecoveryCodeError):
        recover(wrapped, new_recovery_code())


@given(where=st.integers(0, 35), other=st.sampled_from("23456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_mistyped_character_is_noticed(where, other):
    code = "7ZQ3-9MKD-0VX2-PPRT-4C6H-8WNE-JS5B-AG1F"
    characters = code.replace("-", "")
    code = new_recovery_code().replace("-", "")
    if code[where] == other:
        return
    with pytest.raises(RecoveryCodeError):
        recovery_key(code[:where] + other + code[where + 1 :])
    assert characters


def test_rotation_wraps_everything_anew_and_the_old_key_opens_nothing(tmp_path):
    made = office(places(tmp_path))
    photo_id = photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    old = made.records.keyring
    made.records.close()
    count, code = rotation.rotate(made.records.places, actor=None)
    assert count == 3  # practice and two clients
    assert code != made.code
    with open_records(made.records.places) as records:
        assert len(records.keyring.masters) == 1
        assert photos.view_photo(records, made.carer, photo_id)
        with records.database.read() as session:
            from skinscan.store.schema import Client

            for row in session.query(Client):
                with pytest.raises(SealError):
                    old.unwrap(row.key_wrapped, place=f"clients.key/{row.id}")
            wrapped = session.get(Note, RECOVERY_NOTE).value["wrapped"]
        assert recover(wrapped, code).current == records.keyring.current
        with pytest.raises(RecoveryCodeError):
            recover(wrapped, made.code)


@pytest.mark.parametrize("point", ["before the rows", "before the old one goes"])
def test_a_rotation_cut_off_leaves_records_that_open(tmp_path, monkeypatch, point):
    made = office(places(tmp_path))
    made.records.close()
    calls = []

    def save(ring, path, *, replace=False):
        calls.append(1)
        save_keyring(ring, path, replace=replace)
        if point == "before the rows" and len(calls) == 1:
            raise KeyboardInterrupt

    def stop(_ring):
        raise KeyboardInterrupt

    monkeypatch.setattr(rotation, "save_keyring", save)
    if point != "before the rows":
        monkeypatch.setattr("skinscan.store.keys.Keyring.without_old", stop)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(made.records.places, actor=None)
    monkeypatch.undo()
    with open_records(made.records.places) as records:
        assert len(clients.clients(records, made.owner)) == 2
    rotation.rotate(made.records.places, actor=None)
    with open_records(made.records.places) as records:
        assert len(records.keyring.masters) == 1
        assert len(clients.clients(records, made.owner)) == 2
