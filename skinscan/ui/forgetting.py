"""Letting go of faces: Streamlit by itself keeps uploads, and the pages of those who left, longer.

A file that was chosen stays in its memory until the visit ends, and a visit that ended stays until
another one ends. Neither can be told otherwise by its options, so its own stores are asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from skinscan.ui.scoring import log_unexpected

if TYPE_CHECKING:
    from streamlit import App
    from streamlit.runtime.uploaded_file_manager import UploadedFile

#: How often those who left are looked for, s.
_EVERY_S: Final = 20.0


def taken(chosen: Sequence[UploadedFile]) -> list[tuple[str, bytes]]:
    """Take chosen files out of Streamlit's memory.

    The uploader that they were chosen in must not be shown again: give it another key.

    Parameters
    ----------
    chosen : sequence of UploadedFile

    Returns
    -------
    list of (str, bytes)
        Name and content of each.
    """
    files = [(file.name, file.getvalue()) for file in chosen]
    context = get_script_run_ctx()
    if context is not None:
        store: Any = context.uploaded_file_mgr
        for file in chosen:
            store.remove_file(context.session_id, file.file_id)
    return files


def forget_who_left() -> None:
    """Drop the visits that ended longer ago than a lost connection may take to come back."""
    manager: Any = get_instance()._session_mgr  # noqa: SLF001 - no public way, see above
    with manager._storage_lock:  # noqa: SLF001
        manager._session_storage._cache.expire()  # noqa: SLF001


@asynccontextmanager
async def forgetting(app: App) -> AsyncIterator[None]:  # noqa: ARG001 - as Starlette calls it
    """Look for those who left as long as the server runs."""
    task = asyncio.create_task(_look())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _look() -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            forget_who_left()
        except Exception as error:  # noqa: BLE001 - the server goes on; visits end later then
            log_unexpected(error)
