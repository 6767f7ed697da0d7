"""Signing in by the practice's own identity provider, if its owner has configured one.

Four variables say which: ``SKINSCAN_OIDC_ISSUER``, ``SKINSCAN_OIDC_CLIENT_ID``,
``SKINSCAN_OIDC_REDIRECT`` (``https://THIS SERVER/provider/back``) and, where the provider gave one,
``SKINSCAN_OIDC_CLIENT_SECRET``. An account is bound to a person at the provider by accepting an
invitation with it, and in no other way.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from skinscan.errors import BadOptionError, SealError, SignInError
from skinscan.store.accounts import invitations, sign_in, users
from skinscan.store.sealing import seal_json, unseal_json
from skinscan.ui.web import office
from skinscan.ui.web.cookies import keep_away, remember, take_away

if TYPE_CHECKING:
    from skinscan.store.accounts.oidc import Provider

_ISSUER: Final = "SKINSCAN_OIDC_ISSUER"
_CLIENT: Final = "SKINSCAN_OIDC_CLIENT_ID"
_SECRET: Final = "SKINSCAN_OIDC_CLIENT_SECRET"  # noqa: S105 - the name of a variable
_REDIRECT: Final = "SKINSCAN_OIDC_REDIRECT"
_JOINING: Final = "provider.joining"


def is_configured() -> bool:
    """Tell whether the practice has an identity provider."""
    return bool(os.environ.get(_ISSUER))


def configured() -> Provider:
    """Read which provider the practice has.

    Raises
    ------
    BadOptionError
        Half of it is configured.
    MissingExtraError, IdentityProviderError
    """
    from skinscan.store.accounts.oidc import Provider  # noqa: PLC0415 - an extra

    issuer, client, redirect = (os.environ.get(n, "") for n in (_ISSUER, _CLIENT, _REDIRECT))
    if not (issuer and client and redirect):
        raise BadOptionError(
            expected=f"{_ISSUER}, {_CLIENT} and {_REDIRECT}",
            found="only some of them",
            remedy="Set all three, or none",
        )
    return Provider(issuer, client, redirect, os.environ.get(_SECRET) or None)


def go(request: Request, form: Mapping[str, str] | None) -> Response:  # noqa: ARG001 - as the doors
    """Send somebody to the provider."""
    from skinscan.store.accounts import oidc  # noqa: PLC0415 - an extra

    if not is_configured():
        return RedirectResponse("/login", 303)
    begun = oidc.begin(configured(), office.records().practice_key, fetch=_fetch)
    response = RedirectResponse(begun.url, 303)
    keep_away(response, "away", begun.sealed)
    return response


def back(request: Request, form: Mapping[str, str] | None) -> Response:  # noqa: ARG001
    """Let somebody in who comes back from the provider.

    Raises
    ------
    SignInError
        It is nobody who may.
    LinkError, NameTakenError
        The invitation that they came with.
    """
    from skinscan.store.accounts import oidc  # noqa: PLC0415 - an extra

    if not is_configured():
        return RedirectResponse("/login", 303)
    records = office.records()
    identity = oidc.finish(
        configured(),
        records.practice_key,
        sealed=take_away(request, "away"),
        answer=dict(request.query_params),
        fetch=_fetch,
    )
    joining = take_away(request, "joining")
    if joining:
        told = _opened(joining)
        invitations.accept_invitation(
            records.database,
            records.practice_key,
            secret=told["secret"],
            name=told["name"],
            shown=told["shown"],
            identity=identity,
            audit=office.write_down,
        )
    secret = sign_in.sign_in_with_identity(records.database, identity, audit=office.write_down)
    response = RedirectResponse("/", 303)
    for name in ("away", "joining"):
        keep_away(response, name, "")
    remember(response, secret)
    return response


def keep_joining(response: Response, *, secret: str, name: str, shown: str) -> None:
    """Have the browser keep which invitation is to be accepted, sealed, until it comes back.

    Raises
    ------
    NameFormError
    """
    users.checked_profile(name=name, shown=shown)
    told = {"secret": secret, "name": name, "shown": shown}
    sealed = seal_json(office.records().practice_key, told, place=_JOINING)
    keep_away(response, "joining", base64.urlsafe_b64encode(sealed).decode())


def _opened(joining: str) -> dict[str, Any]:
    try:
        sealed = base64.urlsafe_b64decode(joining)
        told: dict[str, Any] = unseal_json(office.records().practice_key, sealed, place=_JOINING)
    except (SealError, ValueError) as error:
        raise SignInError(
            expected="the invitation that this browser left with",
            found="another one",
            remedy="Open the link of the invitation again",
        ) from error
    return told


def _fetch(
    url: str, *, form: Mapping[str, str] | None = None, authorization: str | None = None
) -> bytes:
    from skinscan.store.accounts import oidc  # noqa: PLC0415 - an extra

    return oidc.fetch(url, form=form, authorization=authorization)
