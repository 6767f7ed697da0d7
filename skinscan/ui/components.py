"""Components of our own that work in the browser: one way to register them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


@cache
def component(name: str) -> ComponentRenderer:
    """Return the component whose script and style lie in ``skinscan.ui.NAME``.

    Parameters
    ----------
    name : str
        Of the package, of its two files, and of the class of its element.
    """
    import streamlit as st  # noqa: PLC0415 - registered once, when a page first needs it

    own, shared = files(f"skinscan.ui.{name}"), files("skinscan.ui")
    return st.components.v2.component(
        f"skinscan_{name}",
        html=f'<div class="{name}"></div>',
        css=(own / f"{name}.css").read_text(encoding="utf-8"),
        js="\n".join(
            part.read_text(encoding="utf-8") for part in (shared / "element.js", own / f"{name}.js")
        ),
    )
