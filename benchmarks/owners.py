"""Whose code the time of one analysis is spent in: decoder, compiled loops, OpenCV, numpy, Python.

Usage: python benchmarks/owners.py [PHOTO] [--analyses 40] [--write FILE.md]

Needs Linux and its `perf` (Debian: linux-perf), which looks 2,000 times a second at which library
is running. It tells what any further work on speed could win, and where.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from _common import Report, parser, progress
from speed import GOAL_MULTIPLE, ONE_THREAD, default_photo

_RATE = 2000
#: Part of a library's file name, and to whom its time belongs; the first that fits.
_OWNERS = (
    ("_jpeg.", "JPEG decoder (libjpeg-turbo, by simplejpeg)"),
    ("loops_", "skinscan's loops in C"),
    ("cv2.", "OpenCV"),
    ("mediapipe", "landmark model"),
    ("_multiarray_umath", "numpy"),
    ("_umath_linalg", "numpy"),
    ("openblas", "numpy"),
    ("_nd_image", "scipy and scikit-image"),
    ("_cy.", "scipy and scikit-image"),
    ("_ckdtree", "scipy and scikit-image"),
    ("python3", "Python"),
    ("_ctypes", "Python"),
    ("kernel", "kernel: memory handed out and taken back"),
    ("libc.", "C library: memory copied and cleared"),
)
#: What is in compiled code that was made for its job; the remainder is numpy, Python and memory.
_MADE_FOR_IT = tuple(dict.fromkeys(owner for _, owner in _OWNERS[:4]))

_CHILD = """
import json, sys, time
import cv2, numpy
cv2.setNumThreads(1)
import skinscan
data = open(sys.argv[1], "rb").read()
code = numpy.frombuffer(data, dtype=numpy.uint8)
count = int(sys.argv[2])
def decode():
    start = time.process_time()
    cv2.imdecode(code, cv2.IMREAD_COLOR)
    return time.process_time() - start
for _ in range(3):
    skinscan.analyze(data)
decodes = [decode() for _ in range(15)]
print("ready", flush=True)
sys.stdin.readline()
start = time.process_time()
for _ in range(count):
    skinscan.analyze(data)
spent = (time.process_time() - start) / count
decodes += [decode() for _ in range(15)]
print(json.dumps([float(numpy.median(decodes)), spent]), flush=True)
"""


def _owner(library: str) -> str:
    return next((owner for part, owner in _OWNERS if part in library), "all else")


def _sampled(photo: Path, analyses: int) -> tuple[float, float, Counter[str]]:
    """Seconds of one decode and one analysis, and the share of each owner."""
    perf = shutil.which("perf")
    if perf is None:
        raise SystemExit("owners.py needs Linux's `perf` on the PATH (Debian: linux-perf).")
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "perf.data"
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(photo), str(analyses)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ONE_THREAD},
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        recorder = subprocess.Popen(
            [perf, "record", "-q", "-F", str(_RATE), "-p", str(child.pid), "-o", str(found)]
        )
        time.sleep(1.0)
        child.stdin.write("\n")
        child.stdin.flush()
        decode, analysis = json.loads(child.stdout.readline())
        child.stdin.close()
        child.wait()
        recorder.wait()
        command = [perf, "report", "-i", str(found), "--stdio", "--sort", "dso"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    shares: Counter[str] = Counter()
    for percent, library in re.findall(r"^\s+([\d.]+)%\s+(\S+)", text, flags=re.MULTILINE):
        shares[_owner(library)] += float(percent) / 100.0
    return decode, analysis, shares


def main() -> None:
    """Sample, and write the table."""
    args = parser(__doc__)
    args.add_argument("photo", nargs="?", type=Path, help="a JPEG; by default a rendered one")
    args.add_argument("--analyses", type=int, default=40, help="how many are sampled (40)")
    options = args.parse_args()
    photo = options.photo or default_photo()
    progress(f"{options.analyses} analyses")
    decode, analysis, shares = _sampled(photo, options.analyses)
    report = Report("Whose code the time is spent in", "owners.py")
    report.say(
        f"{options.analyses} analyses of one photo on one thread, {analysis * 1e3:.0f} ms each; "
        f"one `cv2.imdecode` of it {decode * 1e3:.0f} ms."
    )
    multiple = analysis / decode
    rows = [
        (owner, f"{share * analysis * 1e3:.0f}", share * multiple, f"{share:.0%}")
        for owner, share in shares.most_common()
    ]
    report.table(("owner", "ms", "× decode", "share"), rows)
    fixed = sum(shares[owner] for owner in _MADE_FOR_IT) * multiple
    rest = multiple - fixed
    report.say(
        f"Decoder, loops, OpenCV and model together take {fixed:.1f} decodes. For a whole of "
        f"{GOAL_MULTIPLE:.0f}, numpy, Python and memory would have to take "
        f"{GOAL_MULTIPLE - fixed:.1f} decodes instead of {rest:.1f}."
    )
    report.write(options.write)


if __name__ == "__main__":
    main()
