"""What runs inside a worker: photos in on one pipe, outcomes out on another.

A worker is a plain Python process, not one of `multiprocessing`: that would run the caller's
main script again in each worker, and so break every script without an
``if __name__ == "__main__"`` and every notebook cell that is piped in. When the parent goes away,
however abruptly, its end of the pipe closes, and the worker ends after its current photo.

The parent writes, each pickled: ``sys.path``, the job, then one tuple of tasks at a time. The
worker answers `READY` once, then for each tuple a list of outcomes, or the error that concerns
every photo.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from typing import BinaryIO, Final

from skinscan.errors import SkinscanError

#: First message of a worker.
READY: Final = "ready"

#: Set before the worker's libraries load: each worker uses one core.
SINGLE_THREADED: Final = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)

#: Code with which the interpreter of a worker starts; the path must be right before any import.
BOOTSTRAP: Final = (
    "import sys, pickle; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from skinscan.batch.worker import main; main()"
)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from descriptors 0 and 1, where a stray print would break them."""
    # The bootstrap may have read ahead, so the same buffer goes on being used.
    inbox = sys.stdin.buffer
    outbox = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return inbox, outbox


def main() -> None:
    """Serve until the parent closes the pipe."""
    # Ctrl-C reaches the whole foreground group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = _private_pipes()
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent has finished, or is gone
        _serve(inbox, outbox)
    # What mediapipe does at exit has no use here; flushing is done after each message.
    os._exit(0)


def _serve(inbox: BinaryIO, outbox: BinaryIO) -> None:
    # Pickles come from the parent process only, which runs with the same rights.
    job = pickle.load(inbox)  # noqa: S301
    _limit_threads()
    _send(outbox, READY)
    while True:
        tasks = pickle.load(inbox)  # noqa: S301
        try:
            answer: object = [job(task) for task in tasks]
        except SkinscanError as error:
            answer = error
        _send(outbox, answer)


def _limit_threads() -> None:
    import cv2  # noqa: PLC0415 - after the environment has been set

    cv2.setNumThreads(1)


def _send(outbox: BinaryIO, message: object) -> None:
    pickle.dump(message, outbox, protocol=pickle.HIGHEST_PROTOCOL)
    outbox.flush()
