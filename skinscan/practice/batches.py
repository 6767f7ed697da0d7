"""Measuring many photos that belong to no client: who may, and what is written down of it."""

from __future__ import annotations

from skinscan.practice.rules import Desk, On, Who, operation
from skinscan.store.audit import Action

_STAFF = (Who.OWNER, Who.PRACTITIONER)


@operation(On.PRACTICE, *_STAFF)
def allow_batch(desk: Desk) -> None:
    """Ask only whether one may."""


@operation(On.PRACTICE, *_STAFF, writes=True)
def note_batch_start(desk: Desk, *, source: str, photos: int) -> None:
    """Write down that a run begins or goes on.

    Parameters
    ----------
    source : str
        Kind of the source, no name.
    photos : int
        How many there are.
    """
    desk.record(Action.BATCH_STARTED, detail={"source": source, "photos": photos})


@operation(On.PRACTICE, *_STAFF, writes=True)
def note_batch_download(desk: Desk, *, table: str, photos: int) -> None:
    """Write down that results are downloaded.

    Parameters
    ----------
    table : str
        Kind of the table.
    photos : int
        How many are in it.
    """
    desk.record(Action.BATCH_DOWNLOADED, detail={"table": table, "photos": photos})
