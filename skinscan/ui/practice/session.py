"""One session, from the photos before the needles to the result."""

from __future__ import annotations

import streamlit as st

from skinscan.landmarks import View
from skinscan.practice import courses, photos
from skinscan.practice.clients import ClientCard
from skinscan.practice.courses import SessionCard
from skinscan.practice.forms import PointUsed, SessionNotes, SkinState
from skinscan.regions import groups
from skinscan.ui import markup, pictures
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.camera import camera
from skinscan.ui.forgetting import taken
from skinscan.ui.practice.asking import Asker, acting, calm
from skinscan.ui.practice.face import face_map, group_name
from skinscan.ui.practice.held import open_course
from skinscan.ui.practice.intake import Fate, Intake, Item, intake_of
from skinscan.ui.progress import progress_section
from skinscan.ui.server import MAX_UPLOAD_MB
from skinscan.ui.web.cookies import page_token

_TYPES = ("jpg", "jpeg", "png", "webp", "heic", "heif")
_POLL_S = 1.0
_GHOSTS = "skinscan_ghosts"


def show(asker: Asker, client: ClientCard, session_id: str) -> None:
    """Show a session of a client."""
    card = courses.session(asker.records, asker.principal, session_id)
    if st.button(f"← {client.profile.name}", key="back_to_client", type="tertiary"):
        del st.query_params["session"]
        st.rerun()
    st.title(strings.SESSION_TITLE.format(date=photo_strings.long_date(card.held_on)), anchor=False)
    _photos(asker, card)
    _notes(asker, card)
    _result(asker, card)
    with st.expander(strings.SESSION_REMOVE):
        if st.button(strings.SESSION_REMOVE, key="remove_session"):
            with calm():
                courses.remove_session(asker.records, asker.principal, card.id)
                del st.query_params["session"]
                st.rerun()


def _photos(asker: Asker, card: SessionCard) -> None:
    st.header(strings.STEP_PHOTOS, anchor=False)
    markup.write(strings.STEP_PHOTOS_TEXT, "sk-small")
    intake = intake_of(asker.records, asker.principal, card.id)
    chosen = st.file_uploader(
        strings.PHOTOS_ADD,
        type=list(_TYPES),
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_MB,
        key=f"upload_{card.id}_{len(intake.items)}",
    )
    if chosen:
        intake.start(taken(chosen))
        st.rerun()
    if st.toggle(strings.CAMERA_USE, key=f"camera_on_{card.id}"):
        _camera(asker, card, intake)
    if intake.running:
        _progress(intake)
    for item in list(intake.items):
        if item.fate is Fate.REFUSED:
            st.markdown(f"**{markup.plain(item.label)}**  \n{' '.join(item.reasons)}")
    if intake.waiting:
        markup.note(strings.PHOTO_CHECK, (), look=True)
        for number, item in enumerate(intake.waiting):
            _doubtful(intake, item, number)
    _kept(asker, card)


def _camera(asker: Asker, card: SessionCard, intake: Intake) -> None:
    """Show the camera with the first photos of the course; they stay until others are first."""
    records, principal = asker.records, asker.principal
    firsts = {view: scan.name for view in View if (scan := intake.first(view)) is not None}
    kept = st.session_state.get(_GHOSTS)
    if kept is None or kept[0] != firsts:
        looks = photos.course_looks(records, principal, card.course_id, list(firsts.values()))
        plain = {
            k: looks[name].overlays[False, False] for k, name in firsts.items() if name in looks
        }
        kept = st.session_state[_GHOSTS] = (firsts, plain)
    camera(
        card.id,
        token=page_token(st.context.cookies),
        ghosts=kept[1],
        taken={photo.view for photo in photos.photos(records, principal, card.id)},
        key=f"camera_{card.id}",
    )


@st.fragment(run_every=_POLL_S)
def _progress(intake: Intake) -> None:
    total = len(intake.items)
    if not intake.running:
        st.rerun()
    st.progress(
        intake.done / max(1, total),
        strings.PHOTO_MEASURING.format(number=min(intake.done + 1, total), count=total),
    )


def _doubtful(intake: Intake, item: Item, number: int) -> None:
    with st.container(border=True, key=f"doubt_{number}"):
        left, right = st.columns((1, 4))
        with left:
            alt = photo_strings.ALT_THUMB.format(
                date=item.view, verdict=photo_strings.QUALITY[item.verdict]
            )
            st.html(pictures.image_tag(item.thumbnail, alt=alt, css="sk-thumb"))
        with right:
            st.markdown(f"**{markup.plain(item.label)}**")
            st.html(
                "<ul>" + "".join(f"<li>{markup.escaped(r)}</li>" for r in item.reasons) + "</ul>"
            )
            with st.container(horizontal=True):
                if st.button(strings.PHOTO_RETAKE, key=f"retake_{number}", type="primary"):
                    intake.leave_out(item)
                    st.rerun()
                if st.button(strings.PHOTO_KEEP, key=f"keep_{number}"):
                    acting(lambda: intake.keep(item))


def _kept(asker: Asker, card: SessionCard) -> None:
    kept = photos.photos(asker.records, asker.principal, card.id)
    if not kept:
        markup.write(strings.PHOTOS_NONE, "sk-small")
        return
    looks = photos.course_looks(
        asker.records, asker.principal, card.course_id, [photo.id for photo in kept]
    )
    items = []
    for photo in kept:
        name = f"{photo_strings.VIEWS[photo.view.value]} {photo.take}"
        look = looks.get(photo.id)
        tag = (
            pictures.image_tag(look.thumbnail, alt=name, css="sk-thumb") if look is not None else ""
        )
        full = markup.escaped(strings.PHOTO_FULL)
        items.append(
            f"<li>{tag}<b>{markup.escaped(name)}</b>"
            f'<a href="/photo/{photo.id}" target="_blank">{full}</a></li>'
        )
    st.html(f'<ul class="sk-strip">{"".join(items)}</ul>')
    held = courses.sessions(asker.records, asker.principal, card.course_id)
    days = {each.id: photo_strings.long_date(each.held_on) for each in held}
    with st.expander(strings.PHOTO_VIEW):
        for photo in kept:
            one, day = st.columns(2)
            below = st.container(horizontal=True)
            view = one.selectbox(
                f"{photo_strings.VIEWS[photo.view.value]} {photo.take}",
                list(View),
                index=list(View).index(photo.view),
                format_func=lambda v: photo_strings.VIEWS[v.value],
                key=f"view_{photo.id}_{photo.view.value}",
            )
            if view is not photo.view:
                acting(
                    lambda p=photo.id, v=view: _correct(asker, p, v)  # type: ignore[misc]
                )
            where = day.selectbox(
                strings.PHOTO_SESSION,
                list(days),
                index=list(days).index(card.id),
                format_func=days.__getitem__,
                key=f"session_of_{photo.id}",
            )
            if where != card.id:
                acting(
                    lambda p=photo.id, s=where: photos.move_photo(  # type: ignore[misc]
                        asker.records, asker.principal, p, s
                    )
                )
            if below.button(strings.PHOTO_RESCORE, key=f"rescore_{photo.id}"):
                acting(
                    lambda p=photo.id: photos.rescore(  # type: ignore[misc]
                        asker.records, asker.principal, p
                    )
                )
            if below.button(strings.PHOTO_REMOVE, key=f"remove_{photo.id}"):
                acting(
                    lambda p=photo.id: photos.remove_photo(  # type: ignore[misc]
                        asker.records, asker.principal, p
                    )
                )


def _correct(asker: Asker, photo_id: str, view: View) -> None:
    photos.correct_view(asker.records, asker.principal, photo_id, view)
    photos.rescore(asker.records, asker.principal, photo_id)


def _notes(asker: Asker, card: SessionCard) -> None:
    notes = card.notes or SessionNotes()
    st.header(strings.STEP_SKIN, anchor=False)
    day = st.date_input(
        strings.SESSION_DATE, value=card.held_on, format="YYYY-MM-DD", key=f"day_{card.id}"
    )
    skin = st.radio(
        strings.SKIN_STATE,
        list(SkinState),
        index=list(SkinState).index(notes.skin),
        format_func=lambda s: strings.SKIN_STATES[s.value],
        horizontal=True,
        key=f"skin_{card.id}",
    )
    st.header(strings.STEP_TREATMENT, anchor=False)
    left, right = st.columns((3, 1), gap="large")
    with left:
        regions = st.pills(
            strings.REGIONS_TREATED,
            list(groups()),
            selection_mode="multi",
            wrap=True,
            default=[name for name in notes.regions if name in groups()],
            format_func=group_name,
            key=f"regions_{card.id}",
        )
        checked = st.checkbox(
            strings.CONTRAINDICATIONS,
            value=notes.contraindications_checked,
            key=f"checked_{card.id}",
        )
        points = st.text_area(
            strings.POINTS_USED,
            value="\n".join(_line(point) for point in notes.points),
            help=strings.POINTS_HELP,
            height=90,
            key=f"points_{card.id}",
        )
        text = st.text_area(strings.NOTES, value=notes.notes, height=90, key=f"notes_{card.id}")
        adverse = st.text_area(
            strings.ADVERSE, value=notes.adverse_events, height=68, key=f"adverse_{card.id}"
        )
    with right:
        alt = ", ".join(group_name(name) for name in regions) or strings.REGIONS_TREATED
        st.html(face_map(set(regions), alt=alt))
    shared = st.toggle(strings.SHARED, value=card.shared_at is not None, key=f"shared_{card.id}")
    if shared != (card.shared_at is not None):
        change = courses.share_session if shared else courses.unshare_session
        acting(lambda: change(asker.records, asker.principal, card.id))
    if st.button(strings.SAVE, type="primary", key=f"save_{card.id}"):
        acting(
            lambda: courses.edit_session(
                asker.records,
                asker.principal,
                card.id,
                SessionNotes(
                    regions=tuple(regions),
                    points=tuple(_point(row) for row in points.splitlines() if row.strip()),
                    notes=text,
                    adverse_events=adverse,
                    skin=skin or SkinState.UNKNOWN,
                    contraindications_checked=checked,
                ),
                held_on=day,
                version=card.version,
            ),
            done=strings.SAVED,
        )


def _line(point: PointUsed) -> str:
    parts = [point.name, group_name(point.region) if point.region else "", point.detail]
    while parts and not parts[-1]:
        parts.pop()
    return " | ".join(parts)


def _point(row: str) -> PointUsed:
    name, region, detail, *rest = (*(part.strip() for part in row.split("|")), "", "")
    by_name = {group_name(key).casefold(): key for key in groups()}
    known = by_name.get(region.casefold(), region if region in groups() else "")
    extra = "" if known or not region else region
    more = " ".join(part for part in (extra, detail, *rest) if part)
    return PointUsed(name=name, region=known, detail=more)


def _result(asker: Asker, card: SessionCard) -> None:
    intake = intake_of(asker.records, asker.principal, card.id)
    if intake.running or intake.waiting:
        # Comparing a course anew for each photo that is decided on makes every click slow.
        st.header(strings.RESULT_TITLE, anchor=False)
        markup.write(strings.RESULT_LATER, "sk-small")
        return
    with calm():
        course = courses.course(asker.records, asker.principal, card.course_id)
        held = open_course(asker, course)
        if not any(photo.taken_on == card.held_on for photo in held.photos.values()):
            return
        st.header(strings.RESULT_TITLE, anchor=False)
        dated = [photo for photo in held.photos.values() if photo.taken_on is not None]
        if not progress_section(held, dated, charts=False):
            markup.write(strings.RESULT_BASELINE, "sk-lead")
