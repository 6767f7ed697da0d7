"""The command line: what it says, how it ends, what it leaves behind."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import io
import math
import os
import re
import signal
import socket
import subprocess
import sys
import types
from pathlib import Path

import fake_jobs
import pandas as pd
import pytest
from fake_jobs import FakeJob, calls
from rich.console import Console
from typer.testing import CliRunner

import skinscan
from skinscan import native, phantom, resources
from skinscan.batch import score as score_module
from skinscan.batch.progress import progress_bar
from skinscan.cli import main
from skinscan.cli.commands import app
from skinscan.errors import (
    BadOptionError,
    ModelError,
    NoFaceError,
    NotAnImageError,
    OutputError,
    SkinscanError,
)

COMMANDS = ("score", "show", "compare", "track", "phantom", "guide", "demo", "serve")

SAID_VERSION = f"skinscan {skinscan.__version__}\ncompiled loops: {native.STATE}\n"


@pytest.fixture
def log(tmp_path, monkeypatch):
    path = tmp_path / "calls.log"
    monkeypatch.setenv(fake_jobs.LOG, str(path))
    monkeypatch.setattr(score_module, "MeasurePhoto", FakeJob)
    return path


@pytest.fixture
def photos(tmp_path, log):  # noqa: ARG001 - the fake job comes with it
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, content in {"a.jpg": "ok", "b.jpg": "ok", "c.jpg": "ok"}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def call(*arguments, columns="200"):
    return CliRunner().invoke(
        app, [str(a) for a in arguments], env={"COLUMNS": columns, "TERM": "dumb"}
    )


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


# In general


def test_the_version_is_printed():
    result = call("--version")
    assert (result.exit_code, result.output) == (0, SAID_VERSION)


@pytest.mark.parametrize("command", [(), *[(name,) for name in COMMANDS]])
def test_help_has_examples_and_fits_80_columns(command):
    result = call(*command, "--help", columns="80")
    assert result.exit_code == 0
    text = plain(result.output)
    assert "Examples" in text
    assert f"skinscan {' '.join(command)}".strip() in text.split("Examples")[1]
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        ("score",),
        ("score", "x"),
        ("score", "x", "-o", "o.csv", "--workers", "0"),
        ("score", "x", "-o", "o.csv", "--levels", "some"),
        ("score", "x", "-o", "o.csv", "--nonsense"),
        ("show",),
        ("show", "x", "--make-up", "some"),
        ("show", "x", "--views", "front,side"),
        ("show", "x", "--noted", "weather"),
        ("show", "x", "--hours-since", "-1"),
        ("show", "x", "--hours-since", "nan"),
        ("guide",),
        ("guide", "-o", "x.pdf", "--paper", "a5"),
        ("guide", "-o", "x.pdf", "--practice", "中文"),
        ("phantom",),
        ("phantom", "-o", "x", "--sessions", "1"),
        ("demo", "--port", "70000"),
        ("nonsense",),
    ],
)
def test_a_wrong_command_ends_with_2(arguments):
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_python_m_skinscan_is_the_same_and_says_goodbye_without_a_word():
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "skinscan", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (result.stdout, result.stderr) == (SAID_VERSION, "")
    assert callable(main)


def test_help_loads_nothing_heavy():
    heavy = ["mediapipe", "cv2", "pandas", "pyarrow", "streamlit", "scipy", "skimage"]
    code = (
        "import sys\nfrom skinscan.cli import main\nsys.argv = ['skinscan', 'score', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('loaded:', *[m for m in {heavy} if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("name", skinscan.__all__)
def test_every_public_name_is_there(name):
    assert getattr(skinscan, name) is getattr(skinscan, name)
    assert name in dir(skinscan)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        skinscan.nonsense  # noqa: B018 - reading it is the test


# score


def test_all_good_ends_with_0(photos, tmp_path):
    result = call("score", photos, "-o", tmp_path / "o.csv")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert re.fullmatch(r"3 of 3 photos measured, in \d+\.\d s\.\n", result.stderr)
    assert len(pd.read_csv(tmp_path / "o.csv")) == 6


def test_some_failed_ends_with_1_and_a_summary_by_cause(photos, tmp_path):
    for name, content in {"x.jpg": "no_face", "y.jpg": "no_face"}.items():
        (photos / name).write_text(content)
    result = call("score", photos, "-o", tmp_path / "o.parquet")
    assert result.exit_code == 1
    first, second, third = result.stderr.splitlines()
    assert first.startswith("3 of 5 photos measured")
    assert second == "2 failed:"
    assert third == "       2  no_face: Expected a face; found none. Take another photo."
    table = pd.read_parquet(tmp_path / "o.parquet")
    assert list(table.loc[table["error"] != "", "photo"]) == ["x.jpg", "y.jpg"]


@pytest.mark.parametrize(
    ("source", "output"), [("missing", "o.csv"), ("photos", "o.xls"), ("photos", "no/o.csv")]
)
def test_what_cannot_be_done_ends_with_2_and_one_sentence(source, output, photos, tmp_path, log):
    del photos
    result = call("score", tmp_path / source, "-o", tmp_path / output)
    assert result.exit_code == 2
    assert re.fullmatch(r"skinscan: Expected [^\n]+\.\n", result.stderr)
    assert str(tmp_path) not in result.stderr
    assert calls(log) == []


def test_several_paths_and_options_reach_the_run(photos, tmp_path, monkeypatch):
    seen = {}

    def fake(paths, output, **options):
        seen.update(paths=paths, output=output, **options)
        return score_module.Summary(1, 0, {}, {}, 0.0)

    monkeypatch.setattr(score_module, "score_to_file", fake)
    options = ["--wide", "--workers", 3, "--overlays", "d", "--resume", "--levels", "all"]
    options += ["--engine", "dask", "--scheduler", "tcp://x:1", "--shard-size", 500]
    options += ["--manifest", "list.csv"]
    assert call("score", photos, "x*", "-o", "o.csv", "--largest-face", *options).exit_code == 0
    assert seen == {
        "paths": [str(photos), "x*"],
        "output": "o.csv",
        "manifest": Path("list.csv"),
        "engine": "dask",
        "scheduler": "tcp://x:1",
        "shard_size": 500,
        "wide": True,
        "workers": 3,
        "overlays": Path("d"),
        "resume": True,
        "levels": "all",
        "largest_face": True,
    }
    assert tmp_path.exists()


def test_the_handler_of_sigterm_is_put_back(photos, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    call("score", photos, "-o", tmp_path / "o.csv")
    assert signal.getsignal(signal.SIGTERM) is before


def test_nothing_is_drawn_where_nobody_watches(capsys):
    with progress_bar(total=3) as advance:
        advance()
    assert capsys.readouterr() == ("", "")


def test_the_bar_shows_how_far_and_how_fast(monkeypatch):
    screen = io.StringIO()
    made = functools.partial(Console, file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("rich.console.Console", lambda **_options: made())
    with progress_bar(total=10, done=4) as advance:
        for _ in range(6):
            advance()
    shown = plain(screen.getvalue())
    assert "10/10" in shown
    assert "photos/s" in shown


# show


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoFaceError(expected="a face", found="none", remedy="Try again"), 1),
        (NotAnImageError(expected="a photo", found="text", remedy="Try again"), 1),
        (ModelError(expected="a model", found="none", remedy="Try again"), 2),
    ],
)
def test_show_says_in_one_sentence_what_is_wrong(error, code, monkeypatch):
    def fake(*_args, **_options):
        raise error

    monkeypatch.setitem(
        sys.modules, "skinscan.scan", types.SimpleNamespace(analyze=fake, Scan=None)
    )
    monkeypatch.setitem(sys.modules, "skinscan.cli.report", types.SimpleNamespace(report=None))
    result = call("show", "client-name.jpg")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == f"skinscan: {error}\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (12.345, "12.3"),
        (0.012345, "0.0123"),
        (0.00001, "0.0000"),
        (1234.56, "1230"),
        (-3.14159, "-3.14"),
        (99.96, "100.0"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers_have_three_digits_and_no_exponent(value, text):
    from skinscan.cli.report import number

    assert number(value) == text


@pytest.fixture(scope="module")
def sample_photo():
    photos = sorted(resources.sample_course_dir().glob("*.jpg"))
    if not photos:
        pytest.skip("the sample course has not been rendered")
    return photos[0]


@pytest.fixture(scope="module")
def sample_scan(sample_photo):
    return skinscan.analyze(sample_photo, name=sample_photo.name)


def printed(scan, columns, **declared):
    from skinscan.cli.report import report
    from skinscan.declaration import Declaration
    from skinscan.photoscore import photo_score

    score = photo_score(scan.quality, Declaration(**declared))
    screen = io.StringIO()
    Console(file=screen, width=columns, highlight=False).print(report(scan, score))
    return screen.getvalue()


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_report_fits_the_terminal_and_shows_every_number(sample_scan, columns):
    from skinscan.cli.report import highest, number
    from skinscan.flags import Flag, sentences

    text = printed(sample_scan, columns)
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text
    assert text.index("Capture check") < text.index("Wrinkles")
    used = Flag.NONE
    shown = highest(sample_scan.measurements)
    assert len(shown) == len(list(sample_scan.rows()))
    for measurement in shown:
        assert number(measurement.value) in text
        used |= measurement.flags
    unwrapped = " ".join(text.split())
    for sentence in sentences(used):
        assert sentence in unwrapped


def test_every_concern_has_its_place_in_the_report():
    from skinscan.cli.report import _CONCERNS
    from skinscan.metrics import Concern

    assert set(_CONCERNS) == set(Concern)


def test_a_name_with_control_characters_and_markup_is_harmless(sample_scan):
    text = printed(dataclasses.replace(sample_scan, name="\x1b[31m[bold]x.jpg"), 80)
    assert "\x1b" not in text
    assert "[31m[bold]x.jpg" in text


def test_show_prints_the_report(sample_photo, sample_scan):
    result = call("show", sample_photo, columns="80")
    assert (result.exit_code, result.stderr) == (0, "")
    assert plain(result.stdout) == printed(sample_scan, 80)


def test_show_scores_what_is_declared(sample_photo, sample_scan):
    from skinscan.declaration import MakeUp, Noted
    from skinscan.landmarks import View

    everything = {
        "make_up": MakeUp.NONE,
        "hair_back": True,
        "jewellery_off": True,
        "views": frozenset(View),
        "before_treatment": True,
        "hours_since_treatment": 100.0,
        "noted": frozenset(Noted),
    }
    values = {
        "--make-up": "none",
        "--views": "front,left,right",
        "--hours-since": "100",
        "--noted": "treatment,date,camera",
    }
    spoken = [word for option in values.items() for word in option]
    flags = ("--hair-back", "--jewellery-off", "--before-treatment")
    result = call("show", sample_photo, *spoken, *flags, columns="80")
    assert (result.exit_code, result.stderr) == (0, "")
    assert plain(result.stdout) == printed(sample_scan, 80, **everything)
    undeclared = printed(sample_scan, 80)
    # The sample's lamp stands 13° to the side, more than the 8.5° that count as good.
    assert "4 of 9, 4 not declared" in undeclared
    assert "8 of 9\n" in plain(result.stdout)
    assert undeclared.index("Capture check") < undeclared.index("Photograph score")


# guide


def test_guide_writes_the_page(tmp_path):
    from skinscan.guide import Paper, family_limits, photo_guide
    from skinscan.precision import precision_model

    path = tmp_path / "guide.pdf"
    result = call("guide", "-o", path, "--paper", "letter", "--practice", "Rose Street")
    assert (result.exit_code, result.output) == (0, "")
    assert path.read_bytes() == photo_guide(
        paper=Paper.LETTER, practice="Rose Street", limits=family_limits(precision_model())
    )


def test_guide_says_when_it_cannot_write(tmp_path):
    result = call("guide", "-o", tmp_path / "no" / "guide.pdf")
    assert result.exit_code == 2
    assert result.stderr.startswith("skinscan: Expected a file that can be written")


# phantom


def test_phantom_writes_a_course(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(
        phantom,
        "write_course",
        lambda folder, **options: seen.append((folder, options)),
        raising=False,
    )
    result = call("phantom", "-o", tmp_path / "c", "--seed", 7, "--sessions", 3)
    assert (result.exit_code, result.stdout) == (0, "")
    assert seen == [(tmp_path / "c", {"seed": 7, "sessions": 3})]


def test_phantom_that_cannot_write_ends_with_2(monkeypatch, tmp_path):
    def fake(*_args, **_options):
        raise OutputError(expected="to write the course", found="no space", remedy="Make room")

    monkeypatch.setattr(phantom, "write_course", fake, raising=False)
    result = call("phantom", "-o", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == "skinscan: Expected to write the course; found no space. Make room.\n"


# demo


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_demo_says_that_a_port_is_taken(taken_port):
    result = call("demo", "--no-browser", "--port", taken_port)
    assert result.exit_code == 2
    assert "in use" in result.stderr


def test_demo_finds_a_free_port(taken_port, monkeypatch):
    from skinscan.cli import running

    monkeypatch.setattr(running, "_FIRST_PORT", taken_port)
    assert running.free_port(None) > taken_port
    with pytest.raises(BadOptionError):
        running.free_port(taken_port)


def test_an_app_that_does_not_start_is_an_error(monkeypatch, free_port, tmp_path):
    from skinscan.cli import running
    from skinscan.ui.server import Serving

    nothing = tmp_path / "app.py"
    nothing.write_text("raise SystemExit")
    monkeypatch.setattr(running, "app_path", lambda: tmp_path / "absent.py")
    with pytest.raises(SkinscanError, match="that it ended"):
        running.run(Serving(port=free_port), environment={}, page="/", browser=False, say=print)


@pytest.mark.parametrize(
    "options",
    [
        ("--address", "192.0.2.1"),
        ("--cert", "x.pem"),
        ("--key", "x.pem"),
        ("--batch-folder", "no such folder"),
    ],
    ids=["plain HTTP for others", "no key", "no certificate", "no folder"],
)
def test_serve_refuses_what_is_not_safe(options, tmp_path, monkeypatch):
    monkeypatch.setenv("SKINSCAN_KEY_FILE", str(tmp_path / "k"))
    monkeypatch.setenv("SKINSCAN_DATA", str(tmp_path / "d"))
    result = call("serve", *options)
    assert result.exit_code == 2
    assert "skinscan: Expected" in result.stderr
    assert list(tmp_path.iterdir()) == []


# The whole sample course is measured in the tests of the browser.
SHORT_DEMO = """
import shutil, sys
from pathlib import Path
from skinscan.cli import demo, main
whole, short = demo.sample_course_dir(), Path("short")
short.mkdir()
for photo in sorted(whole.glob("*.jpg"))[:2]:
    shutil.copy(photo, short)
demo.sample_course_dir = lambda: short
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(
    ("command", "stop"),
    [
        (("-m", "skinscan", "serve"), signal.SIGINT),
        (("-c", SHORT_DEMO, "demo", "--no-browser"), signal.SIGTERM),
    ],
    ids=["serve", "demo"],
)
def test_the_app_serves_this_machine_only_and_stops_when_told(command, stop, free_port, tmp_path):
    # What a run of the batch page left behind in a server that was killed.
    left = tmp_path / ".local" / "share" / "skinscan" / "batch" / "skinscan-batch-left"
    left.mkdir(parents=True)
    (left / "lock").touch()
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(free_port)],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path)},  # as on the first start ever
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        lines = []
        while not lines or not lines[-1].startswith("skinscan is at"):
            lines.append(process.stderr.readline())
            assert process.poll() is None, lines
        assert lines[-1] == f"skinscan is at http://127.0.0.1:{free_port}/ (Ctrl-C stops it)\n"
        connection = http.client.HTTPConnection("127.0.0.1", free_port, timeout=10)
        connection.request("GET", "/login")
        assert connection.getresponse().status == 200
        connection.close()
        if sys.platform == "linux":
            listening = rf"^ *\d+: (\w+):{free_port:04X} \w+:0000 0A"
            table = Path("/proc/net/tcp").read_text()
            assert re.findall(listening, table, re.MULTILINE) == ["0100007F"]
        process.send_signal(stop)
        out, rest = process.communicate(timeout=20)
    finally:
        with contextlib.suppress(ProcessLookupError):  # nothing is left of it
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert (rest, process.returncode) == ("", 0)
    assert left.exists() is ("demo" in command)
    assert re.fullmatch(r"([0-9A-Z-]{44}\n)?", out)  # the recovery code of a first start
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free_port)) != 0
