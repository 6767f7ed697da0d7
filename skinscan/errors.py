"""Every error that skinscan raises on purpose: one class per cause.

Each message says what was expected, what was found and what to do. Messages
never contain a file name, a client's name or pixel data: they end up in logs.
"""

from __future__ import annotations

from typing import ClassVar


class SkinscanError(Exception):
    """Base of all errors raised by skinscan.

    Parameters
    ----------
    expected, found, remedy : str
        What the code needed, what it got, and what the user can do about it.
        Each is a phrase without a final full stop.
    """

    #: Stable identifier of the cause, used in tables and summaries.
    cause: ClassVar[str] = "error"

    def __init__(self, *, expected: str, found: str, remedy: str) -> None:
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(f"Expected {expected}; found {found}. {remedy}.")

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (_rebuild, (type(self), self.expected, self.found, self.remedy))


def _rebuild(cls: type[SkinscanError], expected: str, found: str, remedy: str) -> SkinscanError:
    """Unpickle an error: its keyword-only constructor defeats the default."""
    return cls(expected=expected, found=found, remedy=remedy)


class PhotoError(SkinscanError):
    """The file or object given cannot become a Photo."""

    cause = "photo"


class NotAnImageError(PhotoError):
    """The bytes are no picture at all (empty, text, a document, noise)."""

    cause = "not_an_image"


class UnsupportedFormatError(PhotoError):
    """A picture, but of a format that skinscan does not read."""

    cause = "unsupported_format"


class TruncatedImageError(PhotoError):
    """The picture starts well and breaks off or is damaged inside."""

    cause = "truncated"


class PhotoTooLargeError(PhotoError):
    """More bytes or more pixels than the limits allow."""

    cause = "too_large"


class PhotoTooSmallError(PhotoError):
    """Fewer pixels than any metric could use."""

    cause = "too_small"


class BadAspectError(PhotoError):
    """Too long and thin to be a photo of a face."""

    cause = "bad_aspect"


class BadColourModeError(PhotoError):
    """Pixels that are not 8-bit colour (grey, CMYK, 16-bit, palette, alpha)."""

    cause = "bad_colour_mode"


class UnreadableFileError(PhotoError):
    """The path does not exist, is a folder or may not be read."""

    cause = "unreadable"


class UnsupportedSourceError(PhotoError):
    """The object given is none of the accepted kinds of source."""

    cause = "unsupported_source"


class BadOptionError(SkinscanError):
    """An option has a value outside its documented range."""

    cause = "bad_option"


class LogoError(SkinscanError):
    """A practice's logo cannot be printed."""

    cause = "logo"


class FaceError(SkinscanError):
    """The photo was read, but no single face can be measured in it."""

    cause = "face"


class NoFaceError(FaceError):
    """No face was found."""

    cause = "no_face"


class SeveralFacesError(FaceError):
    """More than one face was found and the caller did not ask for the largest."""

    cause = "several_faces"


class FaceTooSmallError(FaceError):
    """The face has too few pixels per mm for any measurement."""

    cause = "face_too_small"


class ModelError(SkinscanError):
    """The landmark model is missing, or is not the file that skinscan was built for."""

    cause = "model"


class ScanFileError(SkinscanError):
    """A saved Scan cannot be read back."""

    cause = "scan_file"


class UnknownNameError(SkinscanError):
    """A metric, region, view or level was asked for by a name that does not exist."""

    cause = "unknown_name"


class OutputError(SkinscanError):
    """A result cannot be written where it was asked for."""

    cause = "output"


class BatchBusyError(SkinscanError):
    """Somebody has a run already, or the server has as many as it takes."""

    cause = "batch_busy"


class BatchTooLargeError(SkinscanError):
    """More photos than one run of the batch page measures."""

    cause = "batch_too_large"


class OutputInUseError(OutputError):
    """Another run is working on the same output."""

    cause = "output_in_use"


class SourceFolderError(SkinscanError):
    """A folder to score does not exist or holds no photo."""

    cause = "source_folder"


class WorkerError(SkinscanError):
    """A worker process ended or stuck while measuring, or could not be started."""

    cause = "worker"


class EngineError(SkinscanError):
    """A cluster cannot be reached, lost its workers for good, or runs another skinscan."""

    cause = "engine"


class MissingExtraError(SkinscanError):
    """Something was asked for that needs an optional package."""

    cause = "missing_extra"


class StorageError(SkinscanError):
    """An object store did not answer, however often it was asked."""

    cause = "storage"


class ManifestError(SkinscanError):
    """A list of photos cannot be read, or names a photo twice."""

    cause = "manifest"


class CountError(SkinscanError):
    """What went in is not what came out: photos were lost, or scored twice."""

    cause = "count"


class ComparisonError(SkinscanError):
    """Two photos cannot be compared as they are."""

    cause = "comparison"


class NotComparableError(ComparisonError):
    """Two photos show nothing in common that could be compared."""

    cause = "not_comparable"


class AnotherPersonError(ComparisonError):
    """A photo shows other skin than the baseline: perhaps it belongs to another client."""

    cause = "another_person"


class MirroredPhotoError(ComparisonError):
    """A photo shows the baseline's skin with left and right exchanged."""

    cause = "mirrored_photo"


class StoreError(SkinscanError):
    """The practice's records cannot be read or written."""

    cause = "store"


class DatabaseUrlError(StoreError):
    """The address of the database is none that skinscan can open."""

    cause = "database_url"


class DatabaseMissingError(StoreError):
    """There is no database where one was expected."""

    cause = "database_missing"


class DatabaseExistsError(StoreError):
    """A database should be made where there is a file already."""

    cause = "database_exists"


class DatabaseUnavailableError(StoreError):
    """The database cannot be reached, opened or written to."""

    cause = "database_unavailable"


class DatabaseBusyError(StoreError):
    """Others kept the database for longer than one waits."""

    cause = "database_busy"


class DatabaseDamagedError(StoreError):
    """The database is no database any more, or its rows contradict each other."""

    cause = "database_damaged"


class DatabaseForeignError(StoreError):
    """The database belongs to another program."""

    cause = "database_foreign"


class DatabaseNewerError(StoreError):
    """The database was written by a newer skinscan than this one."""

    cause = "database_newer"


class DatabaseOlderError(StoreError):
    """The database was written by an older skinscan and was not upgraded yet."""

    cause = "database_older"


class RecordConflictError(StoreError):
    """Somebody else changed the record meanwhile, or it contradicts another one."""

    cause = "record_conflict"


class StorageFullError(StoreError):
    """There is no room left on the disk."""

    cause = "storage_full"


class SealError(StoreError):
    """Something sealed cannot be opened: changed, moved, or made with another key."""

    cause = "seal"


class KeyFileError(StoreError):
    """The key file is missing, is none, or would be overwritten."""

    cause = "key_file"


class RecoveryCodeError(StoreError):
    """The recovery code is mistyped, or belongs to other records."""

    cause = "recovery_code"


class ObjectStoreError(StoreError):
    """Something is wrong with where photos and scans are kept."""

    cause = "object_store"


class ObjectMissingError(ObjectStoreError):
    """An object that the records name is not there."""

    cause = "object_missing"


class ObjectDamagedError(ObjectStoreError):
    """An object is not what was written."""

    cause = "object_damaged"


class ObjectStoreUnavailableError(ObjectStoreError):
    """The object store cannot be reached, read or written."""

    cause = "object_store_unavailable"


class PhotoKnownError(StoreError):
    """The same picture is kept for this client already."""

    cause = "photo_known"


class AuditError(StoreError):
    """The audit trail was changed."""

    cause = "audit"


class ErasedError(StoreError):
    """The client was erased."""

    cause = "erased"


class RecordMissingError(StoreError):
    """There is no such record, or none that this person may know of."""

    cause = "record_missing"


class DeniedError(SkinscanError):
    """Who asks may not do this."""

    cause = "denied"


class BadInputError(SkinscanError):
    """Something that was typed in cannot be taken as it is."""

    cause = "bad_input"


class ConsentMissingError(SkinscanError):
    """The client has not agreed to this, or does no longer."""

    cause = "consent_missing"


class BackupMissingError(StoreError):
    """There is no backup where one was expected."""

    cause = "backup_missing"


class BackupDamagedError(StoreError):
    """A backup is not as it was made."""

    cause = "backup_damaged"


class LookError(SkinscanError):
    """Pictures of a photo were kept by another version."""

    cause = "look"


class NameFormError(StoreError):
    """A sign-in name or a name to be shown is empty, too long, or holds invisible characters."""

    cause = "name_form"


class NameTakenError(StoreError):
    """Somebody else signs in with this name."""

    cause = "name_taken"


class WeakPasswordError(StoreError):
    """A new password is too short, too long, or too easily guessed."""

    cause = "weak_password"


class SignInError(StoreError):
    """Nobody was signed in; which part was wrong is not told."""

    cause = "sign_in"


class SignInPausedError(SignInError):
    """There were too many attempts, so that one has to wait."""

    cause = "sign_in_paused"


class TotpNeededError(StoreError):
    """Name and password are right, and a one-time password is asked for too."""

    cause = "totp_needed"


class TotpError(StoreError):
    """One-time passwords cannot be switched on: no secret was shown, or the code is another."""

    cause = "totp"


class LinkError(StoreError):
    """A single-use link or code was used, has expired, was replaced, or never existed."""

    cause = "link"


class AccountMissingError(StoreError):
    """There is no such user, client or invitation."""

    cause = "account_missing"


class AccountExistsError(StoreError):
    """Who should be given an account has one."""

    cause = "account_exists"


class OwnerResetError(StoreError):
    """Somebody asked for a link to an owner's password; those are made in the terminal only."""

    cause = "owner_reset"


class IdentityProviderError(StoreError):
    """The practice's identity provider does not answer, or answers what cannot be trusted."""

    cause = "identity_provider"
