"""The identity provider: a faked one with real keys, honest first, then every way in which not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from made_accounts import START

from skinscan.errors import IdentityProviderError, SignInError
from skinscan.store.accounts import invitations, logins, oidc, sign_in
from skinscan.store.accounts.users import Identity
from skinscan.store.sealing import new_key

ISSUER = "https://id.example.org/practice"
KEY = new_key()
PROVIDER = oidc.Provider(
    issuer=ISSUER, client_id="skinscan", redirect_uri="https://skin.example.org/back"
)
RSA = RSAKey.generate_key(2048, {"kid": "r1", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "e1", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "r1", "use": "sig"})
SHARED = OctKey.generate_key(256, {"kid": "r1"})


def clock():
    return START


def part(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@dataclass
class Honest:
    """A provider that does what the standard says; tests make it lie in one thing."""

    keys: list = field(default_factory=lambda: [RSA, EC])
    signs_with: object = field(default_factory=lambda: RSA)
    algorithm: str = "RS256"
    claims: dict = field(default_factory=dict)
    describes: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    lists: tuple = ()
    asked: list = field(default_factory=list)
    codes: dict = field(default_factory=dict)

    def visit(self, url, subject="4711"):
        """Somebody signs in here; parameters with which they are sent back."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        assert asked["scope"] == "openid"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked, subject
        return {"code": code, "state": asked["state"]}

    def __call__(self, url, *, form=None, authorization=None):
        self.asked.append((url, form, authorization))
        path = url.removeprefix(ISSUER)
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            told = {
                "issuer": ISSUER,
                "authorization_endpoint": ISSUER + "/authorize?tenant=7",
                "token_endpoint": ISSUER + "/token",
                "jwks_uri": ISSUER + "/keys",
            }
            return json.dumps(told | self.describes).encode()
        if path == "/keys":
            return json.dumps(
                {"keys": [key.as_dict(private=key is SHARED) for key in self.keys]}
            ).encode()
        assert path == "/token"
        asked, subject = self.codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        assert form["redirect_uri"] == asked["redirect_uri"]
        seconds = int(START.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": "skinscan",
            "sub": subject,
            "iat": seconds,
            "exp": seconds + 300,
            "nonce": asked["nonce"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        claims |= {name: [claims[name], "more"] for name in self.lists}
        header = {"alg": self.algorithm, "kid": "r1"}
        if self.signs_with is EC:
            header["kid"] = "e1"
        if isinstance(self.signs_with, bytes):  # which the library refuses to do
            signed = f"{part(header)}.{part(claims)}"
            mac = hmac.digest(self.signs_with, signed.encode(), "sha256")
            token = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        else:
            token = jwt.encode(header, claims, self.signs_with, algorithms=[self.algorithm])
        return json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}).encode()


def there_and_back(provider, *, configured=PROVIDER, change=None, clock_back=clock):
    begun = oidc.begin(configured, KEY, fetch=provider, clock=clock)
    answer = provider.visit(begun.url)
    return oidc.finish(
        configured,
        KEY,
        sealed=begun.sealed,
        answer=answer | (change or {}),
        fetch=provider,
        clock=clock_back,
    )


# Honest


@pytest.mark.parametrize(
    ("signs_with", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")]
)
def test_somebody_comes_back_as_who_they_are(signs_with, algorithm):
    provider = Honest(signs_with=signs_with, algorithm=algorithm)
    assert there_and_back(provider) == Identity(ISSUER, "4711")
    assert all(authorization is None for *_, authorization in provider.asked)


def test_the_address_keeps_the_providers_own_parameters():
    begun = oidc.begin(PROVIDER, KEY, fetch=Honest(), clock=clock)
    query = parse_qs(urlsplit(begun.url).query)
    assert query["tenant"] == ["7"]
    assert query["redirect_uri"] == [PROVIDER.redirect_uri]
    other = oidc.begin(PROVIDER, KEY, fetch=Honest(), clock=clock)
    for name in ("state", "nonce", "code_challenge"):
        assert len(query[name][0]) == 43
        assert parse_qs(urlsplit(other.url).query)[name] != query[name]
    for secret in ("verifier", query["state"][0], query["nonce"][0]):
        assert secret.encode() not in base64.urlsafe_b64decode(begun.sealed)
        assert secret not in repr(begun).replace(begun.url, "")


def test_a_clients_secret_goes_into_the_header_only():
    configured = oidc.Provider(
        issuer=ISSUER,
        client_id="skin scan",
        redirect_uri="http://localhost:8501/back",
        client_secret="s:1/x",  # noqa: S106 - of nobody
    )
    provider = Honest(claims={"aud": "skin scan"})
    there_and_back(provider, configured=configured)
    (asked,) = [(form, header) for url, form, header in provider.asked if url.endswith("/token")]
    assert base64.b64decode(asked[1].removeprefix("Basic ")) == b"skin%20scan:s%3A1%2Fx"
    assert "s:1/x" not in str(asked[0])
    assert "s:1/x" not in repr(configured)


def test_several_audiences_with_skinscan_as_the_authorised_one():
    provider = Honest(claims={"aud": ["api", "skinscan"], "azp": "skinscan"})
    assert there_and_back(provider).subject == "4711"


def test_keys_that_were_changed_need_no_care():
    provider = Honest()
    there_and_back(provider)
    new = RSAKey.generate_key(2048, {"kid": "r1", "use": "sig"})
    provider.keys, provider.signs_with = [new], new
    there_and_back(provider)


# Not


SECONDS = int(START.timestamp())
LIES = {
    "another issuer": {"claims": {"iss": "https://evil.example.org"}},
    "no issuer": {"claims": {"iss": None}},
    "for another program": {"claims": {"aud": "other"}},
    "for nobody": {"claims": {"aud": None}},
    "for several, not saying which": {"claims": {"aud": ["skinscan", "other"]}},
    "for several, another authorised": {"claims": {"aud": ["skinscan", "other"], "azp": "other"}},
    "another authorised": {"claims": {"azp": "other"}},
    "expired": {"claims": {"exp": SECONDS - 61}},
    "without an end": {"claims": {"exp": None}},
    "from the future": {"claims": {"iat": SECONDS + 61}},
    "not valid yet": {"claims": {"nbf": SECONDS + 61}},
    "without a time": {"claims": {"iat": None}},
    "without a subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "a subject that is no text": {"claims": {"sub": ["4711"]}},
    "for another sign-in": {"claims": {"nonce": "another"}},
    "for any sign-in": {"claims": {"nonce": None}},
    "for a list of sign-ins": {"claims": {"nonce": ["a", "b"]}},
    "for this sign-in and more": {"lists": ("nonce",)},
    "this issuer and more": {"lists": ("iss",)},
    "signed by a stranger": {"signs_with": STRANGER},
    "signed with what everybody knows": {
        "signs_with": RSA.as_pem(private=False),
        "algorithm": "HS256",
    },
    "signed with a shared secret that is listed": {
        "signs_with": SHARED,
        "algorithm": "HS256",
        "keys": [SHARED],
    },
    "no keys": {"answers": {"/keys": b'{"keys": []}'}},
    "keys that are none": {"answers": {"/keys": b'{"keys": [{"kty": "RSA", "kid": "r1"}]}'}},
    "keys that are no list": {"answers": {"/keys": b'{"keys": 7}'}},
    "no keys at all": {"answers": {"/keys": b"{}"}},
    "no token": {"answers": {"/token": b"{}"}},
    "a token that is none": {"answers": {"/token": b'{"id_token": "a.b.c"}'}},
    "a list instead": {"answers": {"/token": b"[]"}},
    "no JSON": {"answers": {"/token": b"<html>"}},
    "JSON without end": {"answers": {"/token": b"[" * 100_000}},
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the stranger's key
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_word_that_cannot_be_trusted(lie):
    with pytest.raises(IdentityProviderError) as caught:
        there_and_back(Honest(**lie))
    assert "4711" not in str(caught.value)


def test_an_unsigned_token_is_refused():
    class Unsigned(Honest):
        def __call__(self, url, *, form=None, authorization=None):
            content = super().__call__(url, form=form, authorization=authorization)
            if not url.endswith("/token"):
                return content
            claims = json.loads(content)["id_token"].split(".")[1]
            return json.dumps({"id_token": f"{part({'alg': 'none'})}.{claims}."}).encode()

    with pytest.raises(IdentityProviderError):
        there_and_back(Unsigned())


@given(token=st.text(st.characters(codec="utf-8")) | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
def test_any_text_as_a_token_is_refused(token):
    answer = json.dumps({"id_token": token}).encode()
    with pytest.raises(IdentityProviderError):
        there_and_back(Honest(answers={"/token": answer}))


@given(
    keys=st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["keys", "kty", "n", "e", "kid", "x"]), inner, max_size=4
            )
        ),
    )
)
def test_any_keys_are_refused(keys):
    with pytest.raises(IdentityProviderError):
        there_and_back(Honest(answers={"/keys": json.dumps(keys).encode()}))


@pytest.mark.parametrize(
    "describes",
    [
        {"issuer": "https://evil.example.org"},
        {"token_endpoint": "http://id.example.org/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": None},
        {"jwks_uri": 7},
        {"jwks_uri": "https://[oops"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_description_that_leads_elsewhere(describes):
    with pytest.raises(IdentityProviderError):
        there_and_back(Honest(describes=describes))


@pytest.mark.parametrize(
    "issuer", ["", "http://id.example.org", "ftp://x", "id.example.org", "https://"]
)
def test_a_provider_needs_a_safe_address(issuer):
    with pytest.raises(IdentityProviderError):
        oidc.Provider(issuer=issuer, client_id="c", redirect_uri="https://skin.example.org/back")


# Another browser, another time


@pytest.mark.parametrize(
    "change",
    [
        {"state": "another"},
        {"state": ""},
        {"state": "ö"},
        {"code": ""},
        {"iss": "https://evil.example.org"},
    ],
)
def test_an_answer_that_does_not_fit(change):
    provider = Honest()
    with pytest.raises(SignInError):
        there_and_back(provider, change=change)
    assert not any(url.endswith("/token") for url, *_ in provider.asked)


def test_the_provider_refuses():
    provider = Honest()
    begun = oidc.begin(PROVIDER, KEY, fetch=provider, clock=clock)
    state = provider.visit(begun.url)["state"]
    with pytest.raises(SignInError, match="refusal"):
        oidc.finish(
            PROVIDER,
            KEY,
            sealed=begun.sealed,
            answer={"error": "access_denied", "state": state},
            fetch=provider,
            clock=clock,
        )


def test_too_late_and_in_time():
    def back(minutes):
        return there_and_back(
            Honest(claims={"exp": SECONDS + 3600}), clock_back=lambda: START + oidc.AWAY * minutes
        )

    assert back(0.99)
    with pytest.raises(SignInError, match="too late"):
        back(1)


@given(sealed=st.text(st.characters()))
def test_only_the_browser_that_left_comes_back(sealed):
    provider = Honest()
    begun = oidc.begin(PROVIDER, KEY, fetch=provider, clock=clock)
    answer = provider.visit(begun.url)
    with pytest.raises(SignInError):
        oidc.finish(PROVIDER, KEY, sealed=sealed, answer=answer, fetch=provider, clock=clock)


def test_what_was_begun_with_another_practice_or_provider_does_not_count():
    provider = Honest()
    begun = oidc.begin(PROVIDER, KEY, fetch=provider, clock=clock)
    answer = provider.visit(begun.url)
    other = oidc.Provider(issuer=ISSUER, client_id="o", redirect_uri=PROVIDER.redirect_uri)
    for configured, key in ((PROVIDER, new_key()), (other, KEY)):
        with pytest.raises(SignInError):
            oidc.finish(
                configured, key, sealed=begun.sealed, answer=answer, fetch=provider, clock=clock
            )


# With accounts


def test_from_the_invitation_to_the_login(office):
    owner = office.an_owner()
    provider = Honest()

    def visit():
        begun = oidc.begin(PROVIDER, office.key, fetch=provider, clock=office.clock)
        return oidc.finish(
            PROVIDER,
            office.key,
            sealed=begun.sealed,
            answer=provider.visit(begun.url),
            fetch=provider,
            clock=office.clock,
        )

    with pytest.raises(SignInError):
        sign_in.sign_in_with_identity(office.database, visit(), **office.told)
    secret = invitations.invite_staff(
        office.database, office.practice_id, made_by=owner, **office.told
    )
    paul = office.accept(secret, password=None, identity=visit())
    cookie = sign_in.sign_in_with_identity(office.database, visit(), **office.told)
    assert logins.current(office.database, cookie, clock=office.clock).user_id == paul


# The network


@pytest.fixture
def server():
    """A server on this machine: /good, /moved, /huge, else 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/good")
                self.end_headers()
                return
            content = {"/good": b"{}", "/huge": b" " * 1_000_001}.get(self.path)
            self.send_response(200 if content else 404)
            self.end_headers()
            self.wfile.write(content or b"no")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body + b" " + self.headers["Authorization"].encode())

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_pages_are_fetched_and_forms_posted(server):
    assert oidc.fetch(server + "/good") == b"{}"
    assert oidc.fetch(server, form={"a": "b c"}, authorization="Basic x") == b"a=b+c Basic x"


@pytest.mark.parametrize(
    ("path", "found"), [("/moved", "302"), ("/huge", "1 MB"), ("/missing", "404")]
)
def test_what_is_no_answer(server, path, found):
    with pytest.raises(IdentityProviderError, match=found):
        oidc.fetch(server + path)


def test_a_server_that_is_not_there():
    for url in ("http://127.0.0.1:1/", "file:///etc/passwd", "http://id.example.org"):
        with pytest.raises(IdentityProviderError):
            oidc.fetch(url)


def test_without_the_extra_only_this_module_is_missing():
    code = (
        "import sys; sys.modules['joserfc'] = None\n"
        "import skinscan.store.accounts.sign_in, skinscan.store.accounts.invitations\n"
        "from skinscan.errors import MissingExtraError\n"
        "try:\n    import skinscan.store.accounts.oidc\n"
        "except MissingExtraError as error:\n    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "skinscan[oidc]" in result.stdout
