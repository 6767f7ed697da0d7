"""Archives: parts in a folder or in a store, what survives, and that the count is right."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import fake_jobs
import numpy as np
import pandas as pd
import pytest
from fake_jobs import FakeJob, calls
from hypothesis import given
from hypothesis import strategies as st
from made_store_s3 import CREDENTIALS, running_store

import skinscan
from skinscan.batch import files as files_module
from skinscan.batch import lock as lock_module
from skinscan.batch import score as score_module
from skinscan.batch import storage
from skinscan.batch.lock import LOCK, only_run
from skinscan.batch.manifest import given_photos, read_manifest, write_manifest
from skinscan.batch.parts import part_name
from skinscan.batch.score import score_to_file
from skinscan.batch.sources import SourcePhoto, find_photos
from skinscan.batch.storage import OutputFolder, Patience, fetch, patiently
from skinscan.errors import (
    BadOptionError,
    CountError,
    ManifestError,
    MissingExtraError,
    ModelError,
    OutputError,
    OutputInUseError,
    SourceFolderError,
    StorageError,
    UnreadableFileError,
)

SOON = Patience(attempts=3, first_pause_s=0.01)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Score with the fake job; returns the log of its calls."""
    path = tmp_path / "calls.log"
    monkeypatch.setenv(fake_jobs.LOG, str(path))
    monkeypatch.setattr(score_module, "MeasurePhoto", FakeJob)
    return path


@pytest.fixture(scope="module")
def store():
    with running_store() as new_bucket:
        yield new_bucket


@pytest.fixture
def bucket(store, monkeypatch):
    """A new bucket, and an environment from which it is found."""
    made = store()
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.endpoint)
    monkeypatch.setattr(storage, "PATIENCE", SOON)
    return made


def make_photos(folder, contents):
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def score(paths, output, **options):
    return score_to_file(paths, output, **{"workers": 1, "progress": False, **options})


def table_of(folder):
    """All rows of an archive's parts, sorted by photo."""
    table = pd.read_parquet(folder)
    return table.sort_values("photo", kind="stable").reset_index(drop=True)


def parts_of(folder):
    return sorted(path.name for path in Path(folder).glob("part-*.parquet"))


def counts_of(folder):
    return json.loads((Path(folder) / "_counts.json").read_text(encoding="utf-8"))


TEN = {f"{k}.jpg": "no_face" if k == 4 else "ok" for k in range(10)}


# The same call for a folder of parts


def test_parts_hold_what_the_frame_holds(log, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    out = tmp_path / "out"
    summary = score(folder, f"{out}/", shard_size=4, workers=2)
    assert (summary.photos, summary.failures, summary.quarantined) == (10, {"no_face": 1}, 0)
    assert summary.examples["no_face"].startswith("Expected a face")
    assert len(parts_of(out)) == 3
    assert counts_of(out) == {
        "given": 10, "scored": 9, "failed": 1, "quarantined": 0,
        "missing": 0, "duplicates": 0, "foreign": 0,
    }  # fmt: skip
    assert sorted(calls(log)) == sorted(TEN)
    frame = skinscan.score_folder(folder, workers=1, progress=False)
    pd.testing.assert_frame_equal(table_of(out), frame, check_dtype=False)


@pytest.mark.usefixtures("log")
def test_photos_that_kill_their_worker_are_in_quarantine_with_the_reason(tmp_path):
    folder = make_photos(tmp_path / "p", TEN | {"2.jpg": "die", "7.jpg": "die"})
    out = tmp_path / "out"
    summary = score(folder, f"{out}/", shard_size=5, workers=2)
    assert (summary.quarantined, summary.failed) == (2, 3)
    counts = counts_of(out)
    assert (counts["scored"], counts["failed"], counts["quarantined"]) == (7, 1, 2)
    bad = table_of(out).set_index("photo")["error"]
    assert bad["2.jpg"].startswith("worker: Expected a worker that survives the photo")


@pytest.mark.parametrize("size", [0, 1001])
def test_shards_have_a_size_within_limits(size, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    with pytest.raises(BadOptionError):
        score(folder, f"{tmp_path}/out/", shard_size=size)


@pytest.mark.parametrize("option", [{"wide": True}, {"overlays": "x"}, {"engine": "other"}])
def test_options_that_do_not_fit_an_archive_are_refused(option, log, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    with pytest.raises(BadOptionError):
        score(folder, f"{tmp_path}/out/", **option)
    assert calls(log) == []


@pytest.mark.parametrize(
    "option",
    [{"scheduler": "tcp://x:1"}, {"engine": "dask", "scheduler": "tcp://x:1", "workers": 2}],
)
def test_a_scheduler_goes_with_dask_and_without_workers(option, tmp_path):
    make_photos(tmp_path, TEN)
    with pytest.raises(BadOptionError):
        skinscan.score_folder(tmp_path, **option)


# What survives


def test_an_interrupted_archive_goes_on_where_it_stopped(log, tmp_path):
    folder = make_photos(tmp_path / "p", TEN | {"7.jpg": "model"})
    out = f"{tmp_path}/out/"
    with pytest.raises(ModelError):
        score(folder, out, shard_size=3)
    done = parts_of(out)
    assert len(done) == 2
    make_photos(folder, {"7.jpg": "ok"})
    with pytest.raises(OutputError, match="Add --resume"):
        score(folder, out, shard_size=3)
    log.unlink()
    # Another size of shards changes nothing about what is done.
    summary = score(folder, out, shard_size=2, resume=True)
    assert (summary.photos, summary.resumed) == (10, 6)
    assert sorted(calls(log)) == ["6.jpg", "7.jpg", "8.jpg", "9.jpg"]
    assert set(done) < set(parts_of(out))
    assert table_of(out).groupby("photo").size().to_dict() == {
        name: 1 if content == "no_face" else 2 for name, content in TEN.items()
    }


def test_a_complete_archive_that_is_resumed_does_nothing(log, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    out = f"{tmp_path}/out/"
    score(folder, out)
    log.unlink()
    assert score(folder, out, resume=True).resumed == 10
    assert calls(log) == []


@pytest.mark.usefixtures("log")
def test_photos_that_came_later_are_not_taken_by_a_resumed_run_but_by_a_new_manifest(tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    out = f"{tmp_path}/out/"
    score(folder, out, shard_size=4)
    make_photos(folder, {"new.jpg": "ok"})
    assert score(folder, out, resume=True).photos == 10
    manifest = tmp_path / "list.csv"
    rows = [f"{folder / name},{name}" for name in [*TEN, "new.jpg"]]
    manifest.write_text("\n".join(["path,photo", *rows]), encoding="utf-8")
    summary = score([], out, manifest=manifest, resume=True)
    assert (summary.photos, summary.resumed) == (11, 10)
    assert len(table_of(out)["photo"].unique()) == 11


@pytest.mark.usefixtures("log")
def test_results_of_other_settings_are_not_mixed(tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    out = f"{tmp_path}/out/"
    score(folder, out)
    with pytest.raises(OutputError, match="another levels"):
        score(folder, out, resume=True, levels="all")
    (Path(out) / "_run.json").unlink()
    with pytest.raises(OutputError, match="without the settings"):
        score(folder, out, resume=True)


def test_a_lost_part_is_made_again_under_its_name(log, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    out = f"{tmp_path}/out/"
    score(folder, out, shard_size=4)
    before = parts_of(out)
    (Path(out) / before[1]).unlink()
    log.unlink()
    score(folder, out, shard_size=4, resume=True)
    assert parts_of(out) == before
    assert len(calls(log)) in {2, 4}


@pytest.mark.usefixtures("log")
def test_photos_that_are_there_twice_are_an_error(tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    out = Path(tmp_path, "out")
    score(folder, f"{out}/", shard_size=5)
    shutil.copy(out / parts_of(out)[0], out / "part-copy.parquet")
    with pytest.raises(CountError, match="5 more than once"):
        score(folder, f"{out}/", resume=True)


@pytest.mark.usefixtures("log")
def test_a_damaged_part_is_an_error_that_names_no_file(tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    out = Path(tmp_path, "out")
    score(folder, f"{out}/", shard_size=5)
    path = out / parts_of(out)[0]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OutputError, match="damaged") as caught:
        score(folder, f"{out}/", resume=True)
    assert "part-" not in str(caught.value)


def test_a_full_disk_loses_nothing(log, tmp_path, monkeypatch):
    folder = make_photos(tmp_path / "p", TEN)
    out = f"{tmp_path}/out/"
    fsync = os.fsync

    def full_after_two_parts(descriptor):
        if len(parts_of(out)) == 2:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(files_module.os, "fsync", full_after_two_parts)
        with pytest.raises(OutputError, match="no space left"):
            score(folder, out, shard_size=3)
    assert len(parts_of(out)) == 2
    assert not list(Path(out).glob(".*.tmp"))
    log.unlink()
    score(folder, out, shard_size=3, resume=True)
    assert sorted(calls(log)) == ["6.jpg", "7.jpg", "8.jpg", "9.jpg"]
    assert counts_of(out)["scored"] == 9


RUNNER = (
    "import fake_jobs, skinscan.batch.score as s; s.MeasurePhoto = fake_jobs.FakeJob; "
    "from skinscan.cli import main; main()"
)


def command_for(paths, output, *options):
    """Command and environment of a run in a process of its own."""
    tests, sources = Path(__file__).parent, Path(skinscan.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(sources)])}
    return [sys.executable, "-c", RUNNER, "score", paths, "-o", output, *options], environment


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_killed_and_resumed_each_photo_is_there_once(how, log, tmp_path):
    photos = {f"{k:02d}.jpg": "slow" for k in range(20)}
    folder = make_photos(tmp_path / "p", photos)
    options = ["--shard-size", "3", "--workers", "2", "--resume"]
    command, environment = command_for(folder, f"{tmp_path}/out/", *options)
    first = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    from made_cluster import wait_for

    wait_for(lambda: len(calls(log)) >= 10)
    first.send_signal(signal.Signals[how])
    first.communicate(timeout=30)
    done = len(parts_of(tmp_path / "out"))
    assert 0 < done < 7
    second = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 0, second.stderr
    assert f"20 of 20 photos measured, {3 * done} of them before" in second.stderr
    assert table_of(tmp_path / "out").groupby("photo").size().to_dict() == dict.fromkeys(photos, 2)


# One run at a time on one output


@pytest.fixture
def soon(monkeypatch):
    """Signs of life that come and are missed within a second."""
    for name, seconds in {
        "_BEAT_S": 0.05,
        "_SILENT_S": 0.6,
        "_LOOK_S": 0.05,
        "_SETTLE_S": 0.1,
    }.items():
        monkeypatch.setattr(lock_module, name, seconds)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_a_second_process_is_refused_until_the_first_has_ended_even_by_a_kill(log, tmp_path):
    from made_cluster import wait_for

    folder = make_photos(tmp_path / "p", TEN | {"5.jpg": "hang"})
    options = ["--shard-size", "3", "--workers", "1", "--resume"]
    command, environment = command_for(folder, f"{tmp_path}/out/", *options)
    first = subprocess.Popen(command, env=environment)
    wait_for(lambda: "5.jpg" in calls(log))
    second = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (second.returncode, first.poll()) == (2, None)
    assert "results in use by another process. Wait for the other run" in second.stderr
    first.kill()
    first.wait()
    make_photos(folder, TEN)
    summary = score(folder, f"{tmp_path}/out/", shard_size=3, resume=True)
    assert (summary.photos, summary.resumed) == (10, 3)
    assert not (tmp_path / "out" / LOCK).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.usefixtures("soon")
def test_in_a_store_a_live_run_is_left_alone_and_a_killed_one_taken_over(
    log, bucket, tmp_path, caplog
):
    from made_cluster import wait_for

    folder = make_photos(tmp_path / "p", TEN | {"5.jpg": "hang"})
    command, environment = command_for(folder, bucket.url("out"), "--shard-size", "3")
    beating = "import skinscan.batch.lock as l; l._BEAT_S = 0.05; "
    command[2] = beating + command[2]
    first = subprocess.Popen([*command, "--workers", "1"], env=environment)
    try:
        wait_for(lambda: "5.jpg" in calls(log))
        with pytest.raises(OutputInUseError, match="add --resume") as caught:
            score(folder, bucket.url("out"), shard_size=3)
        assert "the run that began 20" in str(caught.value)
        with pytest.raises(OutputInUseError):
            score(folder, bucket.url("out"), shard_size=3, resume=True)
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    assert LOCK in bucket.names("out")
    make_photos(folder, TEN)
    with pytest.raises(OutputInUseError):
        score(folder, bucket.url("out"), shard_size=3)
    caplog.clear()
    summary = score(folder, bucket.url("out"), shard_size=3, resume=True)
    assert (summary.photos, summary.resumed) == (10, 3)
    assert [record.getMessage().partition(":")[0] for record in caplog.records][-1] == "Taken over"
    assert LOCK not in bucket.names("out")


@pytest.mark.usefixtures("soon")
def test_of_many_that_begin_or_take_over_at_a_time_one_works(bucket):
    from concurrent.futures import ThreadPoolExecutor

    from made_cluster import wait_for

    folder = OutputFolder(bucket.url("out"))
    over = threading.Event()

    def attempt(_number):
        try:
            with only_run(folder, resume=True) as check:
                over.wait(30)
                check()
        except OutputInUseError:
            return False
        return True

    for left_behind in (b"", b'{"run": "x", "alive": "2020-01-01T00:00:00+00:00"}'):
        over.clear()
        if left_behind:
            assert folder.create(LOCK, left_behind)
        with ThreadPoolExecutor(8) as threads:
            answers = [threads.submit(attempt, number) for number in range(8)]
            wait_for(lambda: sum(a.done() for a in answers) >= 7)  # noqa: B023 - ends inside
            over.set()
        assert sum(answer.result() for answer in answers) == 1
        assert folder.names() == []


@pytest.mark.usefixtures("soon", "log")
def test_a_run_whose_output_was_taken_over_writes_no_more(bucket, tmp_path):
    from made_cluster import wait_for

    folder = make_photos(tmp_path / "p", {f"{k:02d}.jpg": "slow" for k in range(9)})

    parts = []
    written = OutputFolder.written

    def others_marker_is_seen():
        # Again and again: a sign of life that is just being given would replace it.
        bucket.system.pipe_file(f"{bucket.name}/out/{LOCK}", b"{}")
        return not any(thread.name == "skinscan-lock" for thread in threading.enumerate())

    def written_after_another_came(self, name):
        if name.startswith("part-"):
            parts.append(name)
        if parts[1:] == [name]:
            wait_for(others_marker_is_seen)
        return written(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OutputFolder, "written", written_after_another_came)
        with pytest.raises(OutputInUseError, match="taken it over"):
            score(folder, bucket.url("out"), shard_size=3)
    names = bucket.names("out")
    assert len([name for name in names if name.startswith("part-")]) == 2
    assert LOCK in names  # it is the other's


@pytest.mark.usefixtures("soon")
def test_a_store_that_does_not_answer_in_time_costs_a_sign_of_life_not_the_run(
    log, bucket, tmp_path
):
    folder = make_photos(tmp_path / "p", {f"{k:02d}.jpg": "slow" for k in range(6)})
    bucket.faults = {("GET", LOCK): [404, 503, 503, 503], ("DELETE", LOCK): 403}
    assert score(folder, bucket.url("out"), shard_size=3).photos == 6
    assert len(calls(log)) == 6
    assert LOCK in bucket.names("out")  # it could not be deleted
    bucket.faults = {}
    assert score(folder, bucket.url("out"), shard_size=3, resume=True).resumed == 6
    assert LOCK not in bucket.names("out")


@pytest.mark.parametrize("where", ["here", "store"])
def test_a_small_file_is_written_once_read_and_deleted_in_folders_and_stores(
    where, bucket, tmp_path
):
    folder = OutputFolder(str(tmp_path) if where == "here" else bucket.url("out"))
    assert folder.content("a") is None
    assert folder.create("a", b"1")
    assert not folder.create("a", b"2")
    assert folder.create("a", b"1")  # its own, when a request is repeated
    assert (folder.content("a"), folder.names()) == (b"1", ["a"])
    folder.remove("a")
    folder.remove("a")
    assert (folder.content("a"), folder.names()) == (None, [])


@pytest.mark.skipif(sys.platform == "win32", reason="another call")
def test_a_folder_in_which_nothing_can_be_locked_is_no_other_run(tmp_path, monkeypatch):
    import fcntl

    def without_locks(_file, _how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    with pytest.raises(OutputError, match="no locks available") as caught:
        score(make_photos(tmp_path / "p", TEN), f"{tmp_path}/out/")
    assert not isinstance(caught.value, OutputInUseError)


# Manifests


def photo(name):
    return SourcePhoto(name, f"/x/{name}", -1, -1)


def test_a_manifest_comes_back_as_it_went_in(tmp_path, monkeypatch):
    from skinscan.batch import manifest

    monkeypatch.setattr(manifest, "_ROWS_PER_GROUP", 4)
    folder = OutputFolder(str(tmp_path))
    photos = [photo(f"ü {k}.jpg") for k in range(10)]
    assert len(write_manifest(folder, iter(photos))) == 10
    assert list(read_manifest(folder)) == photos


@pytest.mark.parametrize("photos", [[], [photo("a.jpg"), photo("b.jpg"), photo("a.jpg")]])
def test_a_manifest_needs_photos_with_names_of_their_own(photos, tmp_path):
    with pytest.raises(ManifestError):
        write_manifest(OutputFolder(str(tmp_path)), iter(photos))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.usefixtures("log")
def test_a_manifest_may_stand_for_paths_everywhere(suffix, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    rows = pd.DataFrame({"other": range(10), "path": [str(folder / name) for name in TEN]})
    manifest = tmp_path / f"list{suffix}"
    rows.to_csv(manifest, index=False) if suffix == ".csv" else rows.to_parquet(manifest)
    frame = skinscan.score_folder(manifest=manifest, workers=1, progress=False)
    assert set(frame["photo"]) == {str(folder / name) for name in TEN}
    score([], tmp_path / "out.csv", manifest=manifest)
    assert pd.read_csv(tmp_path / "out.csv")["photo"].nunique() == 10
    with pytest.raises(BadOptionError):
        score(folder, tmp_path / "out.csv", manifest=manifest)


@pytest.mark.parametrize(
    "text", ["", "photo\na.jpg\n", "path,photo\n,a\n", "path\n\x00\n", "path\n\xff"]
)
def test_a_list_that_is_no_manifest_is_one_error(text, tmp_path):
    manifest = tmp_path / "list.csv"
    manifest.write_bytes(text.encode("latin-1"))
    with pytest.raises(ManifestError):
        skinscan.score_folder(manifest=manifest)


@given(st.binary(max_size=60))
def test_whatever_bytes_a_manifest_has_it_is_read_or_refused(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("manifest")
    for name in ("list.csv", "list.parquet", "list.txt"):
        (folder / name).write_bytes(b"path\n" + content)
        try:
            found = list(given_photos(folder / name))
        except ManifestError:
            continue
        assert all(isinstance(item.path, str) and item.name for item in found)


def test_a_parts_name_depends_on_its_photos_only():
    assert part_name(["a", "b"]) == part_name(iter(["a", "b"]))
    assert len({part_name(names) for names in (["a", "b"], ["b", "a"], ["a"], ["ab"])}) == 4


# Object stores


def test_a_bucket_is_scored_by_the_same_call_as_a_folder(log, bucket, tmp_path):
    contents = TEN | {
        "sub/=x.jpg": "ok",
        ".hidden/y.jpg": "ok",
        "a.jpg.overlay.jpg": "",
        "n.txt": "",
    }
    folder = make_photos(tmp_path / "p", contents)
    bucket.fill(contents)
    here = skinscan.score_folder(folder, workers=1, progress=False)
    there = skinscan.score_folder(bucket.url("photos"), workers=2, progress=False)
    pd.testing.assert_frame_equal(here, there)
    log.unlink()
    score(bucket.url("photos/"), tmp_path / "out.csv")
    assert len(calls(log)) == 11
    summary = score(bucket.url("photos"), bucket.url("out"), shard_size=4)
    assert (summary.photos, summary.failed) == (11, 1)
    names = bucket.names("out")
    assert len([name for name in names if name.startswith("part-")]) == 3
    assert {"_run.json", "_manifest.parquet", "_counts.json"} < set(names)
    rows = []
    for name in names:
        if name.startswith("part-"):
            with bucket.system.open(f"{bucket.name}/out/{name}") as file:
                rows.append(pd.read_parquet(file))
    table = pd.concat(rows).sort_values("photo", kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(table, here, check_dtype=False)
    log.unlink()
    assert score(bucket.url("photos"), bucket.url("out"), resume=True).resumed == 11
    assert calls(log) == []


@pytest.mark.usefixtures("log")
def test_names_of_several_prefixes_hold_the_bucket(bucket):
    bucket.fill({"1.jpg": "ok"}, prefix="a")
    bucket.fill({"1.jpg": "ok"}, prefix="b")
    photos = find_photos([bucket.url("a"), bucket.url("b/1.jpg")])
    assert [p.name for p in photos] == [f"{bucket.name}/a/1.jpg", f"{bucket.name}/b/1.jpg"]
    assert all(p.size_bytes == 2 and p.modified_ns > 0 for p in photos)


def test_nothing_under_a_prefix_and_mixed_sources_are_errors(bucket, tmp_path):
    bucket.fill({"a.txt": "x"})
    for prefix in ("nowhere", "photos"):
        with pytest.raises(SourceFolderError):
            find_photos([bucket.url(prefix)])
    with pytest.raises(SourceFolderError, match="both"):
        find_photos([tmp_path, bucket.url("photos")])


def test_a_photo_is_fetched_up_to_a_limit(bucket):
    bucket.fill({"empty.jpg": "", "ten.jpg": "0123456789"})
    assert fetch(bucket.url("photos/empty.jpg"), limit_bytes=5) == b""
    assert fetch(bucket.url("photos/ten.jpg"), limit_bytes=5) == b"012345"
    assert fetch(bucket.url("photos/ten.jpg"), limit_bytes=50) == b"0123456789"
    with pytest.raises(UnreadableFileError) as caught:
        fetch(bucket.url("photos/none.jpg"), limit_bytes=5)
    assert "none.jpg" not in str(caught.value)


def test_a_store_that_answers_503_is_asked_again_but_not_for_ever(log, bucket):
    bucket.fill({f"{k}.jpg": "ok" for k in range(6)})
    bucket.faults = {
        ("GET", "/1.jpg"): [503, 503],
        ("GET", "/3.jpg"): 503,
        ("GET", "/5.jpg"): [500],
    }
    summary = score(bucket.url("photos"), bucket.url("out"), shard_size=6)
    assert (summary.photos, summary.failures) == (6, {"storage": 1})
    assert sorted(calls(log)) == sorted(f"{k}.jpg" for k in range(6))
    assert bucket.asked.count(("GET", f"/{bucket.name}/photos/3.jpg")) == 3
    assert "3.jpg" not in summary.examples["storage"]


def test_a_store_that_is_down_ends_the_run_and_nothing_is_written_about_its_photos(log, bucket):
    bucket.fill({f"{k:02d}.jpg": "ok" for k in range(20)})
    bucket.faults = {("GET", f"/{k:02d}.jpg"): 503 for k in range(10, 20)}
    with pytest.raises(StorageError, match="--resume"):
        score(bucket.url("photos"), bucket.url("out"), shard_size=10)
    bucket.faults = {}
    log.unlink()
    summary = score(bucket.url("photos"), bucket.url("out"), shard_size=10, resume=True)
    assert (summary.photos, summary.resumed, summary.failed) == (20, 10, 0)
    assert len(calls(log)) == 10


def test_photos_that_the_store_did_not_give_are_asked_for_again_and_are_there_once(
    log, bucket, tmp_path
):
    bucket.fill(TEN)
    bucket.faults = {("GET", "/3.jpg"): 503, ("GET", "/8.jpg"): 503}
    source, out = bucket.url("photos"), f"{tmp_path}/out/"
    summary = score(source, out, shard_size=4)
    assert (summary.photos, summary.failures) == (10, {"storage": 2, "no_face": 1})
    assert (counts_of(out)["scored"], counts_of(out)["failed"]) == (7, 3)
    table = table_of(out)
    assert table["photo"].nunique() == 10
    assert set(table[table["error"].str.startswith("storage")]["photo"]) == {"3.jpg", "8.jpg"}
    settled = {name for name in parts_of(out) if "unavailable" not in name}
    assert len(settled) == 3
    assert len(parts_of(out)) == 5

    bucket.faults = {("GET", "/8.jpg"): 503}
    log.unlink()
    summary = score(source, out, shard_size=4, resume=True)
    assert (summary.resumed, summary.failures) == (8, {"storage": 1, "no_face": 1})
    assert sorted(calls(log)) == ["3.jpg", "8.jpg"]
    assert settled < set(parts_of(out))

    bucket.faults = {}
    log.unlink()
    summary = score(source, out, shard_size=4, resume=True)
    assert (summary.resumed, summary.failures) == (9, {"no_face": 1})
    assert calls(log) == ["8.jpg"]
    assert not [name for name in parts_of(out) if "unavailable" in name]
    assert (counts_of(out)["scored"], counts_of(out)["failed"]) == (9, 1)
    frame = skinscan.score_folder(source, workers=1, progress=False)
    pd.testing.assert_frame_equal(table_of(out), frame, check_dtype=False)


def test_a_run_that_ends_while_it_asks_again_leaves_no_photo_twice_and_no_old_count(
    log, bucket, tmp_path
):
    bucket.fill(TEN)
    bucket.faults = {("GET", "/3.jpg"): 503}
    source, out = bucket.url("photos"), f"{tmp_path}/out/"
    score(source, out, shard_size=4)
    bucket.faults = {}
    bucket.fill({"3.jpg": "model"})
    with pytest.raises(ModelError):
        score(source, out, resume=True)
    assert not (tmp_path / "out/_counts.json").exists()
    assert set(table_of(out)["photo"]) == TEN.keys() - {"3.jpg"}
    bucket.fill(TEN)
    log.unlink()
    assert score(source, out, resume=True).resumed == 9
    assert calls(log) == ["3.jpg"]
    assert counts_of(out)["scored"] == 9


@pytest.mark.usefixtures("log")
def test_photos_that_can_never_be_had_do_not_keep_an_archive_from_its_end(bucket, tmp_path):
    names = [f"{k:02d}.jpg" for k in range(20)]
    bucket.fill(dict.fromkeys(names, "ok"))
    bucket.faults = {("GET", f"/{name}"): 503 for name in names[::2]}
    source, out = bucket.url("photos"), f"{tmp_path}/out/"
    assert score(source, out, shard_size=10).failures == {"storage": 10}
    summary = score(source, out, shard_size=10, resume=True)
    assert (summary.resumed, summary.failures) == (10, {"storage": 10})
    assert counts_of(out)["failed"] == 10


def test_a_table_that_is_continued_asks_again_too(log, bucket, tmp_path):
    bucket.fill(TEN | {"9.jpg": "model"})
    bucket.faults = {("GET", "/3.jpg"): 503}
    with pytest.raises(ModelError):
        score(bucket.url("photos"), tmp_path / "out.csv")
    bucket.faults = {}
    bucket.system.pipe_file(f"{bucket.name}/photos/9.jpg", b"ok")
    log.unlink()
    summary = score(bucket.url("photos"), tmp_path / "out.csv", resume=True)
    assert (summary.resumed, summary.failures) == (8, {"no_face": 1})
    assert sorted(calls(log)) == ["3.jpg", "9.jpg"]
    assert pd.read_csv(tmp_path / "out.csv")["photo"].nunique() == 10


def test_a_slow_store_is_waited_for_and_a_stuck_request_is_repeated(log, bucket, monkeypatch):
    bucket.fill({f"{k}.jpg": "ok" for k in range(3)})
    config = {"connect_timeout": 2, "read_timeout": 0.4, "retries": {"total_max_attempts": 1}}
    monkeypatch.setitem(storage._OPTIONS, "s3", {"config_kwargs": config})
    bucket.faults = {("GET", "/0.jpg"): 0.1, ("GET", "/1.jpg"): [1.5]}
    summary = score(bucket.url("photos"), bucket.url("out"))
    assert (summary.photos, summary.failed) == (3, 0)
    assert bucket.asked.count(("GET", f"/{bucket.name}/photos/1.jpg")) == 2
    assert len(calls(log)) == 3


def test_a_part_that_the_store_refuses_is_lost_only_until_the_run_is_resumed(log, bucket, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    score(folder, f"{tmp_path}/model/", shard_size=5)
    first, second = (part_name([f"{k}.jpg" for k in range(a, a + 5)]) for a in (0, 5))
    assert parts_of(tmp_path / "model") == sorted([first, second])
    bucket.faults = {("PUT", first): [503, 503], ("PUT", second): 503}
    with pytest.raises(StorageError):
        score(folder, bucket.url("out"), shard_size=5)
    assert [n for n in bucket.names("out") if n.startswith("part-")] == [first]
    bucket.faults = {}
    log.unlink()
    assert score(folder, bucket.url("out"), shard_size=5, resume=True).resumed == 5
    assert sorted(calls(log)) == [f"{k}.jpg" for k in range(5, 10)]


def test_an_output_that_may_not_be_written_is_an_output_error(log, bucket, tmp_path):
    folder = make_photos(tmp_path / "p", TEN)
    with pytest.raises(OutputError):
        score(folder, "s3://no-such-bucket/out")
    assert calls(log) == []
    bucket.faults = {("PUT", "_run.json"): 403}
    with pytest.raises(OutputError, match="no permission"):
        score(folder, bucket.url("out"))


def test_a_driver_that_is_not_installed_is_named(monkeypatch):
    import fsspec

    def missing(_url, **_options):
        raise ImportError

    monkeypatch.setattr(fsspec, "url_to_fs", missing)
    with pytest.raises(MissingExtraError, match=r"skinscan\[gs\]"):
        find_photos(["gs://bucket/photos"])
    monkeypatch.undo()
    with pytest.raises(StorageError, match="beginning of the address"):
        find_photos(["nonsense://bucket/photos"])


@given(st.integers(1, 5), st.integers(0, 8))
def test_patience_ends_after_its_attempts(attempts, failures):
    done = []

    def action():
        done.append(1)
        if len(done) <= failures:
            raise TimeoutError("secret-key.jpg")
        return "answer"

    patience = Patience(attempts=attempts, first_pause_s=0.0)
    if failures < attempts:
        assert patiently(action, patience=patience) == "answer"
    else:
        with pytest.raises(StorageError) as caught:
            patiently(action, patience=patience)
        assert "secret" not in str(caught.value)
    assert len(done) == min(attempts, failures + 1)


def test_bucket_and_folder_really_measured_agree(bucket, tmp_path):
    from skinscan.resources import sample_course_dir

    photos = sorted(sample_course_dir().glob("*.jpg"))[:1]
    if not photos:
        pytest.skip("the sample course has not been rendered")
    shutil.copy(photos[0], tmp_path / "a.jpg")
    bucket.system.pipe(f"{bucket.name}/photos/a.jpg", photos[0].read_bytes())
    here = skinscan.score_folder(tmp_path, workers=1)
    there = skinscan.score_folder(bucket.url("photos"), workers=1)
    assert set(there["error"]) == {""}
    pd.testing.assert_frame_equal(here, there)
    assert np.isfinite(there["value"]).any()
