"""Bases by reference: rows stay in their files, and other bytes there are an error."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather

import burnish as bn
from burnish.errors import ColumnError, CorruptError, InputError, KeysError, StoreError
from burnish.store import sources
from burnish.store.adopted import DESCRIPTOR, AdoptedBase, open_source
from burnish.store.caches import ArrayCache
from burnish.store.joining import joined
from burnish.store.pins import Pins
from burnish.store.sources import ParquetPart, gather
from strategies import arrays, meaning

N = 90


def rows(start: int = 0, size: int = N) -> pa.Table:
    """Return columns of every kind that a file may spell in another way than a store."""
    places = np.arange(start, start + size)
    random = np.random.default_rng(start)
    x = random.normal(size=size)
    x[::7] = np.nan
    return pa.table(
        {
            "id": [f"k{place:03}" for place in places],
            "label": pa.array([("cat", "dog", None)[i % 3] for i in places]).dictionary_encode(),
            "x": x,
            "v": pa.array(random.normal(size=(size, 3)).tolist(), pa.list_(pa.float32())),
            "ragged": [list(range(int(i) % 4)) for i in places],
            "image": pa.array(
                random.integers(0, 255, (size, 2, 2)).tolist(), pa.list_(pa.list_(pa.uint8()))
            ),
            "png": pa.array([bytes([i % 256]) * 5 for i in places], pa.large_binary()),
            "about": pa.array([{"a": int(i), "b": str(i)} for i in places]),
            "nothing": pa.nulls(size),
            "half": random.normal(size=size).astype(np.float16),
        }
    )


def one_parquet_file(folder: Path, table: pa.Table) -> Path:
    """Write row groups of 20 rows."""
    pq.write_table(table, folder / "rows.parquet", row_group_size=20)
    return folder / "rows.parquet"


def several_parquet_files(folder: Path, table: pa.Table) -> Path:
    """Write files whose names sort as their rows do, however they are listed."""
    inside = folder / "rows"
    for place, name in ((2, "c"), (0, "a"), (1, "b")):
        (inside / name).mkdir(parents=True)
        pq.write_table(
            table.slice(place * 30, 30), inside / name / "part.parquet", row_group_size=20
        )
    (inside / "_SUCCESS").touch()
    return inside


def arrow_file(folder: Path, table: pa.Table) -> Path:
    """Write record batches of 40 rows that can be mapped."""
    feather.write_feather(table, folder / "rows.arrow", compression="uncompressed", chunksize=40)
    return folder / "rows.arrow"


def compressed_arrow_file(folder: Path, table: pa.Table) -> Path:
    """Write what pandas writes as Feather."""
    feather.write_feather(table, folder / "rows.feather", compression="lz4", chunksize=40)
    return folder / "rows.feather"


def arrow_stream(folder: Path, table: pa.Table) -> Path:
    """Write what Hugging Face keeps in its cache."""
    path = folder / "stream.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=40)
    return path


Write = Callable[[Path, pa.Table], Path]
FORMATS = [
    one_parquet_file,
    several_parquet_files,
    arrow_file,
    compressed_arrow_file,
    arrow_stream,
]
every_format = pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store" / "d.burnish"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def adopt(store: Path, source: Any, key: Any = "id") -> Any:
    """Make or open a dataset with the label column of `rows`."""
    return bn.create(store, source, key=key, label="label")


@every_format
@pytest.mark.parametrize("key", ["id", None], ids=["own keys", "content keys"])
def test_a_reference_is_the_dataset_that_the_same_frame_gives(
    write: Write, key: str | None, store: Path, data: Path
) -> None:
    with adopt(store, write(data, rows()), key) as ds, adopt(None, rows(), key) as copied:
        assert isinstance(ds._history.base, AdoptedBase)
        assert ds.fingerprint == copied.fingerprint
        assert ds.keys.tolist() == copied.keys.tolist()
        found, expected = ds.to_arrow(), copied.to_arrow()
        assert found.schema == expected.schema
        for name in found.column_names:
            assert found[name].to_pylist() == expected[name].to_pylist()
        assert ds.classes == ["cat", "dog"]
        assert ds.verify() == []
    assert not (store / "base.arrow").exists()


@every_format
def test_edits_of_a_reference_are_those_of_a_frame(write: Write, store: Path, data: Path) -> None:
    def edited(ds: Any) -> str:
        ds.relabel(["k001", "k077"], "dog", reason="seen")
        ds.set("k045", "x", 0.25)
        ds.drop("k089")
        assert ds.commit("some").name == "v1"
        return str(ds.fingerprint)

    with adopt(None, rows()) as copied:
        expected = edited(copied)
    with adopt(store, write(data, rows())) as ds:
        assert edited(ds) == expected
    with bn.open(store) as again:
        assert again.fingerprint == expected
        old = again.diff("v0", "v1").frame().set_index(["key", "column"])["old"]
        assert old.loc[("k077", "label")] is None or old.loc[("k077", "label")] != "dog"
        assert again.verify() == []


@every_format
def test_cells_are_those_of_the_whole_column(write: Write, store: Path, data: Path) -> None:
    wanted = np.array([89, 0, 45, 45, 3, 60], np.int64)
    with adopt(store, write(data, rows())) as ds:
        base = ds._history.base
        for name in base.schema.names:
            cells = base._source.take(name, wanted)
            assert cells.type == base.schema.field(name).type
            assert cells.equals(base.column(name).take(pa.array(wanted)))
            assert base._source.take(name, wanted[:0]).equals(cells[:0])


def test_row_groups_too_large_to_keep_are_read_through(
    store: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_PIECE", 0)
    monkeypatch.setattr(sources, "_BATCH", 100)
    wanted = np.array([89, 0, 45, 45, 3, 60], np.int64)
    with adopt(store, one_parquet_file(data, rows())) as ds:
        base = ds._history.base
        for name in base.schema.names:
            expected = base.column(name).take(pa.array(wanted))
            assert base._source.take(name, wanted).equals(expected)


def test_one_cell_of_a_million_rows_decodes_one_row_group(
    store: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, group = 1_000_000, 50_000
    table = pa.table({"id": np.arange(size), "x": np.arange(size) / 2, "y": np.zeros(size)})
    pq.write_table(table, data / "rows.parquet", row_group_size=group)
    bn.create(store, data / "rows.parquet", key="id").close()
    read: list[tuple[str, int]] = []
    decode, stream = ParquetPart._group, ParquetPart._stream

    def note(found: Any, name: str) -> Any:
        read.append((name, len(found)))
        return found

    monkeypatch.setattr(ParquetPart, "_group", lambda s, n, *a: note(decode(s, n, *a), n))
    monkeypatch.setattr(
        ParquetPart, "_stream", lambda s, n: (note(piece, n) for piece in stream(s, n))
    )
    with bn.open(store) as ds:
        assert read == []
        ds.set(700_001, "x", 0.5)
        assert ds.staged.frame()["old"].tolist() == [350_000.5]
        assert sorted(set(read)) == [("id", group), ("x", group)]
        assert len(read) == len(set(read))
        ds.to_arrow(["y"])
        assert sum(rows for name, rows in read if name == "y") == size


def test_a_column_is_decoded_once_while_somebody_holds_it(store: Path, data: Path) -> None:
    with adopt(store, one_parquet_file(data, rows())) as ds:
        base = ds._history.base
        assert base.column("x") is base.column("x")


def test_the_cache_keeps_what_was_used_last_within_its_bytes() -> None:
    cache = ArrayCache(limit=2 * 800)
    for name in "abac":
        cache.get_or_make(name, lambda: pa.array(np.zeros(100)))
    assert [name for name in "abc" if cache.get(name) is not None] == ["a", "c"]
    held = cache.get_or_make("large", lambda: pa.array(np.zeros(1_000)))
    assert cache.get("large") is held
    del held
    assert cache.get("large") is None


def test_rows_are_gathered_from_groups_in_the_order_asked_for() -> None:
    values = np.arange(10) * 10
    starts = np.array([0, 4, 4, 9, 10])
    asked: list[int] = []

    def take(group: int, local: Any) -> pa.Array:
        asked.append(group)
        return pa.array(values[starts[group] + local])

    wanted = np.array([9, 0, 8, 8, 3, 4])
    found = gather(starts, wanted, pa.int64(), take)
    assert found.to_pylist() == values[wanted].tolist()
    assert asked == [0, 2, 3]


@given(st.data())
def test_pieces_joined_one_by_one_are_those_joined_at_once(data: st.DataObject) -> None:
    array = data.draw(arrays(size=data.draw(st.integers(1, 12))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(array)), max_size=4)))
    pieces = [array.slice(i, j - i) for i, j in pairwise([0, *cuts, len(array)])]
    found = joined(iter(pieces), array.type, data.draw(st.sampled_from([None, len(array)])))
    found.validate(full=True)
    assert found.type == array.type
    assert list(map(meaning, found.to_pylist())) == list(map(meaning, array.to_pylist()))


def flip(path: Path) -> None:
    """Change one byte in the middle and keep the length."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    """Cut the last byte off."""
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("harm", "said"),
    [(flip, "was changed"), (truncate, "bytes, expected"), (Path.unlink, "No such file")],
    ids=["a changed byte", "a truncated file", "a file that is gone"],
)
@every_format
def test_other_bytes_are_a_hard_error(
    write: Write, harm: Callable[[Path], None], said: str, store: Path, data: Path
) -> None:
    adopt(store, write(data, rows())).close()
    file = [path for path in sorted(data.rglob("*")) if path.suffix][-1]
    harm(file)
    with pytest.raises(CorruptError, match=said) as caught:
        bn.open(store)
    assert str(file) in caught.value.message
    assert "put back the bytes" in caught.value.hint


@every_format
def test_bytes_that_change_while_a_dataset_is_open_are_not_read(
    write: Write, store: Path, data: Path
) -> None:
    with adopt(store, write(data, rows())) as ds:
        flip([path for path in sorted(data.rglob("*")) if path.suffix][-1])
        with pytest.raises(CorruptError, match="was changed"):
            ds.to_arrow(["x"])


def test_verify_names_a_file_that_was_changed_behind_its_time(store: Path, data: Path) -> None:
    several_parquet_files(data, rows())
    file = data / "rows" / "b" / "part.parquet"
    before = file.stat()
    with adopt(store, data / "rows") as ds:
        flip(file)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        (problem,) = ds.verify()
        assert problem.startswith(f"{file} has SHA-256")
        file.unlink()
        assert "cannot be read" in ds.verify()[0]


def test_another_time_alone_is_no_change(store: Path, data: Path) -> None:
    file = one_parquet_file(data, rows())
    with adopt(store, file) as ds:
        expected = ds.fingerprint
    os.utime(file, ns=(1, 1))
    with bn.open(store) as ds:
        assert ds.fingerprint == expected
    assert '"mtime_ns": 1,' in (store / DESCRIPTOR).read_text()
    adopt(store, file).close()


@every_format
def test_a_store_moved_with_its_files_opens(write: Write, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    with adopt(here / "d.burnish", write(here, rows())) as ds:
        expected = ds.fingerprint
    shutil.move(here, there)
    with bn.open(there / "d.burnish") as ds:
        assert ds.fingerprint == expected
        assert ds.verify() == []


def test_a_copy_reads_the_files_beside_it_where_the_first_ones_were_changed(
    tmp_path: Path,
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    file = one_parquet_file(here, rows())
    adopt(here / "d.burnish", file).close()
    shutil.copytree(here, there)
    truncate(file)
    with bn.open(there / "d.burnish") as ds:
        assert ds.verify() == []


def test_what_the_store_keeps_of_the_files_is_checked_itself(store: Path, data: Path) -> None:
    adopt(store, one_parquet_file(data, rows()), key=None).close()
    flip(store / "keys.arrow")
    with bn.open(store) as ds:
        assert ds.verify() == ["keys.arrow is not the file that was written"]
    text = (store / DESCRIPTOR).read_text()
    (store / DESCRIPTOR).write_text(text.replace('"rows": 90', '"rows": 89'))
    with pytest.raises(CorruptError, match="is not the one that was written"):
        bn.open(store)
    (store / DESCRIPTOR).write_text(text[:-20])
    with pytest.raises(CorruptError, match="cannot be read"):
        bn.open(store)
    (store / DESCRIPTOR).unlink()
    with pytest.raises(CorruptError):
        bn.open(store)


@every_format
def test_create_again_opens_without_reading_the_rows(
    write: Write, store: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(data, rows())
    with adopt(store, source) as ds:
        ds.relabel("k001", "cat")
        expected = ds.commit("one").id
    monkeypatch.setattr("burnish.store.pins.file_hash", None)
    with adopt(store, source) as ds:
        assert ds.log()[0].id == expected


def test_create_with_other_files_is_refused(store: Path, data: Path) -> None:
    file = one_parquet_file(data, rows())
    adopt(store, file).close()
    with pytest.raises(InputError, match="not made from these files"):
        adopt(store, arrow_file(data, rows()))
    with pytest.raises(InputError, match="other roles"):
        bn.create(store, file, key="id")
    adopt(store, rows()).close()  # the same rows, whatever they are passed as
    with pytest.raises(InputError, match="other values in x"):
        adopt(store, rows().set_column(2, "x", pa.array(np.zeros(N))))
    copied = store.with_name("copied.burnish")
    adopt(copied, rows()).close()
    with pytest.raises(InputError, match="not made from these files"):
        adopt(copied, file)


def test_the_folders_of_a_partitioned_table_are_a_column(store: Path, data: Path) -> None:
    table = rows().select(["id", "x", "label"]).append_column("n", pa.array(np.arange(N) % 2))
    pq.write_to_dataset(table, data / "hive", partition_cols=["n", "label"])
    with adopt(store, data / "hive") as ds, adopt(None, pq.read_table(data / "hive")) as copied:
        assert ds.columns == copied.columns
        assert ds.fingerprint == copied.fingerprint


def test_files_of_other_widths_and_fewer_columns_are_one_table(store: Path, data: Path) -> None:
    few = pa.table({"id": pa.array([1, 2], pa.int32()), "z": pa.nulls(2)})
    more = pa.table({"z": ["a"], "id": pa.array([3], pa.int64()), "n.n": [0.5]})
    pq.write_table(few, data / "1.parquet")
    pq.write_table(more, data / "2.parquet")
    with bn.create(store, data, key="id") as ds:
        assert ds.to_arrow().to_pydict() == {
            "id": [1, 2, 3],
            "z": [None, None, "a"],
            "n.n": [None, None, 0.5],
        }


def test_keys_in_files_must_be_there_and_unique(store: Path, data: Path) -> None:
    file = one_parquet_file(data, rows())
    with pytest.raises(KeysError, match="rows have no key in column 'label'"):
        adopt(store, file, key="label")
    with pytest.raises(KeysError, match="holds list"):
        adopt(store, file, key="ragged")
    with pytest.raises(ColumnError, match="key='idd' is no column"):
        adopt(store, file, key="idd")
    pq.write_table(pa.concat_tables([rows(), rows()]), file)
    with pytest.raises(KeysError, match="90 keys occur more than once"):
        adopt(store, file)
    assert not store.exists()


def test_a_lance_base_without_its_library_is_said(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lance", None)
    with pytest.raises(StoreError, match="'pylance' is not installed"):
        open_source("lance", 1, Pins(data, []), pa.schema([]))


def test_what_cannot_be_referred_to_is_said(store: Path, data: Path) -> None:
    def says(source: Any, match: str) -> None:
        with pytest.raises(InputError, match=match):
            bn.create(store, source, key="id")

    says(data / "none.parquet", "there is no file or folder")
    says(str(data), "holds no Parquet file")
    (data / "t.csv").write_text("id\n1\n")
    says(data / "t.csv", "ends in '.csv', expected one of")
    (data / "t.parquet").write_text("id\n1\n")
    says(data / "t.parquet", "cannot be read")
    (data / "t.arrow").touch()
    says(data / "t.arrow", "cannot be read")
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), data / "t.parquet")
    says(data / "t.parquet", "no rows")
    pq.write_table(pa.table({"id": ["text"]}), data / "u.parquet")
    pq.write_table(pa.table({"id": [[1]]}), data / "t.parquet")
    says(data, "cannot be read as one table")
    for name, hint in (("_delta_log", "DeltaTable"), ("_versions", "lance.dataset")):
        (data / name / "x").mkdir(parents=True)
        with pytest.raises(InputError, match=hint):
            bn.create(store, data)
        shutil.rmtree(data / name)


def test_a_delta_table_is_pinned_at_its_version(
    store: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deltalake = pytest.importorskip("deltalake")
    table = rows().select(["id", "x", "v"]).append_column("label", pa.array(["a b/ä", "c"] * 45))
    deltalake.write_deltalake(data / "d", table, partition_by=["label"])
    with adopt(store, deltalake.DeltaTable(data / "d")) as ds, adopt(None, table) as copied:
        assert ds.fingerprint == copied.fingerprint
    deltalake.write_deltalake(data / "d", table.slice(0, 5), mode="append")
    with bn.open(store) as ds:
        assert len(ds) == N
        assert ds.verify() == []
    with pytest.raises(InputError, match="not made from these files"):
        adopt(store, deltalake.DeltaTable(data / "d"))
    adopt(store, deltalake.DeltaTable(data / "d", version=0)).close()
    dropped = pa.table({"filepath": ["x"]})
    monkeypatch.setattr(deltalake.DeltaTable, "deletion_vectors", lambda _: dropped)
    with pytest.raises(InputError, match="has deletion vectors"):
        adopt(store, deltalake.DeltaTable(data / "d"))


def test_a_lance_table_is_pinned_at_its_version(store: Path, data: Path) -> None:
    lance = pytest.importorskip("lance")
    table = rows().select(["id", "x", "v", "about"])
    table = table.append_column("label", rows()["label"].cast(pa.string()))
    pinned = lance.write_dataset(table, data / "l.lance", max_rows_per_file=40)
    pinned.delete("id = 'k003'")
    pinned = lance.dataset(data / "l.lance")
    with adopt(store, pinned) as ds, adopt(None, pinned.to_table()) as copied:
        assert ds.fingerprint == copied.fingerprint
        wanted = np.array([80, 0, 45, 45], np.int64)
        base = ds._history.base
        assert base._source.take("v", wanted).equals(base.column("v").take(pa.array(wanted)))
    file = next((data / "l.lance" / "data").glob("*"))
    lance.write_dataset(table.slice(0, 5), data / "l.lance", mode="append")
    with bn.open(store) as ds:
        assert len(ds) == N - 1
        assert ds.verify() == []
    adopt(store, lance.dataset(data / "l.lance", version=pinned.version)).close()
    with pytest.raises(InputError, match="not made from these files"):
        adopt(store, lance.dataset(data / "l.lance"))
    flip(file)
    with pytest.raises(CorruptError, match="was changed"):
        bn.open(store)


def test_a_hugging_face_dataset_stays_in_its_files(
    store: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(data / "home"))
    datasets = pytest.importorskip("datasets")
    in_memory = datasets.Dataset(
        rows().select(["id", "x", "v"]).append_column("label", pa.array([1] * N))
    )
    in_memory.save_to_disk(data / "h", num_shards=3)
    mapped = datasets.load_from_disk(data / "h")
    with adopt(store, mapped) as ds, adopt(None, mapped.with_format("arrow")[:]) as copied:
        assert isinstance(ds._history.base, AdoptedBase)
        assert ds.fingerprint == copied.fingerprint
        expected = ds.fingerprint
    adopt(store, mapped).close()
    with pytest.raises(InputError, match="other columns: id, x, v, label"):
        adopt(store, mapped.remove_columns("x"))
    other = {"in memory": in_memory, "in another order": mapped.select(range(N)[::-1])}
    for name, source in other.items():
        with adopt(store.with_name(name), source) as ds:
            assert not isinstance(ds._history.base, AdoptedBase)
            assert ds.fingerprint == expected
    with adopt(store.with_name("few"), mapped.remove_columns("x")) as ds:
        assert isinstance(ds._history.base, AdoptedBase)
        assert ds.columns == ["id", "v", "label"]
    with adopt(store.with_name("renamed"), mapped.rename_column("x", "y")) as ds:
        assert ds.columns == ["id", "y", "v", "label"]
    with pytest.raises(InputError, match="is not one table"):
        adopt(store, datasets.DatasetDict({"train": mapped}))
