"""Copies of a dataset that edit, fetch, pack and merge hold the same versions, and say the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import burnish as bn
from burnish.dataset import Dataset
from burnish.errors import ConflictError, DivergedWarning
from strategies import arrays, tables, texts

COPIES = ("ann", "bob", "eve")
KEYS = ("a", "b", "c", "x", "y", "z")
copies = st.sampled_from(COPIES)
pairs = st.lists(copies, min_size=2, max_size=2, unique=True)
keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)
numbers = st.integers(0, 3)


def facts_of(ds: Dataset) -> dict[str, tuple[str, str, str, tuple[str, ...], str]]:
    """Return what each version says that the copy's own branches lead to."""
    history = ds._history
    history.refresh()
    return {
        v.id: (v.fingerprint, v.message, v.author, v.parents, v.time.isoformat())
        for v in map(history.version, history.graph.ancestors(*history.backend.refs().values()))
    }


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


class CopiesMachine(RuleBasedStateMachine):
    """Three copies of one dataset; each step is checked on the copies that it was about."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="burnish-test-"))
        frame = {"id": ["a", "b", "c"], "n": [0, 0, 0], "m": [0, 0, 0]}
        bn.create(self.folder / "ann", frame, key="id").close()
        for name in COPIES[1:]:
            shutil.copytree(self.folder / "ann", self.folder / name)
        self.ds = {name: bn.open(self.folder / name, user=name) for name in COPIES}
        self.touched: set[str] = set()
        self.count = 0

    def teardown(self) -> None:
        for ds in self.ds.values():
            ds.close()
        shutil.rmtree(self.folder)

    def commit(self, name: str, what: str) -> None:
        self.ds[name].commit(what)
        self.touched.add(name)

    @rule(name=copies, rows=keys, value=numbers, column=st.sampled_from(["n", "m"]))
    def edit(self, name: str, rows: list[str], value: int, column: str) -> None:
        ds = self.ds[name]
        there = [key for key in rows if key in set(ds.keys)]
        column = column if column in ds.columns else ds.columns[2]
        if there:
            ds.set(there, column, value, reason=f"by {name}")
            ds.decide(there, "kept")
            ds.mark(there[0], "hard")
        self.commit(name, "edit")

    @rule(name=copies, rows=keys, value=numbers)
    def add(self, name: str, rows: list[str], value: int) -> None:
        ds = self.ds[name]
        new = [key for key in rows if key not in set(ds.keys) and key in "xyz"]
        new = [key for key in new if key not in self.dropped(ds)]
        if new:
            ds.add({"id": new, ds.columns[1]: [value] * len(new)})
        self.commit(name, "add")

    @rule(name=copies, row=st.sampled_from(KEYS))
    def drop(self, name: str, row: str) -> None:
        if row in set(self.ds[name].keys) and len(self.ds[name]) > 1:
            self.ds[name].drop(row)
        self.commit(name, "drop")

    @rule(name=copies)
    def add_column(self, name: str) -> None:
        ds = self.ds[name]
        if len(ds.columns) < 5:
            self.count += 1
            values = {key: float(i) for i, key in enumerate(ds.keys[::-1])}
            ds.add_column(f"c{self.count}", values)
        self.commit(name, "column")

    @rule(name=copies)
    def rename(self, name: str) -> None:
        self.count += 1
        self.ds[name].rename_column(self.ds[name].columns[-1], f"c{self.count}")
        self.commit(name, "rename")

    @rule(pair=pairs)
    def fetch(self, pair: list[str]) -> None:
        here, there = (self.ds[name] for name in pair)
        here.fetch(there)
        assert here.fetch(there).versions == ()
        for commit, (fingerprint, *_) in facts_of(there).items():
            assert here.at(commit).fingerprint == fingerprint
        self.touched.add(pair[0])

    @rule(pair=pairs)
    def merge_both_ways(self, pair: list[str]) -> None:
        one, two = (self.ds[name] for name in pair)
        one.fetch(two)
        two.fetch(one)
        self.touched |= set(pair)
        try:
            merged = [a.merge(f"{b.path.name}/main") for a, b in ((one, two), (two, one))]
        except ConflictError:  # both gave columns one name
            return
        assert len(merged[0].conflicts) == len(merged[1].conflicts)
        if merged[0].version and merged[1].version:
            assert one.fingerprint == two.fingerprint

    @rule(pair=pairs)
    def take_theirs(self, pair: list[str]) -> None:
        one, two = (self.ds[name] for name in pair)
        one.fetch(two)
        self.touched.add(pair[0])
        try:
            one.merge(f"{two.path.name}/main", resolve="theirs")
        except ConflictError:
            return

    @rule(name=copies)
    def pack_and_unpack(self, name: str) -> None:
        ds, folder = self.ds[name], self.folder / "packed"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.folder / "new", ignore_errors=True)
        shutil.rmtree(self.folder / "again", ignore_errors=True)
        ds.pack(folder)
        with bn.unpack(folder, self.folder / "new") as new:
            assert facts_of(new) == facts_of(ds)
            assert (new.fingerprint, new.verify()) == (ds.fingerprint, [])
            new.pack(self.folder / "again")
        assert files(self.folder / "again") == files(folder)

    @rule(pair=pairs)
    def share_through_a_folder(self, pair: list[str]) -> None:
        folder = self.folder / "shared"
        shutil.rmtree(folder, ignore_errors=True)
        self.ds[pair[0]].pack(folder)
        here = self.ds[pair[1]]
        before = here.head
        try:
            bn.unpack(folder, here.path, user=pair[1]).close()
            assert here.head == before or here.head == here.branches["shared/main"]
        except DivergedWarning:  # warnings are errors here
            assert here.head == before
        self.touched.add(pair[1])

    @invariant()
    def nothing_is_damaged(self) -> None:
        for name in self.touched:
            assert self.ds[name].verify() == []
        self.touched.clear()

    def dropped(self, ds: Dataset) -> set[str]:
        now = ds._copy.now().state
        from burnish.dataset.reading import keys_at

        return set(keys_at(now, now.there)) - set(ds.keys)


@given(data=st.data())
@settings(max_examples=25)
def test_values_of_any_type_cross_as_they_are(data: st.DataObject) -> None:
    table = data.draw(tables())
    there = set(table["id"].to_pylist())
    fresh = data.draw(st.lists(texts, min_size=1, max_size=5, unique=True))
    fresh = [key for key in fresh if key not in there]
    folder = Path(tempfile.mkdtemp(prefix="burnish-test-"))
    try:
        with bn.create(folder / "ann", table, key="id") as ann:
            shutil.copytree(ann.path, folder / "bob")
            with bn.open(folder / "bob") as bob:
                for ds, keys in ((bob, fresh[::-1][:2]), (ann, fresh)):
                    if keys:
                        ds.add(drawn_rows(data, table, keys))
                    ds.add_column("new", data.draw(arrays(size=len(ds))))
                    ds.commit("rows and a column")
                column = data.draw(st.sampled_from(table.column_names[1:]))
                value = data.draw(st.sampled_from(ann.to_arrow()[column].to_pylist()))
                ann.set(list(ann.keys), column, dict.fromkeys(ann.keys, value))
                ann.commit("cells")
                bob.fetch(ann)
                assert bob.at("ann/main").fingerprint == ann.fingerprint
                assert bob.verify() == []
            ann.pack(folder / "packed")
            with bn.unpack(folder / "packed", folder / "new") as new:
                assert (new.fingerprint, new.verify()) == (ann.fingerprint, [])
                new.pack(folder / "again")
        assert files(folder / "again") == files(folder / "packed")
    finally:
        shutil.rmtree(folder)


def drawn_rows(data: st.DataObject, table: pa.Table, keys: list[str]) -> pa.Table:
    places = st.lists(st.integers(0, len(table) - 1), min_size=len(keys), max_size=len(keys))
    return table.take(data.draw(places)).set_column(0, "id", pa.array(keys, pa.string()))


TestCopies = CopiesMachine.TestCase
TestCopies.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
