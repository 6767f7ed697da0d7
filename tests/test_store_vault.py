"""The vault: sealed, bound, whole or absent; the same on a folder and on an object store."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from made_records import office, places, prepared
from made_store_s3 import CREDENTIALS, running_store

from skinscan import durable
from skinscan.errors import (
    ObjectDamagedError,
    ObjectMissingError,
    ObjectStoreUnavailableError,
    SealError,
    StorageFullError,
    StoreError,
)
from skinscan.practice import photos
from skinscan.store.inventory import sweep
from skinscan.store.objects import FolderObjects, FsspecObjects, object_name, open_objects
from skinscan.store.schema import new_id
from skinscan.store.sealing import new_key
from skinscan.store.vault import Kind, Vault

CLIENT, OBJECT = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def store():
    pytest.importorskip("moto", reason="moto is not installed")
    with running_store() as new:
        yield new


@pytest.fixture(params=["folder", "memory", "s3"])
def objects(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return FolderObjects(tmp_path / "objects")
    if request.param == "memory":
        return FsspecObjects(f"memory://{new_id()}/objects")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = request.getfixturevalue("store")()
    return FsspecObjects(bucket.url("objects"), {"endpoint_url": bucket.endpoint})


def test_what_was_put_comes_back_and_is_sealed(objects):
    vault, key = Vault(objects), new_key()
    receipt = vault.put(key, b"face" * 100, client_id=CLIENT, kind=Kind.PHOTO, object_id=OBJECT)
    (entry,) = objects.list()
    assert (entry.size, entry.whole) == (receipt.size, True)
    assert b"face" not in objects.get(entry.name)
    asked = {"client_id": CLIENT, "kind": Kind.PHOTO, "object_id": OBJECT}
    assert vault.get(key, **asked, sha256=receipt.sha256) == b"face" * 100
    with pytest.raises(SealError):
        vault.get(new_key(), **asked, sha256=receipt.sha256)


def test_a_changed_missing_or_exchanged_object_is_noticed(objects):
    vault, key = Vault(objects), new_key()
    receipt = vault.put(key, b"a", client_id=CLIENT, kind=Kind.PHOTO, object_id=OBJECT)
    other = vault.put(key, b"b", client_id="c" * 32, kind=Kind.PHOTO, object_id=OBJECT)
    name = object_name(CLIENT, Kind.PHOTO, OBJECT)
    asked = {"client_id": CLIENT, "kind": Kind.PHOTO, "object_id": OBJECT}
    # Another client's object in this one's place, with a receipt that fits it.
    objects.put(name, objects.get(object_name("c" * 32, Kind.PHOTO, OBJECT)))
    with pytest.raises(ObjectDamagedError):
        vault.get(key, **asked, sha256=receipt.sha256)
    with pytest.raises(SealError):
        vault.get(key, **asked, sha256=other.sha256)
    objects.delete(name)
    objects.delete(name)
    with pytest.raises(ObjectMissingError):
        vault.get(key, **asked, sha256=receipt.sha256)
    assert [e.name for e in objects.list(CLIENT)] == []
    assert len(list(objects.list())) == 1


@pytest.mark.parametrize("name", ["", "../x", "a/b", f"{CLIENT}/photo-{OBJECT}/..", "/etc/passwd"])
def test_only_names_of_objects_are_written_or_read(objects, name):
    for act in (lambda: objects.put(name, b""), lambda: objects.get(name)):
        with pytest.raises(ValueError, match="no name"):
            act()


def test_nothing_outside_of_the_folder_is_deleted(tmp_path):
    outside = tmp_path / "precious"
    outside.write_text("x")
    with pytest.raises(ValueError, match="outside"):
        FolderObjects(tmp_path / "objects").delete("../precious")
    assert outside.exists()


def test_files_and_folders_are_for_their_owner_only(tmp_path):
    FolderObjects(tmp_path / "objects").put(object_name(CLIENT, Kind.PHOTO, OBJECT), b"x")
    for path in (tmp_path / "objects").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_an_unknown_store_is_said_so():
    with pytest.raises(ObjectStoreUnavailableError):
        open_objects("nosuch://bucket")


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, StorageFullError), (errno.EACCES, ObjectStoreUnavailableError)],
)
def test_errors_of_the_disk_are_typed_and_leave_nothing(tmp_path, monkeypatch, number, kind):
    store = FolderObjects(tmp_path / "objects")

    def fails(_handle):
        raise OSError(number, "no")

    monkeypatch.setattr(durable.os, "fsync", fails)
    with pytest.raises(kind):
        store.put(object_name(CLIENT, Kind.PHOTO, OBJECT), b"x" * 1000)
    monkeypatch.undo()
    assert [p for p in (tmp_path / "objects").rglob("*") if p.is_file()] == []


def test_nothing_is_named_before_it_is_on_the_disk(tmp_path, monkeypatch):
    """Write, sync, rename, sync the folder: kill -9 could never show a missing one."""
    done = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(handle):
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        done.append("sync folder" if is_folder else "sync file")
        real_sync(handle)

    def replace(source, target):
        done.append("rename")
        real_replace(source, target)

    monkeypatch.setattr(durable.os, "fsync", sync)
    monkeypatch.setattr(durable.os, "replace", replace)
    folder = tmp_path / "objects" / CLIENT
    durable.make_private_folder(folder)
    assert done == ["sync folder"] * 2
    done.clear()
    durable.write_private(folder / "x", b"x")
    assert done == ["sync file", "rename", "sync folder"]


@pytest.mark.slow
def test_a_crash_at_any_step_loses_nothing_acknowledged_and_its_litter_is_swept():
    script = Path(__file__).resolve().parent.parent / "benchmarks" / "records.py"
    done = subprocess.run(
        [sys.executable, str(script), "crash-points", "--json"],
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found["points"] >= 30
    assert found["crashed"] == found["points"]
    assert (found["lost"], found["corrupt"], found["litter_left"]) == (0, 0, 0)
    assert found["litter_swept"] > 0
    assert found["acknowledged"] == 1  # without a crash the photo is there


def test_young_litter_may_be_in_use_and_stays(tmp_path):
    made = office(places(tmp_path))
    made.records.vault.objects.put(object_name(CLIENT, Kind.PHOTO, OBJECT), b"x")
    assert sweep(made.records) == 0
    assert sweep(made.records, min_age_s=0) == 1
    made.records.close()


def test_a_commit_whose_answer_was_lost_keeps_its_objects(tmp_path, monkeypatch):
    made = office(places(tmp_path))
    real = photos.save_photo

    def lost(*arguments, **named):
        real(*arguments, **named)
        raise StoreError(expected="an answer", found="none", remedy="Try again")

    monkeypatch.setattr(photos, "save_photo", lost)
    with pytest.raises(StoreError):
        photos.add_photo(made.records, made.carer, made.session_id, prepared(1))
    monkeypatch.undo()
    (card,) = photos.photos(made.records, made.carer, made.session_id)
    assert photos.view_photo(made.records, made.carer, card.id)
    made.records.close()
