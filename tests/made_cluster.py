"""A Dask cluster of separate processes on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def wait_for(condition, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def children_of(pid):
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found


class Cluster:
    """`dask scheduler` and `dask worker`, each a process; workers have a nanny."""

    def __init__(self, scratch, *, workers=2, environment=()):
        self.scratch = Path(scratch)
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        folders = [ROOT, ROOT / "tests", ROOT / "benchmarks"]
        self._environment = os.environ | dict(environment) | {
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        }  # fmt: skip
        self._count = workers
        self.scheduler = None
        self.workers = []

    def start(self):
        self.start_scheduler()
        for _ in range(self._count):
            self.start_worker()
        return self

    def _dask(self, *arguments):
        with (self.scratch / "cluster.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                env=self._environment,
                cwd=self.scratch,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_scheduler(self):
        self.scheduler = self._dask(
            "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"
        )
        wait_for(lambda: listens(self.port))

    def start_worker(self):
        self.workers.append(
            self._dask("worker", self.address, "--nthreads", "1", "--no-dashboard",
                       "--host", "127.0.0.1", "--local-directory", str(self.scratch))
        )  # fmt: skip

    def kill_a_worker(self, number):
        """Kill the process that a nanny looks after, as a computer's memory killer would."""
        (pid, *_) = [
            pid
            for pid in children_of(self.workers[number].pid)
            if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        os.kill(pid, signal.SIGKILL)

    def restart_scheduler(self):
        self.scheduler.kill()
        self.scheduler.wait()
        self.start_scheduler()
        # Workers end with their scheduler; what started them starts them again.
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self.workers = []
        for _ in range(self._count):
            self.start_worker()

    def stop(self):
        for process in [self.scheduler, *self.workers]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
