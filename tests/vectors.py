"""The test vectors in ``golden/fingerprints.json``: tables as JSON, and each one's fingerprints.

Values stand as they would in any language: bytes in hexadecimal, dates in days, times, moments and
durations as counts of the type's unit, decimals as text, and ``"nan"``, ``"inf"``, ``"-inf"``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa

import burnish as bn

PATH = Path(__file__).with_name("golden") / "fingerprints.json"
FIXED = {
    "store_id": "0" * 32,
    "version_id": "0" * 64,
    "version": "v0",
    "libraries": {"burnish": "0.1.0"},
}
_LIST = re.compile(r"list<(.*)>(?:\[(\d+)\])?")
_ZONED = re.compile(r"timestamp\[(\w+), (.*)\]")
_DECIMAL = re.compile(r"decimal128\((\d+), (\d+)\)")
_STRUCT = re.compile(r"struct<(\w+): (\w+), (\w+): (\w+)>")


def cases() -> list[dict[str, Any]]:
    """Return all vectors."""
    found: list[dict[str, Any]] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def table_of(case: dict[str, Any]) -> pa.Table:
    """Return a vector's table."""
    return pa.table(
        {
            name: pa.array([_value(value, kind) for value in values], _type(kind))
            for name, (kind, values) in case["columns"].items()
        }
    )


def prints_of(case: dict[str, Any], frame: Any) -> dict[str, Any]:
    """Return the fingerprints of a frame, made a dataset of and trained on as a vector says."""
    with bn.create(None, frame, key=case["key"], group=case.get("group")) as ds:
        given = dict(case["training"])
        if "order" in given:
            given["order"] = ds.keys[_places(ds, given["order"])]
        fp = bn.training_fingerprint(ds, **given)
        rows = bn.reconstruct(fp, store=ds)
        record = bn.TrainingFingerprint({**fp.record, **FIXED}).record
        return {
            "state": ds.fingerprint,
            "n_rows": len(rows),
            "row_set": record["row_set"],
            "row_order": record["row_order"],
            "content": record["content"],
            "folds": None if rows.folds is None else rows.folds.tolist(),
            "training": bn.TrainingFingerprint(record).id,
        }


def _places(ds: Any, order: list[int]) -> list[int]:
    """Return where rows stand in a store, given their places among the rows sorted by key."""
    keys = ds.keys.tolist()
    by_key = sorted(range(len(keys)), key=keys.__getitem__)
    return [by_key[place] for place in order]


def _type(kind: str) -> pa.DataType:
    if found := _LIST.fullmatch(kind):
        inner, size = _type(found[1]), found[2]
        return pa.list_(inner, int(size)) if size else pa.list_(inner)
    if found := _ZONED.fullmatch(kind):
        return pa.timestamp(found[1], found[2])
    if found := _DECIMAL.fullmatch(kind):
        return pa.decimal128(int(found[1]), int(found[2]))
    if found := _STRUCT.fullmatch(kind):
        return pa.struct([(found[1], _type(found[2])), (found[3], _type(found[4]))])
    return pa.type_for_alias(kind)


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if found := _LIST.fullmatch(kind):
        return [_value(item, found[1]) for item in value]
    if kind.startswith("float"):
        return float(value)
    if kind.startswith("decimal"):
        return Decimal(value)
    return bytes.fromhex(value) if kind == "binary" else value


def _numpy(table: pa.Table) -> pd.DataFrame:
    frame = table.to_pandas()
    for field in table.schema:
        whole = pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)
        if whole and table[field.name].null_count:
            dtype = {"bool": "boolean"}.get(str(field.type), str(field.type).capitalize())
            dtype = dtype.replace("Uint", "UInt")
            frame[field.name] = pd.array(table[field.name].to_pylist(), dtype=dtype)
    return frame


def _chunked(size: int) -> Callable[[pa.Table], pa.Table]:
    def cut(table: pa.Table) -> pa.Table:
        return pa.concat_tables([table.slice(at, size) for at in range(0, len(table), size)])

    return cut


def _polars_chunks(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return pl.concat([frame[:2], frame[2:]], rechunk=False)


def _encoded(swap: Callable[[pa.Array], pa.Array]) -> Callable[[pa.Table], pa.Table]:
    def encode(table: pa.Table) -> pa.Table:
        arrays = {name: swap(table[name].combine_chunks()) for name in table.column_names}
        return pa.table(arrays)

    return encode


def _text_as(kind: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    return lambda array: array.cast(kind) if pa.types.is_string(array.type) else array


def _dictionary(array: pa.Array) -> pa.Array:
    simple = pa.types.is_string(array.type) or pa.types.is_integer(array.type)
    return array.dictionary_encode() if simple else array


def _widest(array: pa.Array) -> pa.Array:
    types, kind = pa.types, array.type
    if types.is_float32(kind):
        return array.cast(pa.float64())
    if types.is_signed_integer(kind):
        return array.cast(pa.int64())
    if types.is_timestamp(kind):
        return array.cast(pa.timestamp("ns", kind.tz and "UTC"))
    if types.is_duration(kind):
        return array.cast(pa.duration("ns"))
    if types.is_time(kind):
        return array.cast(pa.time64("ns"))
    if types.is_binary(kind):
        return array.cast(pa.large_binary())
    if types.is_list(kind):
        return array.cast(pa.large_list(kind.value_type))
    return array


FRAMES: dict[str, Callable[[pa.Table], Any]] = {
    "Arrow": lambda table: table,
    "Arrow in chunks of one": _chunked(1),
    "Arrow in chunks of two": _chunked(2),
    "Arrow with rows turned round": lambda table: table.take(pa.array(range(len(table))[::-1])),
    "Arrow with large_string": _encoded(_text_as(pa.large_string())),
    "Arrow with string_view": _encoded(_text_as(pa.string_view())),
    "Arrow with dictionaries": _encoded(_dictionary),
    "Arrow with the widest types": _encoded(_widest),
    "pandas with NumPy types": _numpy,
    "pandas with Arrow types": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow,
    "polars in chunks": _polars_chunks,
    "mapping": lambda table: dict(zip(table.column_names, table.columns)),
}
