"""The errors burnish raises on purpose.

::

    BurnishError
    ├── InputError            what was passed in cannot be used
    │   ├── KeysError         keys are null, repeated or unknown
    │   ├── ColumnError       a column is unknown or may not be changed
    │   ├── LabelError        a label is not among the classes, or classes are too small
    │   ├── ProbabilityError  probabilities have the wrong shape, sums or keys
    │   ├── PredicateError    a slice's SQL does not parse or reaches outside
    │   ├── EstimatorError    an estimator cannot do what is asked of it
    │   └── PatchError        a patch is broken, or is for other data
    ├── StoreError            the store on disk cannot be used
    │   ├── NotAStoreError    the path holds no store
    │   ├── FormatError       the store was written by a newer format
    │   ├── CorruptError      bytes on disk are not those that were written
    │   ├── WriteError        the disk did not take what was to be written
    │   ├── BusyError         another process holds the store
    │   ├── ReadOnlyError     the store was opened without the right to write
    │   └── ClosedError       the dataset was closed
    ├── CancelledError        a long run was stopped before it was done
    └── HistoryError          the history does not allow it
        ├── UnknownVersionError  no version, tag or branch of that name
        ├── RefError          a branch or tag cannot have that name, or be moved or removed
        ├── OtherDatasetError another copy is one of another dataset
        ├── StagedError       staged edits are in the way
        ├── ConflictError     someone else changed the same cells
        ├── ViewingError      an old version is looked at, and that cannot be changed
        ├── ReconstructionError  what a model was trained on is not there any more
        └── UndoError         there is nothing to undo or redo

Each says what happened, with the value and what was expected, and ends in a hint with one next
step. ``code`` is stable and may be relied on.
"""

from __future__ import annotations


class BurnishError(Exception):
    """Base of every error that burnish raises on purpose.

    Parameters
    ----------
    message : str
        What happened, the offending value, what was expected.
    hint : str
        One next step.
    """

    code = "burnish"

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[BurnishError], message: str, hint: str) -> BurnishError:
    return kind(message, hint=hint)


class InputError(BurnishError, ValueError):
    """What was passed in cannot be used."""

    code = "input"


class KeysError(InputError):
    """Keys are null, repeated or unknown."""

    code = "keys"


class ColumnError(InputError):
    """A column is unknown or may not be changed."""

    code = "column"


class LabelError(InputError):
    """A label is not among the classes, or a class is too small."""

    code = "label"


class ProbabilityError(InputError):
    """Probabilities have the wrong shape, sums or keys."""

    code = "probabilities"


class PredicateError(InputError):
    """A slice's SQL does not parse or reaches outside."""

    code = "predicate"


class EstimatorError(InputError):
    """An estimator cannot do what is asked of it."""

    code = "estimator"


class PatchError(InputError):
    """A patch is broken, or is for other data."""

    code = "patch"


class StoreError(BurnishError):
    """The store on disk cannot be used."""

    code = "store"


class NotAStoreError(StoreError):
    """The path holds no store."""

    code = "not-a-store"


class FormatError(StoreError):
    """The store was written by a newer format."""

    code = "format"


class CorruptError(StoreError):
    """Bytes on disk are not those that were written."""

    code = "corrupt"


class WriteError(StoreError):
    """The disk did not take what was to be written; the store is as it was before."""

    code = "write"


class BusyError(StoreError):
    """Another process holds the store."""

    code = "busy"


class ReadOnlyError(StoreError):
    """The store was opened without the right to write."""

    code = "read-only"


class ClosedError(StoreError):
    """The dataset was closed."""

    code = "closed"


class CancelledError(BurnishError):
    """A long run was stopped before it was done."""

    code = "cancelled"


class HistoryError(BurnishError):
    """The history does not allow it."""

    code = "history"


class UnknownVersionError(HistoryError):
    """No version, tag or branch of that name."""

    code = "unknown-version"


class RefError(HistoryError):
    """A branch or tag cannot have that name, or be moved or removed."""

    code = "ref"


class OtherDatasetError(HistoryError):
    """What was taken for another copy holds another dataset."""

    code = "other-dataset"


class StagedError(HistoryError):
    """Staged edits are in the way."""

    code = "staged"


class ConflictError(HistoryError):
    """Someone else changed the same cells.

    Attributes
    ----------
    conflicts : ConflictTable or None
        The cells, where they are known, with who changed them and why.
    """

    code = "conflict"
    conflicts: object = None


class ReconstructionError(HistoryError):
    """What a model was trained on is not there, or is not what it was."""

    code = "reconstruction"


class ViewingError(HistoryError):
    """An old version is looked at, and that cannot be changed."""

    code = "viewing"


class UndoError(HistoryError):
    """There is nothing to undo or redo."""

    code = "undo"


class DivergedWarning(UserWarning):
    """A branch went on here and in another copy, and has to be merged."""


class LibraryWarning(UserWarning):
    """Libraries have other versions than when a model was trained."""


class NewClassWarning(UserWarning):
    """A label that no row had before was written."""


class NetworkFileSystemWarning(UserWarning):
    """The store lies on a network file system, where SQLite may corrupt it."""
