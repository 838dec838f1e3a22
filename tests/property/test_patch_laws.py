"""What a patch promises: exact values, the same text everywhere, there and back again."""

from __future__ import annotations

import io
import json
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import burnish as bn
import strategies as some
from burnish.core.patch import Header, Line, Patch, Stamp, read_patch
from burnish.core.spelling import read, read_type, spelled, spelled_type
from burnish.dataset import Dataset
from burnish.errors import BurnishError, NewClassWarning, PatchError

KEYS = ("a", "b", "ключ", 'with "quote"')
MORE = ("e", "f", "\u202eg")
UNSEEN = {chr(n) for n in (*range(32), *range(0x7F, 0xA0), *range(0x2028, 0x202F), 0x200B, 0xFEFF)}
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), some.texts), st.lists, max_leaves=5
)


@given(some.arrays())
def test_a_value_of_any_type_reads_back_as_itself(array: pa.Array) -> None:
    text = json.dumps([spelled_type(array.type), spelled(array)], allow_nan=False)
    kind, values = json.loads(text)
    back = read(values, read_type(kind))
    assert back.type == array.type
    assert some.meaning(back.to_pylist()) == some.meaning(array.to_pylist())


@given(some.arrays(), st.data())
def test_a_spelling_does_not_depend_on_the_values_around_it(
    array: pa.Array, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(array) - 1))
    assert spelled(array.slice(place, 1)) == [spelled(array)[place]]


@given(json_values, some.kinds)
def test_any_json_is_read_or_refused(value: Any, kind: pa.DataType) -> None:
    with suppress(ValueError):
        array = read([value], kind)
        assert array.type == kind
        assert len(array) == 1


names = some.texts.filter(lambda text: text != "$row")
signs = st.tuples(*[st.none() | some.texts] * 2).map(lambda parts: Stamp(*parts))


def a_line(kind: str, what: Any, **parts: Any) -> st.SearchStrategy[Line]:
    return st.builds(lambda **chosen: Line(kind, **chosen), what=what, **parts)


both = {"old": json_values, "new": json_values, "stamp": signs}
lines = st.lists(
    st.one_of(
        a_line("fact", names, **both),
        a_line("value", names, key=json_values, new=json_values),
        a_line("cell", names, key=json_values, **both),
        a_line("row", st.just("$row"), key=json_values, parent=json_values, **both),
    )
)


@given(lines)
def test_a_patch_reads_back_from_its_text(found: list[Line]) -> None:
    side = {"name": "v0", "id": "0", "fingerprint": "1"}
    patch = Patch(Header("2", side, side, ("id",), {"id": pa.string()}), tuple(found))
    texts = list(patch.texts())
    assert all(text.endswith("\n") and not UNSEEN & set(text[:-1]) for text in texts)
    back = read_patch(text.encode() for text in texts)
    assert [line.content() for line in back.lines] == [line.content() for line in found]
    assert back.header == patch.header
    for size in range(len(texts)):
        with pytest.raises(PatchError):
            read_patch(text.encode() for text in texts[:size])


@given(st.binary(max_size=80) | some.texts.map(str.encode))
def test_no_bytes_make_reading_fail_in_another_way(raw: bytes) -> None:
    header = b'{"burnish-patch": 1, "dataset": "", "from": {}, "to": {}, "key": [], "columns": {}}'
    for text in (raw, header + b"\n" + raw):
        with pytest.raises(PatchError):
            read_patch(io.BytesIO(text))


Step = Callable[[Dataset], object]
rows = st.lists(st.sampled_from(KEYS + MORE), min_size=1, max_size=3, unique=True)
scores = st.none() | some.numbers


@st.composite
def steps(draw: st.DrawFn, kind: pa.DataType) -> Step:
    """Return something to do to a dataset, which may not be possible."""
    keys, labels = draw(rows), st.sampled_from(some.LABELS)
    label, other = draw(labels), draw(labels)
    score, value, place = draw(scores), draw(some.values(kind)), draw(st.integers(0, 3))
    name = draw(st.sampled_from(["one", "two"]))
    numbers = dict.fromkeys(keys, value)
    new = [key for key in keys if key in MORE] or ["e"]
    frame = {"id": new, "label": [label] * len(new), "score": [score] * len(new)}
    found: list[Step] = [
        lambda ds: ds.relabel(keys, label, reason=other),
        lambda ds: ds.set(keys, "score", score),
        lambda ds: ds.set(keys, "value", numbers),
        lambda ds: ds.set(keys, "one", numbers),
        lambda ds: ds.drop(keys[:1]),
        lambda ds: ds.restore(keys),
        lambda ds: ds.mark(keys, name),
        lambda ds: ds.unmark(keys, name),
        lambda ds: ds.add(frame, parents=["a"] * len(new)),
        lambda ds: ds.add(frame),
        lambda ds: ds.add_column(name, numbers),
        lambda ds: ds.rename_column(name, "three"),
        lambda ds: ds.drop_column(draw_column(place)),
        lambda ds: ds.cast_column("n", "int64"),
        lambda ds: ds.rename_label(label, other),
        lambda ds: ds.merge_labels([label, other], other),
        lambda ds: ds.set_roles(features=["score", "n"], weight="score"),
        lambda ds: ds.undo(),
        lambda ds: ds.revert(f"v{place}"),
    ]
    return draw(st.sampled_from(found))


def draw_column(place: int) -> str:
    return ("one", "two", "value", "n")[place]


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Any], list[list[Step]]]:
    """Return a frame and what each version does to it."""
    column = draw(some.arrays(size=len(KEYS)))
    frame = {
        "id": list(KEYS),
        "label": ["cat", "dog", None, "cat"],
        "score": [0.5, None, 1e300, 0.1],
        "n": pa.array([1, 2, 3, None], pa.int8()),
        "value": column,
    }
    group = st.lists(steps(column.type), min_size=1, max_size=4)
    return frame, draw(st.lists(group, min_size=1, max_size=4))


@contextmanager
def played(history: tuple[dict[str, Any], list[list[Step]]]) -> Iterator[tuple[Dataset, Path]]:
    """Give a dataset after a history, and a folder for files."""
    frame, groups = history
    folder = Path(tempfile.mkdtemp(prefix="burnish-test-"))
    try:
        with bn.create(folder / "x.burnish", frame, key="id", label="label") as ds:
            for group in groups:
                for step in group:
                    with suppress(BurnishError), warnings.catch_warnings():
                        warnings.simplefilter("ignore", NewClassWarning)
                        step(ds)
                ds.commit("step")
            yield ds, folder
    finally:
        shutil.rmtree(folder)


def text_of(ds: Dataset, old: str, new: str) -> str:
    out = io.StringIO()
    ds.export_patch(old, new, out)
    return out.getvalue()


def apply(ds: Dataset, text: str) -> tuple[int, int]:
    found = ds.apply_patch(io.BytesIO(text.encode()))
    return found.staged, found.already


def pick(ds: Dataset, data: st.DataObject) -> tuple[str, str]:
    known = st.sampled_from([version.name for version in ds.log()])
    return data.draw(known), data.draw(known)


@settings(max_examples=60)
@given(histories(), st.data())
def test_a_patch_on_the_old_version_gives_the_new_one(history: Any, data: st.DataObject) -> None:
    with played(history) as (ds, _):
        old, new = pick(ds, data)
        text = text_of(ds, old, new)
        ds.branch("there", at=old)
        ds.switch("there")
        lines = len(text.splitlines()) - 2
        assert lines - text.count('"value": ') <= sum(apply(ds, text)) <= lines
        assert ds.fingerprint == ds.at(new).fingerprint
        assert ds.roles == ds.at(new).roles
        assert apply(ds, text)[0] == 0
        if ds.staged:
            ds.undo()
        assert ds.fingerprint == ds.at(old).fingerprint


@settings(max_examples=40)
@given(histories(), st.data())
def test_the_patch_the_other_way_round_takes_it_back(history: Any, data: st.DataObject) -> None:
    with played(history) as (ds, _):
        old, new = pick(ds, data)
        ds.branch("there", at=old)
        ds.switch("there")
        apply(ds, text_of(ds, old, new))
        apply(ds, text_of(ds, new, old))
        assert ds.fingerprint == ds.at(old).fingerprint
        assert ds.roles == ds.at(old).roles


@settings(max_examples=25)
@given(histories(), st.data())
def test_on_the_new_version_all_of_it_is_there_already(history: Any, data: st.DataObject) -> None:
    with played(history) as (ds, _):
        old, new = pick(ds, data)
        ds.branch("there", at=new)
        ds.switch("there")
        assert apply(ds, text_of(ds, old, new))[0] == 0
        assert not ds.staged


@settings(max_examples=25)
@given(histories(), st.data())
def test_the_order_of_the_lines_does_not_matter(history: Any, data: st.DataObject) -> None:
    with played(history) as (ds, _):
        old, new = pick(ds, data)
        head, *rest, end = text_of(ds, old, new).splitlines(keepends=True)
        data.draw(st.randoms(use_true_random=False)).shuffle(rest)
        ds.branch("there", at=old)
        ds.switch("there")
        apply(ds, head + "".join(rest) + end)
        assert ds.fingerprint == ds.at(new).fingerprint


@settings(max_examples=25)
@given(histories(), st.data())
def test_a_copy_writes_the_same_bytes_and_takes_them(history: Any, data: st.DataObject) -> None:
    with played(history) as (ds, folder):
        old, new = pick(ds, data)
        text = text_of(ds, old, new)
        ds.commit("all")
        ds.close()
        shutil.copytree(ds.path, folder / "copy.burnish")
        with bn.open(folder / "copy.burnish", user="bob") as copy:
            assert text_of(copy, old, new) == text


@settings(max_examples=25)
@given(histories(), st.randoms(use_true_random=False))
def test_the_changes_do_not_depend_on_the_order_of_the_rows(
    history: Any, chance: random.Random
) -> None:
    frame, groups = history
    order = list(range(len(KEYS)))
    chance.shuffle(order)
    table = pa.table({name: pa.array(values) for name, values in frame.items()})
    with played(history) as (ds, _), played((table.take(order), groups)) as (other, _):
        last = ds.log()[0].name
        assert changes_in(text_of(ds, "v0", last)) == changes_in(text_of(other, "v0", last))


def changes_in(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()[1:-1]]
    return [{name: v for name, v in change.items() if name != "time"} for change in found]
