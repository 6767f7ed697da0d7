"""Dask: scheduler and workers as processes of their own, and what happens when they die."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path

import fake_jobs
import pandas as pd
import pytest
from fake_jobs import FakeJob, calls
from made_cluster import Cluster, children_of, free_port, wait_for
from made_store_s3 import CREDENTIALS, running_store
from test_archive import RUNNER, counts_of, make_photos, parts_of, table_of

import skinscan
from skinscan.batch import cluster_task
from skinscan.batch import score as score_module
from skinscan.batch.cluster import DaskEngine
from skinscan.batch.engine import run, run_shards
from skinscan.batch.measure import Task
from skinscan.batch.score import score_to_file
from skinscan.batch.sources import find_photos
from skinscan.errors import EngineError, ModelError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")


@pytest.fixture(scope="module")
def store():
    with running_store() as new_bucket:
        yield new_bucket()


@pytest.fixture(scope="module")
def cluster_log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "calls.log"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, store, cluster_log):
    environment = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": store.endpoint,
        fake_jobs.LOG: str(cluster_log),
    }
    made = Cluster(tmp_path_factory.mktemp("cluster"), environment=environment)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def log(cluster_log, monkeypatch, store):
    cluster_log.unlink(missing_ok=True)
    monkeypatch.setenv(fake_jobs.LOG, str(cluster_log))
    monkeypatch.setattr(score_module, "MeasurePhoto", FakeJob)
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": store.endpoint}.items():
        monkeypatch.setenv(name, value)
    return cluster_log


def score(cluster, paths, output, **options):
    return score_to_file(
        paths, output, engine="dask", scheduler=cluster.address, progress=False, **options
    )


def slowly(count):
    return {f"{k:03d}.jpg": "slow" for k in range(count)}


class Background:
    """Score in a thread, so that the test can do harm meanwhile."""

    def __init__(self, *arguments, **options):
        self._result = None
        self._error = None

        def work():
            try:
                self._result = score(*arguments, **options)
            except BaseException as error:  # noqa: BLE001 - raised again in the test
                self._error = error

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def result(self):
        self._thread.join(120)
        assert not self._thread.is_alive()
        if self._error:
            raise self._error
        return self._result


def rows_per_photo(table):
    return table.groupby("photo").size().to_dict()


def test_a_bucket_is_scored_on_a_cluster_and_poison_is_put_in_quarantine(cluster, log, store):
    contents = {f"{k:03d}.jpg": "ok" for k in range(90)}
    contents |= {"013.jpg": "die", "014.jpg": "die", "077.jpg": "die", "050.jpg": "no_face"}
    contents |= {"051.jpg": "die once"}
    store.fill(contents)
    summary = score(cluster, store.url("photos"), store.url("out"), shard_size=40)
    assert (summary.photos, summary.failures) == (90, {"worker": 3, "no_face": 1})
    assert summary.quarantined == 3
    parts = [name for name in store.names("out") if name.startswith("part-")]
    assert len(parts) == 3
    done = calls(log)
    twice = {"013.jpg", "014.jpg", "077.jpg", "051.jpg"}
    assert {name: done.count(name) for name in contents} == {
        name: 2 if name in twice else 1 for name in contents
    }


def test_the_table_is_that_of_one_computer(cluster, log, tmp_path):
    folder = make_photos(tmp_path / "p", dict.fromkeys(slowly(9), "ok"))
    there = skinscan.score_folder(folder, engine="dask", scheduler=cluster.address, progress=False)
    pd.testing.assert_frame_equal(there, skinscan.score_folder(folder, workers=1, progress=False))
    assert len(calls(log)) == 18


def test_photos_that_take_the_whole_worker_with_them_are_found_by_splitting(cluster, log, tmp_path):
    contents = dict.fromkeys(slowly(12), "ok") | {"005.jpg": "die with parent"}
    folder = make_photos(tmp_path / "p", contents)
    summary = score(cluster, folder, f"{tmp_path}/out/")
    assert summary.failures == {"worker": 1}
    table = table_of(tmp_path / "out")
    assert set(table[table["error"] != ""]["photo"]) == {"005.jpg"}
    assert rows_per_photo(table) == {name: 2 - (name == "005.jpg") for name in contents}
    # Dask does not count every death; but nobody is blamed after a single one.
    assert calls(log).count("005.jpg") >= 4


def test_a_worker_that_is_killed_costs_nothing_but_time(cluster, log, tmp_path):
    contents = slowly(40)
    folder = make_photos(tmp_path / "p", contents)
    running = Background(cluster, folder, f"{tmp_path}/out/", shard_size=20)
    wait_for(lambda: len(calls(log)) >= 8)
    cluster.kill_a_worker(0)
    summary = running.result()
    assert (summary.photos, summary.failed) == (40, 0)
    assert rows_per_photo(table_of(tmp_path / "out")) == dict.fromkeys(contents, 2)
    assert counts_of(tmp_path / "out")["duplicates"] == 0


def test_a_scheduler_that_is_restarted_is_found_again(cluster, log, tmp_path):
    contents = slowly(40)
    folder = make_photos(tmp_path / "p", contents)
    running = Background(cluster, folder, f"{tmp_path}/out/", shard_size=10)
    wait_for(lambda: len(calls(log)) >= 15)
    cluster.restart_scheduler()
    summary = running.result()
    assert (summary.photos, summary.failed) == (40, 0)
    assert rows_per_photo(table_of(tmp_path / "out")) == dict.fromkeys(contents, 2)


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
@pytest.mark.usefixtures("log")
def test_a_run_that_is_killed_and_resumed_has_each_photo_once(how, cluster, tmp_path):
    contents = slowly(60)
    folder = make_photos(tmp_path / "p", contents)
    command = [sys.executable, "-c", RUNNER, "score", folder, "-o", f"{tmp_path}/out/"]
    command += ["--engine", "dask", "--scheduler", cluster.address, "--shard-size", "10"]
    paths = [str(Path(__file__).parent), str(Path(skinscan.__file__).parents[1])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    before = measuring(cluster)
    first = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    wait_for(lambda: len(parts_of(tmp_path / "out")) >= 2)
    first.send_signal(signal.Signals[how])
    _, said = first.communicate(timeout=60)
    done = len(parts_of(tmp_path / "out"))
    assert 2 <= done < 6
    if how == "SIGINT":
        assert b"Interrupted. The same command with --resume continues." in said
        # Nobody goes on for a run that has ended.
        wait_for(lambda: measuring(cluster) <= before)
    summary = score(cluster, folder, f"{tmp_path}/out/", shard_size=10, resume=True)
    assert (summary.photos, summary.resumed, summary.failed) == (60, 10 * done, 0)
    assert rows_per_photo(table_of(tmp_path / "out")) == dict.fromkeys(contents, 2)


def measuring(cluster):
    """Processes that measure, below the workers below the nannies."""
    workers = [worker for nanny in cluster.workers for worker in children_of(nanny.pid)]
    below = [child for worker in workers for child in children_of(worker)]
    return {pid for pid in below if b"skinscan" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.mark.usefixtures("log")
def test_a_child_that_waits_for_a_run_that_was_killed_ends_by_itself(tmp_path):
    make_photos(tmp_path, {"a.jpg": "ok"})
    job = pickle.dumps(FakeJob())
    version = skinscan.__version__
    run_ = cluster_task.Run("lost", version, job, 60.0, 100, idle_s=0.2)
    order = cluster_task.Order.of(run_, (Task("a.jpg", str(tmp_path / "a.jpg")),))
    try:
        for _ in range(2):
            (outcome,) = cluster_task.unpack(cluster_task.measure(order))
            assert outcome.error == ""
            alive = cluster_task._runs["lost"].processes._alive
            wait_for(lambda: not alive)  # noqa: B023 - the same set
    finally:
        cluster_task.forget("lost")


@pytest.mark.usefixtures("log")
def test_what_concerns_every_photo_ends_the_run(cluster, tmp_path):
    folder = make_photos(tmp_path / "p", {"0.jpg": "ok", "1.jpg": "model"})
    with pytest.raises(ModelError, match="Install again"):
        score(cluster, folder, tmp_path / "out.csv")


@pytest.mark.usefixtures("log")
def test_names_of_photos_are_not_in_the_clusters_log(cluster, tmp_path):
    folder = make_photos(tmp_path / "p", {"secret-name.jpg": "model"})
    with pytest.raises(ModelError):
        score(cluster, folder, tmp_path / "out.csv")
    said = (cluster.scratch / "cluster.log").read_bytes()
    assert b"ModelError" in said
    assert b"secret-name" not in said


def test_workers_with_another_skinscan_are_refused(cluster, log, tmp_path, monkeypatch):
    from skinscan.batch import cluster as cluster_module

    folder = make_photos(tmp_path / "p", {"0.jpg": "ok"})
    monkeypatch.setattr(cluster_module, "version", lambda _name: "99.0")
    with pytest.raises(EngineError, match=r"workers with skinscan 99\.0"):
        score(cluster, folder, tmp_path / "out.csv")
    assert calls(log) == []


@pytest.mark.usefixtures("log")
def test_a_photo_that_never_ends_is_given_back_and_children_are_replaced(cluster, tmp_path):
    contents = dict.fromkeys(slowly(8), "ok") | {"003.jpg": "hang"}
    make_photos(tmp_path, contents)
    engine = DaskEngine(
        FakeJob(), scheduler=cluster.address, photo_timeout_s=1.0, photos_per_child=2
    )
    try:
        tasks = [Task(photo.name, photo.path) for photo in find_photos([tmp_path])]
        outcomes = {outcome.photo: outcome.cause for outcome in run(engine, tasks)}
    finally:
        engine.close()
    assert outcomes == {name: "worker" if name == "003.jpg" else "" for name in contents}


def test_without_a_scheduler_a_cluster_is_started_here(log, tmp_path):
    contents = dict.fromkeys(slowly(20), "ok") | {"007.jpg": "die"}
    folder = make_photos(tmp_path / "p", contents)
    summary = score_to_file(
        folder, f"{tmp_path}/out/", engine="dask", workers=2, shard_size=8, progress=False
    )
    assert (summary.photos, summary.quarantined, summary.failed) == (20, 1, 1)
    assert not cluster_task._runs
    done = calls(log)
    assert {name: done.count(name) for name in contents} == {
        name: 1 + (name == "007.jpg") for name in contents
    }


@pytest.mark.usefixtures("log")
def test_outcomes_come_in_the_order_of_their_shard(cluster, tmp_path):
    make_photos(tmp_path, slowly(12) | {"000.jpg": "ok"})
    tasks = tuple(Task(photo.name, photo.path) for photo in find_photos([tmp_path]))
    engine = DaskEngine(FakeJob(), scheduler=cluster.address, photos_per_order=2)
    try:
        shards = list(run_shards(engine, [tasks[:7], tasks[7:]]))
    finally:
        engine.close()
    found = sorted([outcome.photo for outcome in shard] for shard in shards)
    assert found == [[t.name for t in tasks[:7]], [t.name for t in tasks[7:]]]


def test_no_scheduler_and_no_workers_are_errors(tmp_path, monkeypatch):
    from skinscan.batch import cluster as cluster_module

    monkeypatch.setattr(cluster_module, "_CONNECT_S", 0.3)
    monkeypatch.setattr(cluster_module, "_LOOK_AGAIN_S", 0.1)
    with pytest.raises(EngineError, match="scheduler at the address"):
        DaskEngine(FakeJob(), scheduler=f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(EngineError, match="scheduler at the address"):
        DaskEngine(FakeJob(), scheduler="nonsense")
    monkeypatch.undo()
    monkeypatch.setattr(cluster_module, "_LOOK_AGAIN_S", 0.1)
    empty = Cluster(tmp_path, workers=0).start()
    try:
        engine = DaskEngine(FakeJob(), scheduler=empty.address, patience_s=0.5)
        try:
            with pytest.raises(EngineError, match="workers in the cluster"):
                list(run(engine, [Task("a.jpg", "a.jpg")]))
        finally:
            engine.close()
    finally:
        empty.stop()
