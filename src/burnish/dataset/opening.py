"""Make and open datasets on disk."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import uuid
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from burnish.core.canonical import is_list, logical_type
from burnish.core.commitment import commitment
from burnish.core.delta import Delta
from burnish.core.version import commit_id
from burnish.dataset.dataset import Dataset, default_user
from burnish.dataset.history import History, header
from burnish.dataset.identity import check_keys
from burnish.dataset.incoming import Incoming, incoming
from burnish.errors import (
    ColumnError,
    InputError,
    NetworkFileSystemWarning,
    NotAStoreError,
)
from burnish.store.backend import CommitRecord
from burnish.store.codec import encode
from burnish.store.sqlite import SqliteBackend

_STORE = "store.sqlite"
_SEVERAL = {"key", "text", "features", "embedding"}
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "lustre"}


def create(
    path: str | os.PathLike[str] | None,
    frame: Any,
    key: str | Sequence[str] | None = None,
    *,
    label: str | None = None,
    split: str | None = None,
    text: str | Sequence[str] | None = None,
    image: str | None = None,
    features: Sequence[str] | None = None,
    embedding: str | Sequence[str] | None = None,
    group: str | None = None,
    weight: str | None = None,
    time: str | None = None,
    message: str = "created",
) -> Dataset:
    """Make a dataset from a frame and open it.

    Parameters
    ----------
    path : path or None
        Folder to write, by custom ending in ``.burnish``; None keeps it in a temporary one that is
        removed with the process.
    frame : pandas or polars DataFrame, Arrow table, mapping of columns, or a reference
        What is written to the path; or, to leave the rows where they are: the path of a Parquet
        file, of a folder of Parquet files or of an Arrow file, a ``deltalake.DeltaTable``, a
        ``lance.LanceDataset``, or a Hugging Face ``Dataset`` that is mapped from its files.
    key : str or sequence of str, optional
        Columns that name a row for good; unique, never null, never changed. Without it each row
        gets a content key in the column ``_key``.
    label, split, text, image, group, weight, time : str, optional
        Columns with these roles. Images are 2-D or 3-D arrays or encoded bytes.
    features : sequence of str, optional
        Columns that a model reads.
    embedding : str or sequence of str, optional
        A column of vectors, or number columns. Two dimensions are drawn as they are.
    message : str, default "created"
        Message of the first version, ``v0``.

    Returns
    -------
    Dataset

    Raises
    ------
    KeysError
        Keys are null or occur twice.
    ColumnError
        A role names an unknown column, or a column cannot be stored.
    InputError
        The frame is empty, a file cannot be read, or the path holds another dataset.

    Notes
    -----
    Writes the frame once. Files that are referred to are read once and pinned by their SHA-256:
    from then on other bytes are an error. On a path that holds a dataset with the same rows and
    roles it opens that one, so that a notebook can be run again.

    Examples
    --------
    >>> import burnish as bn
    >>> ds = bn.create(None, {"id": ["a", "b"], "label": ["cat", "dog"]}, key="id", label="label")
    >>> ds.relabel("b", "cat", reason="looked again")
    >>> ds.commit("one label").name
    'v1'
    >>> ds.diff("v0", "v1").frame()[["key", "old", "new"]].values.tolist()
    [['b', 'dog', 'cat']]
    """
    given = incoming(frame)
    named = {
        "key": key,
        "label": label,
        "split": split,
        "text": text,
        "image": image,
        "features": features,
        "embedding": embedding,
        "group": group,
        "weight": weight,
        "time": time,
    }
    roles = {
        role: _column_names(role, columns) for role, columns in named.items() if columns is not None
    }
    if "key" not in roles:
        roles["key"] = given.own_keys()
    _check_roles(given.schema, roles, getattr(getattr(frame, "index", None), "names", ()))
    folder = Path(path) if path is not None else _temporary()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        if not (folder / _STORE).is_file():
            raise NotAStoreError(
                f"{str(folder)!r} holds something else than a burnish dataset",
                hint="pass a path where nothing is yet, by custom ending in .burnish",
            )
        return _reopen(folder, given, roles)
    key = roles["key"]
    keys = given.keys([key] if isinstance(key, str) else key)
    check_keys(keys, key)
    if not _write(folder, given, keys, roles, message):
        return _reopen(folder, given, roles)
    return open(folder)


def open(
    path: str | os.PathLike[str],
    user: str | None = None,
    *,
    branch: str = "main",
    read_only: bool | None = None,
) -> Dataset:
    """Open a dataset as the working copy of a user.

    Parameters
    ----------
    path : path
        A folder made by `create`.
    user : str, optional
        Who edits; ``BURNISH_USER`` or the account's name by default.
    branch : str, default "main"
        The branch to follow.
    read_only : bool, optional
        Leave the folder as it is: reading works, editing and committing raise. By default where
        the folder cannot be written.

    Returns
    -------
    Dataset
        With the edits that were staged when it was closed or killed.

    Raises
    ------
    NotAStoreError
        The path does not exist or holds no dataset.
    FormatError
        It was written by a newer burnish.
    CorruptError
        Its files are damaged.
    RefError
        There is no such branch.
    """
    folder = Path(path)
    if not (folder / _STORE).is_file():
        what = "does not exist" if not folder.exists() else "is not a burnish dataset"
        raise NotAStoreError(
            f"{str(folder)!r} {what}", hint="make one with bn.create(path, frame, key=…)"
        )
    _warn_if_remote(folder)
    writable = os.access(folder, os.W_OK) and os.access(folder / _STORE, os.W_OK)
    history = History(folder, read_only=not writable if read_only is None else read_only)
    try:
        ds = Dataset(folder, history, user or default_user())
        if branch != "main":
            ds.switch(branch)
        return ds
    except BaseException:
        history.backend.abandon()
        raise


def _column_names(role: str, columns: Any) -> str | list[str]:
    if isinstance(columns, str):
        return columns
    listed = role in _SEVERAL and hasattr(columns, "__iter__")
    given = list(columns) if listed else [columns]
    names = [name for name in given if isinstance(name, str)]
    if len(names) < len(given):
        several = " or a list of names" if role in _SEVERAL else ""
        raise ColumnError(
            f"{role}={columns!r}, expected the name of a column{several}",
            hint=f"pass {role}='…' with the name as the frame spells it",
        )
    return names


def _check_roles(schema: pa.Schema, roles: dict[str, Any], index: Sequence[Any]) -> None:
    for role, columns in roles.items():
        for name in [columns] if isinstance(columns, str) else columns:
            if name not in schema.names:
                raise ColumnError(
                    f"{role}={name!r} is no column of the frame, "
                    f"which has {', '.join(schema.names)}",
                    hint="make the index a column first: frame.reset_index()"
                    if name in index
                    else f"pass {role}= one of these names",
                )
    label = roles.get("label")
    if label and is_list(schema.field(label).type):
        raise ColumnError(
            f"label={label!r} holds lists, expected one class a row",
            hint=f"leave label= out, and name the column where it is used: column={label!r}",
        )


def _write(
    folder: Path, given: Incoming, keys: pa.Table, roles: dict[str, Any], message: str
) -> bool:
    """Write a store aside and move it into place; False where another process was first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    draft.mkdir()
    try:
        base_hash = given.write(draft, folder, keys)
        meta = {"id": uuid.uuid4().hex, "format": "1"}
        SqliteBackend.create(draft / _STORE, meta, _first(given, roles, message, base_hash))
        draft.rename(folder)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError) and (folder / _STORE).is_file():
            return False
        raise
    return True


def _first(given: Incoming, roles: dict[str, Any], message: str, base_hash: str) -> CommitRecord:
    seed = secrets.token_bytes(32)
    empty = Delta()
    head = header(
        parents=[],
        author=default_user(),
        message=message,
        txn_id=uuid.uuid4().hex,
        cells=commitment(empty, seed, lambda _: pa.array([], pa.binary())),
        n_cells=0,
        extra={
            "base": base_hash,
            "rows": len(given),
            "roles": roles,
            "schema": [[field.name, logical_type(field.type)] for field in given.schema],
        },
    )
    return CommitRecord(commit_id(head), 0, head, seed, encode(empty, {}))


def _reopen(folder: Path, given: Incoming, roles: dict[str, Any]) -> Dataset:
    found = open(folder)
    try:
        different = _difference(found._history, given, roles)
    except BaseException:
        found.close()
        raise
    if different is None:
        return found
    found.close()
    raise InputError(
        f"{str(folder)!r} already holds a dataset with {different}",
        hint="open it with bn.open(path), or create the new one under another path",
    )


def _difference(history: History, given: Incoming, roles: dict[str, Any]) -> str | None:
    if roles != history.first_roles:
        return f"other roles: {history.first_roles}"
    return given.difference(history.base)


def _temporary() -> Path:
    folder = tempfile.mkdtemp(prefix="burnish-")
    weakref.finalize(create, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "dataset.burnish"


def _warn_if_remote(folder: Path) -> None:
    kind = _file_system(folder.resolve())
    if kind in _REMOTE:
        warnings.warn(
            f"{folder} lies on a {kind} file system, where SQLite files can be damaged. "
            "Hint: keep the dataset on a local disk and share copies",
            NetworkFileSystemWarning,
            stacklevel=3,
        )


def _file_system(folder: Path) -> str | None:
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return None
    inside = [(m[1], m[2]) for m in mounts if folder.is_relative_to(m[1].replace("\\040", " "))]
    return max(inside, key=lambda pair: len(pair[0]))[1] if inside else None
