"""Side by side with what else PyPI offers: skin-tone-classifier (tone), facelapse (alignment).

Run ``python benchmarks/alternatives.py``. Each of them gets a virtual environment of its own in a
temporary folder (``--environments DIR`` keeps them), because their OpenCV would overwrite ours.
Everything runs on the same photos, rendered ones and, with ``--photos``, others, in one process
each, by turns. Times are processor time of the whole process (``wait4``), given as ratios.

Then the one thing that two of them claim to do: the tone of skin. Rendered people are photographed
under three lamps with everything else the same, so that the true change of their skin is zero.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from _common import ROOT, Report, number, parser, pictures, progress
from skimage.color import rgb2lab

from skinscan.phantom import Capture, FaceTruth, Person, melanin_for_ita, photograph

LAMPS_K: Final = {"neutral": 5500.0, "warm": 4700.0, "cool": 6300.0}
TONES_ITA: Final = (55.0, 35.0, 20.0, 0.0, -30.0)
CHEEKS: Final = ("cheek_malar_left", "cheek_malar_right")
ROUNDS: Final = 2
#: One process, one thread: every library that counts them is told.
ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)
Z95: Final = 1.959964

ABILITIES: Final = (
    (
        "finds the face by",
        "478 landmarks",
        "a cascade; without a face the whole picture is taken",
        "478 landmarks",
    ),
    (
        "tone",
        "per region, absolute and against the face's own reference",
        "a class of a palette for the whole face",
        "no",
    ),
    ("lines, texture, lift, under-eye, radiance", "yes", "no", "no"),
    (
        "aligns photos",
        "by landmarks, then by the skin itself",
        "no",
        "by eyes, tip of the nose and corners of the mouth",
    ),
    (
        "says how sure it is",
        "a standard error with each number, flags, verdicts",
        "the distance to the palette's colour",
        "no",
    ),
    ("colour profile of the photo", "taken into account", "ignored", "ignored"),
    ("time-lapse", "yes", "no", "yes, its purpose, in one command"),
    (
        "reports its use over the network",
        "no: a test sees to it that no connection is opened",
        "not looked at",
        "its mediapipe does, from 0.10.35 on ([dependencies](../dependencies.md))",
    ),
)

#: A small process in between: a peak of memory begins with that of the process that forks.
LAUNCH: Final = """
import json, os, subprocess, sys
told, said, *command = sys.argv[1:]
with open(said, "wb") as file:
    process = subprocess.Popen(command, stdout=file, stderr=file)
    _, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
with open(told, "w") as file:
    json.dump([process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss], file)
"""

CLASSIFY: Final = """
import json, sys
from pathlib import Path
import cv2
cv2.setNumThreads(1)
import stone
found = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        found[path.name] = stone.process(path, image_type="color")["faces"][0]
    except Exception as error:
        found[path.name] = {"error": f"{type(error).__name__}: {error}"}
Path(sys.argv[2]).write_text(json.dumps(found, default=str))
"""

ALIGN: Final = """
import sys
import cv2
cv2.setNumThreads(1)
from facelapse.cli import main
main(["-i", sys.argv[1], "-o", sys.argv[2], "--skip-video", "--save-aligned-images"])
"""


@dataclass(frozen=True)
class Cost:
    """What one process took: processor time and peak memory."""

    seconds: float
    peak_mb: float


@dataclass
class Tool:
    """Something that is run on a folder of photos.

    ``command`` gives the command for a folder and a place for its output; ``handled`` counts, from
    that output, the photos that it did something with as it claims to.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    handled: Callable[[Path], int]
    what: str


def installed(folder: Path, name: str, requirements: Sequence[str]) -> Path:
    """Make a virtual environment with these requirements; returns its Python."""
    home = folder / name
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        progress(f"installing {', '.join(requirements)}")
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
    return python


def versions(python: Path, names: Sequence[str]) -> str:
    """Say which versions an environment has."""
    code = "import sys; from importlib.metadata import version as v; print(*map(v, sys.argv[1:]))"
    found = subprocess.run(
        [python, "-c", code, *names], check=True, capture_output=True, text=True
    ).stdout.split()
    return ", ".join(f"{name} {version}" for name, version in zip(names, found, strict=True))


def measured(command: Sequence[str | Path]) -> Cost:
    """Run one process to its end, and say what it took."""
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as scratch:
        told, said = Path(scratch, "told.json"), Path(scratch, "said.txt")
        launch = [sys.executable, "-c", LAUNCH, told, said, *command]
        subprocess.run(launch, env=environment, check=True)
        status, seconds, peak_kb = json.loads(told.read_text())
        if status not in {0, 1}:  # 1: some photos failed, which is counted
            text = said.read_text(errors="replace").strip()
            raise RuntimeError(text.splitlines()[-1] if text else f"exit {status}")
    return Cost(seconds, peak_kb / 1024)


def _score(folder: Path, out: Path) -> list[str]:
    table = str(out / "scores.csv")
    return [sys.executable, "-m", "skinscan", "score", str(folder), "-o", table, "--workers", "1"]


def rows_of(out: Path) -> list[dict[str, str]]:
    """Read our table."""
    with (out / "scores.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def faces_of(out: Path) -> dict[str, dict[str, object]]:
    """Read what skin-tone-classifier said of each photo."""
    found: dict[str, dict[str, object]] = json.loads((out / "tones.json").read_text())
    return found


def our_tool() -> Tool:
    """Describe skinscan."""
    return Tool(
        "skinscan",
        _score,
        lambda out: len({row["photo"] for row in rows_of(out) if not row["error"]}),
        "every metric with its standard error, at each photo's highest level",
    )


def tone_tool(python: Path) -> Tool:
    """Describe skin-tone-classifier."""
    return Tool(
        "skin-tone-classifier",
        lambda folder, out: [str(python), "-c", CLASSIFY, str(folder), str(out / "tones.json")],
        lambda out: sum(face.get("face_id") not in {None, "NA"} for face in faces_of(out).values()),
        "two dominant colours of the face in a copy 250 px wide, and the nearest colour of a "
        "palette of 11",
    )


def align_tool(python: Path) -> Tool:
    """Describe facelapse."""
    return Tool(
        "facelapse",
        lambda folder, out: [str(python), "-c", ALIGN, str(folder), str(out)],
        lambda out: len(list((out / "aligned").glob("*"))),
        "a picture of 512 x 512 px, turned, scaled and shifted so that eyes, nose and mouth "
        "are in one place",
    )


def render_people(folder: Path, px_per_mm: float) -> None:
    """Photograph each person under each lamp."""
    for (number_, tone), (lamp, kelvin) in product(enumerate(TONES_ITA), LAMPS_K.items()):
        truth = FaceTruth(
            person=Person(seed=700 + number_, melanin_od=melanin_for_ita(tone)), redness_od=0.03
        )
        capture = Capture.at_scale(px_per_mm, light_temperature_k=kelvin, seed=7)
        (folder / f"{number_}_{lamp}.jpg").write_bytes(photograph(truth, capture))


def first_of(folder: Path, scratch: Path) -> Path:
    """Make a folder with one photo of another."""
    made = scratch / f"one-{folder.name}"
    made.mkdir()
    shutil.copy(pictures(folder)[0], made)
    return made


def compare(report: Report, tools: Sequence[Tool], folder: Path, scratch: Path) -> dict[str, Path]:
    """Run every tool on a folder, by turns; tabulate, and return where their output is."""
    count = len(pictures(folder))
    one = first_of(folder, scratch)
    costs: dict[str, list[Cost]] = {}
    starts: dict[str, list[Cost]] = {}
    outputs: dict[str, Path] = {}
    for turn in range(ROUNDS):
        for tool in tools:
            progress(f"{folder.name}, turn {turn + 1}: {tool.name}")
            out = scratch / f"{folder.name}-{tool.name}-{turn}"
            out.mkdir()
            once = scratch / f"{folder.name}-{tool.name}-{turn}-one"
            once.mkdir()
            starts.setdefault(tool.name, []).append(measured(tool.command(one, once)))
            costs.setdefault(tool.name, []).append(measured(tool.command(folder, out)))
            outputs[tool.name] = out
    each = {
        tool.name: (
            min(c.seconds for c in costs[tool.name]) - min(s.seconds for s in starts[tool.name])
        )
        / (count - 1)
        for tool in tools
    }
    first = {tool.name: min(s.seconds for s in starts[tool.name]) for tool in tools}
    ours = tools[0].name
    report.table(
        ["", "photos", "handled", "time per photo", "first photo", "peak memory, MB"],
        [
            [
                tool.name,
                str(count),
                str(tool.handled(outputs[tool.name])),
                f"{each[tool.name] / each[ours]:.2f}",
                f"{first[tool.name] / first[ours]:.2f}",
                f"{max(c.peak_mb for c in costs[tool.name]):.0f}",
            ]
            for tool in tools
        ],
    )
    report.say(
        f"Times as a ratio to skinscan's (here {each[ours]:.2f} s of processor time per photo, "
        f"{first[ours]:.1f} s for a fresh process with one photo), minimum of {ROUNDS} turns. A "
        "photo counts as handled when its face was found."
    )
    return outputs


def ita(lab: np.ndarray) -> float:
    """Individual typology angle of a colour, degrees."""
    return float(np.degrees(np.arctan2(lab[0] - 50.0, lab[2])))


def dominant_ita(face: dict[str, object]) -> float:
    """ITA of skin-tone-classifier's dominant colours, each by its share."""
    shades = face["dominant_colors"]
    weights = np.array([float(shade["percent"]) for shade in shades])
    rgb = [[int(shade["color"].lstrip("#")[k : k + 2], 16) for k in (0, 2, 4)] for shade in shades]
    lab = rgb2lab(np.array(rgb, dtype=np.uint8)[None])[0]
    return ita((lab * weights[:, None]).sum(axis=0) / weights.sum())


def cheek_table(out: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """Mean of both cheeks and its standard error, by photo and metric of ours."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows_of(out):
        if row["region"] in CHEEKS and row["value"]:
            pair = (float(row["value"]), float(row["sem"] or "nan"))
            found.setdefault((row["photo"], row["metric"]), []).append(pair)
    return {
        key: (float(np.mean([v for v, _ in pairs])), float(np.mean([s for _, s in pairs])))
        for key, pairs in found.items()
    }


def lamp_table(report: Report, outputs: dict[str, Path]) -> None:
    """How far a number moves when only the lamp changes, beside how far people differ."""
    rows = []
    names = {(n, lamp): f"{n}_{lamp}.jpg" for n in range(len(TONES_ITA)) for lamp in LAMPS_K}
    if "skin-tone-classifier" in outputs:
        faces = faces_of(outputs["skin-tone-classifier"])
        angles = {key: dominant_ita(faces[name]) for key, name in names.items()}
        rows.append(_row("skin-tone-classifier: ITA of its dominant colours, degrees", angles))
        labels = {key: str(faces[name]["tone_label"]) for key, name in names.items()}
        changed = sum(
            labels[n, lamp] != labels[n, "neutral"]
            for n in range(len(TONES_ITA))
            for lamp in ("warm", "cool")
        )
        told = len({labels[n, "neutral"] for n in range(len(TONES_ITA))})
        report.say(
            f"skin-tone-classifier gave the same skin another class under another lamp in "
            f"{changed} of {2 * len(TONES_ITA)} photos; it gives no error and no warning with it. "
            f"Under the neutral lamp it told {told} classes among the {len(TONES_ITA)} people."
        )
    table = cheek_table(outputs["skinscan"])
    for metric, unit in (
        ("tone.ita", "degrees"),
        ("tone.redness", "100·OD, against the face's own reference"),
        ("tone.melanin", "100·OD, against the face's own reference"),
        ("tone.evenness", "%"),
    ):
        values = {key: table[name, metric][0] for key, name in names.items()}
        errors = {key: table[name, metric][1] for key, name in names.items()}
        rows.append(_row(f"skinscan: {metric}, {unit}", values, errors))
    report.table(
        [
            "number (cheeks; true change: 0)",
            "moved by the lamp",
            "people differ by",
            "ratio",
            "beyond 1.96 standard errors",
        ],
        rows,
    )


def _row(
    name: str,
    values: dict[tuple[int, str], float],
    errors: dict[tuple[int, str], float] | None = None,
) -> list[str]:
    people = range(len(TONES_ITA))
    pairs = [((n, lamp), (n, "neutral")) for n in people for lamp in ("warm", "cool")]
    moves = np.array([abs(values[a] - values[b]) for a, b in pairs])
    spread = float(np.std([values[n, "neutral"] for n in people], ddof=1))
    beyond = "no standard error"
    if errors is not None:
        limits = np.array([Z95 * np.hypot(errors[a], errors[b]) for a, b in pairs])
        beyond = f"{int((moves > limits).sum())} of {len(pairs)}"
    mean = float(moves.mean())
    return [name, number(mean), number(spread), number(mean / spread), beyond]


def main() -> None:
    """Print the page, and write it when asked."""
    options = parser(__doc__)
    options.add_argument("--photos", type=Path, help="a folder of photos, beside the phantoms")
    options.add_argument("--limit", type=int, default=20, help="photos of that folder")
    options.add_argument("--px-per-mm", type=float, default=4.0)
    options.add_argument("--environments", type=Path, help="keep the environments here")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="skinscan-") as temporary:
        scratch = Path(temporary)
        run(chosen, chosen.environments or scratch / "environments", scratch)


def run(chosen: argparse.Namespace, environments: Path, scratch: Path) -> None:
    """Install, run, compare."""
    report = Report("Side by side with what else PyPI offers", "alternatives.py")
    tools = [our_tool()]
    for name, make, requirements in (
        ("skin-tone-classifier", tone_tool, ["skin-tone-classifier", "opencv-python<5"]),
        ("facelapse", align_tool, ["facelapse"]),
    ):
        try:
            python = installed(environments, name, requirements)
            also = "opencv-python" if name == "skin-tone-classifier" else "mediapipe"
            tool = make(python)
            report.say(f"**{versions(python, [name, also])}**: {tool.what}.")
            tools.append(tool)
        except (subprocess.CalledProcessError, OSError) as error:
            report.say(f"**{name}** could not be installed here: {error}.")
    report.say(f"**skinscan**: {tools[0].what}.")
    people = scratch / "phantoms"
    people.mkdir()
    progress("rendering")
    render_people(people, chosen.px_per_mm)
    for tool in tools[1:]:
        out = scratch / f"trial-{tool.name}"
        out.mkdir()
        try:
            measured(tool.command(people, out))
            tool.handled(out)
        except (RuntimeError, OSError, ValueError) as error:
            report.say(f"**{tool.name}** could not be run here: {error}.")
            tools = [other for other in tools if other is not tool]
    report.section("Rendered people")
    report.say(
        f"{len(TONES_ITA)} people under {len(LAMPS_K)} lamps, {chosen.px_per_mm:g} px/mm, "
        "everything else the same."
    )
    outputs = compare(report, tools, people, scratch)
    if chosen.photos:
        report.section("Photographs")
        some = scratch / "photographs"
        some.mkdir()
        every = pictures(chosen.photos)
        for path in every[:: max(1, len(every) // chosen.limit)][: chosen.limit]:
            shutil.copy(path, some)
        compare(report, tools, some, scratch)
    report.section("Tone when only the lamp changes")
    report.say(
        f"The same people at {', '.join(f'{k:.0f} K ({lamp})' for lamp, k in LAMPS_K.items())}; "
        "the camera's white balance stays at 5500 K. Mean of the absolute changes to the neutral "
        "lamp, beside the standard deviation between the people. These people differ in melanin "
        "and in nothing that is relative to a face's own reference: for the last three rows the "
        "last column counts, not the ratio."
    )
    lamp_table(report, outputs)
    report.section("What each does, and does not")
    report.table(["", "skinscan", "skin-tone-classifier", "facelapse"], ABILITIES)
    report.say(
        "Seen by hand, 2026-11-29: skin-tone-classifier 1.2.6 with OpenCV 5, which pip picks by "
        "itself, fails on every photo (AttributeError: the cascade classifier it calls is gone). "
        "It is therefore run with OpenCV 4 here."
    )
    report.write(chosen.write)


if __name__ == "__main__":
    main()
