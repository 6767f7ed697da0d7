"""Around the pages: gate, doors, photos and downloads, asked without a browser."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import zipfile
from datetime import timedelta
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pyotp
import pytest
from made_records import office as make_office
from made_records import picture, places, prepared
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from skinscan.batch.engine import InProcessEngine
from skinscan.batch.measure import Outcome
from skinscan.practice import courses, custody, photos
from skinscan.practice.forms import Settings
from skinscan.practice.principal import TERMINAL
from skinscan.quality.guidance import Hint
from skinscan.store.accounts import invitations, logins, totp, users
from skinscan.store.schema import Login, now
from skinscan.ui import batch_strings
from skinscan.ui import practice_strings as strings
from skinscan.ui.batch import run as batch_run
from skinscan.ui.batch import runs, space
from skinscan.ui.practice import intake
from skinscan.ui.web import batch, camera, cookies, gate, office
from skinscan.ui.web.doors import ENTRANCE, routes

PASSWORD = "umber-walnut-quartz-pebble-thistle"  # noqa: S105 - of nobody


async def behind(request):
    return PlainTextResponse(f"behind {request.url.path}")


async def socket_behind(websocket):
    await websocket.accept()
    await websocket.send_text("behind")
    await websocket.close()


@pytest.fixture
def made(tmp_path, monkeypatch):
    it = make_office(places(tmp_path), photo=True)
    monkeypatch.setattr(office, "records", lambda: it.records)
    monkeypatch.delenv(cookies.PLAIN_HTTP, raising=False)
    monkeypatch.delenv(ENTRANCE, raising=False)
    it.extra["app"] = Starlette(
        routes=[
            *routes(),
            WebSocketRoute("/{path:path}", socket_behind),
            Route("/{path:path}", behind, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=gate.middleware(),
    )
    yield it
    it.records.close()


class Answer:
    def __init__(self, messages):
        start = messages[0]
        self.status = start["status"]
        self.headers = [(k.decode(), v.decode()) for k, v in start["headers"]]
        self.body = b"".join(m.get("body", b"") for m in messages[1:])
        self.text = self.body.decode("utf-8", "replace")

    def header(self, name):
        return next((v for k, v in self.headers if k == name), None)

    @property
    def cookies(self):
        kept = SimpleCookie()
        for name, value in self.headers:
            if name == "set-cookie":
                kept.load(value)
        return kept


class Browser:
    """Keeps cookies, and sends what it is told."""

    def __init__(self, app):
        self.app = app
        self.cookies = {}

    def ask(self, method, path, *, form=None, headers=(), body=b"", raw_path=None):
        if form is not None:
            body = urlencode(form).encode()
        sent = [(b"host", b"127.0.0.1"), *headers]
        if self.cookies:
            said = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            sent.append((b"cookie", said.encode()))
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": (raw_path or path).encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": sent,
            "client": ("203.0.113.5", 1234),
            "server": ("127.0.0.1", 443),
        }
        messages = []

        asked = iter([body])

        async def receive():
            for content in asked:
                return {"type": "http.request", "body": content, "more_body": False}
            # Whoever streams listens for the end of the connection, which does not come.
            return await asyncio.Event().wait()

        async def send(message):
            messages.append(message)

        asyncio.run(self.app(scope, receive, send))
        answer = Answer(messages)
        for name, morsel in answer.cookies.items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return answer

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, **form):
        """Open the form of a page and send it filled in."""
        token = re.search(r'name="form" value="(\w+)"', self.get(path).text).group(1)
        return self.ask("POST", path, form={"form": token, **form})

    def handshake(self, path):
        """Open a WebSocket; what the server answered first."""
        said = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "wss",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1"), (b"cookie", said.encode())],
            "subprotocols": [],
            "client": ("203.0.113.5", 1234),
            "server": ("127.0.0.1", 443),
        }
        messages = []

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            messages.append(message)

        asyncio.run(self.app(scope, receive, send))
        return messages[0]


@pytest.fixture
def browser(made):
    return Browser(made.extra["app"])


def signed_in(made, principal):
    it = Browser(made.extra["app"])
    with made.records.database.write() as session:
        secret = logins.begin(session, principal.user_id, at=now())
    it.cookies["__Host-skinscan_login"] = secret
    return it


def account(made, name="anna"):
    """Invite somebody and accept for them."""
    secret = invitations.invite_staff(
        made.records.database,
        made.records.practice_id,
        made_by=made.owner.user_id,
        audit=office.write_down,
    )
    return invitations.accept_invitation(
        made.records.database,
        made.records.practice_key,
        secret=secret,
        name=name,
        shown="Anna",
        password=PASSWORD,
        audit=office.write_down,
    )


# The gate

CLOSED = (
    "/",
    "/media/0123456789abcdef.jpg",
    "/_stcore/upload_file/1/2",
    "/_stcore/stream",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/agent/mcp",
    "/_stcore/script-health-check",
    "/_stcore/bidi-components/skinscan_viewer/x.js",
    "/component/x/y",
    "/app/static/x",
    "/photo/0123",
    "/export/0123",
    "/report/0123",
    "/camera/hint/0123",
    "/camera/shot/0123",
    "/batch/photos",
    "/batch/0123/scores.csv",
    "/whatever/a/later/version/brings",
    "/loginx",
    "/static",
)


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_strangers_reach_nothing(browser, path, method):
    answer = browser.ask(method, path)
    assert answer.status == 401
    assert "behind" not in answer.text


def test_strangers_who_want_a_page_are_shown_the_door(browser):
    answer = browser.get("/", headers=[(b"accept", b"text/html")])
    assert (answer.status, answer.header("location")) == (303, "/login")


@pytest.mark.parametrize(
    "path", ["/static/../media/x", "/static//media/x", "/login/../photo/1", "/static/..%2fmedia"]
)
def test_paths_that_could_mean_others_are_refused(made, path):
    for it in (Browser(made.extra["app"]), signed_in(made, made.carer)):
        assert it.get(path).status == 400


def test_a_path_that_was_decoded_already_is_looked_at_as_it_was_sent(browser):
    assert browser.get("/static/x", raw_path="/static/%2e%2e/media/x").status == 400


def test_a_strangers_socket_is_refused_before_it_opens(made, browser):
    assert browser.handshake("/_stcore/stream")["type"] == "websocket.close"
    assert signed_in(made, made.carer).handshake("/_stcore/stream")["type"] == "websocket.accept"


def test_whoever_is_signed_in_gets_through(made):
    it = signed_in(made, made.carer)
    assert it.get("/media/x").text == "behind /media/x"


@pytest.mark.parametrize("path", ["/", "/login", "/static/x", "/nothing", "/_stcore/health"])
def test_every_answer_carries_the_headers(made, path):
    for it in (Browser(made.extra["app"]), signed_in(made, made.carer)):
        answer = it.get(path)
        policy = answer.header("content-security-policy")
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'self'" in policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("x-frame-options") == "DENY"
        assert answer.header("referrer-policy") == "no-referrer"
        camera = "camera=(self)" if path == "/" else "camera=()"
        assert answer.header("permissions-policy").startswith(f"{camera}, microphone=(),")
        assert "max-age" in answer.header("strict-transport-security")
        if path != "/static/x":
            assert answer.header("cache-control") == "no-store"


def test_a_login_ends_for_every_address_at_once(made):
    it = signed_in(made, made.carer)
    assert it.get("/media/x").status == 200
    users.disable(made.records.database, made.carer.user_id, actor=None, audit=office.write_down)
    for path in CLOSED:
        assert it.get(path).status == 401
    assert it.handshake("/_stcore/stream")["type"] == "websocket.close"


def test_a_login_that_was_idle_too_long_is_over(made):
    it = signed_in(made, made.carer)
    with made.records.database.write() as session:
        for row in session.query(Login):
            row.seen_at = now() - timedelta(minutes=31)
    assert it.get("/").status == 401


# The doors


def test_signing_in_and_out(made, browser):
    account(made)
    answer = browser.post("/login", name="anna", password=PASSWORD)
    assert (answer.status, answer.header("location")) == (303, "/")
    cookie = answer.cookies["__Host-skinscan_login"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    kept = dict(browser.cookies)
    assert browser.get("/").status == 200
    assert browser.get("/login").header("location") == "/"

    assert browser.post("/logout").status == 200
    assert "__Host-skinscan_login" not in browser.cookies
    browser.cookies = kept  # somebody kept the cookie: it opens nothing any more
    assert browser.get("/").status == 401


def test_by_plain_http_the_cookie_is_another_one(made, browser, monkeypatch):
    monkeypatch.setenv(cookies.PLAIN_HTTP, "1")
    account(made)
    answer = browser.post("/login", name="anna", password=PASSWORD)
    cookie = answer.cookies["skinscan_login"]
    assert (cookie["secure"], cookie["httponly"]) == ("", True)
    assert answer.header("strict-transport-security") is None


def test_a_link_signs_nobody_out(made, browser):
    account(made)
    browser.post("/login", name="anna", password=PASSWORD)
    browser.get("/logout")
    assert browser.get("/").status == 200


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_a_wrong_password_tells_nothing(made, browser, name):
    account(made)
    answer = browser.post("/login", name=name, password="wrong")  # noqa: S106
    assert answer.status == 401
    assert strings.SIGN_IN_WRONG in answer.text
    assert "__Host-skinscan_login" not in browser.cookies


def test_guessing_is_slowed_down(made, browser):
    account(made)
    answers = [browser.post("/login", name="anna", password=f"wrong {k}") for k in range(12)]
    assert answers[-1].status == 429
    assert strings.SIGN_IN_PAUSED in answers[-1].text


def test_forged_forms_are_refused(made, browser):
    account(made)
    form = {"name": "anna", "password": PASSWORD}
    assert browser.ask("POST", "/login", form=form).status == 403
    token = re.search(r'name="form" value="(\w+)"', browser.get("/login").text).group(1)
    assert (
        Browser(made.extra["app"]).ask("POST", "/login", form=form | {"form": token}).status == 403
    )
    cross = [(b"sec-fetch-site", b"cross-site")]
    answer = browser.ask("POST", "/login", form=form | {"form": token}, headers=cross)
    assert answer.status == 403
    assert browser.ask("POST", "/login", form=form | {"form": token}).status == 303


def test_a_form_that_is_too_large_is_not_read(browser):
    assert browser.ask("POST", "/login", body=b"a=" + b"x" * 30_000).status == 403


def test_a_one_time_password_is_asked_for_after_the_right_password(made, browser):
    user_id = account(made)
    key = made.records.practice_key
    address = totp.enrol(made.records.database, key, user_id, shown_as="P")
    secret = pyotp.parse_uri(address)
    earlier = secret.at(now() - timedelta(seconds=30))
    totp.confirm(made.records.database, key, user_id, earlier, audit=office.write_down)
    assert strings.CODE in browser.post("/login", name="anna", password=PASSWORD).text
    answer = browser.post("/login", name="anna", password=PASSWORD, code=secret.at(now()))
    assert answer.status == 303


def test_an_invitation_works_once(made, browser):
    secret = invitations.invite_staff(
        made.records.database,
        made.records.practice_id,
        made_by=made.owner.user_id,
        audit=office.write_down,
    )
    path = f"/welcome/{secret}"
    weak = browser.post(path, name="ben", shown="Ben", password="password1")  # noqa: S106
    assert weak.status == 422
    assert 'value="ben"' in weak.text
    assert "password1" not in weak.text
    answer = browser.post(path, name="ben", shown="Ben", password=PASSWORD)
    assert (answer.status, answer.header("location")) == (303, "/login?done")
    again = browser.post(path, name="eve", shown="Eve", password=PASSWORD)
    assert again.status == 410
    assert strings.LINK_BAD in again.text
    assert browser.post("/login", name="ben", password=PASSWORD).status == 303


def test_a_link_that_never_was_or_has_expired_is_said_so(made, browser):
    assert browser.post("/welcome/abc", name="a", shown="A", password=PASSWORD).status == 410
    assert browser.post("/reset/abc", password=PASSWORD).status == 410
    secret = invitations.invite_staff(
        made.records.database,
        made.records.practice_id,
        made_by=made.owner.user_id,
        audit=office.write_down,
        clock=lambda: now() - timedelta(days=30),
    )
    late = browser.post(f"/welcome/{secret}", name="a", shown="A", password=PASSWORD)
    assert late.status == 410


def test_a_reset_ends_every_login(made, browser):
    user_id = account(made)
    browser.post("/login", name="anna", password=PASSWORD)
    secret = invitations.issue_reset(
        made.records.database, user_id, made_by=made.owner.user_id, audit=office.write_down
    )
    other = Browser(made.extra["app"])
    fresh = "sorrel-anvil-mosaic-lagoon-kettle"
    assert other.post(f"/reset/{secret}", password=fresh).status == 303
    assert browser.get("/").status == 401
    assert other.post("/login", name="anna", password=fresh).status == 303


def test_the_entrance_of_the_demo_is_nowhere_else(made, browser, monkeypatch):
    with made.records.database.write() as session:
        secret = logins.begin(session, made.carer.user_id, at=now())
    assert browser.get(f"/enter/{secret}").header("location") == "/login"
    monkeypatch.setenv(ENTRANCE, "1")
    answer = browser.get(f"/enter/{secret}?client=1")
    assert answer.header("location") == "/?client=1"
    assert browser.get("/").status == 200
    assert Browser(made.extra["app"]).get("/enter/wrong").header("location") == "/login"


@pytest.fixture
def with_provider(monkeypatch):
    """The practice has an identity provider: a faked one with real keys."""
    pytest.importorskip("joserfc", reason="the extra oidc is not installed")
    from test_accounts_oidc import ISSUER, Honest

    from skinscan.ui.web import provider

    seconds = int(now().timestamp())
    honest = Honest(claims={"iat": seconds, "exp": seconds + 300})
    monkeypatch.setattr(provider, "_fetch", honest)
    monkeypatch.setenv("SKINSCAN_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("SKINSCAN_OIDC_CLIENT_ID", "skinscan")
    monkeypatch.setenv("SKINSCAN_OIDC_REDIRECT", "https://skin.example.org/provider/back")
    return honest


def come_back(browser, honest, subject):
    answer = browser.get("/provider/go")
    assert answer.status == 303
    return browser.get(
        "/provider/back?" + urlencode(honest.visit(answer.header("location"), subject))
    )


def test_an_account_of_the_provider_is_joined_by_an_invitation_and_signs_in(
    made, browser, with_provider
):
    assert strings.SIGN_IN_PROVIDER in browser.get("/login").text.replace("&#x27;", "'")
    refused = come_back(browser, with_provider, "4711")
    assert refused.status == 401
    assert "__Host-skinscan_login" not in browser.cookies
    secret = invitations.invite_staff(
        made.records.database,
        made.records.practice_id,
        made_by=made.owner.user_id,
        audit=office.write_down,
    )
    joined = browser.post(
        f"/welcome/{secret}", name="ben", shown="Ben", password="", **{"with": "provider"}
    )
    assert joined.status == 200
    assert "/provider/go" in joined.text
    assert come_back(browser, with_provider, "4711").header("location") == "/"
    assert browser.get("/").status == 200
    assert "__Host-skinscan_joining" not in browser.cookies

    other = Browser(made.extra["app"])
    assert come_back(other, with_provider, "4711").header("location") == "/"
    assert come_back(Browser(made.extra["app"]), with_provider, "999").status == 401


def test_an_answer_of_the_provider_for_another_browser_is_refused(made, browser, with_provider):
    answer = browser.get("/provider/go")
    sent_back = with_provider.visit(answer.header("location"), "4711")
    stranger = Browser(made.extra["app"])
    assert stranger.get("/provider/back?" + urlencode(sent_back)).status == 401


def test_a_provider_that_is_down_or_half_configured_is_a_calm_page(
    browser, with_provider, monkeypatch
):
    with_provider.answers["/.well-known/openid-configuration"] = b"no json"
    assert browser.get("/provider/go").status == 502
    monkeypatch.delenv("SKINSCAN_OIDC_CLIENT_ID")
    assert browser.get("/provider/go").status == 503


def test_without_a_provider_its_doors_lead_to_the_sign_in(browser, monkeypatch):
    monkeypatch.delenv("SKINSCAN_OIDC_ISSUER", raising=False)
    for path in ("/provider/go", "/provider/back?code=1"):
        assert browser.get(path).header("location") == "/login"
    assert "provider" not in browser.get("/login").text


def test_an_error_at_a_door_is_a_calm_page(made, browser, monkeypatch, caplog):
    def broken():
        raise RuntimeError("secret detail")

    monkeypatch.setattr(office, "records", broken)
    monkeypatch.setattr(office, "signed_in", lambda _secret: None)
    answer = browser.post("/login", name="anna", password=PASSWORD)
    assert answer.status == 503
    assert strings.ERROR_SERVER in answer.text
    assert "secret detail" not in answer.text + caplog.text
    del made


# Photos and downloads


def test_a_photo_is_for_whoever_may_see_it_now(made):
    path = f"/photo/{made.extra['photo']}"
    staff, own, other = (signed_in(made, p) for p in (made.carer, made.client, made.other))
    answer = staff.get(path)
    assert (answer.status, answer.header("content-type")) == (200, "image/webp")
    assert answer.header("cache-control") == "no-store"
    assert answer.body[:4] == b"RIFF"
    assert own.get(path).status == 404
    courses.share_session(made.records, made.carer, made.session_id)
    assert own.get(path).status == 200
    courses.unshare_session(made.records, made.carer, made.session_id)
    assert own.get(path).status == 404
    missing = other.get("/photo/" + "0" * 32)
    assert (other.get(path).status, other.get(path).body) == (missing.status, missing.body)


def test_a_report_on_paper_is_for_staff_and_the_client(made):
    path = f"/report/{made.course_id}"
    for principal in (made.carer, made.owner, made.client):
        answer = signed_in(made, principal).get(path)
        assert (answer.status, answer.header("content-type")) == (200, "application/pdf")
        assert answer.body[:5] == b"%PDF-"
        assert answer.header("cache-control") == "no-store"
    assert signed_in(made, made.other).get(path).status == 404
    assert Browser(made.extra["app"]).get(path).status == 401


def test_everything_of_a_client_is_for_them_and_the_owner(made):
    path = f"/export/{made.client_id}"
    answer = signed_in(made, made.client).get(path)
    assert answer.header("content-type") == "application/zip"
    assert "client.json" in zipfile.ZipFile(io.BytesIO(answer.body)).namelist()
    assert signed_in(made, made.owner).get(path).status == 200
    assert signed_in(made, made.carer).get(path).status == 404
    assert signed_in(made, made.other).get(path).status == 404


# The camera of a session


@pytest.fixture
def shooting(made, monkeypatch):
    """Every frame has the same hint, photos need no measuring, and nobody has to wait."""
    seen = []

    def guide(photo, first, **asked):
        seen.append((photo, first, asked))
        return (Hint.CLOSER,)

    monkeypatch.setattr(camera, "guide", guide)
    monkeypatch.setattr(photos, "prepare", lambda source: prepared(len(source)))
    monkeypatch.setattr(intake, "_intakes", {})
    monkeypatch.setattr(camera, "_HINTS", camera.Pace(0.0))
    monkeypatch.setattr(camera, "_SHOTS", camera.Pace(0.0))
    made.extra["seen"] = seen
    return made


def from_page(it, **changed):
    """What the page's script sends along."""
    token = cookies.page_token(it.cookies)
    said = {"x-skinscan-page": token, "sec-fetch-site": "same-origin"} | changed
    return [(k.encode(), v.encode()) for k, v in said.items() if v]


def send(
    it, made, what="hint", *, query="view=front&shot=4032", body=None, session=None, **changed
):
    path = f"/camera/{what}/{session or made.session_id}?{query}"
    body = picture(7, 200) if body is None else body
    return it.ask("POST", path, body=body, headers=from_page(it, **changed))


def lines_of_audit(made):
    return len(custody.audit_lines(made.records, made.owner))


@pytest.mark.parametrize("who", ["carer", "colleague", "owner"])
def test_staff_get_hints_and_nothing_is_kept_of_a_frame(shooting, who, caplog):
    it = signed_in(shooting, getattr(shooting, who))
    before = lines_of_audit(shooting)
    answer = send(it, shooting)
    assert answer.status == 200
    assert json.loads(answer.text) == {
        "hints": ["closer"],
        "said": [strings.CAMERA_HINTS["closer"]],
    }
    assert answer.header("cache-control") == "no-store"
    ((photo, first, asked),) = shooting.extra["seen"]
    assert photo.full_size_px == (200, 200)
    assert (
        first.stand.size_px
        == photos.course_scans(shooting.records, shooting.carer, shooting.course_id)[
            shooting.session_id
        ][0].photo_size_px
    )
    assert asked == {"view": "front", "shot_px": 4032}
    assert send(it, shooting, query="view=left").status == 200
    assert shooting.extra["seen"][1][1:] == (None, {"view": "left", "shot_px": None})
    assert len(photos.photos(shooting.records, shooting.carer, shooting.session_id)) == 1
    assert lines_of_audit(shooting) == before
    assert caplog.text == ""


@pytest.mark.parametrize("what", ["hint", "shot"])
def test_the_camera_is_for_whoever_may_add_photos(shooting, what):
    custody.change_settings(shooting.records, TERMINAL, Settings(own_clients_only=True))
    missing = send(signed_in(shooting, shooting.carer), shooting, what, session="0" * 32)
    assert missing.status == 404
    for principal in (shooting.colleague, shooting.client, shooting.other):
        answer = send(signed_in(shooting, principal), shooting, what)
        assert (answer.status, answer.body) == (missing.status, missing.body)
    courses.share_session(shooting.records, shooting.carer, shooting.session_id)
    assert send(signed_in(shooting, shooting.client), shooting, what).status == 404
    assert shooting.extra["seen"] == []
    assert intake._intakes == {}
    it = signed_in(shooting, shooting.carer)
    assert send(it, shooting, what).status in {200, 202}
    users.disable(
        shooting.records.database, shooting.carer.user_id, actor=None, audit=office.write_down
    )
    assert send(it, shooting, what).status == 401


@pytest.mark.parametrize("what", ["hint", "shot"])
@pytest.mark.parametrize(
    "changed",
    [
        {"x-skinscan-page": ""},
        {"x-skinscan-page": "0" * 64},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_only_the_pages_own_script_may_use_the_camera(shooting, what, changed):
    it = signed_in(shooting, shooting.carer)
    assert send(it, shooting, what, **changed).status == 403
    stranger = cookies.page_token(signed_in(shooting, shooting.carer).cookies)
    assert send(it, shooting, what, **{"x-skinscan-page": stranger}).status == 403
    assert intake._intakes == {}
    assert send(it, shooting, what, origin="https://127.0.0.1").status in {200, 202}


@pytest.mark.parametrize("what", ["hint", "shot"])
def test_what_is_too_large_or_of_no_view_is_refused(shooting, what):
    it = signed_in(shooting, shooting.carer)
    most = {"hint": 200_000, "shot": 25 * 2**20}[what]
    assert send(it, shooting, what, body=bytes(most + 1)).status == 413
    assert send(it, shooting, what, query="view=back").status == 400
    assert send(it, shooting, what, query="").status == 400
    assert intake._intakes == {}


def test_a_frame_that_is_no_picture_is_refused_calmly(shooting):
    it = signed_in(shooting, shooting.carer)
    for body in (b"", b"x" * 1000, picture(1, 200)[:5000], picture(1, 100)):
        assert send(it, shooting, body=body).status == 400
    assert shooting.extra["seen"] == []


def test_a_shot_goes_where_an_upload_goes(shooting):
    it = signed_in(shooting, shooting.carer)
    assert send(it, shooting, "shot", query="view=left").status == 202
    ((key, held),) = intake._intakes.items()
    assert key == (shooting.carer.user_id, shooting.session_id)
    for _ in range(600):
        if not held.running:
            break
        time.sleep(0.01)
    assert [(item.label, item.fate) for item in held.items] == [
        ("Camera, Left side", intake.Fate.KEPT)
    ]
    assert len(photos.photos(shooting.records, shooting.carer, shooting.session_id)) == 2


def test_no_more_shots_wait_than_an_upload_brings(shooting, monkeypatch):
    monkeypatch.setattr(intake, "MOST_FILES", 0)
    answer = send(signed_in(shooting, shooting.carer), shooting, "shot")
    assert answer.status == 429
    assert strings.CAMERA["wait"] in answer.text


def test_a_login_asks_one_thing_at_a_time(shooting, monkeypatch):
    at = [0.0]
    pace = camera.Pace(0.2, clock=lambda: at[0])
    monkeypatch.setattr(camera, "_HINTS", pace)
    it, other = (signed_in(shooting, shooting.carer) for _ in range(2))
    assert send(it, shooting).status == 200
    assert send(it, shooting).status == 429
    assert send(other, shooting).status == 200
    at[0] = 0.3
    assert send(it, shooting).status == 200
    at[0] = 1.0
    assert pace.begin("a")
    at[0] = 100.0
    assert not pace.begin("a")
    pace.end("a")
    at[0] = 101.0
    assert pace.begin("a")


# The batch page's addresses


@pytest.fixture
def held(monkeypatch, tmp_path):
    """Runs of this server, measured in this process by a job that looks at nothing."""
    it = runs.Runs(space.Space(tmp_path / "space"), workers=1)
    monkeypatch.setattr(space, "KEPT_FREE", 0)
    monkeypatch.setattr(batch, "runs", lambda: it)
    row = ("wrinkles.severity", "forehead_upper", 6.0, 1.5, "%", 0.1, "")
    monkeypatch.setattr(
        batch_run, "job_of", lambda _options: lambda task: Outcome(task.name, "front", (row,))
    )
    monkeypatch.setattr(
        "skinscan.batch.engines.PoolEngine", lambda job, **_workers: InProcessEngine(job)
    )
    yield it
    it.close()


def send_photo(it, name="a%20b.jpg", body=b"photo", *more, token=None):
    token = cookies.page_token(it.cookies) if token is None else token
    headers = [(cookies.PAGE_HEADER.encode(), token.encode()), (b"x-skinscan-name", name.encode())]
    return it.ask("PUT", batch.SEND_TO, headers=[*headers, *more], body=body)


def sent_and_measured(made, held, principal):
    it = signed_in(made, principal)
    assert send_photo(it).status == 204
    run = held.of(principal.user_id)
    held.start(run, batch_run.Options(), noted=lambda: None)
    run.wait(20)
    return it, run


def test_photos_are_taken_from_pages_of_the_staff_only(made, held):
    for principal in (made.carer, made.owner):
        assert send_photo(signed_in(made, principal)).status == 204
        assert [photo.name for photo in held.of(principal.user_id).inbox.close()] == ["a b.jpg"]
    client = send_photo(signed_in(made, made.client))
    assert client.status == 404
    assert held.of(made.client.user_id) is None
    assert send_photo(Browser(made.extra["app"])).status == 401


def test_no_other_site_or_login_sends_photos(made, held):
    carer, colleague = signed_in(made, made.carer), signed_in(made, made.colleague)
    for token in ("", "0", cookies.page_token(colleague.cookies), cookies.page_token({})):
        assert send_photo(carer, token=token).status == 403
    for site in (b"cross-site", b"same-site", b"none"):
        assert send_photo(carer, "a.jpg", b"x", (b"sec-fetch-site", site)).status == 403
    assert send_photo(carer, "a.jpg", b"x", (b"origin", b"https://evil.example")).status == 403
    assert held.of(made.carer.user_id) is None


def test_what_is_not_taken_is_a_sentence(made, held, monkeypatch):
    it = signed_in(made, made.carer)
    monkeypatch.setattr(batch, "MAX_UPLOAD_MB", 0)
    answer = send_photo(it)
    assert (answer.status, answer.text) == (413, batch_strings.trouble("too_large"))
    monkeypatch.undo()
    monkeypatch.setattr(batch, "runs", lambda: held)
    monkeypatch.setattr(office, "records", lambda: made.records)
    monkeypatch.setattr(space, "KEPT_FREE", 2**62)
    answer = send_photo(it)
    assert (answer.status, answer.text) == (507, batch_strings.trouble("output"))
    monkeypatch.setattr(space, "KEPT_FREE", 0)
    send_photo(it)
    held.of(made.carer.user_id).state = batch_run.State.RUNNING
    answer = send_photo(it)
    assert (answer.status, answer.text) == (409, batch_strings.trouble("batch_busy"))
    held.of(made.carer.user_id).state = batch_run.State.GATHERING


def test_a_table_is_for_whoever_measured_it_as_long_as_they_are_signed_in(made, held):
    it, run = sent_and_measured(made, held, made.carer)
    path = f"/batch/{run.id}/scores.csv"
    answer = it.get(path)
    assert (answer.status, answer.header("content-type")) == (200, "text/csv; charset=utf-8")
    assert answer.header("content-disposition") == 'attachment; filename="skinscan-scores.csv"'
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.text.splitlines()[1].startswith("a b.jpg,front,wrinkles.severity")
    assert it.get(f"/batch/{run.id}/scores.parquet").body[:4] == b"PAR1"
    assert b"wrinkles.severity|forehead_upper" in it.get(f"/batch/{run.id}/scores-wide.csv").body

    missing = it.get("/batch/" + "0" * 32 + "/scores.csv")
    assert missing.status == 404
    for name in ("colleague", "owner", "client", "other"):
        other = signed_in(made, getattr(made, name)).get(path)
        assert (other.status, other.body) == (404, missing.body), name
    assert Browser(made.extra["app"]).get(path).status == 401
    for name in ("secret.csv", "results.partial", "..", "%2e%2e"):
        assert it.get(f"/batch/{run.id}/{name}").status in (400, 404), name

    kept = dict(it.cookies)
    it.post("/logout")
    it.cookies = kept
    assert it.get(path).status == 401
    again = signed_in(made, made.carer)
    assert again.get(path).status == 200
    held.drop(run)
    assert again.get(path).status == 404


def test_a_table_can_be_had_when_the_run_is_done(made, held):
    it = signed_in(made, made.carer)
    send_photo(it)
    run = held.of(made.carer.user_id)
    assert it.get(f"/batch/{run.id}/scores.csv").status == 503


def test_downloads_are_written_down_by_kind_and_count(made, held):
    it, run = sent_and_measured(made, held, made.carer)
    it.get(f"/batch/{run.id}/scores.parquet")
    line = custody.audit_lines(made.records, TERMINAL)[0]
    assert (line.action, line.actor) == ("batch.downloaded", made.carer.user_id)
    assert line.detail == {"table": "scores.parquet", "photos": 1}


# The logo


def test_the_sign_in_page_bears_the_logo_and_a_broken_server_none(made, monkeypatch):
    browser = Browser(made.extra["app"])
    mark = '<img class="sk-logo" alt="Practice" src="data:image/png;base64,'
    assert mark not in browser.ask("GET", "/login").text
    sink = io.BytesIO()
    Image.new("RGB", (90, 30), "teal").save(sink, "PNG")
    custody.change_logo(made.records, made.owner, sink.getvalue())
    assert mark in browser.ask("GET", "/login").text
    custody.change_logo(made.records, made.owner, None)
    assert mark not in browser.ask("GET", "/login").text

    def broken():
        raise ValueError("no records")

    monkeypatch.setattr(office, "records", broken)
    answer = browser.ask("GET", "/login")
    assert answer.status == 503
    assert strings.ERROR_SERVER.split(".")[0] in answer.text
