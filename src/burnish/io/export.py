"""A version's rows as a file, with a manifest that says what they are."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from burnish.core.canonical import is_list
from burnish.core.selection import Selection
from burnish.core.slices import Slice
from burnish.core.version import Version
from burnish.errors import InputError


class Versioned(Protocol):
    """A version that can be read."""

    version: Version

    @property
    def roles(self) -> dict[str, Any]:
        """Role → column name, or list of names."""
        ...

    def to_arrow(self) -> pa.Table:
        """Return the live rows."""
        ...

    def rows_where(self, where: str | Slice | Selection) -> Any:
        """Return which live rows a predicate holds."""
        ...


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes
    ----------
    path, manifest : Path
        The file, and the JSON beside it.
    rows : int
    version, fingerprint : str
        Of the version that was exported.
    """

    path: Path
    manifest: Path
    rows: int
    version: str
    fingerprint: str

    def __repr__(self) -> str:
        return (
            f"{self.path.name}: {self.rows:,} rows of {self.version} "
            f"(fingerprint {self.fingerprint[:8]}…), described in {self.manifest.name}"
        )


@dataclass(frozen=True)
class Manifest:
    """The facts beside an exported file."""

    tool: str
    dataset: str
    version: str
    version_id: str
    fingerprint: str
    filter: str | None
    rows: int
    rows_in_version: int
    classes: dict[str, int] | None
    columns: dict[str, str]
    roles: dict[str, Any]
    exported_at: str
    file: str
    file_sha256: str
    file_bytes: int


def write_export(
    path: Path, source: Versioned, where: str | Slice | Selection | None, dataset: str
) -> Export:
    """Write the rows of a version and the manifest; see `Dataset.export`."""
    writer = _writer(path)
    table = source.to_arrow()
    total = table.num_rows
    if where is not None:
        table = table.filter(pa.array(source.rows_where(where)))
    if not table.num_rows:
        raise InputError(
            f"no row of {source.version.name} is in {_filter_text(where)!r}",
            hint="loosen the filter; ds.rows_where(where).sum() counts its rows",
        )
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r}", hint="make it first")
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    manifest_path = path.with_name(f"{path.name}.manifest.json")
    try:
        writer(table, draft)
        manifest = _manifest(path, draft, source, table, total, where, dataset)
        notes = draft.with_name(draft.name + ".manifest")
        notes.write_text(json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n")
        os.replace(draft, path)
        os.replace(notes, manifest_path)
    finally:
        draft.unlink(missing_ok=True)
        draft.with_name(draft.name + ".manifest").unlink(missing_ok=True)
    version = source.version
    return Export(path, manifest_path, table.num_rows, version.name, version.fingerprint)


def _writer(path: Path) -> Callable[[pa.Table, Path], None]:
    writers = {".parquet": _write_parquet, ".csv": _write_csv}
    if path.suffix not in writers:
        raise InputError(
            f"cannot tell a format from the suffix {path.suffix!r} of {path.name!r}",
            hint=f"end the name in {' or '.join(writers)}",
        )
    return writers[path.suffix]


def _write_parquet(table: pa.Table, path: Path) -> None:
    pyarrow.parquet.write_table(table, path, compression="zstd")


def _write_csv(table: pa.Table, path: Path) -> None:
    columns = {name: _csv_column(name, table[name]) for name in table.column_names}
    pyarrow.csv.write_csv(pa.table(columns), path)


def _csv_column(name: str, column: pa.ChunkedArray) -> Any:
    if is_list(column.type) or pa.types.is_struct(column.type):
        values = column.to_pylist()
        return pa.array([None if v is None else json.dumps(v) for v in values], pa.string())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        raise InputError(
            f"column {name!r} holds bytes, which CSV cannot carry", hint="export to .parquet"
        )
    return column


def _manifest(
    path: Path,
    written: Path,
    source: Versioned,
    table: pa.Table,
    total: int,
    where: str | Slice | Selection | None,
    dataset: str,
) -> Manifest:
    from burnish import __version__

    with written.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Manifest(
        tool=f"burnish {__version__}",
        dataset=dataset,
        version=source.version.name,
        version_id=source.version.id,
        fingerprint=source.version.fingerprint,
        filter=_filter_text(where),
        rows=table.num_rows,
        rows_in_version=total,
        classes=_class_counts(table, source.roles.get("label")),
        columns={field.name: str(field.type) for field in table.schema},
        roles=source.roles,
        exported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        file=path.name,
        file_sha256=digest.hexdigest(),
        file_bytes=written.stat().st_size,
    )


def _class_counts(table: pa.Table, label: str | None) -> dict[str, int] | None:
    if label is None:
        return None
    counts = pc.value_counts(table[label])
    pairs = [(str(item["values"]), item["counts"]) for item in counts.to_pylist()]
    return dict(sorted(pairs))


def _filter_text(where: str | Slice | Selection | None) -> str | None:
    if isinstance(where, Slice):
        return f"{where.name}: {_filter_text(where.where)}"
    if isinstance(where, Selection):
        return repr(where)
    return where
