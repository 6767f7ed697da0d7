"""The pages before the login: plain HTML, no script, one form each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from skinscan.errors import (
    AccountExistsError,
    IdentityProviderError,
    LinkError,
    NameFormError,
    NameTakenError,
    SignInError,
    SignInPausedError,
    SkinscanError,
    TotpNeededError,
    WeakPasswordError,
)
from skinscan.store.accounts import invitations, logins, sign_in
from skinscan.ui import practice_strings as strings
from skinscan.ui.emblem import logo_tag
from skinscan.ui.scoring import log_unexpected
from skinscan.ui.theme import ICON, THEME_OPTIONS
from skinscan.ui.web import batch, camera, office, provider
from skinscan.ui.web.cookies import (
    forget,
    form_token,
    is_genuine,
    keep_form,
    login_of,
    remember,
)
from skinscan.ui.web.downloads import export, report
from skinscan.ui.web.guarded import body_of
from skinscan.ui.web.photos import photo

#: Names the variable that lets `skinscan demo` sign its visitor in by a link.
ENTRANCE: Final = "SKINSCAN_DEMO_ENTRANCE"

_MOST_BYTES: Final = 20_000
#: Status of an answer that something unexpected has stopped.
_BROKEN: Final = 503
_LIGHT = {k.removeprefix("light."): v for k, v in THEME_OPTIONS.items() if k.startswith("light.")}
_DARK = {k.removeprefix("dark."): v for k, v in THEME_OPTIONS.items() if k.startswith("dark.")}


def _colours(of: Mapping[str, str]) -> str:
    return (
        f"--page:{of['backgroundColor']};--card:{of['secondaryBackgroundColor']};"
        f"--text:{of['textColor']};--line:{of['borderColor']};--accent:{of['primaryColor']};"
    )


_STYLE: Final = f"""
:root {{ color-scheme: light dark; {_colours(_LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_colours(_DARK)} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 {THEME_OPTIONS["font"]}; }}
main {{ width: 100%; max-width: 25rem; }}
h1 {{ font-size: 1.6rem; letter-spacing: -0.01em; margin: 0 0 0.4rem; }}
.sk-logo {{ display: block; max-height: 3rem; max-width: 12rem; padding: 4px 6px;
  border-radius: 8px; background: #fff; margin: 0 0 1rem; }}
.name {{ display: flex; gap: 0.6rem; align-items: center; margin: 0 0 1.4rem; font-weight: 650; }}
.name svg {{ width: 2rem; height: 2rem; }}
label {{ display: block; margin: 0.9rem 0 0.25rem; font-weight: 600; font-size: 0.94rem; }}
input {{ width: 100%; padding: 0.7rem 0.8rem; font: inherit; color: inherit;
  background: var(--card); border-radius: 10px;
  border: 1px solid color-mix(in srgb, var(--text) 55%, transparent); }}
button {{ width: 100%; margin-top: 1.3rem; padding: 0.8rem; font: inherit; font-weight: 650;
  color: #fff; background: var(--accent); border: 0; border-radius: 10px; cursor: pointer; }}
:focus-visible {{ outline: 3px solid #2a7fb8; outline-offset: 2px; }}
.said {{ border-left: 4px solid #c96a1d; padding: 0.6rem 0.9rem; margin: 1rem 0 0;
  border-radius: 0 10px 10px 0; background: var(--card); }}
.help {{ font-size: 0.88rem; margin-top: 1.4rem; }}
"""


@dataclass(frozen=True)
class Field:
    """One field of a form."""

    name: str
    label: str
    kind: str = "text"
    complete: str = "off"


@dataclass(frozen=True)
class Door:
    """A page with one form.

    Attributes
    ----------
    title, text, button : str
    fields : sequence of Field
    help : str
        Below the form.
    joining : bool
        Whether an account of the identity provider may be joined here.
    """

    title: str
    text: str
    button: str
    fields: Sequence[Field]
    help: str = ""
    joining: bool = False


_NAME = Field("name", strings.SIGN_IN_NAME, complete="username")
_SHOWN = Field("shown", strings.SHOWN_NAME, complete="name")
_NEW = Field("password", strings.PASSWORD, "password", "new-password")
_SIGN_IN = Door(
    strings.SIGN_IN,
    "",
    strings.SIGN_IN,
    (_NAME, Field("password", strings.PASSWORD, "password", "current-password")),
    strings.SIGN_IN_HELP,
)
_SIGN_IN_CODE = Door(
    strings.SIGN_IN,
    strings.CODE_ASK,
    strings.SIGN_IN,
    (*_SIGN_IN.fields, Field("code", strings.CODE, complete="one-time-code")),
)
_WELCOME = Door(
    strings.WELCOME, strings.WELCOME_TEXT, strings.CREATE, (_NAME, _SHOWN, _NEW), joining=True
)
_SETUP = Door(
    strings.SETUP,
    strings.SETUP_TEXT,
    strings.CREATE,
    (Field("secret", strings.SETUP_CODE), _NAME, _SHOWN, _NEW),
)
_RESET = Door(strings.RESET, strings.RESET_TEXT, strings.RESET_BUTTON, (_NEW,))

Form = Mapping[str, str]


def routes() -> list[Route]:
    """List the addresses beside Streamlit's."""
    return [
        Route("/login", _answering(_login), methods=["GET", "POST"]),
        Route("/logout", _answering(_logout), methods=["GET", "POST"]),
        Route("/welcome/{secret}", _answering(_welcome), methods=["GET", "POST"]),
        Route("/setup", _answering(_setup), methods=["GET", "POST"]),
        Route("/reset/{secret}", _answering(_reset), methods=["GET", "POST"]),
        Route("/enter/{secret}", _answering(_enter), methods=["GET"]),
        Route("/provider/go", _answering(_provider(provider.go)), methods=["GET"]),
        Route("/provider/back", _answering(_provider(provider.back)), methods=["GET"]),
        Route("/photo/{photo_id}", photo, methods=["GET"]),
        Route("/export/{client_id}", export, methods=["GET"]),
        Route("/report/{course_id}", report, methods=["GET"]),
        *camera.routes(),
        Route(batch.SEND_TO, batch.send, methods=["PUT"]),
        Route("/batch/{run_id}/{name}", batch.table, methods=["GET"]),
    ]


def _answering(answer: Callable[[Request, Form | None], Response]) -> Callable[[Request], object]:
    """Read the form, refuse forged ones, and turn every error into a calm page."""

    async def endpoint(request: Request) -> Response:
        form = None
        if request.method == "POST":
            form = await _form(request)
            if form is None:
                return _page(request, _SIGN_IN, said=strings.FORM_OLD, status=403)
        try:
            return await run_in_threadpool(answer, request, form)
        except Exception as error:  # noqa: BLE001 - no traceback on a practitioner's screen
            log_unexpected(error)
            return _page(request, _SIGN_IN, said=strings.ERROR_SERVER, status=_BROKEN)

    return endpoint


async def _form(request: Request) -> Form | None:
    """Read a small form of this site; None if it is none."""
    body = await body_of(request, most=_MOST_BYTES)
    if body is None:
        return None
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    form = {name: values[0] for name, values in found.items()}
    return form if is_genuine(request, form.get("form", "")) else None


def _login(request: Request, form: Form | None) -> Response:
    if form is None:
        if office.signed_in(login_of(request.cookies)) is not None:
            return RedirectResponse("/", 303)
        said = strings.DONE_SIGN_IN if "done" in request.query_params else ""
        return _page(request, _SIGN_IN, said=said)
    records = office.records()
    try:
        secret = sign_in.sign_in(
            records.database,
            records.practice_key,
            name=form.get("name", ""),
            password=form.get("password", ""),
            code=form.get("code"),
            address=request.client.host if request.client else "",
            audit=office.write_down,
        )
    except TotpNeededError:
        return _page(request, _SIGN_IN_CODE, typed=form)
    except SignInPausedError:
        return _page(request, _SIGN_IN, said=strings.SIGN_IN_PAUSED, status=429)
    except (SignInError, NameFormError):
        return _page(request, _SIGN_IN, said=strings.SIGN_IN_WRONG, status=401)
    response = RedirectResponse("/", 303)
    remember(response, secret)
    return response


def _logout(request: Request, form: Form | None) -> Response:
    secret = login_of(request.cookies)
    if form is None:
        # A link cannot sign anybody out: a page asks, and its form does.
        door = Door(strings.SIGN_OUT, "", strings.SIGN_OUT, ())
        return _page(request, door) if secret else RedirectResponse("/login", 303)
    logins.sign_out(office.records().database, secret, audit=office.write_down)
    response = _page(request, _SIGN_IN, said=strings.SIGNED_OUT, action="/login")
    forget(response)
    return response


def _provider(
    answer: Callable[[Request, Form | None], Response],
) -> Callable[[Request, Form | None], Response]:
    """Turn what an identity provider refuses into the page of the sign-in."""

    def calm(request: Request, form: Form | None) -> Response:
        try:
            return answer(request, form)
        except (LinkError, AccountExistsError):
            return _page(request, _SIGN_IN, said=strings.LINK_BAD, status=410)
        except (SignInError, NameTakenError) as error:
            said = _told(error) if isinstance(error, NameTakenError) else strings.PROVIDER_REFUSED
            return _page(request, _SIGN_IN, said=said, status=401)
        except IdentityProviderError as error:
            log_unexpected(error)
            return _page(request, _SIGN_IN, said=strings.PROVIDER_DOWN, status=502)

    return calm


def _welcome(request: Request, form: Form | None) -> Response:
    if form is not None and form.get("with") == "provider" and provider.is_configured():
        return _join(request, form)
    return _accept(request, form, _WELCOME, invitations.accept_invitation)


def _join(request: Request, form: Form) -> Response:
    # The way to the provider begins with a link: policies stop forms that lead elsewhere.
    door = Door(strings.WELCOME, strings.JOIN_PROVIDER_TEXT, "", ())
    response = _page(request, door, link=("/provider/go", strings.JOIN_PROVIDER_GO))
    try:
        provider.keep_joining(
            response,
            secret=request.path_params["secret"],
            name=form.get("name", ""),
            shown=form.get("shown", ""),
        )
    except NameFormError as error:
        return _page(request, _WELCOME, said=_told(error), typed=form, status=422)
    return response


def _setup(request: Request, form: Form | None) -> Response:
    return _accept(request, form, _SETUP, invitations.first_owner)


def _accept(
    request: Request, form: Form | None, door: Door, accept: Callable[..., str]
) -> Response:
    if form is None:
        return _page(request, door)
    records = office.records()
    try:
        accept(
            records.database,
            records.practice_key,
            secret=request.path_params.get("secret") or form.get("secret", "").strip(),
            name=form.get("name", ""),
            shown=form.get("shown", ""),
            password=form.get("password", ""),
            audit=office.write_down,
        )
    except (LinkError, AccountExistsError):
        return _page(request, door, said=strings.LINK_BAD, typed=form, status=410)
    except (NameFormError, NameTakenError, WeakPasswordError) as error:
        return _page(request, door, said=_told(error), typed=form, status=422)
    return RedirectResponse("/login?done", 303)


def _reset(request: Request, form: Form | None) -> Response:
    if form is None:
        return _page(request, _RESET)
    records = office.records()
    try:
        invitations.reset_password(
            records.database,
            records.practice_key,
            secret=request.path_params["secret"],
            password=form.get("password", ""),
            audit=office.write_down,
        )
    except LinkError:
        return _page(request, _RESET, said=strings.LINK_BAD, status=410)
    except WeakPasswordError as error:
        return _page(request, _RESET, said=_told(error), status=422)
    return RedirectResponse("/login?done", 303)


def _enter(request: Request, form: Form | None) -> Response:  # noqa: ARG001 - as the others
    """Take a login that `skinscan demo` has made; there is no such door anywhere else."""
    secret = request.path_params["secret"]
    if os.environ.get(ENTRANCE) != "1" or office.signed_in(secret) is None:
        return RedirectResponse("/login", 303)
    response = RedirectResponse(f"/?{request.url.query}" if request.url.query else "/", 303)
    remember(response, secret)
    return response


def _told(error: SkinscanError) -> str:
    return f"{error.expected[:1].upper()}{error.expected[1:]}: {error.found}. {error.remedy}."


def _page(
    request: Request,
    door: Door,
    *,
    said: str = "",
    typed: Form | None = None,
    status: int = 200,
    action: str = "",
    link: tuple[str, str] | None = None,
) -> HTMLResponse:
    kept, told = form_token(request)
    if door is _SIGN_IN and provider.is_configured():
        link = ("/provider/go", strings.SIGN_IN_PROVIDER)
    fields = "".join(_input(field, typed or {}) for field in door.fields)
    parts = [
        # A server that cannot read its records has no logo to show.
        logo_tag(office.records()) if status != _BROKEN else "",
        f'<p class="name">{ICON}<span>{escape(strings.PRODUCT)}</span></p>',
        f"<h1>{escape(door.title)}</h1>",
        f"<p>{escape(door.text)}</p>" if door.text else "",
        f'<p class="said" role="alert">{escape(said)}</p>' if said else "",
        f'<form method="post" action="{escape(action)}">' if action else '<form method="post">',
        f'<input type="hidden" name="form" value="{told}">{fields}',
        f"<button>{escape(door.button)}</button>" if door.button else "",
        f'<button name="with" value="provider" formnovalidate>{escape(strings.JOIN_PROVIDER)}'
        "</button>"
        if door.joining and provider.is_configured()
        else "",
        "</form>",
        f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else "",
        f'<p class="help">{escape(door.help)}</p>' if door.help else "",
    ]
    title = f"{door.title} · {strings.PRODUCT}"
    response = HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>",
        status,
        headers={"Cache-Control": "no-store"},
    )
    keep_form(response, kept)
    return response


def _input(field: Field, typed: Form) -> str:
    # What was typed comes back, passwords only on the way to the one-time password.
    value = typed.get(field.name, "") if field.complete != "new-password" else ""
    name = escape(field.name)
    return (
        f'<label for="{name}">{escape(field.label)}</label>'
        f'<input id="{name}" name="{name}" type="{field.kind}" autocomplete="{field.complete}" '
        f'value="{escape(value)}" required autocapitalize="none" spellcheck="false">'
    )
