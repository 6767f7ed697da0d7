"""Photos of a course on each other: before and after, what differs, and all in motion."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import streamlit as st

from skinscan.plots import Unmatched
from skinscan.plots.difference import PICTURE_SIZE
from skinscan.progress import words
from skinscan.ui import aligned, markup, strings, viewer
from skinscan.ui.course import SessionPhoto
from skinscan.ui.state import Visit


class Mode(StrEnum):
    """How two photos are shown."""

    SLIDER = "slider"
    SIDE = "side"
    DIFFERENCE = "difference"


def pictures_section(held: Visit, photos: Sequence[SessionPhoto]) -> None:
    """Show two photos of the course on each other, and all of them one after another.

    Parameters
    ----------
    held : Visit
    photos : sequence of SessionPhoto
        Of one view, in order.
    """
    chosen = [photos[k] for k in aligned.one_a_session([p.taken_on for p in photos])]
    if len(chosen) < 2:
        return
    st.header(strings.PAIR_TITLE, anchor=False)
    markup.write(strings.PAIR_TEXT, "sk-small")
    reference = chosen[0]
    _, frame_px = aligned.frame(reference.scan.face)
    before, after = _chosen_pair(chosen)
    mode = st.segmented_control(
        strings.PAIR_MODE,
        list(Mode),
        default=Mode.SLIDER,
        format_func=lambda m: strings.PAIR_MODES[m.value],
        required=True,
        key="pair_mode",
    )
    if mode is Mode.DIFFERENCE:
        _difference(held, before, after)
    else:
        with st.container(key="pair_viewer"):
            shown = [_shown(held, p, reference, lines=True) for p in (before, after)]
            viewer.pair(*shown, frame_px=frame_px, side=mode is Mode.SIDE, key="pair")
    if len(chosen) > 2:
        with st.expander(strings.MOTION_TITLE):
            if st.toggle(strings.MOTION_SHOW, key="show_motion"):
                frames = [_shown(held, photo, reference, lines=False) for photo in chosen]
                with st.container(key="motion_viewer"):
                    viewer.motion(frames, frame_px=frame_px, key="motion")


def _chosen_pair(photos: Sequence[SessionPhoto]) -> tuple[SessionPhoto, SessionPhoto]:
    left, right = st.columns(2)
    by_id = {photo.sha256: photo for photo in photos}
    ids = list(by_id)
    first, last = (
        column.selectbox(
            label,
            ids,
            index=index,
            format_func=lambda k: _day(by_id[k]),
            key=key,
        )
        for column, label, index, key in (
            (left, strings.PAIR_BEFORE, 0, "pair_before"),
            (right, strings.PAIR_AFTER, len(ids) - 1, "pair_after"),
        )
    )
    return by_id[first], by_id[last]


def _difference(held: Visit, *chosen: SessionPhoto) -> None:
    """Show what differs between two photos, the earlier one first whatever was chosen."""
    before, after = sorted(chosen, key=lambda photo: str(photo.taken_on))
    if before.sha256 == after.sha256:
        markup.write(strings.DIFFERENCE_SAME, "sk-small")
        return
    with st.spinner(strings.DIFFERENCE_WAIT):
        found = held.difference(before, after)
    if found is None:
        markup.note(strings.DIFFERENCE_NO_PIXELS, (), look=True)
        return
    if isinstance(found, Unmatched):
        markup.note(found.sentence(strings.LOCALE), (), look=True)
        return
    days = strings.DIFFERENCE_DAYS.format(before=_day(before), after=_day(after))
    alt = f"{words.DIFFERENCE_ALT} {days}"
    with st.container(key="apart_viewer"):
        viewer.single(viewer.still(found, alt=alt), frame_px=PICTURE_SIZE, key="apart")
    markup.write(f"{days} {words.DIFFERENCE_CAPTION}", "sk-small")


def _day(photo: SessionPhoto) -> str:
    return strings.long_date(photo.taken_on) if photo.taken_on else ""


def _shown(
    held: Visit, photo: SessionPhoto, reference: SessionPhoto, *, lines: bool
) -> viewer.Shown:
    found = held.pictures(photo)
    day = _day(photo)
    return viewer.Shown(
        title=day,
        alt=strings.ALT_PHOTO.format(
            date=day, view=strings.VIEWS[photo.scan.view.value].lower(), drawn=""
        ),
        plain=found.overlays[False, False],
        lines=found.overlays[False, True] if lines else None,
        to_frame=aligned.to_frame(
            reference.scan.face,
            photo.scan.face,
            reduced=found.width_px / photo.scan.photo_size_px[0],
        ),
    )
