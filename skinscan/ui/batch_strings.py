"""Every word of the batch page; one catalogue, ready for translation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TITLE: Final = "Batch"
LEAD: Final = (
    "Measure many photos at once and take the numbers with you as a table. Nothing of it goes into "
    "a client's record, and no photo leaves the practice's server."
)

PRIVACY: Final = "Photos are measured on the practice's server and sent nowhere else."

# Before the run

FOLDER_TITLE: Final = "A folder on the server"
FOLDER_TEXT: Final = "Its photos are measured where they lie, with those in folders inside of it."
FOLDER_LABEL: Final = "Folder"
FOLDER_BUTTON: Final = "Measure this folder"
FOLDER_LOOKING: Final = "Looking for photos …"
FOLDER_WAITS: Final = "Measure the photos that you have sent first, or throw them away."
FOLDER_CUT: Final = (
    "Only the first {count} folders are listed. Whoever runs the server can open a folder further "
    "inside."
)
FOLDER_NONE: Final = "No folder of the server is open to this page."
FOLDER_NONE_TEXT: Final = (
    "Whoever runs the server can open one, when it starts: skinscan serve --batch-folder FOLDER. "
    "Or send photos from this device."
)
FOLDER_GONE: Final = "No folder that is open to this page is there now."
FOLDER_GONE_TEXT: Final = "Ask whoever runs the server whether its disk is connected."
SEND_TITLE: Final = "Photos from this device"
SEND_TEXT: Final = "Up to {count:,} photos of at most {size} MB each."
SEND_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "files": "Choose photos",
        "folder": "Choose a folder",
        "sending": "Sending photo {number} of {count} …",
        "stay": "Stay on this page until they are sent. Measuring then goes on without you.",
        "sent": "{count} sent.",
        "refused": "Not sent: {count}",
        "lost": "The connection broke. Choose it again: what has arrived is not sent twice.",
        "large": "Larger than {size} MB. Export it at a smaller size.",
    }
)
GATHERED: Final = "Photos that have arrived: {count:,}"
START_SENT: Final = "Measure them"
OPTIONS: Final = "Options"
OPTION_LEVELS: Final = (
    "Measure each photo at lower resolutions too, to compare it with coarser ones"
)
OPTION_LARGEST: Final = "Take the largest face where there are several"
KEPT_TITLE: Final = "What is kept, and for how long"
KEPT: Final = (
    "Photos in a folder of the server stay there as they are.",
    "Photos that you send are kept in a private folder of the server, each until it was measured.",
    "Only you can have the results. They are kept until you remove the run or the server stops.",
    "A run with which nothing happens for {hours} hours is removed by itself.",
)

# While it runs

RUNNING: Final = "{done:,} of {total:,} photos"
RUNNING_RATE: Final = " · {rate:.0f} a minute"
RUNNING_LEFT_MINUTES: Final = " · about {count:,} min left"
RUNNING_LEFT_SOON: Final = " · less than a minute left"
RUNNING_FAILED: Final = " · {count:,} without a result"
RUNNING_BEGIN: Final = "Getting ready …"
RUNNING_TEXT: Final = "You can leave this page: measuring goes on, and the results wait here."
STOP: Final = "Stop"
STOPPING: Final = "Stopping after the photo that is being measured …"

# After it

DONE: Final = "All photos are done."
STOPPED: Final = "Stopped after {done:,} of {total:,} photos."
GO_ON: Final = "Go on with the others"
REMOVE: Final = "Remove this run"
REMOVE_TEXT: Final = "Its results are deleted for good, and you can begin another run."
REMOVE_SENT: Final = "Throw the photos away"
REMOVED: Final = "The run is removed."
LEFT_OUT: Final = "Left out, because a link leads out of the open folder: {count:,}"
FACTS: Final = ("Photos", "Measured", "Failed", "Set aside", "Not done yet")
SET_ASIDE: Final = "Set aside are photos that ended the program that measures them, twice each."
TABLES_TITLE: Final = "Take the table with you"
TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "scores.csv": "CSV, one row per number",
        "scores.parquet": "Parquet, the same rows",
        "scores-wide.csv": "CSV, one row per photo",
    }
)
TABLES_TEXT: Final = (
    "CSV opens in any spreadsheet, Parquet in programs for statistics. A photo without a result is "
    "a row with its reason."
)
PREVIEW: Final = "The first rows"
PREVIEW_HEAD: Final = ("Photo", "View", "Metric", "Region", "px/mm", "Value", "Unit", "Std. error")
FAILURES_TITLE: Final = "Photos without a result"
FAILURES_MORE: Final = "and {count:,} more; the table has them all"

# What goes wrong

SEND_FORGED: Final = "This page is too old. Load it again."
_TROUBLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "denied": "You may not do this.",
        "batch_busy": (
            "A run of yours has begun already, or the server measures as much as it can. Wait "
            "until it is done."
        ),
        "batch_too_large": (
            "These are more photos than this page measures at once. Choose fewer, or use "
            "skinscan score on the server."
        ),
        "too_large": "This photo is too large. Export it at a smaller size.",
        "output": (
            "The server's disk is full or cannot be written to. What was measured is kept; make "
            "room there, then go on."
        ),
        "source_folder": (
            "This folder cannot be read, or holds no photo (JPEG, PNG, WebP or HEIC). Choose "
            "another one."
        ),
        "model": "skinscan's face model is missing or damaged on the server. Install it again.",
        "worker": "The server could not start measuring; its memory may be full. Try again later.",
    }
)
_TROUBLE_OTHER: Final = "Something went wrong that should not. What was measured is kept."
_FAILURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "worker": (
            "This photo ended the program that measures it, twice. Save it again with another "
            "program, or leave it out."
        ),
        "unreadable": "The server may not read this file, or it is not there any more.",
        "memory": "The server had too little memory for this photo. Save it at a smaller size.",
        "no_region": (
            "No part of the face can be measured. Photograph it from the front, in even light."
        ),
        "internal": "Something went wrong with this photo that should not.",
    }
)


def trouble(cause: str) -> str:
    """Say why a run cannot begin or go on."""
    return _TROUBLE.get(cause, _TROUBLE_OTHER)


def failure(cause: str, other: Mapping[str, str], sentence: str) -> str:
    """Say why a photo has no result: in this page's words, another catalogue's, or as it came."""
    return _FAILURES.get(cause) or other.get(cause) or sentence
