"""One's own account: password, one-time passwords, where one is signed in."""

from __future__ import annotations

from textwrap import wrap
from urllib.parse import parse_qs, urlsplit

import streamlit as st

from skinscan.errors import SignInError, SignInPausedError, TotpError, WeakPasswordError
from skinscan.store.accounts import logins, sign_in, totp, users
from skinscan.ui import markup
from skinscan.ui import practice_strings as strings
from skinscan.ui.practice.asking import Asker, acting, calm, told
from skinscan.ui.practice.qr import qr_tag
from skinscan.ui.web import office

#: Letters of a secret that are typed at a time.
_GROUP = 4


def show(asker: Asker) -> None:
    """Show one's own account."""
    st.title(strings.ACCOUNT_TITLE, anchor=False)
    _password(asker)
    if asker.is_staff:
        _totp(asker)
    _logins(asker)


def _password(asker: Asker) -> None:
    st.header(strings.PASSWORD_CHANGE, anchor=False)
    with st.form("password", clear_on_submit=True):
        old = st.text_input(strings.PASSWORD_OLD, type="password")
        new = st.text_input(strings.PASSWORD_NEW, type="password")
        if not st.form_submit_button(strings.PASSWORD_CHANGE):
            return
    with calm():
        try:
            sign_in.change_password(
                asker.records.database,
                asker.records.practice_key,
                asker.who.user_id,
                old=old,
                new=new,
                address=st.context.ip_address or "",
                audit=office.write_down,
            )
        except WeakPasswordError as error:
            markup.note(told(error), (), look=True)
        except SignInPausedError:
            markup.note(strings.SIGN_IN_PAUSED, (), look=True)
        except SignInError:
            markup.note(strings.PASSWORD_OLD_WRONG, (), look=True)
        else:
            markup.note(strings.PASSWORD_CHANGED, ())


def _totp(asker: Asker) -> None:
    st.header(strings.TOTP_TITLE, anchor=False)
    records, user_id = asker.records, asker.who.user_id
    with records.database.read() as session:
        is_on = totp.is_on(records.practice_key, users.get(session, user_id))
    markup.write(strings.TOTP_ON if is_on else strings.TOTP_OFF, "sk-small")
    if is_on:
        if st.button(strings.TOTP_END, key="totp_off"):
            acting(
                lambda: totp.remove(
                    records.database,
                    records.practice_key,
                    user_id,
                    actor=user_id,
                    audit=office.write_down,
                )
            )
        return
    address = st.session_state.get("totp_address")
    if address is None:
        if st.button(strings.TOTP_BEGIN, key="totp_on"):
            st.session_state["totp_address"] = totp.enrol(
                records.database,
                records.practice_key,
                user_id,
                shown_as=asker.settings.name or strings.PRODUCT,
            )
            st.rerun()
        return
    markup.write(strings.TOTP_TEXT, "sk-small")
    st.html(qr_tag(address, alt=strings.TOTP_QR))
    markup.write(strings.TOTP_TYPED, "sk-small")
    (secret,) = parse_qs(urlsplit(address).query)["secret"]
    st.code(" ".join(wrap(secret, _GROUP)), language=None)
    with st.form("totp", clear_on_submit=True):
        code = st.text_input(strings.CODE)
        if not st.form_submit_button(strings.TOTP_CONFIRM):
            return
    with calm():
        try:
            totp.confirm(
                records.database, records.practice_key, user_id, code, audit=office.write_down
            )
        except TotpError:
            markup.note(strings.TOTP_WRONG, (), look=True)
        else:
            del st.session_state["totp_address"]
            st.rerun()


def _logins(asker: Asker) -> None:
    st.header(strings.LOGINS_TITLE, anchor=False)
    found = logins.of_user(asker.records.database, asker.who.user_id)
    for login in found:
        here = login.id == asker.who.login_id
        line = (strings.LOGINS_HERE if here else strings.LOGINS_LINE).format(
            begin=asker.clock(login.created_at), seen=asker.clock(login.seen_at)
        )
        markup.write(line, "sk-small")
    others = [login.id for login in found if login.id != asker.who.login_id]
    if others and st.button(strings.LOGINS_END, key="end_others"):
        acting(lambda: _end(asker, others))


def _end(asker: Asker, ids: list[str]) -> None:
    for login_id in ids:
        logins.end(
            asker.records.database,
            asker.who.user_id,
            login_id=login_id,
            actor=asker.who.user_id,
            audit=office.write_down,
        )
