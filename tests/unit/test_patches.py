"""What `export_patch` and `apply_patch` promise, each as a claim."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import burnish as bn
from burnish.core.patch import LONGEST_LINE
from burnish.dataset import Dataset
from burnish.errors import BurnishError, ConflictError, InputError, NewClassWarning, PatchError

FRAME = {
    "id": ["a", "b", "c", "d"],
    "label": ["cat", "dog", "cat", "dog"],
    "score": [0.1, None, float("inf"), -0.0],
}
Lines = list[dict[str, Any]]

END = {"end": True}


@pytest.fixture
def ds(tmp_path: Path) -> Iterator[Dataset]:
    with bn.create(tmp_path / "x.burnish", FRAME, key="id", label="label") as dataset:
        dataset.relabel("b", "cat", reason="looked again")
        dataset.set("c", "score", 0.25)
        dataset.drop("d")
        dataset.commit("by hand", author="ann")
        dataset.add({"id": ["e"], "label": ["dog"]}, parents={"e": "a"})
        dataset.add_column("emb", {"a": [1.0, 2.0], "e": [3.0, 4.5]}, role="embedding")
        dataset.commit("a row and a column")
        yield dataset


def text(ds: Dataset, old: str = "v0", new: str = "v2") -> str:
    out = io.StringIO()
    ds.export_patch(old, new, out)
    return out.getvalue()


def parsed(ds: Dataset, old: str = "v0", new: str = "v2") -> Lines:
    """Return the header and the changes."""
    *lines, end = [json.loads(line) for line in text(ds, old, new).splitlines()]
    assert end == END
    return lines


def taken(ds: Dataset, lines: Lines) -> Any:
    return ds.apply_patch(written([*lines, END]))


def written(lines: Lines) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode())


def on(ds: Dataset, version: str) -> Dataset:
    ds.branch("there", at=version)
    ds.switch("there")
    return ds


def test_a_patch_names_rows_by_key_and_says_who_and_why(ds: Dataset) -> None:
    head, *lines = parsed(ds)
    assert head["from"]["name"] == "v0"
    assert head["to"]["fingerprint"] == ds.fingerprint
    assert head["columns"]["emb"] == {"list": "double", "size": 2}
    cell = next(line for line in lines if line.get("column") == "label")
    assert cell.pop("time").endswith("Z")
    assert cell == {
        "key": "b",
        "column": "label",
        "old": "dog",
        "new": "cat",
        "author": ds.user,
        "reason": "looked again",
        "finding": None,
    }


def test_changes_come_as_facts_then_by_column_and_key(ds: Dataset) -> None:
    places = [line.get("fact") or f"{line['column']} {line['key']}" for line in parsed(ds)[1:]]
    assert places == [
        "column:emb",
        "role:embedding",
        "$dropped d",
        "$row e",
        "emb a",
        "emb e",
        "label b",
        "score c",
    ]


def test_an_added_row_is_one_line_with_all_its_values_and_its_parent(ds: Dataset) -> None:
    row = next(line for line in parsed(ds) if line.get("column") == "$row")
    assert (row["key"], row["old"], row["parent"]) == ("e", None, "a")
    assert row["new"] == {"label": "dog", "score": None, "emb": [3.0, 4.5]}


def test_integer_keys_stand_in_the_order_of_numbers(tmp_path: Path) -> None:
    frame = {"id": [10, 9, 100], "label": ["x", "y", "z"]}
    with bn.create(tmp_path / "n.burnish", frame, key="id", label="label") as ds:
        ds.relabel([10, 9, 100], "z")
        ds.commit("all")
        assert [line["key"] for line in parsed(ds, "v0", "v1")[1:]] == [9, 10]


def test_keys_of_several_columns_are_lists(tmp_path: Path) -> None:
    frame = {"a": ["x", "x"], "b": [1, 2], "label": ["p", "q"]}
    with bn.create(tmp_path / "n.burnish", frame, key=["a", "b"], label="label") as ds:
        ds.relabel([("x", 2)], "p")
        ds.add({"a": ["x"], "b": [3], "label": ["p"]}, parents=[("x", 1)])
        ds.commit("one")
        row, cell = parsed(ds, "v0", "v1")[1:]
        assert (row["key"], row["parent"], cell["key"]) == (["x", 3], ["x", 1], ["x", 2])
        patch = text(ds, "v0", "v1")
        on(ds, "v0").apply_patch(io.BytesIO(patch.encode()))
        assert ds.fingerprint == ds.at("v1").fingerprint
        assert ds.parents == {("x", 3): ("x", 1)}


def test_applying_stages_one_step_that_undo_takes_back(ds: Dataset) -> None:
    patch = parsed(ds)
    before = on(ds, "v0").fingerprint
    assert repr(taken(ds, patch)) == "Applied(6 changes staged)"
    assert ds.fingerprint == ds.at("v2").fingerprint
    assert ds.parents == {"e": "a"}
    assert ds.undo_text == "apply patch: 6 changes"
    ds.undo()
    assert ds.fingerprint == before
    assert not ds.staged


def test_who_why_and_when_of_the_patch_are_kept(ds: Dataset) -> None:
    patch = parsed(ds)
    for line in patch[1:]:
        if "value" not in line:
            line |= {"author": "zoe", "finding": "f1", "time": "2026-01-02 03:04:05Z"}
    taken(on(ds, "v0"), patch)
    frame = ds.staged.frame()
    assert set(frame["author"]) == {"zoe"}
    assert set(frame["finding"]) == {"f1"}
    assert "looked again" in set(frame["reason"])


def test_applying_twice_does_nothing_and_says_so(ds: Dataset) -> None:
    patch = parsed(ds)
    assert repr(taken(ds, patch)) == "Applied(nothing to do: 6 changes were there already)"
    assert not ds.staged


def test_a_part_that_is_there_already_is_counted(ds: Dataset) -> None:
    patch = parsed(ds, "v0", "v1")
    on(ds, "v0").relabel("b", "cat")
    assert repr(taken(ds, patch)) == "Applied(2 changes staged, 1 change was there already)"


def test_conflicts_are_listed_by_key_and_nothing_is_staged(ds: Dataset) -> None:
    patch = parsed(ds)
    with pytest.warns(NewClassWarning):
        on(ds, "v0").relabel("b", "fish", reason="mine")
    ds.add({"id": ["e"], "label": ["cat"]})
    staged = len(ds.staged)
    with pytest.raises(ConflictError, match="2 cells are not as patch expects") as error:
        taken(ds, patch)
    frame = error.value.conflicts.frame().set_index("key")
    assert frame.loc["b", ["base", "ours", "theirs"]].tolist() == ["dog", "fish", "cat"]
    assert frame.loc["b", "ours_reason"] == "mine"
    assert json.loads(frame.loc["e", "ours"])["label"] == "cat"
    assert len(ds.staged) == staged


def test_a_row_that_was_dropped_here_is_not_added_again_in_silence(ds: Dataset) -> None:
    patch = parsed(ds)
    ds.drop("e")
    with pytest.raises(ConflictError) as error:
        taken(ds, patch)
    assert [conflict.key for conflict in error.value.conflicts] == ["e"]


def test_a_line_can_be_left_out_and_a_value_changed_in_review(ds: Dataset) -> None:
    patch = [line for line in parsed(ds) if line.get("column") not in ("$dropped", "score")]
    for line in patch:
        if line.get("column") == "label":
            line["new"] = "bird"
        if line.get("column") == "emb" and line["key"] == "a":
            line["value"] = [7.0, 8.0]
    assert taken(on(ds, "v0"), patch).staged == 4
    frame = ds.to_pandas().set_index("id")
    assert frame.loc["b", "label"] == "bird"
    assert list(frame.loc["a", "emb"]) == [7.0, 8.0]
    assert ds.verify() == []


def test_other_data_with_the_same_keys_and_columns_takes_a_patch(
    ds: Dataset, tmp_path: Path
) -> None:
    patch = parsed(ds)
    frame = {**FRAME, "score": [5.0, 6.0, float("inf"), 7.0], "more": [1, 2, 3, 4]}
    with bn.create(tmp_path / "other.burnish", frame, key="id", label="label") as other:
        assert taken(other, patch).staged == 6
        assert other.to_pandas()["label"].tolist() == ["cat", "cat", "cat", "dog"]


def test_a_row_of_another_base_is_dropped_where_a_patch_takes_it_out(
    ds: Dataset, tmp_path: Path
) -> None:
    ds.add({"id": ["f"], "label": ["cat"], "score": [1.0]})
    ds.commit("one more")
    patch, back = parsed(ds, "v3", "v2"), parsed(ds, "v2", "v3")
    with bn.create(tmp_path / "o.burnish", ds.to_arrow(), key="id", label="label") as other:
        assert taken(other, patch).staged == 1
        assert list(other.keys) == ["a", "b", "c", "e"]
        assert taken(other, patch).staged == 0
        with pytest.raises(ConflictError):
            taken(other, back)


def test_text_that_would_turn_a_review_round_is_shown_as_escapes(ds: Dataset) -> None:
    reason = "\u202egood\u2066 \x1b[31m\u2028"
    ds.relabel("a", "dog", reason=reason)
    ds.commit("odd")
    shown = text(ds, "v2", "v3")
    assert "\u202e" not in shown
    assert len(shown.splitlines()) == 3
    taken(on(ds, "v2"), parsed(ds, "v2", "v3"))
    assert ds.staged.frame()["reason"].tolist() == [reason]


def test_a_row_that_was_added_again_with_other_values_is_cells(ds: Dataset) -> None:
    ds.revert("v2")
    ds.add({"id": ["e"], "label": ["cat"], "score": [2.0]})
    ds.commit("again")
    back = parsed(ds, "v4", "v2")
    lines = parsed(ds, "v2", "v4")
    cells = {line["column"]: line["new"] for line in lines[1:] if line.get("key") == "e"}
    assert cells == {"label": "cat", "score": 2.0}
    taken(on(ds, "v2"), lines)
    assert ds.fingerprint == ds.at("v4").fingerprint
    taken(ds, back)
    assert ds.fingerprint == ds.at("v2").fingerprint


def test_a_file_is_written_whole_and_read_back(ds: Dataset, tmp_path: Path) -> None:
    done = ds.export_patch("v0", "v1", tmp_path / "fix.jsonl")
    assert repr(done) == "fix.jsonl: 3 changes from v0 to v1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fix.jsonl", "x.burnish"]
    assert on(ds, "v0").apply_patch(tmp_path / "fix.jsonl").staged == 3
    assert ds.undo_text == "apply fix.jsonl: 3 changes"


def test_a_patch_moves_between_copies(ds: Dataset, tmp_path: Path) -> None:
    shutil.copytree(ds.path, tmp_path / "copy.burnish")
    ds.set(["a", "e"], "score", {"a": 1.5, "e": 2.5})
    ds.commit("only here")
    patch = parsed(ds, "v2", "v3")
    with bn.open(tmp_path / "copy.burnish", user="bob") as copy:
        assert taken(copy, patch).staged == 2
        assert copy.fingerprint == ds.fingerprint


def cell(**change: Any) -> Callable[[Lines], Lines]:
    def edit(lines: Lines) -> Lines:
        at = next(i for i, line in enumerate(lines) if line.get("column") == "label")
        new = {k: v for k, v in {**lines[at], **change}.items() if v is not ...}
        return [*lines[:at], new, *lines[at + 1 :]]

    return edit


def header(**change: Any) -> Callable[[Lines], Lines]:
    return lambda lines: [{**lines[0], **change}, *lines[1:]]


def typed(**kinds: str) -> Callable[[Lines], Lines]:
    return lambda lines: header(columns={**lines[0]["columns"], **kinds})(lines)


def fact(name: str, new: Any) -> Callable[[Lines], Lines]:
    return lambda lines: [*lines, {"fact": name, "old": None, "new": new}]


BROKEN: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "no header": (lambda lines: lines[1:], "line 1 of the patch is no header"),
    "a newer format": (header(**{"burnish-patch": 3}), "format 3, this burnish reads 1 to 2"),
    "half a header": (header(key="id"), "is no whole header"),
    "no type": (header(columns={"label": "text"}), r'the type "text", which is none'),
    "another key": (header(key=["uid"]), "names rows by uid, the dataset by id"),
    "another type": (typed(label="int64"), "'label' as int64, here it is string"),
    "an unknown key": (cell(key="zz"), r'line 8 of the patch is about "zz", a key that no row'),
    "a key of another type": (cell(key=5), r"line 8 .* the value 5 for 'id'"),
    "an unknown column": (cell(column="labels"), r'names the column "labels", not one of id'),
    "the key column": (cell(column="id"), "part of the key"),
    "a system column": (cell(column="$parent:id"), r"names the column"),
    "a value of another type": (cell(new=3), r"line 8 .* value 3 for 'label' of type string"),
    "a missing value": (cell(new=...), "has no new"),
    "an unknown word": (cell(nwe="cat"), r'has "nwe", which is unknown'),
    "an author that is no text": (cell(author=3), "has the author 3, expected text"),
    "a time that is none": (cell(time="soon"), r'has the time "soon"'),
    "a mark that is no flag": (cell(column="$mark:x", old=False, new="yes"), "true or false"),
    "the same cell twice": (lambda lines: [*lines, lines[-1]], "as line 9 is"),
    "a fact that burnish does not know": (fact("rule:x", 1), "which burnish cannot read"),
    "a column fact that is none": (fact("column:x", {"name": 1, "place": 1}), "cannot read"),
    "a column of a file elsewhere": (
        fact("column:x", {"name": "x", "place": 9, "source": "../../store"}),
        "cannot read",
    ),
    "a column without its values": (
        fact("column:x", {"name": "x", "place": 9, "source": "0" * 64}),
        "whose values are missing",
    ),
    "a class fact that is none": (fact('class:"cat"', {"into": "x"}), "cannot read"),
    "a role of no column": (fact("role:weight", "heavy"), "which is no column here"),
    "a second column of a name": (fact("column:x", {"name": "label", "place": 9}), "occurs twice"),
    "another name of the key": (
        lambda lines: [
            *lines,
            {
                "fact": "column:id",
                "old": {"name": "id", "place": 0},
                "new": {"name": "x", "place": 0},
            },
        ],
        "changes the key column 'id'",
    ),
    "values of a column that is not added": (
        lambda lines: [*lines, {"key": "a", "column": "label", "value": "x"}],
        "which the patch does not add",
    ),
    "a row that neither comes nor goes": (
        lambda lines: [*lines, {"key": "q", "column": "$row", "old": None, "new": None}],
        "neither adds nor takes out a row",
    ),
    "a row with a strange column": (
        lambda lines: [*lines, {"key": "q", "column": "$row", "old": None, "new": {"x": 1}}],
        'has a value for "x", which is no column here',
    ),
    "a row of an unknown parent": (
        lambda lines: [
            *lines,
            {"key": "q", "column": "$row", "old": None, "new": {}, "parent": "nobody"},
        ],
        'about "nobody", a key that no row here has',
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_used_is_refused_with_its_line(ds: Dataset, case: str) -> None:
    edit, words = BROKEN[case]
    patch = parsed(ds)
    on(ds, "v0")
    with pytest.raises(PatchError, match=words) as error:
        taken(ds, edit(patch))
    assert error.value.code == "patch"
    assert "Hint:" in str(error.value)
    assert not ds.staged


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "line 1 of the patch is no header"),
        (b"[1, 2]", "is [1, 2], expected an object"),
        (b'{"burnish-patch": 1, "burnish-patch": 1}', "twice"),
        (b'{"burnish-patch": NaN}', "NaN is no JSON number"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"<<<<<<< ours", "is no JSON"),
    ],
)
def test_what_is_no_patch_is_refused(ds: Dataset, raw: bytes, words: str) -> None:
    with pytest.raises(PatchError, match=re.escape(words)):
        ds.apply_patch(io.BytesIO(raw))


def test_a_cut_off_line_is_named(ds: Dataset) -> None:
    raw = text(ds).encode()[:-30]
    with pytest.raises(PatchError, match=f"line {len(raw.splitlines())} of the patch is no JSON"):
        on(ds, "v0").apply_patch(io.BytesIO(raw))
    assert not ds.staged


def test_a_patch_that_stops_at_the_end_of_any_line_is_refused(ds: Dataset) -> None:
    lines = text(ds).encode().splitlines(keepends=True)
    on(ds, "v0")
    for size in range(1, len(lines)):
        words = f"stops after line {size} and lacks the last one, .*\nHint: it was cut off"
        with pytest.raises(PatchError, match=words):
            ds.apply_patch(io.BytesIO(b"".join(lines[:size])))
        assert not ds.staged
    assert ds.apply_patch(io.BytesIO(b"".join(lines))).staged == 6


def test_nothing_stands_after_the_end(ds: Dataset) -> None:
    lines = parsed(ds)
    on(ds, "v0")
    for more in (lines[-1], lines[0], END):
        with pytest.raises(PatchError, match=f"line {len(lines) + 2} .* stands after the end"):
            ds.apply_patch(written([*lines, END, more]))
    assert not ds.staged


def test_a_patch_from_before_ends_were_marked_applies(ds: Dataset) -> None:
    head, *lines = parsed(ds)
    on(ds, "v0")
    assert ds.apply_patch(written([{**head, "burnish-patch": 1}, *lines])).staged == 6
    assert ds.fingerprint == ds.at("v2").fingerprint


def test_a_huge_line_is_refused_before_it_is_read(ds: Dataset) -> None:
    class Endless(io.RawIOBase):
        asked = 0

        def readline(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            self.asked += 1
            return b" " * 3 + b"x" * ((size or 0) - 3)

    file = Endless()
    with pytest.raises(PatchError, match=f"longer than {LONGEST_LINE:,} bytes"):
        ds.apply_patch(file)  # type: ignore[arg-type]
    assert file.asked == 1


def test_a_file_that_is_not_there_is_named(ds: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the patch .*nothing\.jsonl"):
        ds.apply_patch(tmp_path / "nothing.jsonl")
    with pytest.raises(InputError, match="there is no folder"):
        ds.export_patch("v0", "v1", tmp_path / "nowhere" / "fix.jsonl")


def test_an_unknown_version_is_refused(ds: Dataset, tmp_path: Path) -> None:
    with pytest.raises(BurnishError, match="there is no version 'v9'"):
        ds.export_patch("v0", "v9", tmp_path / "fix.jsonl")
