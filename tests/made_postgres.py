"""A PostgreSQL server of its own for the tests: Debian's programs, a loopback port, no rights."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


def programs():
    """Return the folder of initdb and pg_ctl, or skip with the reason."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    return found[-1].parent if found else Path(on_path).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server():
    """Run a server with an empty data folder; give the address of its databases without name."""
    bin_dir = programs()
    # The server refuses to run as root; pytest's own folders are closed to anybody else.
    nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if nobody else {}
    folder = Path(tempfile.mkdtemp(prefix="skinscan-pg-"))
    if nobody:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)

    def run(*command):
        subprocess.run(
            [str(part) for part in command],
            check=True,
            capture_output=True,
            cwd=folder,
            timeout=120,
            **user,
        )

    data = folder / "data"
    port = free_port()
    try:
        run(bin_dir / "initdb", "-D", data, "-U", "skinscan", "-A", "trust", "-E", "UTF8", "-N")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        run(bin_dir / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://skinscan@127.0.0.1:{port}/"
        finally:
            run(bin_dir / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
