"""A store from 1 M rows with text and 64-d vectors, beside Parquet files of the same frame."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from shared import MILLION, interleaved, megabytes, quick, scratch, seconds, show, size_of, table

import burnish as bn

ROLES = {"key": "id", "label": "label", "text": "text", "embedding": "vector"}


def pandas_frame(rows: pa.Table) -> Any:
    frame = rows.drop_columns("vector").to_pandas()
    vectors = rows["vector"].combine_chunks().flatten().to_numpy()
    return frame.assign(vector=list(vectors.reshape(len(frame), -1)))


def written(path: Path, write: Callable[[Path], object]) -> float:
    """Time a write to a path that is free, and leave what was written."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    return seconds(lambda: write(path))


def create(path: Path, frame: Any) -> None:
    bn.create(path, frame, **ROLES).close()


def first_fingerprint(path: Path, rows: pa.Table) -> float:
    shutil.rmtree(path, ignore_errors=True)
    with bn.create(path, rows, **ROLES) as ds:
        return seconds(lambda: ds.fingerprint)


def main() -> None:
    small = quick()
    rows = table(20_000 if small else MILLION)
    frame = pandas_frame(rows)
    create_warm()
    with scratch() as folder:
        writes: dict[str, Callable[[Path], object]] = {
            "create from Arrow": lambda path: create(path, rows),
            "pyarrow write_table": lambda path: pq.write_table(rows, path),
            "create from pandas": lambda path: create(path, frame),
            "pandas to_parquet": frame.to_parquet,
        }
        paths = {name: folder / f"{place}" for place, name in enumerate(writes)}
        acts: dict[str, Callable[[], float]] = {
            name: lambda name=name, write=write: written(paths[name], write)
            for name, write in writes.items()
        }
        acts["first fingerprint"] = lambda: first_fingerprint(folder / "f", rows)
        took = interleaved(acts, 1 if small else 5)
        notes = {name: megabytes(size_of(path)) for name, path in paths.items()}
        show(took, ours="create from Arrow", notes=notes)


def create_warm() -> None:
    """Import what the first call imports."""
    with bn.create(None, table(5_000), **ROLES) as ds:
        ds.fingerprint  # noqa: B018


if __name__ == "__main__":
    main()
