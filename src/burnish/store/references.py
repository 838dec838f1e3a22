"""Tell which files a table that was passed in lies in, so that they need not be written again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.dataset as pads

from burnish.errors import InputError

_ARROW = {".arrow", ".feather", ".ipc"}
_PARQUET = {".parquet", ".pq", ".parq"}
_SUFFIXES = ", ".join(sorted(_PARQUET | _ARROW))
_TABLES = {
    "_delta_log": ("a Delta table", "deltalake.DeltaTable(path)"),
    "_versions": ("a Lance table", "lance.dataset(path)"),
    "dataset_info.json": ("a Hugging Face dataset", "datasets.load_from_disk(path)"),
    "dataset_dict.json": ("Hugging Face datasets", 'datasets.load_from_disk(path)["train"]'),
}


@dataclass(frozen=True)
class Reference:
    """Files that hold a table.

    Attributes
    ----------
    kind : str
        ``parquet``, ``arrow``, ``delta``, ``lance`` or ``huggingface``.
    root : Path
        Folder above all files, absolute.
    names : tuple of str
        Paths below the root, with slashes, in the order of the rows.
    version : int, optional
        Of a table that has versions.
    constants : tuple of mappings
        For each file, the values of its partition columns as text.
    schema : Schema, optional
        Columns, where the files themselves do not say: all of them, or for ``parquet`` the further
        ones.
    """

    kind: str
    root: Path
    names: tuple[str, ...]
    version: int | None = None
    constants: tuple[Mapping[str, str | None], ...] = ()
    schema: pa.Schema | None = None


def reference_to(source: Any) -> Reference | None:
    """Return the files that hold a source, None where it is to be copied.

    Parameters
    ----------
    source : path, DeltaTable, LanceDataset, Hugging Face Dataset, or anything else

    Raises
    ------
    InputError
        A path leads to nothing that can be referred to, or files are not on a local disk.
    """
    if isinstance(source, (str, os.PathLike)):
        return _to_path(Path(source).absolute())
    library = type(source).__module__.split(".")[0]
    if library == "deltalake" and hasattr(source, "file_uris"):
        return _to_delta(source)
    if library == "lance" and hasattr(source, "get_fragments"):
        return _to_lance(source)
    if library == "datasets" and isinstance(getattr(source, "cache_files", None), list):
        return _to_hugging_face(source)
    return None


def _to_path(path: Path) -> Reference:
    if not path.exists():
        raise InputError(
            f"there is no file or folder {str(path)!r}",
            hint="pass a frame, or the path of a Parquet or Arrow file that exists",
        )
    if path.is_dir():
        return _to_folder(path)
    if path.suffix.lower() in _PARQUET | _ARROW:
        kind = "parquet" if path.suffix.lower() in _PARQUET else "arrow"
        return Reference(kind, path.parent, (path.name,))
    raise InputError(
        f"{str(path)!r} ends in {path.suffix!r}, expected one of {_SUFFIXES}",
        hint="read it into a frame first, for example with pandas.read_csv",
    )


def _to_folder(path: Path) -> Reference:
    for name, (what, call) in _TABLES.items():
        if (path / name).exists():
            raise InputError(
                f"the folder {str(path)!r} holds {what}, and not only files of rows",
                hint=f"pass {call}",
            )
    found = [str(file) for file in path.rglob("*") if _is_parquet(file, path)]
    if not found:
        raise InputError(
            f"the folder {str(path)!r} holds no Parquet file",
            hint="pass the folder whose files end in .parquet",
        )
    table = pads.dataset(found, format="parquet", partitioning="hive", partition_base_dir=str(path))
    parts = sorted(table.get_fragments(), key=lambda part: part.path)
    names = tuple(Path(part.path).relative_to(path).as_posix() for part in parts)
    constants = tuple(_texts(pads.get_partition_keys(part.partition_expression)) for part in parts)
    keys = {name for values in constants for name in values}
    kinds = pa.schema([field for field in table.schema if field.name in keys])
    return Reference("parquet", path, names, constants=constants, schema=kinds)


def _is_parquet(file: Path, root: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(root).parts)
    return file.suffix.lower() in _PARQUET and not hidden and file.is_file()


def _to_delta(table: Any) -> Reference:
    root = _local(table.table_uri)
    mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
    if mapping != "none":
        raise _unreadable("maps its columns to other names")
    if _has_deletion_vectors(table):
        raise _unreadable("has deletion vectors")
    files = pa.table(table.get_add_actions()).to_pylist()
    found = sorted((_below(root, file["path"]), _texts(file.get("partition"))) for file in files)
    return Reference(
        "delta",
        root,
        tuple(name for name, _ in found),
        int(table.version()),
        tuple(values for _, values in found),
        pa.schema(table.schema().to_arrow()),
    )


def _has_deletion_vectors(table: Any) -> bool:
    if hasattr(table, "deletion_vectors"):
        return bool(pa.table(table.deletion_vectors()).num_rows)
    return "deletionVectors" in (table.protocol().reader_features or ())


def _unreadable(what: str) -> InputError:
    return InputError(
        f"the Delta table {what}, so its files alone do not hold its rows",
        hint="pass table.to_pyarrow_table(), which is copied",
    )


def _below(root: Path, path: str) -> str:
    names = [path, unquote(path)]
    return next((name for name in names if (root / name).is_file()), path)


def _to_lance(table: Any) -> Reference:
    root = _local(table.uri)
    names: list[str] = []
    for fragment in table.get_fragments():
        names += [f"data/{file.path}" for file in fragment.data_files()]
        if fragment.deletion_file():
            names.append(str(fragment.deletion_file()))
    version = int(table.version)
    manifests = [f"_versions/{number}.manifest" for number in (version, 2**64 - 1 - version)]
    names += [name for name in manifests if (root / name).is_file()]
    return Reference("lance", root, tuple(names), version, schema=table.schema)


def _to_hugging_face(dataset: Any) -> Reference | None:
    """Return the cache files, None where the rows are in memory or not those of the files."""
    paths = [Path(file["filename"]).absolute() for file in dataset.cache_files]
    if not paths or getattr(dataset, "_indices", None) is not None:
        return None
    table = dataset.data.table
    files = [pa.ipc.open_stream(pa.memory_map(str(path))).read_all() for path in paths]
    if not _same_rows(table, files):
        return None
    root = Path(os.path.commonpath([path.parent for path in paths]))
    names = tuple(path.relative_to(root).as_posix() for path in paths)
    return Reference("huggingface", root, names, schema=table.schema.remove_metadata())


def _same_rows(table: pa.Table, files: Sequence[pa.Table]) -> bool:
    """Whether a table holds these files: not renamed, cast, sliced or put together otherwise."""
    return all(
        all(name in file.column_names for file in files)
        and _same(table[name].chunks, [chunk for file in files for chunk in file[name].chunks])
        for name in table.column_names
    )


def _same(left: list[pa.Array], right: list[pa.Array]) -> bool:
    return len(left) == len(right) and all(
        a.type.equals(b.type)
        and (len(a), a.offset) == (len(b), b.offset)
        and all(_equal(x, y) for x, y in zip(a.buffers(), b.buffers(), strict=True))
        for a, b in zip(left, right, strict=True)
    )


def _equal(left: pa.Buffer | None, right: pa.Buffer | None) -> bool:
    if left is None or right is None:
        return left is right
    return bool(left.equals(right))


def _local(uri: str) -> Path:
    parsed = urlparse(str(uri))
    if parsed.scheme == "file":
        return Path(unquote(parsed.path)).absolute()
    if parsed.scheme and not Path(uri).exists():
        raise InputError(
            f"the table lies at {uri!r}, expected a local path",
            hint="copy it to a local disk, or pass its rows as an Arrow table",
        )
    return Path(uri).absolute()


def _texts(values: Mapping[str, Any] | None) -> dict[str, str | None]:
    return {name: None if v is None else _text(v) for name, v in (values or {}).items()}


def _text(value: Any) -> str:
    return str(pa.scalar(value).cast(pa.string()).as_py())
