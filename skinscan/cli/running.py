"""Serve the app to this machine, quietly."""

from __future__ import annotations

import http.client
import os
import platform
import socket
import ssl
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable, Mapping
from typing import Final

from skinscan.errors import BadOptionError, SkinscanError
from skinscan.resources import app_path
from skinscan.ui.server import LOOPBACK, Serving, streamlit_arguments

_FIRST_PORT: Final = 8501
_PORTS: Final = 100
_START_TIMEOUT_S: Final = 60.0
#: For glibc, without which a server that measured keeps what it freed, in an arena per thread:
#: pictures go back to the system at once, and few arenas serve all threads (docs/app.md).
_ALLOCATOR: Final = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**24),
}


class AppError(SkinscanError):
    """The app does not start."""

    cause = "app"


def run(
    serving: Serving,
    *,
    environment: Mapping[str, str],
    page: str,
    browser: bool,
    say: Callable[[str], None],
) -> int:
    """Run the app until it is stopped.

    Parameters
    ----------
    serving : Serving
    environment : mapping of str to str
        What the app is told, besides this process's own.
    page : str
        Path of the page to open.
    browser : bool
        Open the page in the browser where there is a screen.
    say : callable
        Receives the line with the address.

    Returns
    -------
    int
        Exit code: 0 after Ctrl-C.

    Raises
    ------
    AppError
        If the app does not start.
    """
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(app_path())),
        *streamlit_arguments(serving),
    ]
    # Its output is Streamlit's banner; what goes wrong is on standard error.
    process = subprocess.Popen(  # noqa: S603 - own app
        command, stdout=subprocess.DEVNULL, env={**_ALLOCATOR, **os.environ, **environment}
    )
    try:
        _wait_until_ready(process, serving)
        say(f"skinscan is at {serving.url}/ (Ctrl-C stops it)")
        if browser and _has_screen():
            webbrowser.open(serving.url + page)
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(process)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # as the server will: a port in TIME_WAIT is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(wanted: int | None) -> int:
    """Choose a port: the wanted one, or the first free one from 8501.

    Raises
    ------
    BadOptionError
        If it is taken.
    """
    candidates = range(_FIRST_PORT, _FIRST_PORT + _PORTS) if wanted is None else [wanted]
    for port in candidates:
        if _is_free(port):
            return port
    raise BadOptionError(
        expected="a free port",
        found=f"{wanted} in use or not allowed" if wanted else f"none from {_FIRST_PORT} on",
        remedy="Choose another one with --port",
    )


def _is_ready(serving: Serving) -> bool:
    connection: http.client.HTTPConnection
    if serving.cert is None:
        connection = http.client.HTTPConnection(LOOPBACK, serving.port, timeout=2.0)
    else:
        # Only whether something answers is asked; its certificate names another host.
        context = ssl._create_unverified_context()  # noqa: S323, SLF001
        connection = http.client.HTTPSConnection(
            LOOPBACK, serving.port, timeout=2.0, context=context
        )
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _wait_until_ready(process: subprocess.Popen[bytes], serving: Serving) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _is_ready(serving):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AppError(
                expected="the app to start",
                found="that it ended" if process.poll() is not None else "no answer from it",
                remedy="The lines above say why; try another --port",
            )
        time.sleep(0.1)


def _has_screen() -> bool:
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
