"""Attempts to sign in are counted, by name and by address, before anything is checked.

By name there are five at once; then each has to wait, 1 min first and twice as long every time, up
to 1 h. By address there are ten that fail within 30 min. An attempt that must wait is refused
unseen and not counted, so that nobody is kept out for longer by trying. Names that do not exist
count alike. What is kept are keyed digests.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, orm, select

from skinscan.errors import SignInPausedError
from skinscan.store.accounts.events import Audit, Event
from skinscan.store.database import Database
from skinscan.store.schema import Attempts, User
from skinscan.store.sealing import Key, keyed_digest

#: Attempts for one name at once.
NAME_AT_ONCE = 5

#: Wait after those, doubled with every further one up to the longest.
NAME_WAIT, NAME_LONGEST = timedelta(minutes=1), timedelta(hours=1)

#: Without an attempt for so long after its wait, a name starts anew.
NAME_FORGOTTEN = timedelta(hours=24)

#: Failures from one address within a window, which begins with the first.
ADDRESS_MOST, ADDRESS_WINDOW = 10, timedelta(minutes=30)

#: Whoever has an IPv6 address has its whole /64.
_IPV6_NETWORK = 64


@dataclass(frozen=True)
class Tries:
    """Whose attempts are counted.

    Attributes
    ----------
    index : bytes
        The sign-in name's `login_index`.
    name, address : str
        Keys of the counters.
    """

    index: bytes
    name: str
    address: str


def tries_of(key: Key, index: bytes, address: str) -> Tries:
    """Find the counters of a name and an address.

    Parameters
    ----------
    key : Key
        The practice's.
    index : bytes
        `names.login_index` of the name.
    address : str
        Of the network: IPv4, or IPv6, of which the /64 counts; any other text is taken as it is.
    """
    network = _network(address).encode(errors="surrogatepass")
    return Tries(
        index=index,
        name=name_key(key, index),
        address="address/" + keyed_digest(key, network, use="attempts/address").hex(),
    )


def name_key(key: Key, index: bytes) -> str:
    """Key of a name's counter."""
    return "name/" + keyed_digest(key, index, use="attempts/name").hex()


def wait_after(count: int) -> timedelta:
    """How long a name has to wait after its attempts so far."""
    if count < NAME_AT_ONCE:
        return timedelta(0)
    wait = NAME_WAIT
    for _ in range(count - NAME_AT_ONCE):
        wait *= 2
        if wait >= NAME_LONGEST:
            return NAME_LONGEST
    return wait


def admit(database: Database, tries: Tries, *, now: datetime, audit: Audit) -> None:
    """Count an attempt, committed before it returns, or refuse it.

    Raises
    ------
    SignInPausedError
        Nothing may be checked now.
    """
    with database.read() as session:  # a flood of refused attempts must not queue up to write
        _require_free(session, tries, now)
    with database.write() as session:
        _require_free(session, tries, now)
        tidy(session, now)
        name = _counter(session, tries.name)
        name.count += 1
        wait = wait_after(name.count)
        name.expires_at = now + wait + NAME_FORGOTTEN
        address = _counter(session, tries.address)
        if address.count == 0:
            address.expires_at = now + ADDRESS_WINDOW
        address.count += 1
        user = session.scalar(select(User.id).where(User.login_index == tries.index))
        if wait:
            detail = {"by": "name", "attempts": name.count}
            audit(session, Event.SIGN_IN_PAUSED, actor=None, subject=user, detail=detail)
        if address.count == ADDRESS_MOST:
            detail = {"by": "address", "attempts": address.count}
            audit(session, Event.SIGN_IN_PAUSED, actor=None, subject=user, detail=detail)


def succeed(session: orm.Session, tries: Tries) -> None:
    """Forget the attempts for a name, and of its address the one that succeeded."""
    forget_name(session, tries.name)
    forgive_address(session, tries)


def forget_name(session: orm.Session, key: str) -> None:
    """Forget the attempts for a name."""
    session.execute(delete(Attempts).where(Attempts.key == key))


def forgive_address(session: orm.Session, tries: Tries) -> None:
    """Take back one attempt of an address: it was no failure. Its others stay counted."""
    address = session.get(Attempts, tries.address)
    if address is not None and address.count > 0:
        address.count -= 1


def tidy(session: orm.Session, now: datetime) -> None:
    """Delete counters whose time is over."""
    session.execute(delete(Attempts).where(Attempts.expires_at <= now))


def _require_free(session: orm.Session, tries: Tries, now: datetime) -> None:
    until = [now]
    name = session.get(Attempts, tries.name)
    if name is not None:
        until.append(name.expires_at - NAME_FORGOTTEN)
    address = session.get(Attempts, tries.address)
    if address is not None and address.count >= ADDRESS_MOST:
        until.append(address.expires_at)
    wait = max(until) - now
    if wait > timedelta(0):
        minutes = -(-wait // timedelta(minutes=1))
        raise SignInPausedError(
            expected="fewer attempts to sign in",
            found="too many for this name or from this network",
            remedy=f"Wait {minutes} min and try again; your practice can send a new link",
        )


def _counter(session: orm.Session, key: str) -> Attempts:
    counter = session.get(Attempts, key)
    if counter is None:
        counter = Attempts(key=key, count=0)
        session.add(counter)
    return counter


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.strip().split("%", 1)[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, _IPV6_NETWORK), strict=False))
        return str(found.ipv4_mapped)
    return str(found)
