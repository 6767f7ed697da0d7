"""The owner's page: who works here, settings, retention, storage, audit trail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zlib import crc32

import streamlit as st

from skinscan.errors import AuditError, LogoError
from skinscan.practice import clients, custody, staff
from skinscan.practice.forms import time_zones
from skinscan.store.schema import Role, now
from skinscan.ui import markup
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.practice.asking import Asker, acting, calm, say_next, told
from skinscan.ui.practice.clients import give_link
from skinscan.ui.web import office

_LINES = 100
_LOGO_MB = 2
_DUE_SHOWN, _AUDIT_SEEN = "skinscan_due_shown", "skinscan_audit_seen"


def show(asker: Asker) -> None:
    """Show everything that only an owner may see."""
    st.title(strings.PRACTICE_TITLE, anchor=False)
    _staff(asker)
    _settings(asker)
    _logo(asker)
    _retention(asker)
    _storage(asker)
    _audit(asker)


def _staff(asker: Asker) -> None:
    st.header(strings.STAFF_TITLE, anchor=False)
    for card in staff.staff(asker.records, asker.principal):
        with st.container(border=True, key=f"staff_{card.id}"):
            if card.id == asker.who.user_id:
                _named(card)
                continue
            left, one, two = st.columns((3, 1, 1), vertical_alignment="center")
            with left:
                _named(card)
            _managing(asker, card, one, two)
    invited = None
    with st.container(horizontal=True):
        for role in (Role.PRACTITIONER, Role.OWNER):
            text = f"{strings.STAFF_INVITE}: {strings.STAFF_ROLES[role.value].lower()}"
            if st.button(text, key=f"invite_{role.value}"):
                invited = role
    if invited is not None:
        with calm():
            secret = staff.invite_staff(
                asker.records, asker.principal, invited, audit=office.write_down
            )
            give_link(strings.STAFF_INVITE_LINK, "welcome", secret)


def _named(card: staff.UserCard) -> None:
    role = strings.STAFF_ROLES[card.role.value]
    state = f", {strings.STAFF_DISABLED}" if card.disabled_at else ""
    markup.write(card.shown, "sk-card-title")
    markup.write(f"{role}{state}", "sk-card-what")


def _managing(asker: Asker, card: staff.UserCard, one: object, two: object) -> None:
    change, text = (
        (staff.enable, strings.STAFF_ENABLE)
        if card.disabled_at
        else (staff.disable, strings.STAFF_DISABLE)
    )
    if one.button(text, key=f"able_{card.id}", width="stretch"):  # type: ignore[attr-defined]
        acting(lambda: change(asker.records, asker.principal, card.id, audit=office.write_down))
    if card.role is not Role.OWNER and two.button(  # type: ignore[attr-defined]
        strings.MAKE_RESET, key=f"reset_{card.id}", width="stretch"
    ):
        with calm():
            secret = staff.reset_staff(
                asker.records, asker.principal, card.id, audit=office.write_down
            )
            give_link(strings.RESET_LINK.format(name=card.shown), "reset", secret)


def _settings(asker: Asker) -> None:
    st.header(strings.SETTINGS_TITLE, anchor=False)
    kept = asker.settings
    zones = sorted(time_zones())
    with st.form("settings"):
        name = st.text_input(strings.SETTINGS_NAME, value=kept.name)
        zone = st.selectbox(strings.SETTINGS_ZONE, zones, index=zones.index(kept.zone))
        own = st.checkbox(strings.SETTINGS_OWN, value=kept.own_clients_only)
        keep = st.number_input(strings.SETTINGS_KEEP, 0, 100, kept.keep_years or 0)
        if st.form_submit_button(strings.SAVE):
            acting(
                lambda: custody.change_settings(
                    asker.records,
                    asker.principal,
                    replace(
                        kept,
                        name=name,
                        zone=zone,
                        own_clients_only=own,
                        keep_years=int(keep) or None,
                    ),
                ),
                done=strings.SAVED,
            )


def _logo(asker: Asker) -> None:
    st.subheader(strings.LOGO_TITLE, anchor=False)
    markup.write(strings.LOGO_TEXT, "sk-small")
    logo = custody.logo(asker.records, asker.principal)
    # Another logo makes it another widget, which is empty.
    file = st.file_uploader(
        strings.LOGO_UPLOAD,
        type=["png", "jpg", "jpeg", "webp"],
        max_upload_size=_LOGO_MB,
        key=f"logo_{crc32(logo or b'')}",
    )
    if file is not None:
        try:
            custody.change_logo(asker.records, asker.principal, file.getvalue())
        except LogoError as error:
            markup.note(told(error), (), look=True)
        else:
            say_next(strings.SAVED)
            st.rerun()
    if logo is not None and st.button(strings.LOGO_REMOVE, key="logo_remove"):
        acting(lambda: custody.change_logo(asker.records, asker.principal, None))


def _retention(asker: Asker) -> None:
    st.header(strings.RETENTION_TITLE, anchor=False)
    wanted = custody.deletion_wishes(asker.records, asker.principal)
    # Going through everybody's sessions is for whoever asks, not for every touch of the page.
    if st.button(strings.RETENTION_SHOW, key="retention_show"):
        st.session_state[_DUE_SHOWN] = True
    if st.session_state.get(_DUE_SHOWN):
        due = custody.due_for_erasure(asker.records, asker.principal)
        if not due:
            markup.write(strings.RETENTION_NONE, "sk-small")
        for entry in due:
            line = strings.RETENTION_LINE.format(
                name=_name(asker, entry.client_id), date=photo_strings.long_date(entry.last_on)
            )
            markup.write(line, "sk-small")
        wanted += [entry.client_id for entry in due if entry.client_id not in wanted]
    for client_id in wanted:
        name = _name(asker, client_id)
        with st.expander(f"{strings.ERASURE_TITLE}: {markup.plain(name)}"):
            typed = st.text_input(strings.ERASURE_ASK, key=f"erase_{client_id}")
            if st.button(strings.ERASURE_BUTTON, key=f"erase_now_{client_id}", type="primary"):
                _erase(asker, client_id, same=typed.strip() == name)


def _name(asker: Asker, client_id: str) -> str:
    return clients.client(asker.records, asker.principal, client_id).profile.name


def _erase(asker: Asker, client_id: str, *, same: bool) -> None:
    if not same:
        markup.note(strings.ERASURE_OTHER, (), look=True)
        return
    with calm():
        done = custody.erase_client(asker.records, asker.principal, client_id)
        say_next(strings.ERASURE_DONE.format(rows=done.rows, objects=done.objects))
        st.rerun()


def _storage(asker: Asker) -> None:
    st.header(strings.HEALTH_TITLE, anchor=False)
    at = staff.last_backup(asker.records, asker.principal)
    markup.write(
        strings.HEALTH_NO_BACKUP
        if at is None
        else strings.HEALTH_BACKUP.format(date=asker.clock(at)),
        "sk-small",
    )
    if st.button(strings.HEALTH_CHECK, key="examine"):
        with calm():
            found = staff.examine_storage(asker.records, asker.principal)
            if not found:
                markup.write(strings.HEALTH_GOOD, "sk-lead")
            for finding in found:
                markup.note(finding.sentence, (), look=finding.severe)


def _verified(asker: Asker) -> tuple[datetime, str, bool]:
    """Check the whole trail: when, what was found, and whether all is well."""
    try:
        count = custody.verify_audit(asker.records, asker.principal)
    except AuditError as error:
        return now(), told(error), False
    return now(), strings.AUDIT_INTACT.format(count=count), True


def _audit(asker: Asker) -> None:
    st.header(strings.AUDIT_TITLE, anchor=False)
    if st.button(strings.AUDIT_CHECK, key="audit_check"):
        st.session_state[_AUDIT_SEEN] = _verified(asker)
    seen = st.session_state.get(_AUDIT_SEEN)
    if seen is None:
        markup.write(strings.AUDIT_UNCHECKED, "sk-small")
    else:
        at, sentence, intact = seen
        markup.note(strings.AUDIT_CHECKED.format(at=asker.clock(at)), (sentence,), look=not intact)
    lines = custody.audit_lines(asker.records, asker.principal, most=_LINES)
    head = "".join(f'<th scope="col">{markup.escaped(h)}</th>' for h in strings.AUDIT_HEAD)
    shown = {card.id: card.shown for card in staff.staff(asker.records, asker.principal)}
    rows = []
    for line in lines:
        cells = (
            asker.clock(line.at),
            strings.AUDIT_ACTIONS.get(line.action, line.action),
            *(shown.get(who or "", (who or "–")[:8]) for who in (line.actor, line.subject)),
        )
        body = "".join(f"<td>{markup.escaped(text)}</td>" for text in cells)
        rows.append(f'<tr><th scope="row">{line.number}</th>{body}</tr>')
    caption = markup.escaped(strings.AUDIT_CAPTION)
    st.html(
        f'<div class="sk-table sk-tall sk-audit" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
