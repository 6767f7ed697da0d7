"""The practice's records under harm and load: crashes, kills, many writers, a large practice."""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _common import ROOT
from _practice import DAY, Small, prepared, sample_scan, small_practice
from sqlalchemy import event, insert

from skinscan.errors import SkinscanError
from skinscan.practice import clients, courses, custody, photos
from skinscan.practice.forms import Plan, Profile, SessionNotes
from skinscan.practice.principal import TERMINAL, Principal
from skinscan.store import schema
from skinscan.store.doctor import examine
from skinscan.store.erasure import keep_reserve
from skinscan.store.inventory import litter, sweep
from skinscan.store.records import Records, client_key_place, open_records
from skinscan.store.sealing import new_key, seal_json

#: Calls of taking in a photo before and after which the power may fail.
STEPS = (
    ("os", "open"),
    ("os", "fdopen"),
    ("os", "fsync"),
    ("os", "replace"),
    ("skinscan.durable", "sync_folder"),
    ("skinscan.practice.photos", "save_photo"),
    ("skinscan.practice.photos", "_add_scan"),
    ("skinscan.store.audit", "record"),
    ("sqlalchemy.orm.Session", "flush"),
    ("sqlalchemy.orm.Session", "commit"),
)

_CRASHED, _DONE = 9, 0


@dataclass(frozen=True)
class Point:
    """Where the power fails: before or after the call of this number, from 0."""

    module: str
    name: str
    before: bool
    number: int


def crash_points(folder: Path) -> dict[str, int]:
    """Cut the power before and after every call of every step; what is found afterwards."""
    sample_scan()
    made = small_practice(folder)
    made.records.close()
    photo = prepared(0, 200)
    found = {"points": 0, "crashed": 0, "acknowledged": 0, "lost": 0, "corrupt": 0}
    found |= {"litter_swept": 0, "litter_left": 0}
    for module, name in STEPS:
        for before in (True, False):
            number = 0
            while True:
                point = Point(module, name, before, number)
                code = _forked(partial(_crashing, made, photo, point))
                _look(made, found, acknowledged=code == _DONE)
                if code == _DONE:
                    break  # fewer calls than that: all points of this step are through
                found["points"] += 1
                found["crashed"] += code == _CRASHED
                number += 1
    found["acknowledged"] = 1 if found["acknowledged"] else 0
    return found


def _crashing(made: Small, photo: photos.Prepared, point: Point) -> None:
    records = open_records(made.records.places)
    holder: Any
    if point.module == "sqlalchemy.orm.Session":
        holder = importlib.import_module("sqlalchemy.orm").Session
    else:
        holder = importlib.import_module(point.module)
    real, left = getattr(holder, point.name), [point.number]

    def crash(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - any function
        left[0] -= 1
        last = left[0] < 0
        if point.before and last:
            os._exit(_CRASHED)
        result = real(*arguments, **named)
        if last:
            os._exit(_CRASHED)
        return result

    setattr(holder, point.name, crash)
    photos.add_photo(records, made.practitioner, made.session_id, photo)


def _look(made: Small, found: dict[str, int], *, acknowledged: bool) -> None:
    with open_records(made.records.places) as records:
        cards = photos.photos(records, made.practitioner, made.session_id)
        found["acknowledged"] += acknowledged
        found["lost"] += acknowledged and not cards
        found["litter_swept"] += sweep(records, min_age_s=0)
        found["litter_left"] += len(litter(records, min_age_s=0))
        harm = {"object_missing", "object_corrupt", "database_damaged", "reference_broken"}
        harm |= {"audit_broken", "client_key_broken"}
        found["corrupt"] += sum(f.kind in harm for f in examine(records))
        for card in cards:
            try:
                photos.view_photo(records, made.practitioner, card.id)
            except SkinscanError:
                found["corrupt"] += 1
            photos.remove_photo(records, made.practitioner, card.id)


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a forked child must end here
            traceback.print_exc()
            os._exit(1)
        os._exit(_DONE)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kills(folder: Path, *, count: int) -> dict[str, int]:
    """Kill a process that takes in photos without a pause, again and again."""
    sample_scan()
    made = small_practice(folder)
    made.records.close()
    rng = random.Random(0)  # noqa: S311 - when to kill
    acknowledged: set[str] = set()
    for number in range(count):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _upload_for_ever(made, number, writing)
            os._exit(0)
        os.close(writing)
        first = os.read(reading, 33)  # it is under way
        time.sleep(rng.uniform(0, 0.25))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as rest:
            said = (first + rest.read()).decode().split("\n")[:-1]
        acknowledged |= {name for name in said if len(name) == schema.ID_LENGTH}
    with open_records(made.records.places) as records:
        cards = photos.photos(records, made.practitioner, made.session_id)
        kept = {card.id for card in cards}
        corrupt = 0
        for photo_id in kept:
            try:
                photos.view_photo(records, made.practitioner, photo_id)
            except SkinscanError:
                corrupt += 1
        swept = sweep(records, min_age_s=0)
        severe = [f for f in examine(records) if f.severe]
        return {
            "kills": count,
            "acknowledged": len(acknowledged),
            "kept": len(kept),
            "lost": len(acknowledged - kept),
            "corrupt": corrupt,
            "litter_swept": swept,
            "litter_left": len(litter(records, min_age_s=0)),
            "doctor_severe": len(severe),
        }


def _upload_for_ever(made: Small, number: int, writing: int) -> None:
    records = open_records(made.records.places)
    seed = number * 10_000
    while True:
        seed += 1
        photo_id = photos.add_photo(
            records, made.practitioner, made.session_id, prepared(seed, 200)
        )
        os.write(writing, f"{photo_id}\n".encode())


def writers(folder: Path, *, count: int, each: int, megabytes: float) -> dict[str, float]:
    """Many practitioners upload at once."""
    sample_scan()
    made = small_practice(folder)
    made.records.close()
    # Noise cannot be compressed: three bytes a pixel.
    size = max(200, int((megabytes * 1e6 / 3) ** 0.5))
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    began = time.perf_counter()
    people = [
        context.Process(target=_upload, args=(made, number, each, size, results))
        for number in range(count)
    ]
    for person in people:
        person.start()
    errors = [results.get() for _ in people]
    for person in people:
        person.join()
    took = time.perf_counter() - began
    with open_records(made.records.places) as records:
        kept = len(photos.photos(records, made.practitioner, made.session_id))
        takes = {c.take for c in photos.photos(records, made.practitioner, made.session_id)}
        severe = sum(f.severe for f in examine(records))
    return {
        "writers": count,
        "photos": count * each,
        "kept": kept,
        "takes": len(takes),
        "errors": sum(errors),
        "doctor_severe": severe,
        "seconds": round(took, 1),
    }


def _upload(made: Small, number: int, each: int, size: int, results: Any) -> None:  # noqa: ANN401
    errors = 0
    with open_records(made.records.places) as records:
        for photo in range(each):
            try:
                photos.add_photo(
                    records,
                    made.practitioner,
                    made.session_id,
                    prepared(1_000_000 + number * 1000 + photo, size),
                )
            except SkinscanError as error:
                print(type(error).__name__, file=sys.stderr)
                errors += 1
    results.put(errors)


def dashboard(folder: Path, *, people: int, asked: int) -> dict[str, Any]:
    """Time the queries of a client's dashboard in a large practice, and tell their indices."""
    made = small_practice(folder)
    ids = _fill(made, people)
    rng = random.Random(1)  # noqa: S311 - whom to ask for
    times: list[float] = []
    statements: set[str] = set()

    @event.listens_for(made.records.database.engine, "before_cursor_execute")
    def _(_c: Any, _cu: Any, statement: str, *_rest: Any) -> None:  # noqa: ANN401
        if statement.startswith("SELECT"):
            statements.add(statement)

    chosen = [rng.choice(ids) for _ in range(asked)]
    for client_id, principal in chosen:
        began = time.perf_counter()
        _dashboard(made.records, principal, client_id)
        times.append(time.perf_counter() - began)
    asked_for = set(statements)
    with made.records.database.read() as session:
        rows = {
            table.__tablename__: session.query(table).count()
            for table in (schema.Client, schema.Session, schema.Photo, schema.Scan)
        }
        plans = _plans(session, asked_for)
    began = time.perf_counter()
    found = len(clients.clients(made.records, made.practitioner, search="No. 17"))
    took = time.perf_counter() - began
    made.records.close()
    return {
        "rows": rows,
        "asked": asked,
        "p50_ms": round(1000 * float(np.quantile(times, 0.5)), 1),
        "p95_ms": round(1000 * float(np.quantile(times, 0.95)), 1),
        "search_found": found,
        "search_s": round(took, 2),
        "plans": plans,
    }


def _dashboard(records: Records, principal: Principal, client_id: str) -> None:
    clients.client(records, principal, client_id)
    clients.consents(records, principal, client_id)
    courses.treatments(records, principal, client_id)
    for course in courses.courses(records, principal, client_id):
        courses.sessions(records, principal, course.id)
        photos.course_photos(records, principal, course.id)


def _fill(made: Small, people: int) -> list[tuple[str, Principal]]:
    records, who = made.records, made.practitioner.user_id
    ids = []
    tables: dict[Any, list[dict[str, Any]]] = {
        t: []
        for t in (
            schema.Client,
            schema.User,
            schema.Consent,
            schema.Course,
            schema.Session,
            schema.Photo,
            schema.Scan,
        )
    }
    for number in range(people):
        key, client_id, user_id = new_key(), schema.new_id(), schema.new_id()
        ids.append((client_id, Principal(user_id, schema.Role.CLIENT)))
        tables[schema.Client].append(
            {
                "id": client_id,
                "practice_id": records.practice_id,
                "practitioner_id": who,
                "key_wrapped": records.keyring.wrap(key, place=client_key_place(client_id)),
                "profile_sealed": seal_json(
                    key,
                    Profile(f"Client No. {number}").to_json(),
                    place=f"clients.profile/{client_id}",
                ),
            }
        )
        tables[schema.User].append(
            {
                "id": user_id,
                "practice_id": records.practice_id,
                "role": schema.Role.CLIENT,
                "client_id": client_id,
                "login_index": os.urandom(32),
                "profile_sealed": b"s",
            }
        )
        tables[schema.Consent].append(
            {
                "client_id": client_id,
                "purpose": schema.Purpose.ANALYSIS,
                "wording": "1",
                "given_at": schema.now(),
                "given_by": who,
            }
        )
        course_id = schema.new_id()
        tables[schema.Course].append(
            {
                "id": course_id,
                "client_id": client_id,
                "plan_sealed": seal_json(key, Plan().to_json(), place=f"courses.plan/{course_id}"),
                "started_on": DAY,
                "planned_sessions": 10,
                "interval_days": 7,
                "baselines": [],
            }
        )
        for k in range(10):
            session_id = schema.new_id()
            tables[schema.Session].append(
                {
                    "id": session_id,
                    "client_id": client_id,
                    "course_id": course_id,
                    "held_on": DAY + timedelta(days=7 * k),
                    "record_sealed": seal_json(
                        key, SessionNotes().to_json(), place=f"sessions.record/{session_id}"
                    ),
                    "shared_at": schema.now(),
                    "made_by": who,
                }
            )
            for view in ("front", "left", "right"):
                photo_id = schema.new_id()
                tables[schema.Photo].append(
                    {
                        "id": photo_id,
                        "client_id": client_id,
                        "session_id": session_id,
                        "view": view,
                        "take": 1,
                        "width_px": 3000,
                        "height_px": 4000,
                        "source_sealed": b"s" * 200,
                        "pixels_mac": os.urandom(32),
                        "object_sha256": os.urandom(32),
                        "object_bytes": 10_000_000,
                        "made_by": who,
                    }
                )
                tables[schema.Scan].append(
                    {
                        "client_id": client_id,
                        "photo_id": photo_id,
                        "metrics_version": "0/0",
                        "state": schema.ScanState.SCORED,
                        "object_sha256": os.urandom(32),
                        "object_bytes": 60_000,
                    }
                )
    with records.database.write() as session:
        for table, rows in tables.items():
            for at in range(0, len(rows), 5000):
                session.execute(insert(table), rows[at : at + 5000])
    return ids


def _plans(session: Any, statements: set[str]) -> list[str]:  # noqa: ANN401
    found = set()
    for statement in statements:
        arguments = tuple("x" for _ in range(statement.count("?")))
        for row in session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", arguments
        ):
            found.add(row[3])
    return sorted(found)


def disk_full(folder: Path) -> dict[str, Any]:
    """Fill a small disk with photos, then erase the client."""
    sample_scan()
    made = small_practice(folder)
    keep_reserve(made.records.database)
    error, kept = "none", 0
    for seed in range(10_000):
        try:
            photos.add_photo(made.records, made.practitioner, made.session_id, prepared(seed, 500))
        except SkinscanError as found:
            error = type(found).__name__
            break
        kept += 1
    seen = photos.photos(made.records, made.practitioner, made.session_id)
    severe = sum(f.severe for f in examine(made.records))
    # The last free bytes too.
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(os.urandom(65536))
            file.flush()
    done = custody.erase_client(made.records, TERMINAL, made.client_id)
    left = sum(1 for _ in made.records.vault.objects.list(made.client_id))
    after = sum(f.severe for f in examine(made.records))
    made.records.close()
    return {
        "photos": kept,
        "seen": len(seen),
        "error": error,
        "doctor_severe_when_full": severe,
        "erased_rows": done.rows,
        "erased_objects": done.objects,
        "objects_left": left,
        "doctor_severe_after": after,
    }


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a disk in memory; needs root on Linux."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True
        )
        try:
            yield Path(folder)
        finally:
            subprocess.run(["/bin/umount", "-l", folder], check=True)


def main() -> None:
    """Run one of the trials, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", choices=["crash-points", "kills", "writers", "dashboard", "disk-full", "all"]
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--megabytes", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--asked", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", type=Path, help="write the figures to a page")
    options = parser.parse_args()
    trials: dict[str, Callable[[Path], dict[str, Any]]] = {
        "crash-points": crash_points,
        "kills": lambda folder: kills(folder, count=options.kills),
        "writers": lambda folder: writers(
            folder, count=options.writers, each=options.each, megabytes=options.megabytes
        ),
        "dashboard": lambda folder: dashboard(folder, people=options.clients, asked=options.asked),
    }
    results: dict[str, dict[str, Any]] = {}
    for name, trial in trials.items():
        if options.what in (name, "all"):
            with tempfile.TemporaryDirectory() as folder:
                results[name] = trial(Path(folder))
    if options.what in ("disk-full", "all"):
        with small_disk(64) as folder:
            results["disk-full"] = disk_full(folder)
    if options.json:
        only = next(iter(results.values())) if len(results) == 1 else results
        print(json.dumps(only))
        return
    lines = [
        "# Records under harm and load\n",
        f"Made by `python benchmarks/records.py {options.what}` on {os.cpu_count()} cores.\n",
    ]
    for name, found in results.items():
        lines += [f"\n## {name}\n"]
        for key, value in found.items():
            if isinstance(value, list):
                lines += [f"- {key}:"] + [f"  - `{entry}`" for entry in value]
            else:
                lines += [f"- {key}: {value}"]
    page = "\n".join(lines) + "\n"
    print(page)
    if options.write:
        (ROOT / options.write).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
