import pickle
from threading import Event

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from burnish.engine import local
from burnish.engine.splits import ParquetSplit, parquet_schema, parquet_splits
from burnish.errors import CancelledError, InputError


def joined(one, other):
    return one + other


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_parts_are_combined_in_the_order_of_the_splits(threads):
    assert local.run(lambda n: [n], joined, range(40), threads=threads) == list(range(40))


def test_no_splits_give_nothing():
    assert local.run(lambda n: n, joined, []) is None


def test_progress_counts_the_parts_that_are_done():
    seen = []
    local.run(lambda n: n, joined, range(5), threads=2, progress=seen.append)
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_stops_when_it_is_cancelled(threads):
    cancel, seen = Event(), []

    def partial(n):
        seen.append(n)
        if n == 3:
            cancel.set()
        return n

    with pytest.raises(CancelledError, match="stopped") as caught:
        local.run(partial, joined, range(1000), threads=threads, cancel=cancel)
    assert len(seen) < 20
    assert caught.value.code == "cancelled"


@pytest.mark.parametrize("threads", [1, 3])
def test_a_part_that_fails_fails_the_run(threads):
    with pytest.raises(ZeroDivisionError):
        local.run(lambda n: 1 // n, joined, [1, 0, 2], threads=threads)


def test_splits_are_taken_only_as_they_are_needed():
    taken = []

    def splits():
        for n in range(100):
            taken.append(n)
            yield n

    ahead = []
    local.run(lambda n: n, joined, splits(), threads=2, progress=lambda n: ahead.append(len(taken)))
    assert max(given - done for done, given in enumerate(ahead)) <= 5


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    table = pa.table({"a": range(25), "b": [float(n) for n in range(25)]})
    pq.write_table(table[:15], tmp_path / "deep" / "1.parquet", row_group_size=10)
    pq.write_table(table[15:], tmp_path / "2.parquet")
    pq.write_table(table[:0], tmp_path / "3.parquet")
    return tmp_path


def test_splits_cover_every_row_once_in_order_and_travel(folder):
    splits = pickle.loads(pickle.dumps(parquet_splits(folder)))
    assert [split.n_rows for split in splits] == [10, 10, 5]
    found = {}
    for split in splits:
        for part, batch in split.batches(3, ["a"]):
            assert batch.num_rows <= 3
            assert batch.schema.names == ["a"]
            found |= dict(zip(range(part.start, part.stop), batch.column(0).to_pylist()))
    assert sorted(found) == list(range(25))
    assert sorted(found.values()) == list(range(25))


def test_a_single_file_is_its_row_groups(folder):
    path = folder / "deep" / "1.parquet"
    assert parquet_splits(path) == [
        ParquetSplit(str(path), 0, 0, 10),
        ParquetSplit(str(path), 1, 10, 5),
    ]
    assert parquet_schema(path).names == ["a", "b"]


def test_what_is_no_parquet_is_refused(folder, tmp_path):
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        parquet_splits(tmp_path / "text.parquet")
    with pytest.raises(InputError, match="does not exist"):
        parquet_splits(tmp_path / "missing.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no"):
        parquet_splits(tmp_path / "empty")


def test_files_with_other_columns_are_refused(folder):
    pq.write_table(pa.table({"a": [1.5]}), folder / "4.parquet")
    with pytest.raises(InputError, match="'4.parquet' has columns \\['a'\\]"):
        parquet_splits(folder)
