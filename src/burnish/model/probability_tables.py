"""Probabilities in memory, or in Parquet files that are larger than memory, read alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.core.probabilities import normalised
from burnish.engine import local
from burnish.engine.splits import ParquetSplit
from burnish.errors import ProbabilityError
from burnish.model.confident_learning import Floats
from burnish.model.pruning import Rows

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 21
_NARROW_BLOCK = 1 << 19  # whose rows are many, and what is noted of each
_WIDE = 64
_BATCH = 1 << 22
_MANY = 1 << 31


@dataclass(frozen=True, eq=False)
class ArrayTable:
    """Probabilities in memory, read in place.

    Parameters
    ----------
    values : float32 or float64 array of shape (n_rows, n_classes)
    """

    values: Floats
    limit: int = 1 << 17

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of classes."""
        return self.values.shape[0], self.values.shape[1]

    def splits(self) -> Iterable[slice]:
        """Return parts of the rows to read one at a time."""
        n_rows, n_classes = self.shape
        size = _BLOCK if n_classes >= _WIDE else _NARROW_BLOCK
        step = max(1, size // max(1, n_classes * self.values.itemsize))
        return (slice(start, start + step) for start in range(0, n_rows, step))

    def read(self, split: slice) -> Iterator[tuple[slice, Floats]]:
        """Give the rows of a part, block by block, each with where its rows stand."""
        yield split, self.values[split]

    def take(self, rows: Rows) -> Floats:
        """Return rows, as an array of shape (len(rows), n_classes)."""
        return self.values.take(rows, axis=0)

    def cells(self, wanted: Sequence[tuple[Rows, int]]) -> list[Floats]:
        """Return the probability of one class for each row, for several lists of rows."""
        return [self.values[rows, k] for rows, k in wanted]

    def pairs(self, rows: Rows, classes: Rows) -> Floats:
        """Return one probability for each row and class beside it."""
        return self.values[rows, classes]

    def column(self, k: int) -> Floats:
        """Return the probability of one class for all rows."""
        return self.values[:, k]


@dataclass(frozen=True, eq=False)
class FileTable:
    """Probabilities in Parquet files, read in passes.

    Parameters
    ----------
    row_groups : sequence of ParquetSplit
        All rows, in order.
    columns : tuple of str
        One column for each class, or the one column of lists.
    n_classes : int
    dtype : dtype
        float32 or float64.
    progress : callable, optional
        Called with the number of row groups that a pass has read.
    cancel : threading.Event, optional
        Stops a pass once it is set.
    threads : int, optional
        All cores by default.

    Notes
    -----
    `take`, `pairs` and `cells` each read the row groups that hold a wanted row once, and hold what
    was asked for and a batch of 4 MB for each thread.
    """

    row_groups: Sequence[ParquetSplit]
    columns: tuple[str, ...]
    n_classes: int
    dtype: np.dtype[Any]
    progress: local.Progress | None = None
    cancel: Event | None = None
    threads: int | None = None
    limit: int = 1 << 23

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of classes."""
        return sum(group.n_rows for group in self.row_groups), self.n_classes

    def splits(self) -> Iterable[ParquetSplit]:
        """Return parts of the rows to read one at a time."""
        return self.row_groups

    def read(self, split: ParquetSplit) -> Iterator[tuple[slice, Floats]]:
        """Give the rows of a row group, batch by batch, each with where its rows stand."""
        size = max(1, _BATCH // (self.n_classes * self.dtype.itemsize))
        for part, batch in split.batches(size, self.columns):
            block = self._block(batch, part)
            yield part, normalised(block, range(part.start, part.stop))

    def take(self, rows: Rows) -> Floats:
        """Return rows, as an array of shape (len(rows), n_classes)."""
        out = np.empty((len(rows), self.n_classes), dtype=self.dtype)
        finder = _Finder(rows)

        def fill(part: slice, block: Floats) -> None:
            places, inside = finder.within(part)
            out[places] = block[inside]

        self._pass(fill, [finder])
        return out

    def cells(self, wanted: Sequence[tuple[Rows, int]]) -> list[Floats]:
        """Return the probability of one class for each row, for several lists of rows."""
        out = [np.empty(len(rows), dtype=self.dtype) for rows, _ in wanted]
        finders = {id(rows): _Finder(rows) for rows, _ in wanted}  # one for each list of rows

        def fill(part: slice, block: Floats) -> None:
            found = {name: finder.within(part) for name, finder in finders.items()}
            for (rows, k), cells in zip(wanted, out, strict=True):
                places, inside = found[id(rows)]
                cells[places] = block[inside, k]

        self._pass(fill, list(finders.values()))
        return out

    def pairs(self, rows: Rows, classes: Rows) -> Floats:
        """Return one probability for each row and class beside it."""
        out = np.empty(len(rows), dtype=self.dtype)
        finder = _Finder(rows)

        def fill(part: slice, block: Floats) -> None:
            places, inside = finder.within(part)
            out[places] = block[inside, classes[places]]

        self._pass(fill, [finder])
        return out

    def column(self, k: int) -> Floats:
        """Return the probability of one class for all rows."""
        return self.cells([(np.arange(self.shape[0]), k)])[0]

    def _pass(self, fill: Callable[[slice, Floats], None], finders: list[_Finder]) -> None:
        def partial(split: ParquetSplit) -> None:
            for part, block in self.read(split):
                fill(part, block)

        needed = [split for split in self.row_groups if any(each.any(split) for each in finders)]
        local.run(
            partial,
            lambda _, __: None,
            needed,
            threads=self.threads,
            progress=self.progress,
            cancel=self.cancel,
        )

    def _block(self, batch: pa.RecordBatch, part: slice) -> Floats:
        if any(column.null_count for column in batch.columns):
            raise ProbabilityError(
                f"probabilities are null in rows {part.start} to {part.stop - 1} of the files",
                hint="write a probability for every class and row, or leave the row out",
            )
        if is_list(batch.schema.field(0).type):
            return self._of_lists(batch.column(0), part)
        block = np.empty((batch.num_rows, self.n_classes), dtype=self.dtype)
        for k, column in enumerate(batch.columns):
            block[:, k] = column.to_numpy(zero_copy_only=False)
        return block

    def _of_lists(self, column: pa.Array, part: slice) -> Floats:
        flat = column.flatten().to_numpy(zero_copy_only=False).astype(self.dtype, copy=False)
        if len(flat) != len(column) * self.n_classes:
            raise ProbabilityError(
                f"column {self.columns[0]!r} holds {len(flat)} probabilities in rows {part.start} "
                f"to {part.stop - 1}, expected {self.n_classes} in each",
                hint="write one probability for each of the sorted classes",
            )
        return np.asarray(flat).reshape(len(column), self.n_classes)


def is_list(kind: pa.DataType) -> bool:
    """Return whether cells are lists."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


class _Finder:
    """Finds which of some rows lie in a part of all rows."""

    def __init__(self, rows: Rows) -> None:
        self._order = np.argsort(rows, kind="stable").astype(np.int32 if len(rows) < _MANY else int)
        self._rows = rows[self._order]

    def any(self, split: ParquetSplit) -> bool:
        low, high = np.searchsorted(self._rows, [split.start, split.start + split.n_rows])
        return bool(low < high)

    def within(self, part: slice) -> tuple[Rows, Rows]:
        low, high = np.searchsorted(self._rows, [part.start, part.stop])
        return self._order[low:high], self._rows[low:high] - part.start
