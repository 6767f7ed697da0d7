"""Score a bucket on a cluster while workers are killed: counts of what went in and came out.

Run ``python benchmarks/cluster.py``. Scheduler and two workers are processes of their own on
loopback, the bucket is moto's, in this process. Three runs:

* many photos (``--photos``): a few small phantoms under many keys, fetched and decoded, with a
  stand-in for the measuring that returns 600 rows per photo; ten objects kill whatever opens them,
  ten are no picture; two workers are killed on the way;
* some photos (``--real``), really measured, with the same harm;
* the writer alone: how many photos per second one client can turn into parts.

Then what ten million photos cost on paper, from those figures and from the rate in
``docs/figures/speed.md`` (one 12 MP photo on one core).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import os
import platform
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from _cluster_job import POISON, ROWS, DecodeOnly, MeasureOrDie  # noqa: E402 - after the path
from made_cluster import Cluster  # noqa: E402
from made_store_s3 import CREDENTIALS, Bucket, running_store  # noqa: E402

from skinscan.batch import score as score_module  # noqa: E402
from skinscan.batch.measure import Outcome  # noqa: E402
from skinscan.batch.parts import write_part  # noqa: E402
from skinscan.batch.score import Summary, score_to_file  # noqa: E402
from skinscan.batch.storage import OutputFolder  # noqa: E402
from skinscan.photo import load_photo  # noqa: E402
from skinscan.resources import sample_course_dir  # noqa: E402

POISONED = 10
NO_PICTURES = 10
KILLED = 2
TEN_MILLION = 10_000_000

# Prices on paper, US dollars; change them to yours.
CORE_HOUR = 0.04
GB_MONTH = 0.023
THOUSAND_GETS = 0.0004
THOUSAND_PUTS = 0.005


class Report:
    """Prints lines at once and keeps them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Print and keep."""
        self.lines += lines
        print(*lines, sep="\n", flush=True)


def small_photos(width: int) -> list[bytes]:
    """Shrink the sample course's phantoms."""
    found = []
    for path in sorted(sample_course_dir().glob("*.jpg")):
        picture = Image.fromarray(load_photo(path).rgb)
        picture.thumbnail((width, 10 * width))
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=85)
        found.append(data.getvalue())
    assert found, "the sample course is missing"
    return found


def fill(bucket: Bucket, pictures: list[bytes], count: int, *, prefix: str) -> None:
    """Put photos, poison and what is no picture under a prefix, spread evenly."""
    bad = np.linspace(0, count - 1, POISONED + NO_PICTURES, dtype=int)
    objects = {}
    for k in range(count):
        place = np.flatnonzero(bad == k)
        data = pictures[k % len(pictures)]
        if len(place):
            data = POISON if place[0] % 2 == 0 else b"no picture"
        objects[f"{bucket.name}/{prefix}/{k // 1000:03d}/{k:06d}.jpg"] = data
    bucket.system.pipe(objects)


def run(
    report: Report,
    title: str,
    pictures: list[bytes],
    *,
    count: int,
    job: type,
    shard_size: int,
) -> float:
    """Score one bucket while two workers are killed; returns the bytes of its parts per photo."""
    with running_store() as new_bucket, tempfile.TemporaryDirectory() as scratch:
        bucket = new_bucket()
        environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": bucket.endpoint}
        os.environ.update(environment)
        fill(bucket, pictures, count, prefix="photos")
        cluster = Cluster(scratch, environment=environment).start()
        score_module.MeasurePhoto = job
        ended = threading.Event()
        killed: list[int] = []

        def kill() -> None:
            while not ended.wait(0.2) and len(killed) < KILLED:
                parts = sum(name.startswith("part-") for name in bucket.names("scores"))
                if parts >= (len(killed) + 1) * count / shard_size / (KILLED + 1):
                    cluster.kill_a_worker(len(killed))
                    killed.append(parts)

        killer = threading.Thread(target=kill)
        killer.start()
        began = time.perf_counter()
        try:
            summary = score_to_file(
                bucket.url("photos"),
                bucket.url("scores"),
                engine="dask",
                scheduler=cluster.address,
                shard_size=shard_size,
                progress=False,
            )
        finally:
            ended.set()
            killer.join()
            cluster.stop()
        seconds = time.perf_counter() - began
        assert len(killed) == KILLED, "the run was over before both workers were killed"
        report.add("", title)
        per_photo = counted(report, bucket, summary)
        report.add(
            f"  workers killed                {len(killed):>8}   (after {killed} parts)",
            f"  seconds                       {seconds:>8.0f}   ({count / seconds:.1f} photos/s)",
        )
        return per_photo


def counted(report: Report, bucket: Bucket, summary: Summary) -> float:
    """Count photos from the rows of the parts themselves, not from what the run said."""
    names: list[str] = []
    causes: list[str] = []
    size = rows = 0
    for name in bucket.names("scores"):
        if name.startswith("part-"):
            data = bucket.system.cat_file(f"{bucket.name}/scores/{name}")
            table = pd.read_parquet(io.BytesIO(data), columns=["photo", "metric", "error"])
            size += len(data)
            rows += len(table)
            photos = table.drop_duplicates("photo")
            names += list(photos["photo"])
            causes += list(photos["error"].str.partition(":")[0])
    count = summary.photos
    quarantined = causes.count("worker")
    failed = len(causes) - causes.count("") - quarantined
    report.add(
        f"  photos in                     {count:>8}",
        f"  scored                        {causes.count(''):>8}",
        f"  failed                        {failed:>8}",
        f"  in quarantine                 {quarantined:>8}",
        f"  in more than one part         {len(names) - len(set(names)):>8}",
        f"  missing                       {count - len(set(names)):>8}",
        f"  bytes of parts per photo      {size / count:>8.0f}   ({rows / count:.0f} rows)",
    )
    assert len(set(names)) == len(names) == count
    assert quarantined == summary.quarantined == POISONED
    return size / count


def writer_rate(report: Report, photos: int = 2560, shard_size: int = 256) -> tuple[float, float]:
    """Photos per second that one client turns into parts, and their bytes per photo.

    Values are random, so that nothing compresses them: photos that repeat would.
    """
    rng = np.random.default_rng(1)
    shard = [
        Outcome(
            f"{k:06d}.jpg",
            "front",
            tuple((f"m.{j % 40}", f"r{j % 15}", 6.0, float(v), "%", float(v) / 9, "no_sem")
                  for j, v in enumerate(rng.random(ROWS))),
        )
        for k in range(shard_size)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = OutputFolder(scratch)
        began = time.perf_counter()
        for _ in range(photos // shard_size):
            write_part(folder, shard, metadata={})
        rate = photos / (time.perf_counter() - began)
        (part,) = Path(scratch).iterdir()  # each time the same photos, and so the same name
        size = part.stat().st_size / shard_size
    report.add(
        "",
        f"One client writes {rate:.0f} photos/s as parts ({ROWS} rows of random values each, "
        f"{size:,.0f} bytes per photo, local disk)",
    )
    return rate, size


def measured_speed() -> tuple[float, float, float]:
    """Photos per second and core, photo size in MB and peak memory in MB, as published."""
    text = (ROOT / "docs/figures/speed.md").read_text(encoding="utf-8")
    rate = re.search(r"^\| 1 +\| [\d.]+ +\| ([\d.]+)", text, re.MULTILINE)
    size = re.search(r"px, ([\d.]+) MB", text)
    memory = re.search(r"analysis, (\d+) MB after six", text)
    assert rate, "no rate in docs/figures/speed.md"
    assert size, "no size there"
    assert memory, "no memory there"
    return float(rate[1]), float(size[1]), float(memory[1])


def on_paper(report: Report, *, bytes_per_photo: float, writer: float, shard_size: int) -> None:
    """Ten million photos: the formula, and its result."""
    rate, photo_mb, memory_mb = measured_speed()
    core_hours = TEN_MILLION / rate / 3600
    parts_gb = TEN_MILLION * bytes_per_photo / 1e9
    photos_tb = TEN_MILLION * photo_mb / 1e6
    gets = TEN_MILLION / 1000 * THOUSAND_GETS
    puts = TEN_MILLION / shard_size / 1000 * THOUSAND_PUTS
    computing = core_hours * CORE_HOUR
    report.add(
        "",
        f"Ten million photos of 12 MP on paper ({rate} photos/s and core, {photo_mb} MB each)",
        f"  core hours       10,000,000 / {rate} / 3600 = {core_hours:,.0f}",
        f"  on 100 cores     {core_hours / 100:,.1f} h; 1,000 cores {core_hours / 1000:,.1f} h",
        f"  memory           {memory_mb / 1000:.2f} GB per core (peak of a child); "
        "Dask's own worker comes on top",
        f"  photos           {photos_tb:,.1f} TB, {photos_tb * 1000 * GB_MONTH:,.0f} $ a month at "
        f"{GB_MONTH} $/GB",
        f"  results          {bytes_per_photo:,.0f} B per photo = {parts_gb:,.0f} GB, "
        f"{parts_gb * GB_MONTH:,.0f} $ a month",
        f"  requests         {gets + puts:,.2f} $ ({THOUSAND_GETS} $ per 1,000 reads, "
        f"{THOUSAND_PUTS} $ per 1,000 writes)",
        f"  computing        {computing:,.0f} $ at {CORE_HOUR} $ per core hour",
        f"  one client       writes {writer:.0f} photos/s: enough for {writer / rate:,.0f} cores",
    )


def main() -> None:
    """Run all, and write what was printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--real", type=int, default=100)
    parser.add_argument("--shard-size", type=int, default=256)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    report = Report()
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("skinscan", "distributed", "s3fs", "moto")
    )
    # Others on the same computer slow everything: say how many there were.
    busy = f"load average {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
    report.add(f"{versions}; Python {platform.python_version()}, {os.cpu_count()} cores, {busy}")
    pictures = small_photos(320)
    title = f"fetched and decoded ({len(pictures)} phantoms, 320 px wide), 600 stand-in rows each"
    run(
        report,
        title,
        pictures,
        count=options.photos,
        job=DecodeOnly,
        shard_size=options.shard_size,
    )
    real = [path.read_bytes() for path in sorted(sample_course_dir().glob("*.jpg"))]
    title = f"really measured ({len(real)} phantoms of the sample course)"
    run(report, title, real, count=options.real, job=MeasureOrDie, shard_size=20)
    rate, size = writer_rate(report)
    on_paper(report, bytes_per_photo=size, writer=rate, shard_size=options.shard_size)
    if options.write:
        command = "python benchmarks/cluster.py " + " ".join(sys.argv[1:])
        text = "\n".join(report.lines)
        options.write.write_text(
            f"# A cluster whose workers are killed\n\nMade by `{command.strip()}`.\n\n"
            f"```text\n{text}\n```\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
