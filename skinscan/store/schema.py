"""Tables of the practice's records. Migrations follow this file (`skinscan/store/migrations`).

What tells who somebody is or how they are is *sealed*: encrypted with the client's own key (of
staff: with the practice's), so that without the key a row says nothing and with the key gone it
never will again. In the clear are only identifiers, dates, kinds and counts that queries need.
Identifiers are random; times are UTC.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: Characters of an identifier: 128 random bits in hexadecimal.
ID_LENGTH = 32


def new_id() -> str:
    """Make an identifier that tells nothing and meets no other."""
    return secrets.token_hex(ID_LENGTH // 2)


def now() -> datetime:
    """Time of day, with its zone."""
    return datetime.now(UTC)


class Instant(TypeDecorator[datetime]):
    """A time in UTC; databases without zones keep it as UTC, and it comes back with its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone must not be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Role(StrEnum):
    """What a user is to the practice."""

    OWNER = "owner"
    PRACTITIONER = "practitioner"
    CLIENT = "client"


class Purpose(StrEnum):
    """What a client consents to, each on its own."""

    ANALYSIS = "analysis"
    RESEARCH = "research"
    PUBLICATION = "publication"


class TokenKind(StrEnum):
    """What a single-use link is for."""

    SET_UP = "set_up"
    STAFF = "staff"
    CLIENT = "client"
    RESET = "reset"


class ScanState(StrEnum):
    """What became of scoring a photo."""

    SCORED = "scored"
    FAILED = "failed"


def _names(kinds: type[StrEnum]) -> Enum:
    return Enum(
        kinds,
        native_enum=False,
        length=20,
        validate_strings=True,
        values_callable=lambda k: [m.value for m in k],
    )


class Base(DeclarativeBase):
    """Root of all tables; constraints have names, so that every migration can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain dict
        str: String(),
        bytes: LargeBinary(),
        datetime: Instant(),
        date: Date(),
        Role: _names(Role),
        Purpose: _names(Purpose),
        TokenKind: _names(TokenKind),
        ScanState: _names(ScanState),
    }


def _id() -> Mapped[str]:
    return mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)


def _of(column: str, *, index: bool = False) -> Mapped[str]:
    """Refer to a row that must outlive this one: only erasure, which knows the order, deletes."""
    return mapped_column(String(ID_LENGTH), ForeignKey(column, ondelete="RESTRICT"), index=index)


class Practice(Base):
    """The practice: one per database today; every row says which all the same.

    Attributes
    ----------
    key_wrapped : bytes
        The practice's key, wrapped by the master key; it seals what is told of staff.
    settings : dict
        Choices of the owner: name, time zone, locale, whether practitioners see only their own
        clients, retention.
    """

    __tablename__ = "practices"
    id: Mapped[str] = _id()
    key_wrapped: Mapped[bytes]
    settings: Mapped[dict] = mapped_column(JSON, default=dict)  # type: ignore[type-arg]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Client(Base):
    """A client.

    Attributes
    ----------
    practitioner_id : str or None
        Who looks after them.
    key_wrapped : bytes
        The client's key, wrapped by the master key.
    profile_sealed : bytes
        Name, year of birth, contact, notes.
    archived_at, deletion_asked_at : datetime or None
    """

    __tablename__ = "clients"
    id: Mapped[str] = _id()
    practice_id: Mapped[str] = _of("practices.id")
    practitioner_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="SET NULL", use_alter=True)
    )
    key_wrapped: Mapped[bytes]
    profile_sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]
    deletion_asked_at: Mapped[datetime | None]
    __table_args__ = (
        Index(None, "practice_id", "archived_at"),
        Index(None, "practitioner_id"),
    )


class User(Base):
    """Somebody who can sign in.

    Attributes
    ----------
    client_id : str or None
        Of a client, who they are; None of staff.
    login_index : bytes
        Keyed digest of the sign-in name, by which it is found; it cannot be read back.
    profile_sealed : bytes
        Sign-in name and display name.
    password_hash : str or None
        Argon2id; None until a password was set.
    totp_sealed : bytes or None
        Secret of one-time passwords.
    totp_last : int
        Step of the last one that was used: none is taken twice.
    issuer, subject : str or None
        Of the practice's identity provider.
    """

    __tablename__ = "users"
    id: Mapped[str] = _id()
    practice_id: Mapped[str] = _of("practices.id", index=True)
    role: Mapped[Role]
    client_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("clients.id", ondelete="RESTRICT"), unique=True
    )
    login_index: Mapped[bytes] = mapped_column(unique=True)
    profile_sealed: Mapped[bytes]
    password_hash: Mapped[str | None]
    totp_sealed: Mapped[bytes | None]
    totp_last: Mapped[int] = mapped_column(default=0)
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        CheckConstraint("(role = 'client') = (client_id IS NOT NULL)", name="role_and_client"),
    )


class Token(Base):
    """A single-use link or code; only the digest of its secret is kept."""

    __tablename__ = "tokens"
    id: Mapped[str] = _id()
    digest: Mapped[bytes] = mapped_column(unique=True)
    kind: Mapped[TokenKind]
    practice_id: Mapped[str] = _of("practices.id", index=True)
    role: Mapped[Role]
    client_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("clients.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    made_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Login(Base):
    """Somebody signed in on one device; only the digest of the cookie's secret is kept."""

    __tablename__ = "logins"
    id: Mapped[str] = _id()
    digest: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class Attempts(Base):
    """How often something that must be rare was tried: sign-ins by name and by address."""

    __tablename__ = "attempts"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Consent(Base):
    """A client's consent to one purpose; withdrawn, never deleted.

    Attributes
    ----------
    wording : str
        Version of the text that was agreed to.
    given_by, withdrawn_by : str
        The user who recorded it.
    """

    __tablename__ = "consents"
    id: Mapped[str] = _id()
    client_id: Mapped[str] = _of("clients.id", index=True)
    purpose: Mapped[Purpose]
    wording: Mapped[str]
    given_at: Mapped[datetime]
    given_by: Mapped[str]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]


class Course(Base):
    """A planned course of sessions.

    Attributes
    ----------
    plan_sealed : bytes
        Title, aims, treated regions usually.
    baselines : list of str
        Identifiers of the sessions before treatment, where not the first one.
    """

    __tablename__ = "courses"
    id: Mapped[str] = _id()
    client_id: Mapped[str] = _of("clients.id", index=True)
    plan_sealed: Mapped[bytes]
    started_on: Mapped[date]
    planned_sessions: Mapped[int]
    interval_days: Mapped[int]
    follow_up_days: Mapped[int | None]
    baselines: Mapped[list] = mapped_column(JSON, default=list)  # type: ignore[type-arg]
    created_at: Mapped[datetime] = mapped_column(default=now)
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("planned_sessions > 0", name="planned"),
        CheckConstraint("interval_days > 0", name="interval"),
    )


class Session(Base):
    """One session of a course.

    Attributes
    ----------
    record_sealed : bytes
        What the practitioner notes: treated regions, points and devices, notes, skin state,
        adverse events, contraindications checked.
    report_sealed : bytes or None
        What the client tells: result, relaxation, stress, lifestyle.
    shared_at : datetime or None
        Since when the client may see its photos.
    version : int
        Rises with every change, so that two editors do not overwrite each other unseen.
    """

    __tablename__ = "sessions"
    id: Mapped[str] = _id()
    client_id: Mapped[str] = _of("clients.id")
    course_id: Mapped[str] = _of("courses.id")
    held_on: Mapped[date]
    record_sealed: Mapped[bytes]
    report_sealed: Mapped[bytes | None]
    shared_at: Mapped[datetime | None]
    made_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (
        Index(None, "course_id", "held_on"),
        Index(None, "client_id", "held_on"),
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads a plain dict


class Treatment(Base):
    """Something else that was done to the face, or befell it, on a day.

    Attributes
    ----------
    event_sealed : bytes
        Kind (injection, filler, laser, ...) and note.
    """

    __tablename__ = "treatments"
    id: Mapped[str] = _id()
    client_id: Mapped[str] = _of("clients.id", index=True)
    happened_on: Mapped[date]
    event_sealed: Mapped[bytes]
    made_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Photo(Base):
    """A photo in the vault.

    Attributes
    ----------
    view : str
        front, left or right.
    take : int
        From 1.
    source_sealed : bytes
        What the file told of its capture: time, camera, lens, focal length, format, quality.
    pixels_mac : bytes
        Keyed digest of the pixels: the same picture is not kept twice for a client.
    object_sha256 : bytes
        Of the sealed object as it lies in the vault.
    object_bytes : int
    """

    __tablename__ = "photos"
    id: Mapped[str] = _id()
    client_id: Mapped[str] = _of("clients.id")
    session_id: Mapped[str] = _of("sessions.id")
    view: Mapped[str] = mapped_column(String(20))
    take: Mapped[int]
    width_px: Mapped[int]
    height_px: Mapped[int]
    source_sealed: Mapped[bytes]
    pixels_mac: Mapped[bytes]
    object_sha256: Mapped[bytes]
    object_bytes: Mapped[int]
    made_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (
        UniqueConstraint("session_id", "view", "take"),
        UniqueConstraint("client_id", "pixels_mac"),
    )


class Scan(Base):
    """What one version of the metrics found in a photo; older ones stay.

    Attributes
    ----------
    metrics_version : str
        Of skinscan and of its scan format.
    state : ScanState
    failure : str or None
        Cause of the error where it failed.
    object_sha256, object_bytes
        Of the sealed object in the vault; None where it failed.
    look_sha256, look_bytes
        Of the sealed pictures that are shown of the photo; None where there are none.
    current : bool
        The one that is shown; at most one per photo.
    """

    __tablename__ = "scans"
    id: Mapped[str] = _id()
    client_id: Mapped[str] = _of("clients.id", index=True)
    photo_id: Mapped[str] = _of("photos.id", index=True)
    metrics_version: Mapped[str]
    state: Mapped[ScanState]
    failure: Mapped[str | None]
    object_sha256: Mapped[bytes | None]
    object_bytes: Mapped[int | None]
    look_sha256: Mapped[bytes | None]
    look_bytes: Mapped[int | None]
    current: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (
        Index(
            "uq_scans_current",
            "photo_id",
            unique=True,
            sqlite_where=text("current"),
            postgresql_where=text("current"),
        ),
    )


class AuditEntry(Base):
    """One line of the audit trail; each contains the digest of the line before.

    Attributes
    ----------
    number : int
        From 1, without gaps.
    actor, subject : str or None
        Identifiers, never names.
    detail : dict
        Kinds and counts, never content.
    """

    __tablename__ = "audit"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(ID_LENGTH), index=True)
    detail: Mapped[dict] = mapped_column(JSON, default=dict)  # type: ignore[type-arg]
    previous: Mapped[bytes]
    digest: Mapped[bytes]


class Erased(Base):
    """A client who was erased: only the identifier, so that no backup brings them back."""

    __tablename__ = "erased"
    client_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class Note(Base):
    """What the installation remembers of itself: last backup, recovery code proven."""

    __tablename__ = "notes"
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[dict] = mapped_column(JSON)  # type: ignore[type-arg]
