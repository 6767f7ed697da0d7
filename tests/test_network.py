"""An analysis opens no network connection, says nothing, and ends in peace.

The child runs in a network namespace of its own that has no routes. Whatever tries to reach
an address there, Python or native code, moves the kernel's counters; what goes through
Python's ``socket`` also meets an audit hook, which works without a namespace too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache

import pytest

from skinscan.phantom import encode_jpeg

GUARD = """
import json, sys, threading

CALLS = []

def hook(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
                 "socket.sendmsg", "socket.bind", "urllib.Request", "http.client.connect"}:
        CALLS.append(event)
        raise PermissionError(event)

def counters():
    found = {}
    try:
        lines = open("/proc/self/net/snmp").read().splitlines()
        for head, values in zip(lines[::2], lines[1::2]):
            name = head.split(":")[0]
            found.update(zip((name + k for k in head.split()[1:]), map(int, values.split()[1:])))
        for line in open("/proc/self/net/snmp6"):
            key, value = line.split()
            found[key] = int(value)
    except OSError:
        pass
    # Router solicitations and the like are the kernel's own; these count what programs send.
    wanted = ("IpOutRequests", "IpOutNoRoutes", "TcpActiveOpens", "UdpOutDatagrams",
              "Ip6OutNoRoutes", "Udp6OutDatagrams")
    return {k: found.get(k, 0) for k in wanted}

sys.addaudithook(hook)
before = counters()
"""

REPORT = """
after = counters()
sent = {k: after[k] - before[k] for k in after if after[k] != before[k]}
print(json.dumps({"calls": CALLS, "sent": sent, "result": result}))
"""

ANALYSE = """
import skinscan

def measure(into):
    scan = skinscan.analyze(sys.argv[1])
    into.append([len(scan.measurements), float(scan.face.landmarks_px.sum())])

result = []
# First in a thread that is gone at exit, then in the main thread, as web servers do.
worker = threading.Thread(target=measure, args=(result,))
worker.start()
worker.join()
measure(result)
"""

PYTHON_CALLS_HOME = """
import socket
result = None
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError:
    pass
"""

NATIVE_CALLS_HOME = """
import ctypes, struct
libc = ctypes.CDLL(None)
address = struct.pack("=HH4s8x", 2, 80 << 8, bytes([192, 0, 2, 1]))
result = libc.connect(libc.socket(2, 1, 0), address, 16)
"""


@cache
def alone():
    """Command that takes the network away, or nothing where that is not allowed."""
    command = ("unshare", "--net", "--map-root-user")
    if not shutil.which(command[0]):
        return ()
    for attempt in (command[:2], command):
        if subprocess.run([*attempt, "true"], check=False, capture_output=True).returncode == 0:
            return attempt
    return ()


def run(code, *arguments):
    return subprocess.run(
        [*alone(), sys.executable, "-c", GUARD + code + REPORT, *arguments],
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def child(studio, lined, far, tmp_path_factory):
    """A process that analysed one photo twice and ended."""
    path = tmp_path_factory.mktemp("network") / "phantom.jpg"
    path.write_bytes(encode_jpeg(studio.shoot(lined, far)))
    return run(ANALYSE, str(path))


def test_an_analysis_opens_no_connection(child):
    report = json.loads(child.stdout)
    assert report["calls"] == []
    assert report["sent"] == {}
    (in_thread, in_main) = report["result"]
    assert in_thread == in_main
    assert in_main[0] > 1000


def test_an_analysis_is_silent_and_ends_well(child):
    assert child.returncode == 0
    assert child.stderr == b""
    assert child.stdout.count(b"\n") == 1


def test_the_guard_catches_python():
    report = json.loads(run(PYTHON_CALLS_HOME).stdout)
    assert report["calls"] == ["socket.getaddrinfo"]


def test_the_guard_catches_native_code():
    if not alone():
        pytest.skip("no network namespace may be made here; the audit hook alone is in force")
    report = json.loads(run(NATIVE_CALLS_HOME).stdout)
    assert report["result"] == -1
    assert report["calls"] == [], "native code goes around Python's hooks"
    assert report["sent"], "and is seen by the kernel's counters"
