"""The page in a real browser: what a practitioner sees, and what leaves the machine."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from skinscan.photo import PhotoLimits, load_photo
from skinscan.resources import sample_course_dir
from skinscan.ui import batch_strings as batch
from skinscan.ui import practice_strings as practice
from skinscan.ui import strings

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


@dataclass(frozen=True)
class Running:
    """A demo that runs: its port, what it printed, and the path that signs one in."""

    port: int
    log: Path
    passwords: dict
    entrance: str

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """`skinscan demo` in a folder of its own."""
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
            deadline = time.monotonic() + 180
            while not healthy(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the demo does not start:\n{log.read_text()}")
                time.sleep(0.1)
            said = log.read_text()
            passwords = dict(re.findall(r"^  (\w+) +([a-z]+(?:-[a-z]+){4})$", said, re.MULTILINE))
            entrance = re.search(r"http://[^/]+(/enter/\S+)", said).group(1)
            yield Running(port, log, passwords, entrance)
        finally:
            process.terminate()
            process.wait(timeout=20)
    said = log.read_text()
    assert "Traceback" not in said
    assert "unexpected" not in said


@pytest.fixture(scope="module")
def launch():
    """Starts a chromium with more flags."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    launched = []
    with sync_api.sync_playwright() as playwright:

        def launching(*flags):
            launched.append(
                playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, *flags])
            )
            return launched[-1]

        yield launching
        for each in launched:
            each.close()


@pytest.fixture(scope="module")
def browser(launch):
    return launch()


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
                    e => !e.closest('.sk-table:not(.sk-stacked), thead') && e.checkVisibility()
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

    def axe_faults(self):
        """Faults of accessibility that axe finds by the rules of WCAG A and AA."""
        from axe_playwright_python.sync_playwright import Axe

        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": rules}})
        assert len(found.response["passes"]) > 5  # it has looked
        return [
            (fault["id"], [node["html"][:160] for node in fault["nodes"]][:3])
            for fault in found.response["violations"]
        ]

    def check_nothing_left_the_machine(self):
        hosts = {urlsplit(url).hostname for url in self.requests if url.startswith("http")}
        assert hosts == {"127.0.0.1"}
        paths = [urlsplit(url).path for url in self.requests if url.startswith("http")]
        assert [path for path in paths if path.startswith(PICTURE_PATHS)] == []
        assert self.complaints == []


@pytest.fixture
def open_page(browser):
    contexts = []

    def opened(width, scheme="light", *, by=browser):
        context = by.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        return Watched(context)

    yield opened
    for context in contexts:
        context.close()


def sign_in(watched, demo, name):
    page = watched.page
    page.goto(f"{demo.url}/login")
    page.fill("#name", name)
    page.fill("#password", demo.passwords[name])
    page.get_by_role("button", name=practice.SIGN_IN).click()
    page.get_by_role("radio", name=re.compile(".")).first.wait_for()
    watched.settle()


def turn_to(watched, name):
    watched.page.get_by_role("radio", name=name, exact=True).click()
    watched.settle()


def remove_last_photo(watched):
    """So that tests after this one find the session as it was."""
    page = watched.page
    # A button that is touched while the page is still being drawn may be replaced meanwhile.
    watched.settle()
    page.locator("summary").filter(has_text=practice.PHOTO_VIEW).click()
    kept = page.locator(".sk-strip img").count()
    page.get_by_role("button", name=practice.PHOTO_REMOVE).last.click()
    page.locator(".sk-strip img").nth(kept - 1).wait_for(state="detached")


def test_the_demo_opens_at_the_progress_of_its_client(demo, open_page):
    watched = open_page(1280)
    page = watched.page
    page.goto(demo.url + demo.entrance)
    page.wait_for_selector(CHARTS)
    watched.settle()
    assert page.get_by_role("heading", name="Sample Client").is_visible()
    assert page.get_by_text("Lines in the treated regions: 34 % softer", exact=False).is_visible()
    charts = page.get_by_test_id("stVegaLiteChart")
    assert charts.count() == 6
    for k in range(charts.count()):
        assert "Verdict: " in charts.nth(k).get_attribute("aria-label")
    assert page.locator(".sk-strip img").count() == len(sample_photos())
    assert all(
        page.locator("img").evaluate_all("all => all.map(e => e.alt && e.src.startsWith('data:'))")
    )
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    assert watched.axe_faults() == []
    watched.shot("progress")

    # The edge between before and after follows the keyboard, and so does the enlargement.
    viewer = page.locator(".st-key-pair_viewer")
    assert viewer.locator(".stage img").count() == 2
    edge = viewer.get_by_role("slider")
    edge.focus()
    page.keyboard.press("ArrowRight")
    assert edge.input_value() == "51"
    assert "51%" in viewer.locator(".pane").nth(1).evaluate("e => e.style.clipPath")
    viewer.locator(".stage").focus()
    widths = "all => all.map(e => e.getBoundingClientRect().width)"
    small = viewer.locator(".pane img").evaluate_all(widths)
    page.keyboard.press("+")
    large = viewer.locator(".pane img").evaluate_all(widths)
    assert [b / a for a, b in zip(small, large, strict=True)] == pytest.approx([1.25, 1.25], 0.01)
    page.get_by_role("radio", name=strings.PAIR_MODES["side"]).click()
    watched.settle()
    edge.wait_for(state="hidden")
    page.get_by_role("radio", name=strings.PAIR_MODES["difference"]).click()
    page.wait_for_timeout(500)
    watched.settle()
    difference = page.locator(".st-key-apart_viewer .stage img")
    difference.wait_for()
    assert "21 Apr 2026 against 3 Mar 2026." in difference.get_attribute("alt")
    # What stands behind a number is reached by keyboard too.
    page.locator("summary").filter(has_text=strings.BEHIND_TITLE).focus()
    page.keyboard.press("Enter")
    page.get_by_text("Standard error of one photo", exact=False).wait_for()
    watched.settle()
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    assert watched.axe_faults() == []
    watched.shot("behind")
    watched.check_nothing_left_the_machine()


def wait_until_measured(watched):
    """Wait until no photo of an upload is measured any more; some may wait for a decision."""
    watched.page.get_by_text(practice.RESULT_LATER).wait_for()
    watched.page.get_by_text(practice.PHOTO_MEASURING.split("{")[0]).wait_for(state="detached")
    watched.settle()


def test_a_session_from_the_door_to_the_result(demo, open_page, tmp_path):
    """A HEIC of today, two people, a cat and half a file: the two minutes of a session."""
    from PIL import Image
    from pillow_heif import register_heif_opener
    from skimage.data import chelsea

    register_heif_opener()
    chosen = heic, half, cat, group = [
        tmp_path / name for name in ("IMG_1.heic", "IMG_2.jpg", "IMG_3.png", "IMG_4.jpg")
    ]
    latest = sample_photos()[-1]
    rgb = load_photo(latest).rgb
    Image.fromarray(rgb).save(heic, quality=92)
    half.write_bytes(latest.read_bytes()[:200_000])
    Image.fromarray(chelsea()).resize((1353, 900)).save(cat)
    Image.fromarray(np.hstack([rgb[::2, ::2], rgb[::2, ::-2]])).save(group, quality=90)

    watched = open_page(1280)
    page = watched.page
    clicks, began = 0, time.monotonic()
    sign_in(watched, demo, "practitioner")
    page.get_by_role("button", name=practice.CLIENT_OPEN, exact=True).first.click()
    page.get_by_role("button", name=practice.SESSION_NEW).click()
    page.get_by_role("heading", name=practice.STEP_PHOTOS).wait_for()
    clicks += 3
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(chosen)
    wait_until_measured(watched)
    if page.get_by_role("button", name=practice.PHOTO_KEEP).count():
        watched.settle()
        page.get_by_role("button", name=practice.PHOTO_KEEP).first.click()
        clicks += 1
    page.get_by_text(practice.RESULT_LATER).wait_for(state="detached")
    watched.settle()
    page.get_by_text(practice.SKIN_STATES["clean"], exact=True).click()
    page.get_by_role("button", name="Crow's feet").click()
    page.get_by_role("button", name=practice.SAVE, exact=True).click()
    page.get_by_text(practice.SAVED).first.wait_for()
    clicks += 3
    watched.settle()
    took = time.monotonic() - began
    ARTEFACTS.mkdir(exist_ok=True)
    (ARTEFACTS / "session.txt").write_text(f"{clicks} clicks, {took:.0f} s\n", encoding="utf-8")

    assert page.get_by_text(strings.PROBLEMS["truncated"], exact=False).count() == 1
    assert page.get_by_text(strings.PROBLEMS["no_face"], exact=False).count() == 1
    assert page.get_by_text(strings.PROBLEMS["several_faces"], exact=False).count() == 1
    assert page.locator(".sk-strip img").count() == 1
    assert page.get_by_text("since 3 March", exact=False).count() >= 1
    assert clicks <= 8
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    assert watched.axe_faults() == []
    watched.shot("session")
    watched.check_nothing_left_the_machine()


# What a finger has to hit, and how large it is, with the area that takes a touch for it.
SMALL_TARGETS = """() => [...document.querySelectorAll(
    '[data-testid=stMain] :is(button, a, summary, [role=group]:has(> input), ' +
    '[data-testid=stCheckbox] > label, [data-testid=stRadioOption])')].filter(e => {
    if (!e.checkVisibility({visibilityProperty: true}) || e.closest('[role=group] button'))
        return false;
    const reach = parseFloat(getComputedStyle(e, '::after').top) || 0;
    const {width, height} = e.getBoundingClientRect();
    return Math.min(width, height) - 2 * Math.min(0, reach) < 44 - 0.5;
}).map(e => `${e.tagName} ${e.innerText || e.ariaLabel}`)"""


def test_a_doubtful_photo_on_a_tablet(demo, launch, tmp_path):
    """It is not laid over its reasons, everything is large enough for a finger, and it can wait."""
    dark = tmp_path / "dark.jpg"
    cv2.imwrite(str(dark), load_photo(sample_photos()[1]).rgb[:, :, ::-1] // 5)
    context = launch().new_context(
        viewport={"width": 820, "height": 1180}, has_touch=True, reduced_motion="reduce"
    )
    watched = Watched(context)
    page = watched.page
    sign_in(watched, demo, "practitioner")
    page.get_by_role("button", name=practice.CLIENT_OPEN, exact=True).first.click()
    page.get_by_role("button", name=practice.SESSION_NEW).click()
    page.get_by_role("heading", name=practice.STEP_PHOTOS).wait_for()
    watched.settle()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(dark)
    keep = page.get_by_role("button", name=practice.PHOTO_KEEP)
    keep.wait_for()
    watched.settle()
    assert page.get_by_text(practice.RESULT_LATER).is_visible()
    photo, reasons = (
        page.locator(f".st-key-doubt_0 {each}").bounding_box() for each in ("img", "ul")
    )
    assert photo["x"] + photo["width"] <= reasons["x"]
    assert page.evaluate(SMALL_TARGETS) == []
    watched.shot("doubtful")
    keep.click()
    page.get_by_text(practice.RESULT_LATER).wait_for(state="detached")
    page.get_by_text("since 3 March", exact=False).first.wait_for()
    remove_last_photo(watched)
    context.close()


def test_a_photo_by_the_camera_of_the_device(demo, launch, open_page, tmp_path):
    """A phantom sits before the camera: a hint, the first photo over it, and the photo taken."""
    # Five frames a second: a browser that draws without a graphics card has enough to do.
    film = tmp_path / "film.y4m"
    still = cv2.resize(load_photo(sample_photos()[4]).rgb, (1434, 2000))
    planes = cv2.cvtColor(still, cv2.COLOR_RGB2YUV_I420).tobytes()
    film.write_bytes(b"YUV4MPEG2 W1434 H2000 F5:1 Ip A1:1 C420\nFRAME\n" + planes)
    camera = launch(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    watched = open_page(390, "dark", by=camera)
    page = watched.page
    sign_in(watched, demo, "practitioner")
    page.get_by_role("button", name=practice.CLIENT_OPEN, exact=True).first.click()
    page.get_by_role("button", name=practice.SESSION_NEW).click()
    page.get_by_text(practice.CAMERA_USE).click()
    said = page.locator(".said")
    front, left = (
        page.get_by_role("radio", name=re.compile(f"^{strings.VIEWS[name]}"))
        for name in ("front", "left")
    )
    front.check()
    said.get_by_text(practice.CAMERA["good"]).wait_for()
    assert page.locator("img.ghost").is_visible()
    strength = page.get_by_role("slider", name=practice.CAMERA["strength"])
    strength.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("img.ghost").evaluate("e => e.style.opacity") == "0.45"
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    assert watched.axe_faults() == []
    watched.shot("camera-dark")

    # The other side has no first photo yet, and the phantom looks straight ahead.
    left.check()
    said.get_by_text(practice.CAMERA_HINTS["turn_right"]).wait_for()
    assert page.locator(".outline").is_visible()
    front.check()
    said.get_by_text(practice.CAMERA["good"]).wait_for()

    before = page.locator(".sk-strip img").count()
    page.get_by_role("button", name=practice.CAMERA["take"]).click()
    said.get_by_text(practice.CAMERA["sent"]).wait_for()
    track = page.locator("video").evaluate_handle("e => e.srcObject.getVideoTracks()[0]")
    assert track.evaluate("t => t.readyState") == "live"
    page.get_by_text(practice.CAMERA_USE).click()
    said.wait_for(state="detached")
    assert track.evaluate("t => t.readyState") == "ended"
    page.locator(".sk-strip img").nth(before).wait_for()
    remove_last_photo(watched)
    watched.check_nothing_left_the_machine()


NAMING = """async ([script, camera]) => {
    const address = URL.createObjectURL(new Blob([script], {type: 'text/javascript'}));
    const {named} = await import(address);
    const canvas = document.createElement('canvas');
    const plain = await new Promise(done => canvas.toBlob(done, 'image/jpeg', 1));
    const once = await named(plain, camera), twice = await named(once, 'Another');
    const bytes = async blob => [...new Uint8Array(await blob.arrayBuffer())];
    return [await bytes(plain), await bytes(once), await bytes(twice)];
}"""


@pytest.mark.parametrize("camera", ["Back Camera", "C", "Rückkamera 2", ""])
def test_a_photo_of_the_page_names_its_camera_as_cameras_do(browser, camera):
    script = (files("skinscan.ui.camera") / "camera.js").read_text(encoding="utf-8")
    page = browser.new_page()
    plain, once, twice = (bytes(each) for each in page.evaluate(NAMING, [script, camera]))
    page.close()
    limits = PhotoLimits(min_short_side_px=1)
    before, after = (load_photo(each, limits=limits) for each in (plain, once))
    assert (before.camera, after.camera) == (None, camera or None)
    assert (before.rgb == after.rgb).all()
    assert (twice == once) == bool(camera)


REFUSING = """([cause, insecure]) => {
    const refuse = () => Promise.reject(new DOMException('', cause));
    Object.defineProperty(window, 'isSecureContext', {value: !insecure, configurable: true});
    Object.defineProperty(navigator, 'mediaDevices', {
        value: cause ? {getUserMedia: refuse} : undefined, configurable: true});
}"""


def test_a_browser_that_gives_no_camera_says_what_to_do(demo, open_page):
    watched = open_page(390)
    page = watched.page
    sign_in(watched, demo, "practitioner")
    page.get_by_role("button", name=practice.CLIENT_OPEN, exact=True).first.click()
    page.get_by_role("button", name=practice.SESSION_NEW).click()
    page.evaluate(REFUSING, ["NotFoundError", False])
    page.get_by_text(practice.CAMERA_USE).click()
    said = page.locator(".said")
    said.get_by_text(practice.CAMERA["none"]).wait_for()
    for cause, insecure, name in (
        ("NotAllowedError", False, "refused"),
        ("NotReadableError", False, "busy"),
        ("TypeError", False, "failed"),
        (None, False, "unable"),
        (None, True, "insecure"),
    ):
        page.evaluate(REFUSING, [cause, insecure])
        page.get_by_role("button", name=practice.CAMERA["start"]).click()
        said.get_by_text(practice.CAMERA[name]).wait_for()
    assert not page.get_by_role("button", name=practice.CAMERA["take"]).is_visible()
    watched.shot("camera-none")
    watched.check_nothing_left_the_machine()


def test_a_batch_from_the_device_to_the_table(demo, open_page, tmp_path):
    """A photo and half a file are sent, measured while the page is left, and come back as CSV."""
    good, half = sample_photos()[0], tmp_path / "half <b>.jpg"
    half.write_bytes(good.read_bytes()[:200_000])
    watched = open_page(390, "dark")
    page = watched.page
    sign_in(watched, demo, "practitioner")
    turn_to(watched, practice.NAV_BATCH)
    page.get_by_text(batch.FOLDER_BUTTON).wait_for()
    page.locator(".sender input").first.set_input_files([good, half])
    page.get_by_role("button", name=batch.START_SENT).click()
    page.get_by_text(batch.RUNNING_TEXT).wait_for()
    turn_to(watched, practice.NAV_CLIENTS)
    page.reload()
    watched.settle()
    turn_to(watched, practice.NAV_BATCH)
    page.get_by_text(batch.DONE).wait_for()
    watched.settle()
    assert page.get_by_text(strings.PROBLEMS["truncated"], exact=False).count() == 1
    assert page.get_by_text("half <b>.jpg", exact=True).is_visible()
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    assert watched.axe_faults() == []
    watched.shot("batch-dark")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=batch.TABLES["scores-wide.csv"]).click()
    saved = tmp_path / "scores.csv"
    waiting.value.save_as(saved)
    rows = saved.read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows] == ["photo", good.name, half.name]
    page.get_by_text(batch.REMOVE, exact=True).first.click()
    page.get_by_role("button", name=batch.REMOVE).click()
    page.get_by_text(batch.FOLDER_BUTTON).wait_for()
    watched.check_nothing_left_the_machine()


def test_a_client_on_a_phone(demo, open_page):
    watched = open_page(390, "dark")
    page = watched.page
    sign_in(watched, demo, "client")
    page.wait_for_selector(CHARTS)
    watched.settle()
    assert page.get_by_text("since 3 March", exact=False).count() >= 1
    assert page.get_by_text("The practitioner").count() == 0
    assert watched.width_beyond_the_screen() <= 0
    assert watched.faint_texts() == []
    assert page.locator(".sk-stacked").get_by_role("row").count() > 5
    assert page.locator(".sk-stacked").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    assert watched.axe_faults() == []
    watched.shot("client-dark")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=practice.REPORT_PDF).click()
    saved = ARTEFACTS / "progress.pdf"
    waiting.value.save_as(saved)
    assert saved.read_bytes()[:5] == b"%PDF-"
    for name in (practice.NAV_REPORT, practice.NAV_DATA, practice.NAV_ACCOUNT):
        turn_to(watched, name)
        assert watched.width_beyond_the_screen() <= 0, name
        assert watched.faint_texts() == [], name
        assert watched.axe_faults() == [], name
        watched.shot(f"client-{name.lower().replace(' ', '-')}-dark")
    watched.check_nothing_left_the_machine()


def test_an_invitation_opens_an_account_once(demo, open_page):
    watched = open_page(1280)
    page = watched.page
    sign_in(watched, demo, "owner")
    turn_to(watched, practice.NAV_PRACTICE)
    watched.shot("owner")
    assert watched.faint_texts() == []
    assert watched.axe_faults() == []
    page.get_by_role("button", name=re.compile("practitioner")).last.click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    assert watched.width_beyond_the_screen() <= 0
    assert link.startswith(f"{demo.url}/welcome/")

    guest = open_page(390)
    guest.page.goto(link)
    guest.page.fill("#name", "ben")
    guest.page.fill("#shown", "Ben")
    guest.page.fill("#password", "password1")
    guest.page.get_by_role("button", name=practice.CREATE).click()
    assert guest.page.get_by_role("alert").is_visible()
    guest.page.fill("#password", "onyx-lantern-thistle-harbor-zephyr")
    guest.page.get_by_role("button", name=practice.CREATE).click()
    guest.page.get_by_text(practice.DONE_SIGN_IN).wait_for()
    guest.page.screenshot(path=ARTEFACTS / "signed-up-390.png")
    guest.page.goto(link)
    guest.page.fill("#name", "eve")
    guest.page.fill("#shown", "Eve")
    guest.page.fill("#password", "onyx-lantern-thistle-harbor-zephyr")
    guest.page.get_by_role("button", name=practice.CREATE).click()
    assert guest.page.get_by_text(practice.LINK_BAD).is_visible()


def test_a_wrong_password_and_a_strangers_address(demo, open_page):
    watched = open_page(390)
    page = watched.page
    page.goto(f"{demo.url}/?client=0123")
    assert page.url == f"{demo.url}/login"
    assert watched.axe_faults() == []
    page.fill("#name", "practitioner")
    page.fill("#password", "wrong")
    page.get_by_role("button", name=practice.SIGN_IN).click()
    assert page.get_by_text(practice.SIGN_IN_WRONG).is_visible()
    assert page.get_by_text("Traceback").count() == 0


def test_an_open_page_ends_with_the_login(demo, open_page):
    watched = open_page(1280)
    page = watched.page
    sign_in(watched, demo, "client")
    other = page.context.new_page()
    other.goto(f"{demo.url}/logout")
    other.get_by_role("button", name=practice.SIGN_OUT).click()
    other.get_by_text(practice.SIGNED_OUT).wait_for()
    # The first page's connection is still open: what it asks for next is refused.
    page.get_by_role("radio", name=practice.NAV_REPORT, exact=True).click()
    page.get_by_text(practice.SESSION_OVER).wait_for()
    watched.settle()  # until then the old page stands there, faded
    assert page.get_by_text("since 3 March", exact=False).count() == 0


def test_raw_attacks_get_no_photo_of_another_client(demo, open_page):
    """HTTP and WebSocket without a browser: as nobody, and with a cookie after its logout."""
    watched = open_page(1280)
    page = watched.page
    sign_in(watched, demo, "practitioner")
    page.get_by_role("button", name=practice.CLIENT_OPEN, exact=True).first.click()
    page.get_by_role("radio", name=practice.TAB_SESSIONS).click()
    page.get_by_role("button", name=practice.SESSION_OPEN, exact=True).last.click()
    link = page.locator(".sk-strip a").first
    link.wait_for()
    photo = link.get_attribute("href")
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())

    def status(path, cookie="", method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=10)
        connection.putrequest(method, path, skip_accept_encoding=True)
        if cookie:
            connection.putheader("Cookie", cookie)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def opens(cookie, origin):
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        headers = {"Cookie": cookie, "Origin": origin} if cookie else {"Origin": origin}
        try:
            with connect(f"ws://127.0.0.1:{demo.port}/_stcore/stream", additional_headers=headers):
                return True
        except InvalidStatus:
            return False

    assert status(photo, cookie) == http.HTTPStatus.OK
    assert opens(cookie, demo.url)
    assert not opens(cookie, "https://evil.example")
    paths = [
        photo,
        "/media/0123.jpg",
        "/_stcore/upload_file/a/b",
        "/_stcore/host-config",
        "/_stcore/agent/mcp",
        "/component/a/b",
        "/static/..%2f..%2f" + photo.lstrip("/"),
        "//" + photo.lstrip("/"),
        photo + "/",
        photo.upper(),
    ]
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        for path in paths:
            assert status(path, method=method) in {400, 401, 403, 404, 405}, (method, path)
    assert not opens("", demo.url)
    client = open_page(1280)
    sign_in(client, demo, "client")
    page.goto(f"{demo.url}/logout")
    page.get_by_role("button", name=practice.SIGN_OUT).click()
    page.get_by_text(practice.SIGNED_OUT).wait_for()
    for path in paths:
        assert status(path, cookie) in {400, 401, 404}, path
    assert not opens(cookie, demo.url)


def test_a_quick_look_on_a_phone(demo, open_page, tmp_path):
    text = tmp_path / "2026-03-05 *holiday* <b>.jpg"
    text.write_text("This is not a photo.")
    watched = open_page(390, "dark")
    page = watched.page
    sign_in(watched, demo, "practitioner")
    turn_to(watched, practice.NAV_QUICK)
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
