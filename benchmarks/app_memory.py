"""Memory of the real server: people with the progress page open, and photos taken in.

Usage: python benchmarks/app_memory.py [--people 10] [--uploads 50] [--write FILE.md]

Needs Chromium: photos are sent as people send them. Memory is read from /proc (Linux).
"""

from __future__ import annotations

import http.client
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
from _common import Report, parser
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from skinscan.photo import load_photo
from skinscan.resources import sample_course_dir
from skinscan.ui import practice_strings as strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

_PORT = 8947
_EVERY_S = 0.25
_BATCH = 10
_WAIT_MS = 1_800_000
#: Who left is forgotten after a minute, and looked for every 20 s.
_FORGOTTEN_S = 90.0
_MB = 2**20


# The server's memory


def _family(pid: int) -> list[int]:
    """List a process and all its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _rss(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@dataclass
class Watch:
    """Samples resident memory of the server and of its children.

    Attributes
    ----------
    pid : int
        Of the process that was started.
    peak_server, peak_all : int
        Bytes since `restart`.
    """

    pid: int
    peak_server: int = 0
    peak_all: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def now(self) -> tuple[int, int]:
        """Bytes of the server, and of it with everything that it started or that started it."""
        family = _family(self.pid)
        server = next((p for p in family if "streamlit" in _name(p)), self.pid)
        return _rss(server), sum(_rss(p) for p in family)

    def restart(self) -> None:
        """Forget the peaks."""
        self.peak_server = self.peak_all = 0

    def run(self) -> None:
        """Sample until it ends."""
        while not self._ended.wait(_EVERY_S):
            server, everything = self.now()
            self.peak_server = max(self.peak_server, server)
            self.peak_all = max(self.peak_all, everything)

    def end(self) -> None:
        """Stop sampling."""
        self._ended.set()


# People


@contextmanager
def _demo(log: Path) -> Iterator[tuple[int, dict[str, str], str]]:
    """Start `skinscan demo`: its process, passwords, and the client's identifier."""
    command = [sys.executable, "-m", "skinscan", "demo", "--no-browser", "--port", str(_PORT)]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
        try:
            while not _healthy():
                assert process.poll() is None, log.read_text()
                time.sleep(0.5)
            said = log.read_text()
            passwords = dict(re.findall(r"^  (\w+) +([a-z]+(?:-[a-z]+){4})$", said, re.MULTILINE))
            client = re.search(r"client=(\w+)", said)
            assert client
            yield process.pid, passwords, client[1]
        finally:
            process.terminate()
            process.wait(timeout=120)


def _ask(method: str, path: str, *, cookie: str = "", body: str = "") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", _PORT, timeout=120)
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request(method, path, body=body or None, headers=headers)
    return connection.getresponse()


def _healthy() -> bool:
    try:
        return _ask("GET", "/_stcore/health").status == http.HTTPStatus.OK
    except OSError:
        return False


def _cookies(answer: http.client.HTTPResponse) -> dict[str, str]:
    kept = SimpleCookie()
    for value in answer.headers.get_all("Set-Cookie") or []:
        kept.load(value)
    return {name: morsel.value for name, morsel in kept.items()}


def _signed_in(name: str, password: str) -> str:
    """Sign in as the browser does; the cookies to send from then on."""
    page = _ask("GET", "/login")
    kept = _cookies(page)
    token = re.search(r'name="form" value="([^"]+)"', page.read().decode())
    assert token
    form = urlencode({"form": token[1], "name": name, "password": password})
    said = "; ".join(f"{k}={v}" for k, v in kept.items())
    answer = _ask("POST", "/login", cookie=said, body=form)
    assert answer.status == http.HTTPStatus.SEE_OTHER, answer.read()
    return "; ".join(f"{k}={v}" for k, v in (kept | _cookies(answer)).items())


def _open_progress(stack: ExitStack, cookie: str, query: str) -> None:
    """Open the page, wait until its charts have come, and read on as a browser does."""
    origin = f"http://127.0.0.1:{_PORT}"
    socket = stack.enter_context(
        connect(
            f"ws://127.0.0.1:{_PORT}/_stcore/stream",
            additional_headers={"Cookie": cookie, "Origin": origin},
            max_size=None,
            open_timeout=120,
            ping_timeout=None,
        )
    )
    asked = BackMsg()
    asked.rerun_script.query_string = query
    socket.send(asked.SerializeToString())
    charts = 0
    while True:
        said = ForwardMsg()
        said.ParseFromString(socket.recv(timeout=600))  # type: ignore[arg-type]
        kind = said.WhichOneof("type")
        charts += kind == "delta" and b"vega" in said.SerializeToString()
        if kind == "script_finished":
            assert charts, "the page came without its charts"
            break
    threading.Thread(target=_read_on, args=(socket,), daemon=True).start()


def _read_on(socket: ClientConnection) -> None:
    """Read until the connection ends: what nobody reads would stay in the server's memory."""
    with suppress(ConnectionClosed):
        for _ in socket:
            pass


# Uploads


def _photos(folder: Path, count: int) -> list[Path]:
    """Write photos of the sample's person, none twice."""
    sources = sorted(sample_course_dir().glob("*_front.jpg"))
    decoded = [load_photo(path).rgb for path in sources]
    written = []
    for k in range(count):
        lighter = np.clip(decoded[k % len(decoded)].astype(np.int16) + k // len(decoded), 0, 255)
        path = folder / f"IMG_{k:04d}.jpg"
        sink = io.BytesIO()
        Image.fromarray(lighter.astype(np.uint8)).save(sink, "JPEG", quality=95)
        path.write_bytes(sink.getvalue())
        written.append(path)
    return written


def _upload(page: Page, password: str, client: str, files: list[Path]) -> int:
    """Take photos into a new session through the page; how many it keeps in the end."""
    page.goto(f"http://127.0.0.1:{_PORT}/login")
    page.fill("#name", "practitioner")
    page.fill("#password", password)
    page.get_by_role("button", name=strings.SIGN_IN).click()
    page.goto(f"http://127.0.0.1:{_PORT}/?client={client}")
    page.get_by_role("button", name=strings.SESSION_NEW).click()
    page.get_by_role("heading", name=strings.STEP_PHOTOS).wait_for()
    done = 0
    for start in range(0, len(files), _BATCH):
        part = files[start : start + _BATCH]
        page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(part)
        # Kept photos have a link each, doubtful ones a button.
        page.wait_for_function(
            "([links, keep, wanted]) => document.querySelectorAll(links).length"
            " + [...document.querySelectorAll('button')].filter(b => b.innerText.trim() == keep)"
            ".length >= wanted",
            arg=[".sk-strip a[href^='/photo/']", strings.PHOTO_KEEP, done + len(part)],
            polling=1000,
        )
        done += len(part)
        # What waits holds its pixels: it is decided as a practitioner does, one by one.
        keep = page.get_by_role("button", name=strings.PHOTO_KEEP)
        while left := keep.count():
            keep.first.click()
            page.wait_for_function(
                "([keep, left]) => [...document.querySelectorAll('button')]"
                ".filter(b => b.innerText.trim() == keep).length < left",
                arg=[strings.PHOTO_KEEP, left],
            )
            page.wait_for_timeout(500)
    return page.locator(".sk-strip a[href^='/photo/']").count()


def main() -> None:
    """Run it all and print what was seen."""
    said = parser(__doc__)
    said.add_argument("--people", type=int, default=10)
    said.add_argument("--uploads", type=int, default=50)
    options = said.parse_args()
    people, uploads = options.people, options.uploads
    report = Report("Memory of the app", "app_memory.py")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for this part only

    chromium = shutil.which("chromium")
    assert chromium, "chromium is needed to upload as people do"
    rows: list[tuple[str, int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        files = _photos(Path(folder), uploads)
        size = sum(path.stat().st_size for path in files) / uploads / _MB
        with _demo(Path(folder) / "log.txt") as (pid, passwords, client):
            watch = Watch(pid)
            sampling = threading.Thread(target=watch.run)
            sampling.start()
            try:
                rows.append(("started, nobody there", *watch.now()))
                open_pages = ExitStack()
                for k in range(people):
                    name, query = ("client", "") if k % 2 else ("practitioner", f"client={client}")
                    cookie = _signed_in(name, passwords[name])
                    _open_progress(open_pages, cookie, query)
                rows.append((f"{people} people, progress page open", *watch.now()))
                watch.restart()
                with sync_playwright() as driver:
                    launch: dict[str, Any] = {
                        "executable_path": chromium,
                        "args": ["--no-sandbox", "--disable-dev-shm-usage"],
                    }
                    browser = driver.chromium.launch(**launch)
                    page = browser.new_page()
                    page.set_default_timeout(_WAIT_MS)
                    done = _upload(page, passwords["practitioner"], client, files)
                    peak = watch.peak_server, watch.peak_all
                    rows.append((f"peak during {done} uploads", *peak))
                    rows.append((f"after {done} uploads", *watch.now()))
                    browser.close()
                open_pages.close()
                time.sleep(_FORGOTTEN_S)
                rows.append(("everybody has left", *watch.now()))
            finally:
                watch.end()
                sampling.join()
    report.say(
        f"`skinscan demo` on loopback; {people} logins, each with a connection of its own and the "
        "progress page open (half staff, half the client; 8 sessions); then photos of "
        f"{size:.1f} MB taken into one session through the page in a browser, {_BATCH} at a time. "
        "Resident memory, without the browser; the right column adds the command that started the "
        "server and whatever it starts (pages that they share count twice)."
    )
    report.table(
        ("", "server, MB", "all, MB"),
        [(name, f"{server / _MB:.0f}", f"{both / _MB:.0f}") for name, server, both in rows],
    )
    report.write(options.write)


if __name__ == "__main__":
    main()
