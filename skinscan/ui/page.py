"""A quick look at photos that are not kept, from top to bottom."""

from __future__ import annotations

import streamlit as st

from skinscan.metrics import metrics
from skinscan.ui import markup, strings
from skinscan.ui.capture import of_chosen_view, photos_section
from skinscan.ui.course import common_level, in_order, points
from skinscan.ui.detail import detail
from skinscan.ui.overview import caution, glance, summary
from skinscan.ui.pairs import pictures_section
from skinscan.ui.progress import progress_section, regions_section
from skinscan.ui.start import (
    add_more,
    measure_pending,
    missing_dates,
    open_what_the_address_asks,
    problems,
    welcome,
)
from skinscan.ui.state import Visit, visit


def quick_look() -> None:
    """Draw the page for photos that are measured and not kept."""
    st.title(strings.TITLE, anchor=False)
    _body(visit())


def _body(held: Visit) -> None:
    open_what_the_address_asks(held)
    if held.photos:
        text = strings.COURSE_SAMPLE if held.only_sample else strings.COURSE_OWN
        markup.write(text, "sk-lead")
    else:
        markup.write(strings.LEAD, "sk-lead")
    measure_pending(held)
    problems(held)
    if not held.photos:
        welcome(held)
        return
    missing_dates(held)
    _course(held)
    add_more(held)


def _course(held: Visit) -> None:
    dated = in_order(held.photos.values())
    if not dated:
        markup.write(strings.NO_DATED, "sk-small")
        return
    photos = of_chosen_view(dated)
    compared = progress_section(held, dated)
    pictures_section(held, photos)
    if compared:
        regions_section(held, dated)
    level = common_level(photos)
    if level is None:
        markup.note(strings.LEVEL_NONE, (), look=True)
    else:
        registry = metrics()
        found = points(photos, level=level, registry=registry)
        summary(photos, level)
        caution(photos, found, level, compared=compared)
        glance(found, registry, level)
        detail(found, registry, level)
    photos_section(held, photos)


def foot(privacy: str) -> None:
    """Say at the end of every page what the numbers are not, and what becomes of photos.

    Parameters
    ----------
    privacy : str
        What becomes of the page's photos.
    """
    said = (*strings.DISCLAIMERS, privacy)
    lines = "".join(markup.paragraph(line, "sk-small") for line in said)
    st.html(f'<footer class="sk-foot">{lines}</footer>')
