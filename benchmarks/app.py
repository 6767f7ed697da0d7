"""Time of the server for the progress page of a long course."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from _common import ROOT
from _practice import DAY, prepared, sample_scan, small_practice
from streamlit.testing.v1 import AppTest

from skinscan.looks import draw_all
from skinscan.practice import courses, photos
from skinscan.resources import sample_course_dir
from skinscan.scan import analyze
from skinscan.store.accounts.logins import SignedIn
from skinscan.store.schema import Role, now
from skinscan.ui.web import office

SCRIPT = ROOT / "skinscan" / "ui" / "script.py"


def main() -> None:
    """Fill a course, open its page again and again, print how long the server took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=12)
    parser.add_argument("--takes", type=int, default=1, help="photos per session")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--write", type=Path, help="write the figures to a page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = small_practice(Path(folder))
        source = min(sample_course_dir().glob("*_front.jpg"))
        look = draw_all(analyze(source.read_bytes(), name=""))
        number = 0
        for k in range(options.sessions):
            session_id = courses.add_session(
                made.records, made.practitioner, made.course_id, DAY + timedelta(days=7 * k)
            )
            for _ in range(options.takes):
                number += 1
                scan = replace(sample_scan(), sha256=f"{number:064x}")
                ready = replace(prepared(number, 200), scan=scan, look=look)
                photos.add_photo(made.records, made.practitioner, session_id, ready)
        who = SignedIn(
            login_id="l" * 32,
            user_id=made.practitioner.user_id or "",
            practice_id=made.records.practice_id,
            role=Role.PRACTITIONER,
            client_id=None,
            created_at=now(),
        )
        office.records = lambda: made.records  # type: ignore[assignment]
        office.signed_in = lambda _secret: who
        page = AppTest.from_file(str(SCRIPT), default_timeout=120)
        page.query_params["client"] = made.client_id
        times: list[float] = []
        for _ in range(options.runs + 1):
            began = time.perf_counter()
            page.run()
            times.append(time.perf_counter() - began)
            assert not page.exception
        firsts = []
        for _ in range(5):
            fresh = AppTest.from_file(str(SCRIPT), default_timeout=120)
            fresh.query_params["client"] = made.client_id
            began = time.perf_counter()
            fresh.run()
            firsts.append(1000 * (time.perf_counter() - began))
            assert not fresh.exception
        made.records.close()
    warm = np.array(times[1:]) * 1000
    lines = [
        "# The app",
        "",
        "Made by",
        f"`python benchmarks/app.py --sessions {options.sessions} --takes {options.takes}`.",
        f"Time of the server ({os.cpu_count()} cores) for a run of the client's page, no browser.",
        "",
        "| | ms |",
        "| --- | --- |",
        f"| first of a process | {1000 * times[0]:.0f} |",
        f"| first of another visit, median of {len(firsts)} | {np.median(firsts):.0f} |",
        f"| again, median of {len(warm)} | {np.median(warm):.0f} |",
        f"| again, 95th percentile | {np.quantile(warm, 0.95):.0f} |",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write:
        (ROOT / options.write).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
