"""Native codecs, and what they write to standard error."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

_stderr_lock = threading.RLock()


@contextlib.contextmanager
def captured_stderr() -> Iterator[list[bytes]]:
    """Collect what native code writes to file descriptor 2 inside the block.

    libjpeg and libpng tell damage only there. File descriptors belong to the whole
    process, so blocks exclude each other: every module that redirects descriptor 2
    must do it through this function, or two threads could swap it for good.

    Yields
    ------
    list of bytes
        Empty inside the block; holds the text as its only item after it.
    """
    text: list[bytes] = []
    with _stderr_lock, tempfile.TemporaryFile(buffering=0) as sink:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        saved = -1
        # A service may run with descriptor 2 closed.
        with contextlib.suppress(OSError):
            saved = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield text
        finally:
            if saved >= 0:
                os.dup2(saved, 2)
                os.close(saved)
            else:
                os.close(2)
            sink.seek(0)
            text.append(sink.read())


_CODEC_LINE = re.compile(
    rb"^(?:Corrupt JPEG|Premature end of JPEG|Inconsistent progression|Unknown Adobe|"
    rb"Unsupported marker|Invalid SOS|Warning: unknown JFIF|Application transferred|"
    rb"libpng |\[ ?(?:WARN|ERROR|FATAL|INFO|DEBUG))"
)
_DAMAGE = re.compile(rb"Corrupt JPEG|Premature end of JPEG|Inconsistent progression|libpng error")


def decode_natively(data: bytes, flags: int) -> tuple[NDArray[np.uint8] | None, bool]:
    """Decode with OpenCV; returns the picture and whether the codec saw damage."""
    with captured_stderr() as text:
        try:
            picture = cv2.imdecode(  # noqa: TID251
                np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION
            )
        except cv2.error:
            picture = None
    said = text[0]
    if said:
        # Other threads may have written to standard error meanwhile: give it back.
        foreign = b"".join(x for x in said.splitlines(keepends=True) if not _CODEC_LINE.match(x))
        if foreign:
            with contextlib.suppress(OSError):
                os.write(2, foreign)
    return cast("NDArray[np.uint8] | None", picture), bool(_DAMAGE.search(said))
