"""Measures how a face's skin changes over a course of treatments, and how sure each number is.

Everything here is loaded on first use: ``import skinscan`` alone costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skinscan.batch.score import score_folder
    from skinscan.errors import SkinscanError
    from skinscan.progress import Event, EventKind, Progress, compare, track
    from skinscan.scan import Scan, analyze, load_scan

    __version__: str

__all__ = [
    "Event",
    "EventKind",
    "Progress",
    "Scan",
    "SkinscanError",
    "__version__",
    "analyze",
    "compare",
    "load_scan",
    "score_folder",
    "track",
]

_HOMES = {
    "Event": "skinscan.progress",
    "EventKind": "skinscan.progress",
    "Progress": "skinscan.progress",
    "Scan": "skinscan.scan",
    "SkinscanError": "skinscan.errors",
    "analyze": "skinscan.scan",
    "compare": "skinscan.progress",
    "load_scan": "skinscan.scan",
    "score_folder": "skinscan.batch.score",
    "track": "skinscan.progress",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each name has its own type, given above
    from importlib import import_module, metadata  # noqa: PLC0415 - on first use only

    if name == "__version__":
        value: Any = metadata.version("skinscan")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
