"""What the records name and what lies in the vault, side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from skinscan.errors import ObjectMissingError
from skinscan.store.objects import ObjectStore, Stored, object_name
from skinscan.store.records import Records
from skinscan.store.schema import Photo, Scan
from skinscan.store.vault import Kind

#: An object without a row may belong to a photo that is being saved right now, s.
LITTER_AGE_S = 3600.0


@dataclass(frozen=True)
class Named:
    """An object that the records name.

    Attributes
    ----------
    name : str
    sha256 : bytes
    size : int
        Bytes.
    """

    name: str
    sha256: bytes
    size: int


def named_objects(session: Session) -> Iterator[Named]:
    """List all objects that rows name."""
    for kind, client, ident, sha256_of, size_of in (
        (Kind.PHOTO, Photo.client_id, Photo.id, Photo.object_sha256, Photo.object_bytes),
        (Kind.SCAN, Scan.client_id, Scan.id, Scan.object_sha256, Scan.object_bytes),
        (Kind.LOOK, Scan.client_id, Scan.id, Scan.look_sha256, Scan.look_bytes),
    ):
        for client_id, object_id, sha256, size in session.execute(
            select(client, ident, sha256_of, size_of).order_by(ident)
        ):
            if sha256 is not None and size is not None:
                yield Named(object_name(client_id, kind, object_id), sha256, size)


def litter(records: Records, *, min_age_s: float = LITTER_AGE_S) -> list[Stored]:
    """Find what lies in the vault and nothing names: left by a crash, or by an erasure cut off.

    Parameters
    ----------
    records : Records
    min_age_s : float
        What is younger may be in use, s.
    """
    # Listed before the rows are read: an object that gets its row in between counts as named.
    lying = [entry for entry in records.vault.objects.list() if entry.age_s >= min_age_s]
    with records.database.read() as session:
        names = {entry.name for entry in named_objects(session)}
    return [entry for entry in lying if entry.name not in names]


def sweep(records: Records, *, min_age_s: float = LITTER_AGE_S) -> int:
    """Delete litter.

    Returns
    -------
    int
        How many files or objects there were.
    """
    found = litter(records, min_age_s=min_age_s)
    for entry in found:
        records.vault.objects.delete(entry.name)
    return len(found)


def state_of(objects: ObjectStore, named: Named) -> str:
    """Tell whether an object is "intact", "missing" or "corrupt"."""
    try:
        content = objects.get(named.name)
    except ObjectMissingError:
        return "missing"
    intact = len(content) == named.size and hashlib.sha256(content).digest() == named.sha256
    return "intact" if intact else "corrupt"
