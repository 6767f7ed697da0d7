"""Sign-in by the practice's own identity provider: OpenID Connect Core 1.0, if it is configured.

The authorization code flow with PKCE (RFC 7636), state and nonce. What must be remembered between
leaving for the provider and coming back travels sealed in a cookie, so that only the browser that
left comes back. Nothing is kept of the provider: its addresses and keys are asked for each time, so
that changed keys need no care. What comes out is an `Identity`; whose account that is,
`sign_in.sign_in_with_identity` and `invitations.accept_invitation` say.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from skinscan.errors import IdentityProviderError, MissingExtraError, SealError, SignInError
from skinscan.store.accounts.users import Identity
from skinscan.store.schema import now
from skinscan.store.sealing import Key, seal_json, unseal_json

try:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
except ImportError as error:
    raise MissingExtraError(
        expected="the package that checks an identity provider's signatures",
        found="none installed",
        remedy="Run: pip install 'skinscan[oidc]'",
    ) from error

#: How long somebody may stay at the provider.
AWAY = timedelta(minutes=10)

#: By how much the clocks may differ, s.
LEEWAY_S = 60

#: Signatures that are accepted: only those that a public key checks (RFC 7518).
ALGORITHMS = ("RS256", "PS256", "ES256")

_TIMEOUT_S = 10.0
_MAX_BYTES = 1_000_000
_PLACE = "oidc.begun"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

#: What malformed keys or tokens make the library raise; it wraps most, not all.
_MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True)
class Provider:
    """The practice's identity provider, as its owner configured it.

    Parameters
    ----------
    issuer : str
        ``https://...``, exactly as the provider writes it.
    client_id : str
        Under which skinscan is registered there.
    redirect_uri : str
        Where people come back to; registered there too.
    client_secret : str, optional
        Where the provider gave one.

    Raises
    ------
    IdentityProviderError
        An address that is not ``https://``, other than one of this machine.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _require_safe(self.issuer)
        _require_safe(self.redirect_uri)


@dataclass(frozen=True)
class Begun:
    """Somebody about to leave for the provider.

    Attributes
    ----------
    url : str
        Where to send them.
    sealed : str
        For a cookie of this browser, until they come back.
    """

    url: str
    sealed: str = field(repr=False)


class Fetch(Protocol):
    """Asks the provider something."""

    def __call__(
        self, url: str, *, form: Mapping[str, str] | None = None, authorization: str | None = None
    ) -> bytes:
        """Get a page, or post a form.

        Raises
        ------
        IdentityProviderError
            No answer, or one that is no success.
        """


def fetch(
    url: str, *, form: Mapping[str, str] | None = None, authorization: str | None = None
) -> bytes:
    """Ask the provider over the network: 10 s, 1 MB, no redirects.

    Raises
    ------
    IdentityProviderError
    """
    _require_safe(url)
    headers = {"Accept": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    body = None if form is None else urlencode(form).encode()
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - see _require_safe
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(_MAX_BYTES + 1)
    except (OSError, HTTPException) as error:  # errors of urllib are OSErrors
        found = f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else "none"
        raise _unusable("an answer of the identity provider", found) from error
    if len(content) > _MAX_BYTES:
        raise _unusable("an answer of the identity provider", "one of more than 1 MB")
    return content


def begin(
    provider: Provider,
    key: Key,
    *,
    fetch: Fetch = fetch,
    clock: Callable[[], datetime] = now,
) -> Begun:
    """Prepare to send somebody to the provider.

    Parameters
    ----------
    provider : Provider
    key : Key
        The practice's.

    Raises
    ------
    IdentityProviderError
    """
    endpoint = _endpoint(_described(provider, fetch), "authorization_endpoint")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "scope": "openid",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    parts = urlsplit(endpoint)
    query = "&".join(part for part in (parts.query, urlencode(asked)) if part)
    remembered = {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "until": (clock() + AWAY).timestamp(),
    }
    sealed = base64.urlsafe_b64encode(seal_json(key, remembered, place=_PLACE)).decode()
    return Begun(url=urlunsplit(parts._replace(query=query)), sealed=sealed)


def finish(
    provider: Provider,
    key: Key,
    *,
    sealed: str,
    answer: Mapping[str, str],
    fetch: Fetch = fetch,
    clock: Callable[[], datetime] = now,
) -> Identity:
    """Find out who came back.

    Parameters
    ----------
    provider : Provider
    key : Key
        The practice's.
    sealed : str
        From the cookie, which is to be deleted now.
    answer : mapping
        Parameters of the address under which they came back.

    Raises
    ------
    SignInError
        Another browser, too late, or the provider let them not in.
    IdentityProviderError
        The provider does not answer, or its word cannot be trusted.
    """
    begun = _remembered(provider, key, sealed, clock())
    if not hmac.compare_digest(answer.get("state", "").encode(), begun["state"].encode()):
        raise _begin_again("an answer to another question")
    if answer.get("iss", provider.issuer) != provider.issuer:  # RFC 9207
        raise _begin_again("the answer of another provider")
    code = answer.get("code")
    if not code:
        raise _begin_again("a refusal")
    described = _described(provider, fetch)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri,
        "client_id": provider.client_id,
        "code_verifier": begun["verifier"],
    }
    tokens = _object(
        fetch(
            _endpoint(described, "token_endpoint"),
            form=form,
            authorization=_authorization(provider),
        )
    )
    keys = _object(fetch(_endpoint(described, "jwks_uri")))
    claims = _claims(provider, tokens.get("id_token"), keys, nonce=begun["nonce"], at=clock())
    return Identity(issuer=provider.issuer, subject=claims["sub"])


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could lead anywhere, also into the practice's own network."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        """Follow none."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def _described(provider: Provider, fetch: Fetch) -> dict[str, Any]:
    # OpenID Connect Discovery 1.0, section 4.
    described = _object(fetch(provider.issuer.rstrip("/") + "/.well-known/openid-configuration"))
    if described.get("issuer") != provider.issuer:
        raise _unusable("the description of this identity provider", "that of another one")
    return described


def _endpoint(described: dict[str, Any], name: str) -> str:
    address = described.get(name)
    if not isinstance(address, str):
        raise _unusable(f"a description with its {name}", "one without")
    _require_safe(address)
    return address


def _remembered(provider: Provider, key: Key, sealed: str, at: datetime) -> dict[str, Any]:
    try:
        opened = base64.urlsafe_b64decode(sealed.encode())
        begun: dict[str, Any] = unseal_json(key, opened, place=_PLACE)
    except (SealError, binascii.Error, UnicodeEncodeError) as error:
        raise _begin_again("nothing that was begun in this browser") from error
    if (begun["issuer"], begun["client_id"]) != (provider.issuer, provider.client_id):
        raise _begin_again("what was begun with another provider")
    if at.timestamp() >= begun["until"]:
        raise _begin_again("an answer that came too late")
    return begun


def _authorization(provider: Provider) -> str | None:
    if provider.client_secret is None:
        return None
    pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()  # RFC 6749, section 2.3.1


def _claims(
    provider: Provider, token: object, keys: dict[str, Any], *, nonce: str, at: datetime
) -> dict[str, Any]:
    # OpenID Connect Core 1.0, section 3.1.3.7.
    if not isinstance(token, str):
        raise _unusable("an ID token", "none")
    registry = jwt.JWTClaimsRegistry(
        now=int(at.timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims  # type: ignore[arg-type]
        registry.validate(claims)
    except _MALFORMED as error:
        raise _unusable("an ID token signed by the identity provider for this sign-in") from error
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    authorised = claims.get("azp", None if len(audiences) > 1 else provider.client_id)
    if provider.client_id not in audiences or authorised != provider.client_id:
        raise _unusable("an ID token for skinscan", "one for another program")
    # The library takes a list that contains the right value for the value.
    told = claims["iss"], claims["nonce"]
    if told != (provider.issuer, nonce) or not isinstance(claims["sub"], str):
        raise _unusable("an ID token signed by the identity provider for this sign-in")
    return claims


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unusable("an answer in JSON") from error
    if not isinstance(found, dict):
        raise _unusable("an answer in JSON")
    return found


def _require_safe(url: str) -> None:
    try:
        parts = urlsplit(url)
        safe = parts.hostname is not None and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        )
    except ValueError:
        safe = False
    if not safe:
        raise _unusable("an address that begins with https://", "another one")


def _unusable(expected: str, found: str = "something else") -> IdentityProviderError:
    return IdentityProviderError(
        expected=expected,
        found=found,
        remedy="Check the settings of the identity provider, and whether it works; "
        "who has a password can sign in with it",
    )


def _begin_again(found: str) -> SignInError:
    return SignInError(
        expected="somebody whom the identity provider let in, within 10 min, in this browser",
        found=found,
        remedy="Begin to sign in again",
    )
