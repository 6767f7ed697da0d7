"""What people brought leaves the memory: Streamlit's own stores, as they are in use."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from types import SimpleNamespace

import pytest
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from skinscan.ui import forgetting


class Session:
    """A stand-in for Streamlit's session, which is all that the stores look at."""

    def __init__(self, name):
        self.id = name


def test_chosen_files_are_taken_and_nobody_elses(monkeypatch):
    manager = MemoryUploadedFileManager("/upload")
    for session in ("mine", "theirs"):
        for name in ("a", "b"):
            manager.add_file(session, UploadedFileRec(name, f"{name}.jpg", "image/jpeg", b"face"))
    context = SimpleNamespace(session_id="mine", uploaded_file_mgr=manager)
    monkeypatch.setattr(forgetting, "get_script_run_ctx", lambda: context)
    chosen = [UploadedFile(rec, FileURLs()) for rec in manager.get_files("mine", ["a"])]
    assert forgetting.taken(chosen) == [("a.jpg", b"face")]
    assert manager.get_files("mine", ["a", "b"]) == manager.get_files("mine", ["b"]) != []
    assert len(manager.get_files("theirs", ["a", "b"])) == 2


@pytest.mark.parametrize(("ttl", "stays"), [(0, False), (60, True)])
def test_who_left_is_dropped_when_the_time_is_over(monkeypatch, ttl, stays):
    storage = MemorySessionStorage(ttl_seconds=ttl)
    manager = WebsocketSessionManager(
        storage, MemoryUploadedFileManager("/upload"), ScriptCache(), None
    )
    monkeypatch.setattr(forgetting, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))
    left = Session("left")
    held = weakref.ref(left)
    storage.save(SimpleNamespace(session=left))
    del left
    gc.collect()
    # The reason why this is needed: time alone drops nobody.
    assert held() is not None
    forgetting.forget_who_left()
    gc.collect()
    assert (held() is not None) == stays


def test_the_app_looks_again_and_again_and_survives_a_failure(monkeypatch, caplog):
    looked, often = [], asyncio.Event()

    def look():
        looked.append(1)
        if len(looked) == 3:
            often.set()
        if len(looked) == 1:
            raise AttributeError("_session_mgr of jane.jpg")

    async def live():
        async with forgetting.forgetting(None):
            await asyncio.wait_for(often.wait(), 10)
        there = len(looked)
        await asyncio.sleep(0.02)
        assert len(looked) == there, "it goes on after the server stopped"

    monkeypatch.setattr(forgetting, "_EVERY_S", 0.001)
    monkeypatch.setattr(forgetting, "forget_who_left", look)
    with caplog.at_level(logging.ERROR):
        asyncio.run(live())
    assert "unexpected AttributeError" in caplog.text
    assert "jane" not in caplog.text
