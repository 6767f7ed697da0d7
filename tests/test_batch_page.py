"""The batch page: which folders, whose run, what is kept, and what is said."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from pathlib import Path

import pytest
from fake_jobs import LOG, FakeJob
from made_records import office as make_office
from made_records import places

from skinscan.batch import engines
from skinscan.batch.engine import InProcessEngine
from skinscan.batch.journal import Journal
from skinscan.batch.measure import Outcome
from skinscan.errors import (
    BadOptionError,
    BatchBusyError,
    BatchTooLargeError,
    OutputError,
    PhotoTooLargeError,
    RecordMissingError,
    SourceFolderError,
)
from skinscan.practice import custody
from skinscan.practice.principal import TERMINAL
from skinscan.resources import sample_course_dir
from skinscan.store.accounts.logins import SignedIn
from skinscan.store.schema import now
from skinscan.ui import batch_strings as strings
from skinscan.ui import practice_strings, server
from skinscan.ui import strings as photo_strings
from skinscan.ui.batch import inbox, roots, run, runs, space
from skinscan.ui.batch.run import Options, State
from skinscan.ui.web import office


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder that is open: fake photos, and links of every kind."""
    top, outside = tmp_path / "open", tmp_path / "outside"
    (top / "inside" / "deeper").mkdir(parents=True)
    (top / ".hidden").mkdir()
    outside.mkdir()
    (top / "a.jpg").write_text("fine")
    (top / "inside" / "b.jpg").write_text("no_face")
    (top / "inside" / "deeper" / "c.jpg").write_text("fine")
    (outside / "secret.jpg").write_text("fine")
    (top / "link.jpg").symlink_to(outside / "secret.jpg")
    (top / "away").symlink_to(outside)
    (top / "root").symlink_to("/")
    (top / "again.jpg").symlink_to(top / "a.jpg")
    monkeypatch.setenv(roots.BATCH_FOLDERS, str(top))
    return top


class Gated(FakeJob):
    """Measures when it is let."""

    def __init__(self, **more):
        super().__init__(**more)
        object.__setattr__(self, "gate", threading.Event())
        object.__setattr__(self, "asked", threading.Event())

    def __call__(self, task):
        self.asked.set()
        assert self.gate.wait(20)
        return super().__call__(task)


@pytest.fixture
def job(monkeypatch, tmp_path):
    """Runs measure with it, in this process."""
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    it = Gated()
    it.gate.set()
    monkeypatch.setattr(run, "job_of", lambda _options: it)
    monkeypatch.setattr(engines, "PoolEngine", lambda job, **_workers: InProcessEngine(job))
    return it


@pytest.fixture
def held(tmp_path, monkeypatch):
    it = runs.Runs(space.Space(tmp_path / "space"), workers=1)
    monkeypatch.setattr(space, "KEPT_FREE", 0)
    yield it
    it.close()
    assert list((tmp_path / "space").iterdir()) == []


def begin(held, it, *, options=None):
    held.start(it, options or Options(), noted=lambda: None)


def of_folder(held, user):
    return held.of_folder(user, *roots.opened(0, ""))


def send(it, name, content, *, most=1000):
    async def parts():
        for k in range(0, len(content), 7):
            yield content[k : k + 7]

    asyncio.run(it.take(name, parts(), most_bytes=most))


def files_below(folder):
    return [p for p in Path(folder).rglob("*") if p.is_file() and p.name != "lock"]


# Folders of the server


def test_no_folder_is_open_unless_somebody_says_so(monkeypatch):
    monkeypatch.delenv(roots.BATCH_FOLDERS, raising=False)
    assert roots.choices() == ([], False)
    with pytest.raises(RecordMissingError):
        roots.opened(0, "")
    monkeypatch.setenv(roots.BATCH_FOLDERS, os.pathsep.join(["", "relative", "."]))
    assert roots.roots() == []


def test_the_list_has_folders_and_neither_links_nor_hidden_ones(photos):
    found, cut = roots.choices()
    assert [c.label for c in found] == ["open", "open/inside", "open/inside/deeper"]
    assert not cut
    for choice in found:
        folder, root = roots.opened(choice.root, choice.below)
        assert folder == photos / choice.below
        assert root == photos


@pytest.mark.usefixtures("photos")
def test_a_long_list_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(roots, "MOST_FOLDERS", 2)
    found, cut = roots.choices()
    assert [c.label for c in found] == ["open", "open/inside"]
    assert cut


def test_two_folders_of_one_name_are_told_apart(tmp_path, monkeypatch):
    both = [tmp_path / name / "photos" for name in "ab"]
    for folder in both:
        folder.mkdir(parents=True)
    monkeypatch.setenv(roots.BATCH_FOLDERS, roots.checked(both))
    assert [c.label for c in roots.choices()[0]] == [str(folder) for folder in both]


@pytest.mark.parametrize(
    ("root", "below"),
    [
        (0, ".."),
        (0, "../outside"),
        (0, "inside/../../outside"),
        (0, "/"),
        (0, "/etc"),
        (0, "away"),
        (0, "root/etc"),
        (0, "a.jpg"),
        (0, "no such folder"),
        (0, "inside\0"),
        (1, ""),
        (-1, ""),
    ],
)
def test_nothing_else_can_be_named(photos, root, below):
    with pytest.raises(RecordMissingError):
        roots.opened(root, below)
    assert photos.is_dir()


@pytest.mark.usefixtures("photos")
def test_a_link_that_leads_out_is_left_out_and_counted(held, job):
    it = of_folder(held, "u")
    begin(held, it)
    it.wait(20)
    assert [row[0] for row in it.rows(100) if row[2] != "tone.redness"] == [
        "a.jpg",
        "again.jpg",
        "inside/b.jpg",
        "inside/deeper/c.jpg",
    ]
    assert it.left_out == 3
    assert job.asked.is_set()


def test_a_link_exchanged_after_the_search_is_not_followed(photos, held, job):
    it = of_folder(held, "u")
    (photos / "again.jpg").unlink()
    (photos / "again.jpg").symlink_to(photos.parent / "outside" / "secret.jpg")
    (photos / "a.jpg").write_text("no_face")
    begin(held, it)
    it.wait(20)
    assert "again.jpg" in it.failures["no_face"].names
    assert job.asked.is_set()


def test_a_folder_given_at_the_start_must_be_one(tmp_path):
    (tmp_path / "file").write_text("x")
    for wrong in (tmp_path / "file", tmp_path / "none"):
        with pytest.raises(BadOptionError):
            roots.checked([wrong])
    assert roots.checked([tmp_path]) == str(tmp_path)


def test_a_folder_without_photos_or_with_too_many_is_refused(photos, held, monkeypatch):
    (photos / "empty").mkdir()
    with pytest.raises(SourceFolderError):
        held.of_folder("u", *roots.opened(0, "empty"))
    monkeypatch.setattr(runs, "MOST_PHOTOS", 2)
    with pytest.raises(BatchTooLargeError):
        of_folder(held, "u")
    assert held.of("u") is None


# What is kept


def test_what_a_run_keeps_is_for_this_user_of_the_machine_only(held, tmp_path):
    it = held.gathering("u")
    send(it.inbox, "../../a/b.jpg", b"fine")
    folders = [p for p in (tmp_path / "space").rglob("*") if p.is_dir()]
    assert len(folders) == 2
    assert {stat.S_IMODE(p.stat().st_mode) for p in [*folders, tmp_path / "space"]} == {0o700}
    (kept,) = files_below(tmp_path / "space")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "b.jpg" not in kept.name
    assert [photo.name for photo in it.inbox.close()] == ["../../a/b.jpg"]


def test_what_ended_processes_left_is_swept_and_nothing_else(tmp_path):
    alive = space.Space(tmp_path)
    dead = space.Space(tmp_path)
    (dead.folder / "photo").write_text("x")
    dead._lock.close()
    young, other = tmp_path / "skinscan-batch-young", tmp_path / "other"
    for folder in (young, other):
        folder.mkdir()
    (tmp_path / "skinscan-batch-link").symlink_to(other)
    assert space.sweep(tmp_path) == 1
    left = {alive.folder.name, "skinscan-batch-young", "other", "skinscan-batch-link"}
    assert {p.name for p in tmp_path.iterdir()} == left
    os.utime(young, (0, 0))
    assert space.sweep(tmp_path) == 1
    alive.close()
    assert not alive.folder.exists()
    assert space.sweep(tmp_path / "none") == 0


def test_a_photo_that_was_sent_is_deleted_when_it_was_measured(held, job, tmp_path):
    it = held.gathering("u")
    for name in ("b.jpg", "a.jpg"):
        send(it.inbox, name, b"fine")
    job.gate.clear()
    begin(held, it)
    assert job.asked.wait(20)
    assert len([p for p in files_below(tmp_path / "space") if p.suffix == ".photo"]) == 2
    job.gate.set()
    it.wait(20)
    assert [p.name for p in files_below(tmp_path / "space")] == ["results.partial"]
    assert it.state is State.DONE
    held.drop(it)
    assert files_below(tmp_path / "space") == []


def test_the_same_photo_again_is_there_once_and_another_gets_another_name(held):
    it = held.gathering("u").inbox
    for content in (b"one", b"two", b"one", b"two", b"three"):
        send(it, "IMG.1.jpg", content)
    send(it, "", b"x")
    send(it, "=cmd()\n.jpg", b"y")
    send(it, "d\\" + "x" * 300 + ".jpg", b"z")
    names = [photo.name for photo in it.close()]
    assert names[:-1] == [
        "./=cmd()\\x0a.jpg",
        "IMG.1 (2).jpg",
        "IMG.1 (3).jpg",
        "IMG.1.jpg",
        "photo",
    ]
    assert len(names[-1]) == 250
    assert len(files_below(it._folder)) == 6


def test_what_does_not_arrive_whole_leaves_nothing(held, monkeypatch, tmp_path):
    it = held.gathering("u").inbox
    with pytest.raises(PhotoTooLargeError):
        send(it, "a.jpg", b"x" * 1001)

    async def broken():
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(OutputError):
        asyncio.run(it.take("b.jpg", broken(), most_bytes=1000))

    async def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inbox, "run_in_threadpool", full)
    with pytest.raises(OutputError):
        send(it, "c.jpg", b"x")
    monkeypatch.undo()
    assert files_below(tmp_path / "space") == []
    assert len(it) == 0


def test_an_inbox_is_full_at_some_point_and_closed_when_it_is_measured(held, monkeypatch):
    it = held.gathering("u").inbox
    monkeypatch.setattr(inbox, "MOST_SENT", 1)
    send(it, "a.jpg", b"x")
    with pytest.raises(BatchTooLargeError):
        send(it, "b.jpg", b"x")
    it.close()
    with pytest.raises(BatchBusyError):
        send(it, "c.jpg", b"y")
    assert len(files_below(it._folder)) == 1


@pytest.mark.usefixtures("photos")
def test_nothing_is_taken_where_the_disk_is_nearly_full(held, monkeypatch):
    monkeypatch.setattr(space, "KEPT_FREE", 2**62)
    with pytest.raises(OutputError):
        held.gathering("u")
    with pytest.raises(OutputError):
        of_folder(held, "v")


def test_a_run_with_which_nothing_happens_is_removed(tmp_path, job):
    it = runs.Runs(space.Space(tmp_path), workers=1, kept_s=0.05)
    its = it.gathering("u")
    send(its.inbox, "a.jpg", b"fine")
    for _ in range(200):
        if it.of("u") is None:
            break
        threading.Event().wait(0.02)
    assert it.of("u") is None
    assert files_below(tmp_path) == []
    it.close()
    assert not job.asked.is_set()


# Whose, and how many


@pytest.mark.usefixtures("photos")
def test_one_run_for_each_person_and_nobody_elses(held, job):
    mine = of_folder(held, "u")
    assert held.find("u", mine.id) is mine
    for user, name in (("v", mine.id), ("u", "0" * 32), ("u", ""), ("", mine.id)):
        with pytest.raises(RecordMissingError):
            held.find(user, name)
    with pytest.raises(BatchBusyError):
        of_folder(held, "u")
    with pytest.raises(BatchBusyError):
        held.gathering("u")
    assert held.gathering("v") is held.gathering("v")
    assert held.gathering("v").id != mine.id
    assert not job.asked.is_set()


@pytest.mark.usefixtures("photos")
def test_few_runs_at_the_same_time(held, job, monkeypatch):
    monkeypatch.setattr(runs, "MOST_RUNNING", 1)
    job.gate.clear()
    first, second = (of_folder(held, user) for user in "uv")
    begin(held, first)
    with pytest.raises(BatchBusyError):
        held.start(second, Options(), noted=lambda: pytest.fail("written down"))
    held.drop(first)
    assert held.of("u") is first  # what runs is not dropped
    job.gate.set()
    first.wait(20)
    begin(held, second)
    second.wait(20)
    assert second.state is State.DONE


@pytest.mark.usefixtures("photos")
def test_stopping_and_going_on_measures_each_photo_once(held, job, tmp_path):
    it = of_folder(held, "u")
    job.gate.clear()
    begin(held, it, options=Options(levels="all"))
    it.stop()
    assert it.is_stopping
    job.gate.set()
    it.wait(20)
    assert (it.state, it.done, it.total) == (State.STOPPED, 1, 4)
    with it.table("scores.csv") as file:
        assert file.read().decode().count("a.jpg") == 2
    begin(held, it)
    it.wait(20)
    assert (it.state, it.options.levels) == (State.DONE, "all")
    assert it.total == it.scored + it.failed + it.quarantined == 4
    assert (tmp_path / "log").read_text().split() == [
        "a.jpg",
        "again.jpg",
        "inside/b.jpg",
        "inside/deeper/c.jpg",
    ]


@pytest.mark.usefixtures("photos")
def test_a_full_disk_stops_a_run_and_what_was_measured_is_kept(held, job, monkeypatch):
    append = Journal.append

    def full(self, photo, outcome):
        if photo.name.startswith("inside"):
            raise OutputError(expected="room", found="none", remedy="Make room")
        append(self, photo, outcome)

    monkeypatch.setattr(Journal, "append", full)
    it = of_folder(held, "u")
    begin(held, it)
    it.wait(20)
    assert (it.state, it.trouble, it.done) == (State.STOPPED, "output", 2)
    assert len(it.rows(100)) == 4
    monkeypatch.setattr(Journal, "append", append)
    begin(held, it)
    it.wait(20)
    assert (it.state, it.trouble, it.done) == (State.DONE, "", 4)
    assert job.asked.is_set()


@pytest.mark.usefixtures("photos")
def test_an_error_that_nobody_foresaw_ends_a_run_calmly(held, job, monkeypatch, caplog):
    def broken(*_args, **_more):
        raise ValueError("secret name")

    monkeypatch.setattr(run, "fill", broken)
    it = of_folder(held, "u")
    begin(held, it)
    it.wait(20)
    assert (it.state, it.trouble) == (State.STOPPED, "internal")
    assert "secret" not in caplog.text
    assert not job.asked.is_set()


def test_real_photos_in_a_real_process_and_half_a_file_among_them(held, tmp_path):
    photo = min(sample_course_dir().glob("*.jpg"))
    it = held.gathering("u")
    whole = photo.read_bytes()
    for name, content in (("good.jpg", whole), ("half.jpg", whole[:200_000]), ("text.jpg", b"x")):
        send(it.inbox, name, content, most=2**25)
    begin(held, it)
    it.wait(120)
    assert (it.total, it.scored, it.failed, it.quarantined) == (3, 1, 2, 0)
    assert {cause: f.names for cause, f in it.failures.items()} == {
        "truncated": ["half.jpg"],
        "not_an_image": ["text.jpg"],
    }
    with it.table("scores-wide.csv") as file:
        head, *lines = file.read().decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["good.jpg", "half.jpg", "text.jpg"]
    assert "wrinkles.severity|" in head
    with it.table("scores.parquet") as file:
        import pandas as pd

        table = pd.read_parquet(file)
    assert set(table["photo"]) == {"good.jpg", "half.jpg", "text.jpg"}
    assert len([p for p in files_below(tmp_path / "space") if p.suffix == ".photo"]) == 0


# The page

SCRIPT = str(Path(server.__file__).with_name("script.py"))


@pytest.fixture
def made(tmp_path, monkeypatch, held):
    it = make_office(places(tmp_path))
    monkeypatch.setattr(office, "records", lambda: it.records)
    monkeypatch.setattr("skinscan.ui.practice.batch.runs", lambda: held)
    # Without a browser there are no cookies to make it of.
    monkeypatch.setattr("skinscan.ui.practice.batch.page_token", lambda _cookies: "t")
    yield it
    it.records.close()


@pytest.fixture
def page(made, monkeypatch, app_test):
    def opened(principal):
        who = SignedIn("l" * 32, principal.user_id, made.records.practice_id, principal.role,
                       made.client_id if principal == made.client else None, now())  # fmt: skip
        monkeypatch.setattr(office, "signed_in", lambda _secret, **_more: who)
        app = app_test.from_file(SCRIPT, default_timeout=60)
        app.run()
        if practice_strings.NAV_BATCH in app.segmented_control(key="nav").options:
            app.segmented_control(key="nav").set_value(practice_strings.NAV_BATCH).run()
        assert not app.exception
        return app

    return opened


def text_of(app):
    kinds = ("title", "header", "markdown", "toast")
    parts = [str(e.value) for kind in kinds for e in app.get(kind)]
    parts += [e.label for kind in ("button", "expander") for e in app.get(kind)]
    return "\n".join(parts + [e.proto.body for e in app.get("html")]).replace("&#x27;", "'")


def audit_of(made):
    lines = custody.audit_lines(made.records, TERMINAL)
    return [(e.action, e.actor, e.detail) for e in lines if e.action.startswith("batch")]


def test_the_page_is_for_the_staff_and_says_what_to_do(made, page, monkeypatch):
    monkeypatch.delenv(roots.BATCH_FOLDERS, raising=False)
    for principal in (made.carer, made.owner):
        text = text_of(page(principal))
        assert strings.FOLDER_NONE in text
        assert strings.FOLDER_NONE_TEXT in text
        assert strings.KEPT[1] in text
        assert strings.PRIVACY in text
        assert photo_strings.PRIVACY_FORGOTTEN not in text
    assert practice_strings.NAV_BATCH not in page(made.client).segmented_control(key="nav").options
    monkeypatch.setenv(roots.BATCH_FOLDERS, "/no/such/folder")
    assert strings.FOLDER_GONE in text_of(page(made.carer))


@pytest.mark.usefixtures("photos")
def test_a_folder_from_the_list_to_the_table(made, page, job, held):
    job.gate.clear()
    app = page(made.carer)
    app.checkbox(key="batch_largest").check()
    app.button(key="batch_measure_folder").click().run()
    it = held.of(made.carer.user_id)
    assert it.options == Options(largest_face=True)
    assert strings.RUNNING_TEXT in text_of(app)
    assert app.get("progress")[0].proto.text == strings.RUNNING_BEGIN
    assert strings.RUNNING_TEXT not in text_of(page(made.colleague))
    assert strings.RUNNING_TEXT not in text_of(page(made.owner))
    app = page(made.carer)  # reloaded
    app.button(key="batch_stop").click().run()
    assert strings.STOPPING in text_of(app)
    job.gate.set()
    it.wait(20)
    text = text_of(app.run())
    assert strings.STOPPED.format(done=1, total=4) in text
    app.button(key="batch_go_on").click().run()
    it.wait(20)
    text = text_of(app.run())
    assert strings.DONE in text
    assert f"/batch/{it.id}/scores.parquet" in text
    assert "wrinkles.severity" in text
    assert photo_strings.PROBLEMS["no_face"][:20] in text
    assert "inside/b\\.jpg" in text
    assert strings.LEFT_OUT.format(count=3) in text
    assert audit_of(made) == 2 * [
        ("batch.started", made.carer.user_id, {"source": "folder", "photos": 4})
    ]
    app.button(key="batch_remove").click().run()
    assert strings.FOLDER_BUTTON in text_of(app)
    assert held.of(made.carer.user_id) is None


def test_what_stands_in_the_way_is_a_sentence(made, page, photos, monkeypatch, held):
    monkeypatch.setattr(runs, "MOST_RUNNING", 0)
    app = page(made.carer)
    app.button(key="batch_measure_folder").click().run()
    assert strings.trouble("batch_busy") in text_of(app)
    held.drop(held.of(made.carer.user_id))
    for name in ("a.jpg", "again.jpg", "inside", "root", "away", "link.jpg"):
        (photos / name).rename(photos / f".{name}")
    app = page(made.carer)
    app.button(key="batch_measure_folder").click().run()
    assert strings.trouble("source_folder") in text_of(app)
    assert audit_of(made) == []


def test_photos_that_were_sent_wait_for_a_word(made, page, photos, job, held):
    its = held.gathering(made.carer.user_id)
    app = page(made.carer)
    assert strings.START_SENT not in text_of(app)
    send(its.inbox, "<b>*x*.jpg", b"no_face")
    send(its.inbox, "die.jpg", b"fine")
    app.run()
    assert strings.GATHERED.format(count=2) in text_of(app)
    assert app.button(key="batch_measure_folder").disabled
    app.button(key="batch_measure_sent").click().run()
    its.wait(20)
    text = text_of(app.run())
    assert "<b>" not in text
    assert "\\<b\\>\\*x\\*\\.jpg" in text
    app.button(key="batch_remove").click().run()
    send(held.gathering(made.carer.user_id).inbox, "a.jpg", b"x")
    app.run()
    app.button(key="batch_remove_sent").click().run()
    assert held.of(made.carer.user_id) is None
    assert job.asked.is_set()
    assert photos.is_dir()


@pytest.mark.usefixtures("photos")
def test_quarantine_is_told_apart_and_long_lists_are_cut(made, page, held, monkeypatch):
    monkeypatch.setattr(run, "MOST_NAMED", 1)

    def outcomes(_journal, all_photos, **_more):
        errors = ("no_face: x", "no_face: x", "worker: x", "odd: A sentence of its own.")
        yield from (
            Outcome(p.name, error=error) for p, error in zip(all_photos, errors, strict=True)
        )

    monkeypatch.setattr(run, "fill", outcomes)
    it = of_folder(held, made.carer.user_id)
    begin(held, it)
    it.wait(20)
    assert (it.scored, it.failed, it.quarantined) == (0, 3, 1)
    text = text_of(page(made.carer))
    assert strings.SET_ASIDE in text
    assert strings.FAILURES_MORE.format(count=1) in text
    assert "A sentence of its own" in text


@pytest.mark.usefixtures("photos")
def test_a_page_left_open_ends_with_the_login(made, page, job, held, monkeypatch):
    job.gate.clear()
    app = page(made.carer)
    app.button(key="batch_measure_folder").click().run()
    asked = []

    def gone(_secret, *, noted=True):
        asked.append(noted)

    monkeypatch.setattr(office, "signed_in", gone)
    app.run()
    assert practice_strings.SESSION_OVER in text_of(app)
    assert strings.RUNNING_TEXT not in text_of(app)
    job.gate.set()
    held.of(made.carer.user_id).wait(20)
    assert asked
