"""Every kind of store: what an archive needs of it, against an emulator on loopback."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil

import fake_jobs
import pandas as pd
import pytest
from fake_jobs import FakeJob, calls
from made_store_others import running_azure, running_google
from made_store_s3 import CREDENTIALS, running_store

import skinscan
from skinscan.batch import score as score_module
from skinscan.batch import storage
from skinscan.batch.lock import LOCK, only_run
from skinscan.batch.score import score_to_file
from skinscan.batch.sources import find_photos
from skinscan.batch.storage import OutputFolder, Patience, fetch
from skinscan.errors import OutputInUseError, SourceFolderError, UnreadableFileError

TEN = {f"{k}.jpg": "no_face" if k == 4 else "ok" for k in range(10)}


@contextlib.contextmanager
def running_amazon():
    with running_store() as new_bucket:
        yield {**CREDENTIALS, "AWS_ENDPOINT_URL": new_bucket().endpoint}


STORES = {
    "s3": (running_amazon, "s3fs", None),
    "gs": (running_google, "gcp_storage_emulator", None),
    "az": (running_azure, "adlfs", "azurite-blob"),
}


@pytest.fixture(scope="module", params=STORES)
def store(request):
    """Beginning of an address in a running, empty store."""
    running, module, program = STORES[request.param]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    if program and shutil.which(program) is None:
        pytest.skip(f"{program} is not on the PATH: npm install azurite")
    with running() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(storage, "PATIENCE", Patience(attempts=3, first_pause_s=0.01))
        import fsspec

        system = fsspec.filesystem(request.param, skip_instance_cache=True)
        system.mkdir("tests")
        yield f"{request.param}://tests/{{}}"


@pytest.fixture
def address(store, request):
    """A prefix of its own."""
    return store.format(request.node.originalname)


def put(url, contents):
    folder = OutputFolder(url)
    for name, content in contents.items():
        with folder.written(name) as file:
            file.write(content.encode())


def test_what_is_written_can_be_listed_read_and_deleted(address):
    folder = OutputFolder(f"{address}/out")
    assert (folder.names(), folder.content("a")) == ([], None)
    assert folder.create("a", b"1")
    put(f"{address}/out", {"b": "2", "c": ""})
    assert folder.content("a") == b"1"
    assert folder.read("b", lambda file: file.read()) == b"2"
    assert folder.names() == ["a", "b", "c"]
    put(f"{address}/out", {"b": "longer"})
    assert folder.read("b", lambda file: file.read()) == b"longer"
    folder.remove("a")
    folder.remove("a")
    assert (folder.names(), folder.content("a")) == (["b", "c"], None)


def test_what_is_there_is_not_created_again(address):
    if address.startswith("gs:"):
        pytest.skip("this emulator knows no conditions; Google's store does (ifGenerationMatch)")
    folder = OutputFolder(f"{address}/out")
    assert folder.create("a", b"1")
    assert not folder.create("a", b"2")
    assert folder.content("a") == b"1"


def test_photos_are_listed_and_fetched_up_to_a_limit(address):
    put(f"{address}/p", {"ten.jpg": "0123456789", "sub/=b.jpg": "x", "empty.jpg": "", "n.txt": ""})
    photos = find_photos([f"{address}/p"])
    assert [photo.name for photo in photos] == ["empty.jpg", "sub/=b.jpg", "ten.jpg"]
    assert [photo.size_bytes for photo in photos] == [0, 1, 10]
    assert all(photo.modified_ns > 0 for photo in photos)
    whole = {photo.name: fetch(photo.path, limit_bytes=50) for photo in photos}
    assert whole == {"empty.jpg": b"", "sub/=b.jpg": b"x", "ten.jpg": b"0123456789"}
    assert fetch(photos[2].path, limit_bytes=5) == b"012345"
    with pytest.raises(UnreadableFileError, match="no such object"):
        fetch(f"{address}/p/none.jpg", limit_bytes=5)
    with pytest.raises(SourceFolderError):
        find_photos([f"{address}/nowhere"])


def test_an_archive_is_scored_resumed_and_kept_to_one_run(address, tmp_path, monkeypatch):
    log = tmp_path / "calls.log"
    monkeypatch.setenv(fake_jobs.LOG, str(log))
    monkeypatch.setattr(score_module, "MeasurePhoto", FakeJob)
    put(f"{address}/p", TEN)
    options = {"workers": 1, "shard_size": 4, "progress": False}
    summary = score_to_file(f"{address}/p", f"{address}/out", **options)
    assert (summary.photos, summary.failures) == (10, {"no_face": 1})
    folder = OutputFolder(f"{address}/out")
    parts = [name for name in folder.names() if name.startswith("part-")]
    assert len(parts) == 3
    assert {"_run.json", "_manifest.parquet", "_counts.json"} == set(folder.names()) - set(parts)
    table = pd.concat([folder.read(name, pd.read_parquet) for name in parts])
    here = skinscan.score_folder(f"{address}/p", workers=1, progress=False)
    pd.testing.assert_frame_equal(
        table.sort_values("photo", kind="stable").reset_index(drop=True), here, check_dtype=False
    )
    folder.remove(parts[1])
    log.unlink()
    with only_run(folder, resume=True), pytest.raises(OutputInUseError):
        score_to_file(f"{address}/p", f"{address}/out", **options)
    assert score_to_file(f"{address}/p", f"{address}/out", resume=True, **options).photos == 10
    assert len(calls(log)) in {2, 4}
    assert LOCK not in folder.names()
