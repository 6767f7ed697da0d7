"""The page in a real browser: what a practitioner sees, and what leaves the machine."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from skinscan.resources import sample_course_dir
from skinscan.ui import strings
from skinscan.ui.server import page_url

pytestmark = pytest.mark.browser

ARTEFACTS = Path(__file__).resolve().parent / "artefacts"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
]
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
WAIT_MS = 90_000
CHARTS = "[data-testid=stVegaLiteChart] svg"

# Content that could carry a picture; the page's own fonts and scripts lie under /static.
PICTURE_PATHS = ("/media", "/_stcore/media")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def healthy(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def sample_photos():
    return sorted(sample_course_dir().glob("*.jpg"))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """`skinscan demo` in a folder of its own; its page's address."""
    if not sample_photos():
        pytest.skip("the sample course is absent")
    port = free_port()
    log = tmp_path_factory.mktemp("demo") / "log.txt"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "skinscan", "demo", "--no-browser", "--port", str(port)],
            cwd=log.parent,
            env={**os.environ, "HOME": str(log.parent)},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + 60
            while not healthy(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the demo does not start:\n{log.read_text()}")
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


# Contrast of every visible text: colours with alpha and opacity are blended over what lies below.
FAINT_TEXTS = """() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below, alpha) => below.map((v, k) => top[k] * alpha + v * (1 - alpha));
    const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) =>
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const element = walker.currentNode.parentElement;
        if (!text || !element.checkVisibility({visibilityProperty: true, opacityProperty: true}))
            continue;
        const box = element.getBoundingClientRect();
        if (box.width < 2 || box.height < 2) continue;
        if (element.closest('style, script, [disabled]')) continue;
        const chain = [];
        for (let e = element; e; e = e.parentElement) chain.unshift(getComputedStyle(e));
        let ground = [255, 255, 255], opacity = 1;
        for (const style of chain) {
            const [r, g, b, a] = rgba(style.backgroundColor);
            ground = over([r, g, b], ground, a * opacity);
            opacity *= parseFloat(style.opacity);
        }
        const style = chain.at(-1);
        const paint = element instanceof SVGElement ? style.fill : style.color;
        const [r, g, b, a] = rgba(paint);
        const ink = over([r, g, b], ground, a * opacity);
        const [light, dark] = [luminance(ink), luminance(ground)].sort((x, y) => y - x);
        const ratio = (light + 0.05) / (dark + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return found;
}"""


class Watched:
    """A page together with everything it asked for and complained about."""

    def __init__(self, context):
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _on_console(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def settle(self):
        self.page.wait_for_selector(READY)

    def shot(self, name):
        """Save the whole page, for people to look at."""
        ARTEFACTS.mkdir(exist_ok=True)
        page = self.page
        size = page.viewport_size
        height = page.get_by_test_id("stMainBlockContainer").evaluate("e => e.scrollHeight")
        page.set_viewport_size({"width": size["width"], "height": height + 80})
        page.wait_for_timeout(700)
        page.screenshot(path=ARTEFACTS / f"{name}-{size['width']}.png")
        page.set_viewport_size(size)

    def width_beyond_the_screen(self):
        """How many px stick out to the right, of the page or of anything in it."""
        return self.page.evaluate(
            """() => {
                const main = document.querySelector('[data-testid=stMain]');
                const sticking = [...main.querySelectorAll('*')].filter(
                    e => !e.closest('.sk-table') && e.checkVisibility()
                ).map(e => e.getBoundingClientRect().right - innerWidth);
                return Math.max(
                    document.documentElement.scrollWidth - innerWidth,
                    main.scrollWidth - main.clientWidth,
                    ...sticking);
            }"""
        )

    def faint_texts(self):
        """Texts with less contrast than WCAG AA asks for, each with its ratio."""
        return self.page.evaluate(FAINT_TEXTS)

    def check_nothing_left_the_machine(self):
        hosts = {urlsplit(url).hostname for url in self.requests if url.startswith("http")}
        assert hosts == {"127.0.0.1"}
        paths = [urlsplit(url).path for url in self.requests if url.startswith("http")]
        assert [path for path in paths if path.startswith(PICTURE_PATHS)] == []
        assert self.complaints == []


@pytest.fixture
def open_page(browser):
    contexts = []

    def opened(width, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        return Watched(context)

    yield opened
    for context in contexts:
        context.close()


def test_the_sample_course_opens_with_its_charts(address, open_page):
    watched = open_page(1280)
    page = watched.page
    page.goto(page_url(address))
    page.get_by_role("button", name=strings.SAMPLE_BUTTON).wait_for()
    watched.settle()
    watched.shot("start")
    page.get_by_role("button", name=strings.SAMPLE_BUTTON).click()
    page.get_by_role("heading", name=strings.OVERVIEW_TITLE).wait_for()
    page.wait_for_selector(CHARTS)
    watched.settle()

    assert page.get_by_text("Lines: 27 % softer since 3 March", exact=False).is_visible()
    assert page.get_by_text(strings.NUMBERS_TITLE).is_visible()
    charts = page.get_by_test_id("stVegaLiteChart")
    assert charts.count() >= 6
    for k in range(charts.count()):
        label = charts.nth(k).get_attribute("aria-label")
        assert "sessions from" in label or "Verdict: " in label
    assert page.locator(".sk-strip img").count() == len(sample_photos())
    assert all(
        page.locator("img").evaluate_all("all => all.map(e => e.alt && e.src.startsWith('data:'))")
    )
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    watched.shot("course")

    # The edge between before and after follows the keyboard, and so does the enlargement.
    viewer = page.locator(".st-key-pair_viewer")
    assert viewer.locator(".stage img").count() == 2
    edge = viewer.get_by_role("slider")
    edge.focus()
    page.keyboard.press("ArrowRight")
    assert edge.input_value() == "51"
    assert "51%" in viewer.locator(".pane").nth(1).evaluate("e => e.style.clipPath")
    viewer.locator(".stage").focus()
    small = viewer.locator(".pane img").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().width)"
    )
    page.keyboard.press("+")
    large = viewer.locator(".pane img").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().width)"
    )
    assert [b / a for a, b in zip(small, large, strict=True)] == pytest.approx([1.25, 1.25], 0.01)
    viewer.get_by_label(strings.VIEWER["side"]).check()
    assert not edge.is_visible()

    # The overlay follows its toggles, by keyboard.
    before = page.locator("img.sk-picture").get_attribute("src")
    page.get_by_role("switch", name=strings.SHOW_LINES).focus()
    page.keyboard.press("Space")
    page.wait_for_function(
        "before => document.querySelector('img.sk-picture').src !== before", arg=before
    )
    watched.settle()
    watched.check_nothing_left_the_machine()


def test_two_photos_and_a_text_file_on_a_phone(address, open_page, tmp_path):
    text = tmp_path / "2026-03-05 *holiday* <b>.jpg"
    text.write_text("This is not a photo.")
    watched = open_page(390, "dark")
    page = watched.page
    page.goto(page_url(address))
    photos = sample_photos()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [photos[0], text, photos[-1]]
    )
    page.get_by_role("heading", name=strings.OVERVIEW_TITLE).wait_for()
    page.wait_for_selector(CHARTS)
    watched.settle()

    assert page.locator(".sk-strip img").count() == 2
    assert page.get_by_text(strings.PROBLEMS["not_an_image"]).count() == 1
    assert page.get_by_text("2026-03-05 *holiday* <b>.jpg").count() == 1
    assert page.get_by_text("Traceback").count() == 0
    first, last = (date.fromisoformat(photo.name[:10]) for photo in (photos[0], photos[-1]))
    period = f"{strings.short_date(first)} – {strings.long_date(last)}"
    assert page.get_by_text(period).is_visible()
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    watched.shot("upload-dark")
    watched.check_nothing_left_the_machine()
