"""The photos of the course, the capture check of each, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from skinscan.quality import Check
from skinscan.scan import Scan
from skinscan.ui import markup, pictures, strings
from skinscan.ui.course import SessionPhoto, in_order, views
from skinscan.ui.start import date_field
from skinscan.ui.state import Visit

_WORST_FIRST = ("poor", "acceptable", "good")


def of_chosen_view(photos: Sequence[SessionPhoto]) -> list[SessionPhoto]:
    """Let people choose a view where there are several; its photos, in order."""
    present = views(photos)
    view = present[0]
    if len(present) > 1:
        view = st.radio(
            strings.VIEW_LABEL,
            present,
            format_func=lambda v: strings.VIEWS[v.value],
            horizontal=True,
            key="view",
        )
    return in_order(photos, view)


def photos_section(visit: Visit, photos: Sequence[SessionPhoto]) -> None:
    """Show all photos small, and one of them with its capture check."""
    st.header(strings.PHOTOS_TITLE, anchor=False)
    ordered = in_order(photos)
    strip(visit, ordered)
    chosen = _choose(ordered)
    left, right = st.columns((6, 5), gap="large")
    with left:
        _picture(visit, chosen)
    with right:
        checks(chosen.scan)
        with st.container(key="session_fields"):
            date_field(visit, chosen, label=strings.DATE_LABEL)
            markup.write(strings.DATE_SOURCE[chosen.date_source.value], "sk-card-what")
            st.markdown(f":small[{markup.plain(chosen.label)}]")
            if st.button(strings.REMOVE_PHOTO, key=f"remove_{chosen.sha256}"):
                visit.remove(chosen.sha256)
                st.rerun()


def _day(photo: SessionPhoto) -> str:
    return strings.short_date(photo.taken_on) if photo.taken_on else ""


def strip(visit: Visit, photos: Sequence[SessionPhoto]) -> None:
    """Show photos small, each with its day and whether it is good."""
    items = []
    for photo in photos:
        verdict = str(photo.scan.quality.verdict)
        word = strings.QUALITY[verdict]
        tag = pictures.image_tag(
            visit.pictures(photo).thumbnail,
            alt=strings.ALT_THUMB.format(date=_day(photo), verdict=word),
            css="sk-thumb",
        )
        day = markup.escaped(_day(photo))
        items.append(f"<li>{tag}<b>{day}</b>{markup.badge(verdict, word)}</li>")
    st.html(f'<ul class="sk-strip">{"".join(items)}</ul>')


def _choose(photos: Sequence[SessionPhoto]) -> SessionPhoto:
    by_id = {photo.sha256: photo for photo in photos}
    names = _names(photos)
    latest = photos[-1].sha256
    picked = st.pills(
        strings.CHOOSE_PHOTO,
        list(by_id),
        default=latest,
        format_func=lambda sha256: names[sha256],
        key=f"photo_{len(by_id)}",
    )
    return by_id[picked if picked in by_id else latest]


def _names(photos: Sequence[SessionPhoto]) -> dict[str, str]:
    """Name photos by their day, with a number where a day has several takes."""
    names: dict[str, str] = {}
    for photo in photos:
        same = sum(other.taken_on == photo.taken_on for other in photos)
        before = sum(names[o.sha256].startswith(_day(photo)) for o in photos if o.sha256 in names)
        names[photo.sha256] = f"{_day(photo)} ({before + 1})" if same > 1 else _day(photo)
    return names


def _picture(visit: Visit, photo: SessionPhoto) -> None:
    first, second = st.columns(2)
    with first:
        regions = st.toggle(strings.SHOW_REGIONS, value=True, key="show_regions")
    with second:
        lines = st.toggle(strings.SHOW_LINES, value=True, key="show_lines")
    drawn = [
        text
        for shown, text in ((regions, strings.ALT_REGIONS), (lines, strings.ALT_LINES))
        if shown
    ]
    scan = photo.scan
    alt = strings.ALT_PHOTO.format(
        date=_day(photo),
        view=strings.VIEWS[scan.view.value].lower(),
        drawn=strings.ALT_WITH.format(what=strings.listed(drawn)) if drawn else "",
    )
    jpeg = visit.pictures(photo).overlays[regions, lines]
    st.html(pictures.image_tag(jpeg, alt=alt, css="sk-picture"))
    width, height = scan.photo_size_px
    facts = strings.PHOTO_FACTS.format(
        width=width,
        height=height,
        resolution=strings.WRITTEN.number(scan.resolution_px_mm, places=1),
    )
    found = strings.LINES_FOUND.format(
        count=len(scan.wrinkles),
        length=strings.WRITTEN.number(sum(line.length_mm for line in scan.wrinkles), places=0),
    )
    markup.write(f"{facts}; {found}.", "sk-card-what")


def checks(scan: Scan) -> None:
    """Show the capture check of a photo, the worst first."""
    verdict = str(scan.quality.verdict)
    ordered = sorted(scan.quality.checks, key=lambda check: _WORST_FIRST.index(str(check.verdict)))
    title = f'<p class="sk-card-title">{markup.badge(verdict, strings.CHECK_SUMMARY[verdict])}</p>'
    items = "".join(_check(check) for check in ordered)
    st.html(f'{title}<ul class="sk-checks">{items}</ul>')


def _check(check: Check) -> str:
    verdict = str(check.verdict)
    value = strings.number(check.value)
    shown = strings.CHECK_LIMIT.format(
        value=f"{value} {check.unit}".strip(), limit=strings.WRITTEN.sentence(check.limit)
    )
    advice = (
        "" if verdict == "good" else f'<span class="sk-do">{markup.escaped(check.sentence)}</span>'
    )
    return (
        f'<li><span class="sk-what">{markup.badge(verdict, check.title)}</span>'
        f'<span class="sk-number">{markup.escaped(shown)}</span>'
        f"{advice}</li>"
    )
