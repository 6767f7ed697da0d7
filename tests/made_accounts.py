"""A practice with accounts for the tests: quick hashes that are counted, a clock that is turned."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from made_store import a_client, with_tables
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select

from skinscan.store.accounts import invitations
from skinscan.store.accounts.passwords import Passwords
from skinscan.store.accounts.sign_in import sign_in
from skinscan.store.schema import Client, Practice, User
from skinscan.store.sealing import new_key

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

#: Strong enough; different ones.
PASSWORD = "lantern-otter-quarry"  # noqa: S105 - of nobody
OTHER_PASSWORD = "velvet-glacier-tuba"  # noqa: S105 - same


class CountingHasher(Argon2Hasher):
    """Argon2 with the least cost, which counts what it does."""

    def __init__(self, **cost):
        super().__init__(**{"time_cost": 1, "memory_cost": 8, "parallelism": 1} | cost)
        self.calls = Counter()
        self.lock = threading.Lock()

    def hash(self, password, *, salt=None):
        with self.lock:
            self.calls["hash"] += 1
        return super().hash(password, salt=salt)

    def verify(self, password, hash):  # noqa: A002 - the name in pwdlib
        with self.lock:
            self.calls["verify"] += 1
        return super().verify(password, hash)


@dataclass
class Office:
    """A practice, the accounts of which are tried."""

    database: object
    key: object = field(default_factory=new_key)
    time: datetime = START
    trail: list = field(default_factory=list)
    hasher: CountingHasher = field(default_factory=CountingHasher)

    def __post_init__(self):
        self.passwords = Passwords(PasswordHash([self.hasher]))
        with self.database.write() as session:
            practice = Practice(key_wrapped=b"w" * 40)
            session.add(practice)
        self.practice_id = practice.id
        self.hasher.calls.clear()

    def clock(self):
        return self.time

    def later(self, **duration):
        self.time += timedelta(**duration)

    def audit(self, session, action, /, *, actor, subject, detail):
        assert session.in_transaction()
        self.trail.append((str(action), actor, subject, detail))

    @property
    def told(self):
        return {"audit": self.audit, "clock": self.clock}

    @property
    def all(self):
        return {**self.told, "passwords": self.passwords}

    def actions(self):
        return [action.removeprefix("account.") for action, *_ in self.trail]

    def verified(self):
        return self.hasher.calls["verify"]

    def an_owner(self, name="olga@example.org", password=PASSWORD):
        secret = invitations.issue_set_up(self.database, self.practice_id, **self.told)
        return invitations.first_owner(
            self.database,
            self.key,
            secret=secret,
            name=name,
            shown="Olga Ö.",
            password=password,
            **self.all,
        )

    def staff(self, owner, name="paul@example.org", password=PASSWORD):
        secret = invitations.invite_staff(
            self.database, self.practice_id, made_by=owner, **self.told
        )
        return self.accept(secret, name=name, password=password)

    def new_client(self):
        with self.database.write() as session:
            practice = session.get(Practice, self.practice_id)
            client = a_client(practice)
            session.add(client)
        return client.id

    def client(self, owner, name="carla@example.org", password=PASSWORD):
        secret = invitations.invite_client(
            self.database, self.new_client(), made_by=owner, **self.told
        )
        return self.accept(secret, name=name, password=password)

    def accept(self, secret, *, name="paul@example.org", password=PASSWORD, **other):
        return invitations.accept_invitation(
            self.database,
            self.key,
            secret=secret,
            name=name,
            shown="Somebody",
            password=password,
            **self.all,
            **other,
        )

    def sign_in(self, name="olga@example.org", password=PASSWORD, address="192.0.2.1", **other):
        return sign_in(
            self.database,
            self.key,
            name=name,
            password=password,
            address=address,
            **self.all,
            **other,
        )

    def user(self, user_id):
        with self.database.read() as session:
            return session.get(User, user_id)

    def rows(self, table):
        with self.database.read() as session:
            return session.scalars(select(table)).all()

    def clients(self):
        return self.rows(Client)


def an_office(url):
    return Office(with_tables(url, busy_timeout_s=20))
