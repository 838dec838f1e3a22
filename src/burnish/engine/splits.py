"""Parts of Parquet files that read themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_BUFFER = 1 << 16


@dataclass(frozen=True)
class ParquetSplit:
    """One row group of a Parquet file.

    Attributes
    ----------
    path : str
        The file.
    group : int
        Which row group, from 0.
    start : int
        How many rows lie before it, in this file and in those before.
    n_rows : int
    """

    path: str
    group: int
    start: int
    n_rows: int

    def batches(
        self, size: int, columns: Sequence[str] | None = None
    ) -> Iterator[tuple[slice, pa.RecordBatch]]:
        """Read the rows in batches, each with where its rows stand among all of them.

        Parameters
        ----------
        size : int
            Rows of a batch.
        columns : sequence of str, optional
            What to read, all by default.

        Yields
        ------
        slice, RecordBatch
        """
        import pyarrow.parquet as pq

        at = self.start
        with pq.ParquetFile(self.path, buffer_size=_BUFFER) as file:
            groups = file.iter_batches(
                size, row_groups=[self.group], columns=columns, use_threads=False
            )
            for batch in groups:
                yield slice(at, at + batch.num_rows), batch
                at += batch.num_rows


def parquet_splits(path: str | PathLike[str]) -> list[ParquetSplit]:
    """Return the row groups of a file, or of the Parquet files in a folder by name.

    Parameters
    ----------
    path : path
        A file, or a folder with ``*.parquet`` files, also in folders below it.

    Returns
    -------
    list of ParquetSplit, in the order of the rows

    Raises
    ------
    InputError
        Nothing is there, a file is no Parquet file, or the files have different columns.

    Notes
    -----
    Reads the files' footers only.
    """
    splits: list[ParquetSplit] = []
    start = 0
    for file, footer in _footers(_files(Path(path))):
        for group in range(footer.num_row_groups):
            n_rows = footer.row_group(group).num_rows
            if n_rows:
                splits.append(ParquetSplit(str(file), group, start, n_rows))
            start += n_rows
    return splits


def parquet_schema(path: str | PathLike[str]) -> pa.Schema:
    """Return the columns of a Parquet file, or of the first one in a folder.

    Raises
    ------
    InputError
        Nothing is there, or it is no Parquet file.
    """
    import pyarrow.parquet as pq

    return _tried(_files(Path(path))[0], pq.read_schema)


def _files(path: Path) -> list[Path]:
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].exists():
        what = "has no *.parquet files" if path.is_dir() else "does not exist"
        raise InputError(
            f"{str(path)!r} {what}", hint="pass a Parquet file, or a folder of Parquet files"
        )
    return files


def _footers(files: list[Path]) -> Iterator[tuple[Path, pa.parquet.FileMetaData]]:
    import pyarrow.parquet as pq

    first: pa.Schema | None = None
    for file in files:
        footer = _tried(file, pq.read_metadata)
        schema = footer.schema.to_arrow_schema()
        first = schema if first is None else first
        if not schema.equals(first):
            raise InputError(
                f"{file.name!r} has columns {schema.names[:5]}, {files[0].name!r} has "
                f"{first.names[:5]}, or their types differ",
                hint="write all files of the folder with the same columns",
            )
        yield file, footer


def _tried(file: Path, read: object) -> pa.Schema | pa.parquet.FileMetaData:
    import pyarrow as pa

    try:
        return read(file)  # type: ignore[operator]  # one of two readers of pyarrow, untyped
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{str(file)!r} cannot be read as Parquet: {error}",
            hint="write it with pyarrow.parquet.write_table, or frame.to_parquet",
        ) from error
