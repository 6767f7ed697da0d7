"""A stand-in for the measuring of a photo, for tests of what happens around it.

The "photos" are text files that say what shall happen. Each call is logged, so that tests can
count them. It lives in a module of its own so that worker processes can import it.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from skinscan.batch.measure import Outcome, Task, failed
from skinscan.batch.storage import Patience, fetch, is_url
from skinscan.errors import ModelError, NoFaceError, SkinscanError

LOG = "SKINSCAN_TEST_LOG"


def rows_for(name, levels="highest"):
    """Rows that depend on the name, so that a mix-up is seen."""
    value = float(sum(name.encode())) / 7
    rows = [
        ("wrinkles.severity", "forehead_upper", 6.0, value, "%", float("nan"), "no_sem"),
        ("tone.redness", "cheek_left", 6.0, float("nan"), "", 0.25, "occluded|no_sem"),
    ]
    if levels == "all":
        rows += [(m, r, 3.0, v / 2, u, s, f) for m, r, _, v, u, s, f in rows]
    return tuple(rows)


def calls(path):
    """Names of the photos measured so far, in order."""
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def kill_me():
    os.kill(os.getpid(), signal.SIGKILL)


def read_or_die(path):
    """Give back what a text file says, unless it says to die."""
    text = Path(path).read_text(encoding="utf-8")
    if text == "die":
        kill_me()
    return text


def kill_my_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(1)


def words(path):
    """What a fake photo says shall happen, wherever it is."""
    if is_url(path):
        patience = Patience(attempts=3, first_pause_s=0.01)
        return fetch(path, limit_bytes=1000, patience=patience).decode("utf-8").split()
    return Path(path).read_text(encoding="utf-8").split()


@dataclass(frozen=True)
class FakeJob:
    levels: str = "highest"
    largest_face: bool = False
    overlays: str | None = None

    def __call__(self, task: Task) -> Outcome:
        log = Path(os.environ[LOG])
        before = calls(log).count(task.name)
        with log.open("a", encoding="utf-8") as file:
            file.write(task.name + "\n")
        try:
            what = words(task.path)
        except SkinscanError as error:
            return failed(task, error)
        match what:
            case ["no_face"]:
                error = NoFaceError(expected="a face", found="none", remedy="Take another photo")
                return failed(task, error)
            case ["die"]:
                kill_me()
            case ["die", "once"] if before == 0:
                kill_me()
            case ["die", "with", "parent"]:
                kill_my_parent()
            case ["hang"]:
                time.sleep(1000)
            case ["slow"]:
                time.sleep(0.1)
            case ["print"]:
                os.write(1, b"a stray print")
            case ["model"]:
                raise ModelError(expected="a model", found="none", remedy="Install again")
        return Outcome(task.name, view="front", rows=rows_for(task.name, self.levels))
