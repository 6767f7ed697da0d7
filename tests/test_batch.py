"""Folders to tables: which photos, who measures, what survives, what comes out."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
from dataclasses import asdict
from pathlib import Path

import fake_jobs
import numpy as np
import pandas as pd
import pytest
from fake_jobs import FakeJob, calls, rows_for
from pyarrow import parquet

import skinscan
from skinscan.batch import child as child_module
from skinscan.batch import journal as journal_module
from skinscan.batch import score as score_module
from skinscan.batch.engine import InProcessEngine, run
from skinscan.batch.engines import make_engine
from skinscan.batch.files import written_whole
from skinscan.batch.journal import journal_path, open_journal
from skinscan.batch.measure import MeasurePhoto, Outcome, Task, overlay_path
from skinscan.batch.pool import PoolEngine
from skinscan.batch.score import score_to_file
from skinscan.batch.sources import PICTURE_SUFFIXES, SourcePhoto, find_photos
from skinscan.batch.tables import LONG_COLUMNS, FrameBuilder
from skinscan.batch.workers import default_workers
from skinscan.errors import (
    BadOptionError,
    ModelError,
    NoFaceError,
    OutputError,
    SourceFolderError,
    WorkerError,
)
from skinscan.resources import sample_course_dir

NINE = ["photo", "view", "metric", "region", "level_px_mm", "value", "unit", "sem", "flags"]


@pytest.fixture
def log(tmp_path, monkeypatch):
    path = tmp_path / "calls.log"
    monkeypatch.setenv(fake_jobs.LOG, str(path))
    return path


@pytest.fixture
def fake(log, monkeypatch):
    """Score with the fake job instead of measuring."""
    monkeypatch.setattr(score_module, "MeasurePhoto", FakeJob)
    return log


def make_photos(folder, contents):
    """Write fake photos; returns the folder."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def names(photos):
    return [photo.name for photo in photos]


def tasks_of(folder):
    return [Task(photo.name, photo.path) for photo in find_photos([folder])]


# Which photos


def test_a_folder_is_searched_with_its_subfolders_in_the_order_of_names(tmp_path):
    make_photos(tmp_path, dict.fromkeys(["b.JPG", "a/z.png", "a/b/c.HeIc", "ä ö.webp"], ""))
    assert names(find_photos([tmp_path])) == ["a/b/c.HeIc", "a/z.png", "b.JPG", "ä ö.webp"]


@pytest.mark.parametrize("suffix", sorted(PICTURE_SUFFIXES))
def test_every_picture_ending_counts_in_any_case(suffix, tmp_path):
    make_photos(tmp_path, {"a" + suffix: "", "b" + suffix.upper(): ""})
    assert len(find_photos([tmp_path])) == 2


def test_hidden_files_other_files_and_overlays_are_left_out(tmp_path):
    left_out = [
        "._a.jpg",
        ".git/a.jpg",
        "notes.txt",
        "a.jpg.overlay.jpg",
        "jpg",
        ".jpg",
        "a.overlay.webp",
    ]
    make_photos(tmp_path, dict.fromkeys([*left_out, "a.jpg"], ""))
    (tmp_path / "folder.jpg").mkdir()
    assert names(find_photos([tmp_path])) == ["a.jpg"]


def test_links_are_followed_but_loops_are_not(tmp_path):
    make_photos(tmp_path / "photos", {"a.jpg": "", "sub/b.jpg": ""})
    make_photos(tmp_path / "elsewhere", {"c.jpg": ""})
    (tmp_path / "photos/sub/up").symlink_to(tmp_path / "photos")
    (tmp_path / "photos/there").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos/there-too").symlink_to(tmp_path / "elsewhere")
    found = names(find_photos([tmp_path / "photos"]))
    assert found == ["a.jpg", "sub/b.jpg", "there/c.jpg"]


def test_a_dangling_link_is_listed_so_that_it_becomes_an_error(tmp_path):
    (tmp_path / "a.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (photo,) = find_photos([tmp_path])
    assert (photo.name, photo.size_bytes) == ("a.jpg", -1)


def test_a_subfolder_that_cannot_be_read_is_listed(tmp_path, monkeypatch):
    make_photos(tmp_path, {"a.jpg": "", "secret/b.jpg": ""})
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(find_photos([tmp_path])) == ["a.jpg", "secret"]
    with pytest.raises(SourceFolderError):
        find_photos([tmp_path / "secret"])


def test_names_are_relative_to_the_deepest_common_folder(tmp_path):
    make_photos(tmp_path, {"x/one/a.jpg": "", "x/two/a.jpg": "", "x/c.jpg": ""})
    x = tmp_path / "x"
    assert names(find_photos([x / "one", x / "two"])) == ["one/a.jpg", "two/a.jpg"]
    assert names(find_photos([x / "one/a.jpg", x / "c.jpg"])) == ["c.jpg", "one/a.jpg"]
    assert names(find_photos([x / "one/a.jpg"])) == ["a.jpg"]


def test_a_photo_given_twice_is_listed_once(tmp_path, monkeypatch):
    make_photos(tmp_path, {"a.jpg": ""})
    monkeypatch.chdir(tmp_path)
    assert names(find_photos([".", "a.jpg", tmp_path / "a.jpg", "*.jpg"])) == ["a.jpg"]


def test_patterns_stand_for_what_they_match(tmp_path):
    make_photos(tmp_path, {"one/front.jpg": "", "one/left.jpg": "", "two/front.jpg": ""})
    assert names(find_photos([f"{tmp_path}/**/front*"])) == ["one/front.jpg", "two/front.jpg"]
    assert names(find_photos([f"{tmp_path}/on*"])) == ["front.jpg", "left.jpg"]


def test_a_file_that_is_named_is_taken_whatever_its_ending(tmp_path):
    make_photos(tmp_path, {"portrait": "", "[1].jpg": ""})
    assert names(find_photos([tmp_path / "portrait"])) == ["portrait"]
    assert names(find_photos([tmp_path / "[1].jpg"])) == ["[1].jpg"]


@pytest.mark.parametrize("given", ["missing", "*.jpg", "empty", ""])
def test_nothing_to_score_is_an_error_that_names_no_file(given, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceFolderError) as caught:
        find_photos([given])
    assert str(tmp_path) not in str(caught.value)


def test_a_name_that_a_spreadsheet_would_run_is_defused_and_still_leads_to_the_file(tmp_path):
    make_photos(tmp_path, dict.fromkeys(["=1+1.jpg", "@x.jpg", "-y.jpg", "+z.jpg", "a=1.jpg"], ""))
    photos = find_photos([tmp_path])
    assert sorted(names(photos)) == ["./+z.jpg", "./-y.jpg", "./=1+1.jpg", "./@x.jpg", "a=1.jpg"]
    assert all((tmp_path / name).is_file() for name in names(photos))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows such names")
def test_names_that_are_no_text_are_written_as_text(tmp_path):
    for raw in (b"caf\xe9.jpg", b"a\nb.jpg", b"a\x1b[31m.jpg", rb"a\x0ab.jpg"):
        (tmp_path / os.fsdecode(raw)).write_bytes(b"")
    found = names(find_photos([tmp_path]))
    assert sorted(found) == sorted(
        [r"caf\xe9.jpg", r"a\x0ab.jpg", r"a\x0ab.jpg~", r"a\x1b[31m.jpg"]
    )
    assert all(name.encode("utf-8").decode().isprintable() for name in found)


# One photo


class FakeView:
    value = "left"


class FakeScan:
    view = FakeView()

    def __init__(self, name, rows=1):
        self.name, self.count = name, rows

    def rows(self, *, levels="highest"):
        return [
            (self.name, "left", f"m{k}", levels, 3, np.float32(0.5), "mm", math.nan, "no_sem")
            for k in range(self.count)
        ]

    def draw(self):
        return np.full((20, 30, 3), 128, np.uint8)


@pytest.fixture
def analyze(monkeypatch):
    """Put a function in the place of `skinscan.scan.analyze`."""

    def put(function):
        module = types.SimpleNamespace(analyze=function)
        monkeypatch.setitem(sys.modules, "skinscan.scan", module)

    return put


def test_a_scan_becomes_an_outcome_with_plain_numbers(analyze):
    seen = {}

    def fake(source, *, name, largest_face):
        seen.update(source=source, name=name, largest_face=largest_face)
        return FakeScan(name)

    analyze(fake)
    outcome = MeasurePhoto(levels="all", largest_face=True)(Task("a/b.jpg", "/x/a/b.jpg"))
    assert seen == {"source": "/x/a/b.jpg", "name": "a/b.jpg", "largest_face": True}
    assert (outcome.photo, outcome.view, outcome.error) == ("a/b.jpg", "left", "")
    (row,) = outcome.rows
    assert row[:5] == ("m0", "all", 3.0, 0.5, "mm")
    assert [type(cell) for cell in row] == [str, str, float, float, str, float, str]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (NoFaceError(expected="a face", found="none", remedy="Try again"), "no_face"),
        (MemoryError(), "memory"),
        (ZeroDivisionError("secret of the photo"), "internal"),
    ],
)
def test_whatever_is_wrong_with_a_photo_becomes_its_outcome(error, cause, analyze):
    def fake(*_args, **_options):
        raise error

    analyze(fake)
    outcome = MeasurePhoto()(Task("a.jpg", "/x/a.jpg"))
    assert (outcome.rows, outcome.cause) == ((), cause)
    assert "Expected" in outcome.error
    assert "secret" not in outcome.error


def test_a_photo_without_any_row_says_why(analyze):
    analyze(lambda *_a, **_k: FakeScan("a", rows=0))
    assert MeasurePhoto()(Task("a.jpg", "a.jpg")).cause == "no_region"


def test_what_concerns_every_photo_is_raised(analyze, tmp_path):
    def fake(*_args, **_options):
        raise ModelError(expected="a model", found="none", remedy="Install again")

    analyze(fake)
    with pytest.raises(ModelError):
        MeasurePhoto()(Task("a.jpg", "a.jpg"))
    analyze(lambda *_a, **_k: FakeScan("a"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        MeasurePhoto(overlays=str(tmp_path / "file"))(Task("a.jpg", "a.jpg"))


def test_an_overlay_is_written_below_the_folder(analyze, tmp_path):
    analyze(lambda *_a, **_k: FakeScan("a"))
    for name in ("s 1/ä.jpg", "s 1/ä.png", "./=x.jpg"):
        MeasurePhoto(overlays=str(tmp_path))(Task(name, name))
    written = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*"))
    assert written == ["=x.jpg.overlay.jpg", "s 1/ä.jpg.overlay.jpg", "s 1/ä.png.overlay.jpg"]
    assert (tmp_path / written[0]).read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/x.jpg", "C:/x.jpg", "a/../../x.jpg"])
def test_an_overlay_never_leaves_its_folder(name, tmp_path):
    path = overlay_path(tmp_path, name)
    assert path.resolve().is_relative_to(tmp_path.resolve())


def test_overlays_of_long_names_do_not_collide(tmp_path):
    paths = {overlay_path(tmp_path, "ü" * 120 + end) for end in ("a.jpg", "b.jpg")}
    assert len(paths) == 2
    assert all(len(path.name.encode()) < 255 for path in paths)


# Who measures


@pytest.fixture(params=[1, 2], ids=["in process", "pool"])
def workers(request):
    return request.param


@pytest.fixture
def pool():
    """Make pools and close them."""
    made = []

    def make(**options):
        made.append(PoolEngine(FakeJob(), **options))
        return made[-1]

    yield make
    for engine in made:
        engine.close()
        assert not [lane for lane in engine._lanes if lane.is_alive()]
        assert not engine._processes._alive


def test_every_engine_measures_each_photo_once(workers, log, tmp_path):
    make_photos(tmp_path, {f"{k}.jpg": "ok" for k in range(20)})
    tasks = tasks_of(tmp_path)
    engine = make_engine(FakeJob(), workers=workers)
    try:
        outcomes = list(run(engine, tasks, window=3))
    finally:
        engine.close()
    assert sorted(o.photo for o in outcomes) == sorted(task.name for task in tasks)
    assert sorted(calls(log)) == sorted(task.name for task in tasks)
    for outcome in outcomes:
        np.testing.assert_equal(outcome.rows, rows_for(outcome.photo))


@pytest.mark.usefixtures("log")
def test_no_more_photos_are_under_way_than_the_window_holds(tmp_path):
    make_photos(tmp_path, {f"{k}.jpg": "ok" for k in range(20)})
    read = 0

    def tasks():
        nonlocal read
        for task in tasks_of(tmp_path):
            read += 1
            yield task

    for done, _ in enumerate(run(InProcessEngine(FakeJob()), tasks(), window=4), start=1):
        assert read - done <= 4
    assert read == 20


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker_is_refused(workers, tmp_path):
    make_photos(tmp_path, {"a.jpg": ""})
    with pytest.raises(BadOptionError):
        make_engine(FakeJob(), workers=workers)
    with pytest.raises(BadOptionError):
        skinscan.score_folder(tmp_path, workers=workers)


def test_the_default_is_one_worker_per_core_but_fewer_for_few_photos(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(6)), raising=False)
    found = [default_workers(n) for n in (0, 1, 7, 8, 16, 1000)]
    assert found == [1, 1, 1, 2, 4, 6]


def test_a_photo_that_kills_its_worker_is_given_back_and_the_rest_goes_on(pool, log, tmp_path):
    make_photos(tmp_path, {f"{k}.jpg": "die" if k in {2, 5} else "ok" for k in range(9)})
    outcomes = {o.photo: o for o in run(pool(workers=2), tasks_of(tmp_path), window=4)}
    assert len(outcomes) == 9
    bad = {name for name, outcome in outcomes.items() if outcome.error}
    assert bad == {"2.jpg", "5.jpg"}
    assert {outcomes[name].cause for name in bad} == {"worker"}
    done = calls(log)
    # Only the killers are tried twice; nobody else suffers for them.
    assert {name: done.count(name) for name in outcomes} == {
        name: 2 if name in bad else 1 for name in outcomes
    }


def test_a_photo_whose_worker_was_killed_by_chance_is_tried_again(pool, log, tmp_path):
    make_photos(tmp_path, {"a.jpg": "die once", "b.jpg": "ok"})
    outcomes = list(run(pool(workers=1), tasks_of(tmp_path), window=2))
    assert [outcome.error for outcome in outcomes] == ["", ""]
    assert calls(log) == ["a.jpg", "a.jpg", "b.jpg"]


def test_a_shard_with_a_killer_is_split(pool, log, tmp_path):
    make_photos(tmp_path, {"a.jpg": "ok", "b.jpg": "die", "c.jpg": "ok"})
    engine = pool(workers=1)
    engine.submit(tuple(tasks_of(tmp_path)))
    ((a, b, c),) = engine.completed()
    assert (a.error, b.cause, c.error) == ("", "worker", "")
    assert calls(log).count("c.jpg") == 1


@pytest.mark.usefixtures("log")
def test_a_photo_that_never_ends_is_given_back(pool, tmp_path):
    make_photos(tmp_path, {"a.jpg": "hang", "b.jpg": "ok"})
    engine = pool(workers=1, photo_timeout_s=0.5)
    a, b = run(engine, tasks_of(tmp_path), window=2)
    assert (a.cause, b.error) == ("worker", "")


def test_a_stray_print_does_not_reach_the_pipe(pool, log, tmp_path):
    make_photos(tmp_path, {"a.jpg": "print", "b.jpg": "ok"})
    outcomes = list(run(pool(workers=1), tasks_of(tmp_path), window=2))
    assert [o.error for o in outcomes] == ["", ""]
    assert len(calls(log)) == 2


@pytest.mark.usefixtures("log")
def test_workers_are_replaced_after_some_photos(pool, tmp_path, monkeypatch):
    make_photos(tmp_path, {f"{k}.jpg": "ok" for k in range(7)})
    started = []
    start = child_module.Processes.start

    def counted(self):
        started.append(start(self))
        return started[-1]

    monkeypatch.setattr(child_module.Processes, "start", counted)
    outcomes = list(run(pool(workers=1, photos_per_worker=3), tasks_of(tmp_path), window=2))
    assert len(outcomes) == 7
    assert len(started) == 3
    assert len({process.pid for process in started}) == 3


def test_workers_are_single_threaded():
    code = "import os, cv2; print(os.environ['OMP_NUM_THREADS'], cv2.getNumThreads())"
    probe = make_probe(code)
    assert probe == "1 1"


def make_probe(code):
    """Run code inside a worker after its set-up."""
    from skinscan.batch import worker

    source = (
        f"{worker.BOOTSTRAP.replace('main()', '')}\nmain.__globals__['_limit_threads']()\n{code}"
    )
    from pickle import dumps

    result = subprocess.run(
        [sys.executable, "-P", "-c", source],
        input=dumps(sys.path),
        env=os.environ | worker.SINGLE_THREADED,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return result.stdout.decode().strip()


@pytest.mark.usefixtures("log")
def test_what_concerns_every_photo_ends_the_pool(pool, tmp_path):
    make_photos(tmp_path, {f"{k}.jpg": "model" for k in range(5)})
    with pytest.raises(ModelError, match="Install again"):
        list(run(pool(workers=2), tasks_of(tmp_path), window=4))


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("code", ["import sys; sys.exit(3)", "raise SystemError"])
def test_workers_that_cannot_start_are_one_error_not_one_per_photo(
    code, pool, tmp_path, monkeypatch
):
    monkeypatch.setattr(child_module, "BOOTSTRAP", code)
    make_photos(tmp_path, {f"{k}.jpg": "ok" for k in range(5)})
    with pytest.raises(WorkerError, match="to start"):
        list(run(pool(workers=2), tasks_of(tmp_path), window=4))


def test_closing_ends_workers_that_are_busy(log, tmp_path):
    make_photos(tmp_path, {"a.jpg": "hang", "b.jpg": "hang"})
    engine = PoolEngine(FakeJob(), workers=2)
    for task in tasks_of(tmp_path):
        engine.submit((task,))
    wait_for(lambda: len(calls(log)) == 2)
    processes = list(engine._processes._alive)
    engine.close()
    assert [process.poll() is not None for process in processes] == [True, True]
    assert not [lane for lane in engine._lanes if lane.is_alive()]


def wait_for(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def children_of(pid):
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# What survives


def source(name="a.jpg", size=1, modified=2):
    return SourcePhoto(name, f"/x/{name}", size, modified)


def outcome(name="a.jpg"):
    return Outcome(name, view="front", rows=rows_for(name))


@pytest.fixture
def journal(tmp_path):
    """Open the journal of one output."""
    opened = []

    def make(*, resume=True, **settings):
        opened.append(open_journal(tmp_path / "out.csv", settings, resume=resume))
        return opened[-1]

    yield make
    for item in opened:
        item.close()


def test_outcomes_come_back_as_they_went_in(journal):
    bad = Outcome("ü.jpg", error="no_face: Expected\ta “face”\n")
    with journal() as first:
        first.append(source(), outcome())
        first.append(source("ü.jpg"), bad)
    second = journal()
    assert second.has(source())
    assert not second.has(source("b.jpg"))
    found = list(second.outcomes([source("ü.jpg"), source()]))
    for back, sent in zip(found, (bad, outcome()), strict=True):
        np.testing.assert_equal(asdict(back), asdict(sent))


def test_a_photo_that_changed_is_not_done(journal):
    with journal() as first:
        first.append(source(), outcome())
    second = journal()
    assert not second.has(source(size=9))
    assert not second.has(source(modified=9))
    second.append(source(size=9), Outcome("a.jpg", error="newer: x"))
    assert [o.error for o in second.outcomes([source()])] == ["newer: x"]


def test_a_line_torn_at_any_byte_costs_only_its_own_photo(journal, tmp_path):
    with journal() as first:
        first.append(source("a.jpg"), outcome("a.jpg"))
        whole = len(journal_path(tmp_path / "out.csv").read_bytes())
        first.append(source("b.jpg"), outcome("b.jpg"))
    path = journal_path(tmp_path / "out.csv")
    content = path.read_bytes()
    for end in range(whole, len(content)):
        path.write_bytes(content[:end])
        with journal() as again:
            assert (again.has(source("a.jpg")), again.has(source("b.jpg"))) == (True, False)
            again.append(source("c.jpg"), outcome("c.jpg"))
        with journal() as last:
            assert len(last) == 2
            assert last.has(source("c.jpg"))


def test_a_header_torn_at_any_byte_starts_anew(journal, tmp_path):
    path = journal_path(tmp_path / "out.csv")
    with journal() as first:
        header = len(path.read_bytes())
        first.append(source(), outcome())
    content = path.read_bytes()
    for end in range(header):
        path.write_bytes(content[:end])
        with journal(resume=False) as again:
            assert len(again) == 0


def test_a_damaged_line_is_measured_again(journal, tmp_path):
    with journal() as first:
        first.append(source("a.jpg"), outcome("a.jpg"))
        first.append(source("b.jpg"), outcome("b.jpg"))
    path = journal_path(tmp_path / "out.csv")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1][:40] + b"AAAA" + lines[1][44:]
    path.write_bytes(b"".join(lines))
    again = journal()
    assert (again.has(source("a.jpg")), again.has(source("b.jpg"))) == (False, True)


def test_an_empty_journal_leaves_no_trace(journal, tmp_path):
    with journal():
        assert journal_path(tmp_path / "out.csv").exists()
    assert list(tmp_path.iterdir()) == []


def test_two_runs_cannot_share_a_journal(journal):
    first = journal()
    first.append(source(), outcome())
    with pytest.raises(OutputError, match="in use by another process"):
        journal()


def test_results_of_an_interrupted_run_are_not_thrown_away_unasked(journal):
    with journal() as first:
        first.append(source(), outcome())
    with pytest.raises(OutputError, match="Add --resume"):
        journal(resume=False)


def test_results_of_other_settings_are_not_mixed(journal):
    with journal(version="1", levels="all") as first:
        first.append(source(), outcome())
    with pytest.raises(OutputError, match="found another version\\."):
        journal(version="2", levels="all")
    with pytest.raises(OutputError, match="found another levels and version\\."):
        journal(version="2", levels="highest")
    with journal(version="1", levels="all") as same:
        assert len(same) == 1


def test_a_full_disk_costs_only_the_line_that_did_not_fit(journal, monkeypatch):
    fsync = os.fsync
    full = [False]

    def maybe(descriptor):
        if full[0]:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(journal_module.os, "fsync", maybe)
    with journal() as first:
        first.append(source("a.jpg"), outcome("a.jpg"))
        full[0] = True
        with pytest.raises(OutputError, match="no space left"):
            first.append(source("b.jpg"), outcome("b.jpg"))
        full[0] = False
        first.append(source("c.jpg"), outcome("c.jpg"))
    again = journal()
    assert [again.has(source(f"{n}.jpg")) for n in "abc"] == [True, False, True]


def test_a_file_is_whole_or_untouched(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def interrupted():
        with written_whole(path, "the table") as file:
            file.write(b"half")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_text() == "old"
    with written_whole(path, "the table") as file:
        file.write(b"new")
    assert path.read_text() == "new"


# What comes out


@pytest.mark.usefixtures("fake")
def test_the_long_table_has_the_nine_columns_and_the_error(tmp_path, workers):
    make_photos(tmp_path, {"b.jpg": "ok", "a/x.jpg": "ok", "c.png": "no_face"})
    table = skinscan.score_folder(tmp_path, workers=workers, progress=False)
    assert list(table.columns) == [*NINE, "error"] == list(LONG_COLUMNS)
    assert list(table["photo"]) == ["a/x.jpg"] * 2 + ["b.jpg"] * 2 + ["c.png"]
    assert table["value"].iloc[0] == rows_for("a/x.jpg")[0][3]
    bad = table.iloc[-1]
    assert bad["error"] == "no_face: Expected a face; found none. Take another photo."
    assert (bad["view"], bad["metric"], bad["region"], bad["unit"], bad["flags"]) == ("",) * 5
    assert np.isnan([bad["level_px_mm"], bad["value"], bad["sem"]]).all()
    assert set(table["error"].iloc[:-1]) == {""}
    assert {str(table[c].dtype) for c in ("level_px_mm", "value", "sem")} == {"float64"}


@pytest.mark.usefixtures("fake")
def test_the_order_does_not_depend_on_who_was_faster(tmp_path):
    make_photos(tmp_path, {f"{k}.jpg": "slow" if k % 3 == 0 else "ok" for k in range(9)})
    one = skinscan.score_folder(tmp_path, workers=1, progress=False)
    two = skinscan.score_folder(tmp_path, workers=2, progress=False)
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.usefixtures("fake")
def test_only_failures_still_make_a_table(tmp_path):
    make_photos(tmp_path, {"a.jpg": "no_face"})
    table = skinscan.score_folder(str(tmp_path), progress=False)
    assert (len(table), str(table["value"].dtype)) == (1, "float64")


def test_an_unknown_choice_of_levels_is_refused(tmp_path):
    with pytest.raises(BadOptionError):
        skinscan.score_folder(tmp_path, levels="some")
    with pytest.raises(BadOptionError):
        score_to_file(tmp_path, tmp_path / "x.csv", levels="some")


def test_the_frame_is_sorted_by_rank():
    builder = FrameBuilder()
    for rank in (2, 0, 1):
        builder.add(rank, outcome(f"{rank}.jpg"))
    assert list(builder.frame()["photo"]) == [f"{k}.jpg" for k in (0, 0, 1, 1, 2, 2)]


def read_table(path):
    if path.suffix == ".csv":
        return pd.read_csv(path, keep_default_na=False, na_values={
            name: [""] for name, kind in LONG_COLUMNS.items() if kind == "number"})  # fmt: skip
    return pd.read_parquet(path)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])
def test_the_file_holds_what_the_frame_holds(suffix, tmp_path):
    folder = make_photos(tmp_path / "p", {'ü, "x".jpg': "ok", "b.jpg": "no_face", "=c.jpg": "ok"})
    frame = skinscan.score_folder(folder, progress=False)
    output = tmp_path / f"out{suffix}"
    summary = score_to_file(folder, output, progress=False)
    read = read_table(output if suffix != ".CSV" else output.rename(tmp_path / "out2.csv"))
    pd.testing.assert_frame_equal(read, frame, check_dtype=False)
    assert (summary.photos, summary.failed, summary.failures) == (3, 1, {"no_face": 1})
    assert summary.examples["no_face"].startswith("Expected a face")
    assert not journal_path(output).exists()


@pytest.mark.usefixtures("fake")
def test_csv_is_utf8_with_points_and_empty_cells(tmp_path):
    folder = make_photos(tmp_path / "p", {"aü.jpg": "ok", "z.jpg": "no_face"})
    score_to_file(folder, tmp_path / "out.csv", progress=False)
    lines = (tmp_path / "out.csv").read_bytes().decode("utf-8").split("\n")
    value = rows_for("aü.jpg")[0][3]
    assert lines[0] == ",".join(LONG_COLUMNS)
    assert lines[1] == f"aü.jpg,front,wrinkles.severity,forehead_upper,6.0,{value!r},%,,no_sem,"
    assert lines[3].startswith("z.jpg,,,,,,,,,no_face: ")


@pytest.mark.usefixtures("fake")
def test_parquet_is_typed_and_says_what_made_it(tmp_path):
    folder = make_photos(tmp_path / "p", {"a.jpg": "no_face"})
    score_to_file(folder, tmp_path / "out.parquet", progress=False)
    table = parquet.read_table(tmp_path / "out.parquet")
    types_ = {"text": "string", "number": "double"}
    assert {f.name: str(f.type) for f in table.schema} == {
        name: types_[kind] for name, kind in LONG_COLUMNS.items()
    }
    assert table["value"].null_count == 1
    assert table.schema.metadata[b"skinscan_version"].decode() == skinscan.__version__


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_wide_and_long_hold_the_same_numbers(suffix, tmp_path):
    folder = make_photos(tmp_path / "p", {"a.jpg": "ok", "b.jpg": "no_face", "c.jpg": "ok"})
    long, wide = tmp_path / f"long{suffix}", tmp_path / f"wide{suffix}"
    score_to_file(folder, long, progress=False)
    score_to_file(folder, wide, wide=True, progress=False)
    a = read_table(long)
    a = a[a["metric"] != ""].assign(column=a["metric"] + "|" + a["region"])
    pivoted = a.pivot_table(index="photo", columns="column", values="value", dropna=False)
    b = (pd.read_csv if suffix == ".csv" else pd.read_parquet)(wide).set_index("photo")
    assert list(b.index) == ["a.jpg", "b.jpg", "c.jpg"]
    assert set(b.columns) - set(pivoted.columns) == {"view", "error", "level_px_mm"}
    for column in pivoted.columns:
        np.testing.assert_array_equal(b.loc[pivoted.index, column].astype(float), pivoted[column])
    assert b.loc["b.jpg", list(pivoted.columns)].isna().all()
    assert str(b.loc["b.jpg", "error"]).startswith("no_face")
    assert b.loc["a.jpg", "level_px_mm"] == 6.0


@pytest.mark.usefixtures("fake")
def test_wide_with_all_levels_names_the_level(tmp_path):
    folder = make_photos(tmp_path / "p", {"a.jpg": "ok"})
    score_to_file(folder, tmp_path / "w.csv", wide=True, levels="all", progress=False)
    wide = pd.read_csv(tmp_path / "w.csv")
    at6, at3 = (wide[f"wrinkles.severity|forehead_upper|{k}"][0] for k in (6, 3))
    assert at3 == at6 / 2
    assert "level_px_mm" not in wide.columns


@pytest.mark.usefixtures("fake")
def test_an_existing_output_is_replaced_only_by_a_complete_one(tmp_path):
    folder = make_photos(tmp_path / "p", {"a.jpg": "model"})
    output = tmp_path / "out.csv"
    output.write_text("old")
    with pytest.raises(ModelError):
        score_to_file(folder, output, progress=False)
    assert output.read_text() == "old"
    assert not journal_path(output).exists()
    make_photos(folder, {"a.jpg": "ok"})
    score_to_file(folder, output, progress=False)
    assert output.read_text().startswith("photo,")


@pytest.mark.parametrize("name", ["out.xlsx", "out", "missing/out.csv", "folder.csv", "file/o.csv"])
def test_an_output_that_cannot_be_is_refused_before_anything_is_measured(name, fake, tmp_path):
    folder = make_photos(tmp_path / "p", {"a.jpg": "ok"})
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as caught:
        score_to_file(folder, tmp_path / name, progress=False)
    assert calls(fake) == []
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_that_may_not_be_written_is_refused_before_anything_is_measured(
    fake, tmp_path, monkeypatch
):
    folder = make_photos(tmp_path / "p", {"a.jpg": "ok"})
    real = os.open

    def refuse(path, *args, **options):
        if str(path).endswith(".partial"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)  # chmod does not stop root
    with pytest.raises(OutputError, match="found permission denied"):
        score_to_file(folder, tmp_path / "out.csv", progress=False)
    assert calls(fake) == []


def test_a_resumed_run_does_what_is_missing_and_what_changed(fake, tmp_path):
    contents = {f"{k}.jpg": "ok" for k in range(5)}
    folder = make_photos(tmp_path / "p", contents | {"3.jpg": "model"})
    output = tmp_path / "out.csv"
    with pytest.raises(ModelError):
        score_to_file(folder, output, workers=1, progress=False)
    assert calls(fake) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    make_photos(folder, {"3.jpg": "ok", "1.jpg": "slow", "6.jpg": "ok"})
    (folder / "0.jpg").unlink()
    fake.unlink()
    summary = score_to_file(folder, output, workers=1, progress=False, resume=True)
    assert calls(fake) == ["1.jpg", "3.jpg", "4.jpg", "6.jpg"]
    assert (summary.photos, summary.resumed) == (5, 1)
    pd.testing.assert_frame_equal(
        read_table(output), skinscan.score_folder(folder, progress=False), check_dtype=False
    )


def test_resume_without_an_interrupted_run_measures_everything(fake, tmp_path):
    folder = make_photos(tmp_path / "p", {"a.jpg": "ok"})
    for _ in range(2):
        summary = score_to_file(folder, tmp_path / "o.csv", resume=True, progress=False)
        assert (summary.photos, summary.resumed) == (1, 0)
    assert calls(fake) == ["a.jpg", "a.jpg"]


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("option", [{"levels": "all"}, {"largest_face": True}, {"overlays": "o"}])
def test_a_run_with_other_options_is_not_resumed(option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = make_photos(tmp_path / "p", {"a.jpg": "ok", "b.jpg": "model"})
    with pytest.raises(ModelError):
        score_to_file(folder, "out.csv", progress=False)
    with pytest.raises(OutputError, match="same settings"):
        score_to_file(folder, "out.csv", progress=False, resume=True, **option)


@pytest.mark.usefixtures("fake")
def test_from_a_thread_it_works_too(tmp_path):
    make_photos(tmp_path, {"a.jpg": "ok", "b.jpg": "ok"})
    tables = []

    def work():
        tables.append(skinscan.score_folder(tmp_path, workers=2))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert len(tables[0]) == 4


@pytest.mark.usefixtures("log")
def test_a_script_without_a_main_guard_may_use_workers(tmp_path):
    make_photos(tmp_path / "p", {"a.jpg": "ok", "b.jpg": "ok"})
    script = tmp_path / "script.py"
    script.write_text(
        "import fake_jobs, skinscan.batch.score as s\n"
        "s.MeasurePhoto = fake_jobs.FakeJob\n"
        f"print(len(s.score_folder({str(tmp_path / 'p')!r}, workers=2)))\n",
        encoding="utf-8",
    )
    result = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.stdout, result.stderr, result.returncode) == ("4\n", "", 0)


# For real


def test_the_table_of_a_folder_is_the_tables_of_its_scans(tmp_path):
    from skinscan.scan import TABLE_COLUMNS

    photos = sorted(sample_course_dir().glob("*.jpg"))[:2]
    if not photos:
        pytest.skip("the sample course has not been rendered")
    for photo in photos:
        shutil.copy(photo, tmp_path)
    table = skinscan.score_folder(tmp_path, workers=2, levels="all")
    assert [*TABLE_COLUMNS, "error"] == list(table.columns) == list(LONG_COLUMNS)
    assert set(table["photo"]) == {photo.name for photo in photos}
    assert set(table["error"]) == {""}
    scan = skinscan.analyze(photos[0], name=photos[0].name)
    first = table[table["photo"] == photos[0].name].drop(columns="error")
    # One thread in the worker and several here must not make a difference.
    pd.testing.assert_frame_equal(first, scan.table(levels="all"), check_dtype=False, rtol=1e-6)


# Killed in the middle

RUNNER = (
    "import fake_jobs, skinscan.batch.score as s; s.MeasurePhoto = fake_jobs.FakeJob; "
    "from skinscan.cli import main; main()"
)


def start_score(folder, output, *options):
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, "score", folder, "-o", output, *options],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(
    ("how", "count"), [("SIGKILL", "1"), ("SIGKILL", "2"), ("SIGINT", "2"), ("SIGTERM", "1")]
)
def test_killed_and_resumed_each_photo_is_scored_once(how, count, log, tmp_path):
    photos = {f"{k:02d}.jpg": "no_face" if k == 4 else "slow" for k in range(16)}
    folder = make_photos(tmp_path / "p", photos)
    output = tmp_path / "out.csv"
    first = start_score(folder, output, "--workers", count)
    wait_for(lambda: len(calls(log)) >= 6)
    children = children_of(first.pid)
    first.send_signal(signal.Signals[how])
    _, message = first.communicate(timeout=20)
    assert not output.exists()
    assert journal_path(output).exists()
    if how == "SIGKILL":
        assert first.returncode == -signal.SIGKILL
    else:
        assert first.returncode == 130
        assert message == "Interrupted. The same command with --resume continues.\n"
    assert len(children) == (0 if count == "1" else 2)
    wait_for(lambda: not any(map(is_alive, children)))

    refused = start_score(folder, output, "--workers", count)
    assert "Add --resume" in refused.communicate(timeout=20)[1]
    assert refused.returncode == 2

    second = start_score(folder, output, "--workers", count, "--resume")
    _, message = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "15 of 16 photos measured" in message
    assert not journal_path(output).exists()
    rows = read_table(output)
    assert sorted(set(rows["photo"])) == sorted(photos)
    assert len(rows) == 15 * 2 + 1
    # Only what was under way when the run died may have been begun twice: two per worker.
    done = calls(log)
    assert {done.count(name) for name in photos} <= {1, 2}
    assert sum(done.count(name) == 2 for name in photos) <= (1 if count == "1" else 4)
