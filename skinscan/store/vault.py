"""The vault: photos and scans, sealed with their client's key and bound to client and object."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from skinscan.errors import ObjectDamagedError
from skinscan.store.objects import ObjectStore, object_name
from skinscan.store.sealing import Key, seal, unseal


class Kind(StrEnum):
    """What an object is."""

    PHOTO = "photo"
    SCAN = "scan"
    #: Pictures that are shown of a photo; they bear the identifier of its scan.
    LOOK = "look"


@dataclass(frozen=True)
class Receipt:
    """What the records keep of an object: by it damage is noticed without a key.

    Attributes
    ----------
    sha256 : bytes
        Of the sealed object.
    size : int
        Bytes.
    """

    sha256: bytes
    size: int


@dataclass(frozen=True)
class Vault:
    """Sealed objects in an object store.

    Attributes
    ----------
    objects : ObjectStore
    """

    objects: ObjectStore

    def put(
        self, key: Key, content: bytes, *, client_id: str, kind: Kind, object_id: str
    ) -> Receipt:
        """Seal and write; it is safe when this returns.

        Raises
        ------
        StorageFullError, ObjectStoreUnavailableError
            Nothing was kept.
        """
        name = object_name(client_id, kind, object_id)
        sealed = seal(key, content, place=name)
        self.objects.put(name, sealed)
        return Receipt(hashlib.sha256(sealed).digest(), len(sealed))

    def get(self, key: Key, *, client_id: str, kind: Kind, object_id: str, sha256: bytes) -> bytes:
        """Read and open.

        Raises
        ------
        ObjectMissingError, ObjectDamagedError, ObjectStoreUnavailableError
        SealError
            The key is not the one it was sealed with.
        """
        name = object_name(client_id, kind, object_id)
        sealed = self.objects.get(name)
        check(sealed, sha256)
        return unseal(key, sealed, place=name)

    def delete(self, *, client_id: str, kind: Kind, object_id: str) -> None:
        """Delete; what is not there is fine."""
        self.objects.delete(object_name(client_id, kind, object_id))


def check(sealed: bytes, sha256: bytes) -> None:
    """Make sure that an object is the one that was written.

    Raises
    ------
    ObjectDamagedError
    """
    if not hmac.compare_digest(hashlib.sha256(sealed).digest(), sha256):
        raise ObjectDamagedError(
            expected="the object as it was written",
            found="another content",
            remedy="Run: skinscan doctor; restore a backup",
        )
