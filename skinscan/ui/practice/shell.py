"""The frame of every page: who is signed in, where they can go, and a calm end of every error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from skinscan.practice import custody
from skinscan.store.schema import Role
from skinscan.ui import batch_strings, markup
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.emblem import logo_tag
from skinscan.ui.page import foot, quick_look
from skinscan.ui.practice import account, batch, clients, own, owner
from skinscan.ui.practice.asking import Asker, say_now
from skinscan.ui.scoring import log_unexpected
from skinscan.ui.theme import ICON, STYLE
from skinscan.ui.web import office
from skinscan.ui.web.cookies import login_of

Page = Callable[[Asker], None]

_STAFF: Mapping[str, Page] = {
    strings.NAV_CLIENTS: clients.show,
    strings.NAV_QUICK: lambda _asker: quick_look(),
    strings.NAV_BATCH: batch.show,
    strings.NAV_ACCOUNT: account.show,
}
_OWNER: Mapping[str, Page] = {
    strings.NAV_CLIENTS: clients.show,
    strings.NAV_QUICK: lambda _asker: quick_look(),
    strings.NAV_BATCH: batch.show,
    strings.NAV_PRACTICE: owner.show,
    strings.NAV_ACCOUNT: account.show,
}
_CLIENT: Mapping[str, Page] = {
    strings.NAV_PROGRESS: own.progress,
    strings.NAV_REPORT: own.report,
    strings.NAV_DATA: own.data,
    strings.NAV_ACCOUNT: account.show,
}
_PRIVACY: Mapping[str, str] = {
    strings.NAV_QUICK: photo_strings.PRIVACY_FORGOTTEN,
    strings.NAV_BATCH: batch_strings.PRIVACY,
}
_PAGES = {Role.OWNER: _OWNER, Role.PRACTITIONER: _STAFF, Role.CLIENT: _CLIENT}


def show() -> None:
    """Draw the page of whoever is signed in."""
    st.set_page_config(
        page_title=photo_strings.PAGE_TITLE,
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state="collapsed",
    )
    st.html(STYLE)
    try:
        _body()
    except Exception as error:  # noqa: BLE001 - no traceback on a practitioner's screen
        log_unexpected(error)
        markup.note(photo_strings.UNEXPECTED, (), look=True)
    foot(_PRIVACY.get(st.session_state.get("nav", ""), photo_strings.PRIVACY_KEPT))


def _body() -> None:
    # Asked anew for every run: an open page outlives a logout.
    who = office.signed_in(login_of(st.context.cookies))
    if who is None:
        _over()
        return
    records, principal = office.records(), office.principal_of(who)
    if st.session_state.get("skinscan_user") != who.user_id:
        st.session_state.clear()
        st.session_state["skinscan_user"] = who.user_id
    asker = Asker(records, principal, who, custody.settings(records, principal))
    pages = _PAGES[who.role]
    with st.container(key="top", horizontal=True, vertical_alignment="center"):
        logo = logo_tag(records)
        if logo:
            st.html(logo, width="content")
        chosen = st.segmented_control(
            strings.PRODUCT,
            list(pages),
            default=next(iter(pages)),
            label_visibility="collapsed",
            wrap=True,
            key="nav",
            required=True,
        )
        st.html(
            f'<p class="sk-out"><a href="/logout" target="_self">{markup.escaped(strings.SIGN_OUT)}'
            "</a></p>",
            width="content",
        )
    say_now()
    pages[chosen or next(iter(pages))](asker)


def _over() -> None:
    st.session_state.clear()
    markup.note(strings.SESSION_OVER, (), look=True)
    st.html(f'<p><a href="/login" target="_self">{markup.escaped(strings.SIGN_IN_AGAIN)}</a></p>')
