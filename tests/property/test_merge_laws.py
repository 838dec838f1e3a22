from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies as some
from burnish.core.conflicts import OPEN, Conflict, Conflicts, resolve
from burnish.core.delta import (
    DECISIONS,
    DROPPED,
    EMPTY,
    FACTS,
    MARK,
    ROW,
    Delta,
    cells_schema,
    squash,
)
from burnish.core.merge import Merged, Unsure, three_way
from burnish.errors import ColumnError, InputError

# A state is a plain dict: (column, row) -> value, and (None, fact) -> text.
Place = tuple[Any, Any]
State = dict[Place, Any]
ROWS = 2
HARD = MARK + "hard"
FACT_NAMES = ("column:label", "column:value", "role:label")
FACT_TEXTS = (None, '{"type":"a"}', '{"type":"b"}', '"x"')
FIXED = {"label": pa.string(), DROPPED: pa.bool_(), ROW: pa.string(), HARD: pa.bool_()}
CHOICES = {
    "label": ("cat", "dog", None),
    DROPPED: (False, True),
    ROW: (None, "A", "B", "C"),
    HARD: (False, True),
}
moments = st.integers(1, 4).map(lambda day: dt.datetime(2026, 1, day, tzinfo=dt.UTC))
some_moments = st.lists(moments, min_size=3, max_size=3)
mean = some.meaning


@dataclass(frozen=True)
class World:
    """One base and two sides, with the time of each side's cells."""

    kinds: dict[str, pa.DataType]
    base: State
    ours: State
    theirs: State
    times: tuple[dict[Place, dt.datetime], dict[Place, dt.datetime]]
    unsure: frozenset[Place]

    def deltas(self) -> tuple[Delta, Delta]:
        ann = delta(self.kinds, self.base, self.ours, "ann", self.times[0])
        return ann, delta(self.kinds, self.base, self.theirs, "bob", self.times[1])

    def merged(self, unsure: frozenset[Place] = frozenset()) -> Merged:
        return three_way(*self.deltas(), unsure=as_unsure(unsure))


def as_unsure(places: frozenset[Place]) -> Unsure:
    cells: dict[str, list[int]] = {}
    for column, row in places:
        if column is not None:
            cells.setdefault(column, []).append(row)
    facts = frozenset(name for column, name in places if column is None)
    return Unsure({name: np.array(sorted(rows)) for name, rows in cells.items()}, facts)


def delta(
    kinds: dict[str, pa.DataType],
    base: State,
    side: State,
    author: str,
    times: dict[Place, dt.datetime],
) -> Delta:
    cells: dict[Any, list[dict[str, Any]]] = {}
    for place in sorted(side, key=lambda place: (str(place[0]), place[1])):
        column, row = place
        if mean(base[place]) != mean(side[place]):
            cell = {"old": base[place], "new": side[place], "author": author, "time": times[place]}
            cell["reason"] = f"{author} at {place}"
            cells.setdefault(column, []).append({"ordinal": row, "name": row, **cell})
    facts = pa.Table.from_pylist(cells.pop(None, []), FACTS)
    tables = {n: pa.Table.from_pylist(rows, cells_schema(kinds[n])) for n, rows in cells.items()}
    return Delta(tables, facts=facts)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    kind = draw(some.kinds)
    choices: dict[Any, tuple[Any, ...]] = {
        **CHOICES,
        "value": tuple(draw(st.lists(some.values(kind), min_size=1, max_size=3))),
    }
    places: list[tuple[Place, tuple[Any, ...]]] = [
        ((column, row), choices[column]) for column in choices for row in range(ROWS)
    ]
    places += [((None, name), FACT_TEXTS) for name in FACT_NAMES]
    base = {place: draw(st.sampled_from(values)) for place, values in places}
    sides: list[State] = []
    for _ in range(2):
        changes = {place: draw(st.sampled_from((OPEN, *values))) for place, values in places}
        sides.append({p: base[p] if v is OPEN else v for p, v in changes.items()})
    times = [dict(zip(base, cycle(draw(some_moments)))) for _ in range(2)]
    unsure = draw(st.frozensets(st.sampled_from(sorted(base, key=str))))
    unsure = frozenset(place for place in unsure if place[0] not in (DROPPED, HARD))
    return World({**FIXED, "value": kind}, base, sides[0], sides[1], (times[0], times[1]), unsure)


def changed(base: State, side: State) -> set[Place]:
    return {place for place in base if mean(base[place]) != mean(side[place])}


def differing(one: State, other: State) -> set[Place]:
    return changed(one, other)


def rows_of(table: pa.Table | None) -> list[dict[str, Any]]:
    return [] if table is None else table.to_pylist()


def cells_of(change: Delta) -> Iterator[tuple[Place, dict[str, Any]]]:
    for column, table in change.cells.items():
        yield from (((column, cell["ordinal"]), cell) for cell in rows_of(table))
    yield from (((None, fact["name"]), fact) for fact in rows_of(change.facts))


def in_conflict(conflicts: Conflicts) -> dict[Place, dict[str, Any]]:
    found = {
        (column, cell["ordinal"]): cell
        for column, table in conflicts.cells.items()
        for cell in rows_of(table)
    }
    return found | {(None, fact["name"]): fact for fact in rows_of(conflicts.facts)}


def applied(state: State, change: Delta) -> State:
    """Return the state after a change, which must start from it."""
    out = dict(state)
    for place, cell in cells_of(change):
        assert mean(cell["old"]) == mean(out[place])
        out[place] = cell["new"]
    return out


def same(one: State, other: State, but: set[Place] | frozenset[Place] = frozenset()) -> bool:
    return not differing(one, other) - set(but)


def values_in(found: dict[Place, dict[str, Any]], *sides: str) -> dict[Place, Any]:
    return {place: tuple(mean(cell[side]) for side in sides) for place, cell in found.items()}


def twice(merged: Merged) -> set[Place]:
    return {(ROW, int(row)) for row in merged.twice_added}


def model_conflicts(world: World, unsure: frozenset[Place]) -> set[Place]:
    """Return the conflicts, twice added rows among them, without looking at how they are found."""
    base, ours, theirs = world.base, world.ours, world.theirs
    mine, other = changed(base, ours), changed(base, theirs)
    found = {p for p in differing(ours, theirs) if p in mine & other or p in unsure}
    for drop, edit in ((ours, theirs), (theirs, ours)):
        own = changed(base, edit) & differing(edit, drop)
        for row in range(ROWS):
            edited = {("label", row), ("value", row)} & own
            edited |= {(ROW, row)} & own if edit[ROW, row] is not None else set()
            for column, gone in ((DROPPED, True), (ROW, None)):
                place = (column, row)
                dropped = drop[place] is gone and place in changed(base, drop)
                if dropped and edited and place not in changed(base, edit):
                    found.add(place)
        for column in ("label", "value"):
            fact = (None, f"column:{column}")
            dropped = drop[fact] is None and fact in changed(base, drop)
            if dropped and fact not in changed(base, edit) and any(p[0] == column for p in own):
                found.add(fact)
    return found


@given(worlds())
def test_a_merge_is_what_the_plain_model_says(world: World) -> None:
    merged = world.merged(world.unsure)
    expected = model_conflicts(world, world.unsure)
    both = {p for p in expected if p[0] == ROW and world.ours[p] and world.theirs[p]}
    assert twice(merged) == both
    found = in_conflict(merged.conflicts)
    assert values_in(found, "base", "ours", "theirs") == {
        p: (mean(world.base[p]), mean(world.ours[p]), mean(world.theirs[p]))
        for p in expected - both
    }
    clean = dict(cells_of(merged.clean))
    only_theirs = changed(world.base, world.theirs) - changed(world.base, world.ours)
    assert clean.keys() == only_theirs - expected
    for place, cell in clean.items():
        assert mean(cell["new"]) == mean(world.theirs[place])
        assert (cell["author"], cell["time"]) == ("bob", world.times[1][place])


@given(worlds())
def test_merges_in_either_order_agree_outside_conflicts(world: World) -> None:
    ours, theirs = world.deltas()
    here, there = three_way(ours, theirs), three_way(theirs, ours)
    undecided = in_conflict(here.conflicts).keys() | twice(here)
    one, other = applied(world.ours, here.clean), applied(world.theirs, there.clean)
    assert same(one, other, but=undecided)


@given(worlds())
def test_conflicts_are_the_same_with_the_sides_swapped(world: World) -> None:
    ours, theirs = world.deltas()
    unsure = as_unsure(world.unsure)
    here, there = three_way(ours, theirs, unsure=unsure), three_way(theirs, ours, unsure=unsure)
    assert twice(here) == twice(there)
    for mine, other in (("ours", "theirs"), ("theirs", "ours")):
        sides = ("base", mine, f"{mine}_author", f"{mine}_reason", f"{mine}_time")
        swapped = ("base", other, f"{other}_author", f"{other}_reason", f"{other}_time")
        found = values_in(in_conflict(here.conflicts), *sides)
        assert found == values_in(in_conflict(there.conflicts), *swapped)


@given(worlds())
def test_each_cell_that_they_changed_is_clean_or_equal_or_in_conflict(world: World) -> None:
    merged = world.merged(world.unsure)
    equal = changed(world.base, world.theirs) - differing(world.ours, world.theirs)
    clean = [place for place, _ in cells_of(merged.clean)]
    parts = [*equal, *clean, *in_conflict(merged.conflicts), *twice(merged)]
    assert len(parts) == len(set(parts))
    assert changed(world.base, world.theirs) <= set(parts)


@given(worlds())
def test_merging_with_no_change_is_the_other_change(world: World) -> None:
    ours, theirs = world.deltas()
    decided = Delta(theirs.cells, one_decision("kept"), theirs.facts)
    taken, nothing = three_way(EMPTY, decided), three_way(ours, EMPTY)
    assert same(applied(world.base, taken.clean), world.theirs)
    assert taken.clean.decisions.equals(decided.decisions)
    assert not nothing.clean
    assert not len(taken.conflicts)
    assert not len(nothing.conflicts)


@given(worlds())
def test_merging_what_is_there_already_brings_nothing(world: World) -> None:
    ours, theirs = world.deltas()
    again = three_way(theirs, theirs)
    assert not again.clean
    assert not len(again.conflicts)
    assert not len(again.twice_added)
    after = squash([ours, three_way(ours, theirs).clean])
    assert not three_way(after, theirs).clean


@given(worlds())
def test_tables_are_sorted_and_hold_each_cell_once(world: World) -> None:
    merged = world.merged(world.unsure)
    tables = [*merged.clean.cells.values(), *merged.conflicts.cells.values()]
    for table in tables:
        rows = table["ordinal"].to_pylist()
        assert rows == sorted(set(rows)) != []
    assert [*merged.conflicts.cells] == sorted(merged.conflicts.cells)
    for facts in (merged.clean.facts, merged.conflicts.facts):
        names = [fact["name"] for fact in rows_of(facts)]
        assert names == sorted(set(names))
    assert merged.clean.facts.schema.equals(FACTS)


@given(worlds())
def test_resolving_for_one_side_gives_its_values(world: World) -> None:
    merged = world.merged(world.unsure)
    theirs, left = resolve(merged.conflicts, "theirs")
    ours, left_too = resolve(merged.conflicts, "ours")
    assert (len(left), len(left_too), bool(ours)) == (0, 0, False)
    after = applied(world.ours, squash([merged.clean, theirs]))
    for place in in_conflict(merged.conflicts):
        assert mean(after[place]) == mean(world.theirs[place])


@given(worlds())
def test_the_newest_side_wins_and_ours_where_times_are_equal(world: World) -> None:
    merged = world.merged()
    newest, _ = resolve(merged.conflicts, "newest")
    taken = {place for place, _ in cells_of(newest)}
    for place, cell in in_conflict(merged.conflicts).items():
        assert (place in taken) == (cell["theirs_time"] > cell["ours_time"])


@given(worlds())
def test_taking_their_value_one_by_one_is_taking_their_side(world: World) -> None:
    conflicts = world.merged(world.unsure).conflicts
    whole, _ = resolve(conflicts, "theirs")
    each, left = resolve(conflicts, lambda conflict: conflict.theirs, made={"author": "eve"})
    named = {(c.key, c.column): c.theirs for c in conflicts.each()}
    looked_up, _ = resolve(conflicts, named, made={"author": "eve"})
    assert not len(left)
    for other in (each, looked_up):
        assert comparable(other) == comparable(whole)


@given(worlds())
def test_what_a_rule_leaves_open_stays_a_conflict(world: World) -> None:
    conflicts = world.merged(world.unsure).conflicts
    nothing, left = resolve(conflicts, lambda _: OPEN)
    assert not nothing
    assert comparable(left) == comparable(conflicts)
    places = [(c.key, c.column) for c in conflicts.each()]
    kept, rest = resolve(conflicts, dict.fromkeys(places[::2], OPEN))
    assert not kept
    assert len(rest) == len(conflicts)
    _, rest = resolve(conflicts, {(c.key, c.column): c.ours for c in conflicts.each()})
    assert not len(rest)


@given(worlds())
def test_a_cell_in_doubt_is_in_conflict_wherever_the_sides_differ(world: World) -> None:
    everything = frozenset(world.base)
    merged = world.merged(everything)
    assert not merged.clean
    assert in_conflict(merged.conflicts).keys() | twice(merged) == differing(
        world.ours, world.theirs
    )


def comparable(found: Delta | Conflicts) -> dict[Place, dict[str, Any]]:
    cells = in_conflict(found) if isinstance(found, Conflicts) else dict(cells_of(found))
    return {p: {name: mean(value) for name, value in cell.items()} for p, cell in cells.items()}


def one_decision(verdict: str) -> pa.Table:
    return pa.Table.from_pylist([{"ordinal": 1, "verdict": verdict}], DECISIONS)


KINDS = {**FIXED, "value": pa.int64()}


def change(author: str, *cells: tuple[str | None, Any, Any, Any], day: int = 1) -> Delta:
    """Return a change of (column or None, row or fact, old, new)."""
    time = dt.datetime(2026, 1, day, tzinfo=dt.UTC)
    base = {(column, row): old for column, row, old, _ in cells}
    side = {(column, row): new for column, row, _, new in cells}
    return delta(KINDS, base, side, author, dict.fromkeys(base, time))


def only(merged: Merged) -> Conflict:
    found = list(merged.conflicts.each())
    assert len(found) == 1
    return found[0]


DROP = (DROPPED, 1, False, True)
UNDO_ADD = (ROW, 1, "A", None)
LABEL = ("label", 1, "cat", "dog")
GONE = (None, "column:label", '{"type":"a"}', None)


@pytest.mark.parametrize(("drop", "key"), [(DROP, 1), (UNDO_ADD, 1), (GONE, None)])
def test_an_edit_against_a_drop_is_a_conflict_about_the_drop_from_both_sides(
    drop: tuple[str | None, Any, Any, Any], key: Any
) -> None:
    dropping, editing = change("ann", drop, day=1), change("bob", LABEL, day=2)
    for ours, theirs in ((dropping, editing), (editing, dropping)):
        merged = three_way(ours, theirs)
        conflict = only(merged)
        assert (conflict.key, conflict.column) == (key, drop[0] or drop[1])
        assert {conflict.ours_author, conflict.theirs_author} == {"ann", "bob"}
        assert conflict.base in (conflict.ours, conflict.theirs)
        after = squash([ours, merged.clean])
        assert [place for place, _ in cells_of(after) if place[0] == "label"] == [("label", 1)]
        newest, _ = resolve(merged.conflicts, "newest")
        kept = squash([after, newest])
        assert drop[:2] not in dict(cells_of(kept))


def test_the_side_that_keeps_a_row_shows_its_newest_edit() -> None:
    early = change("bob", LABEL, day=2)
    late = change("cy", ("value", 1, 1, 2), day=3)
    merged = three_way(change("ann", DROP), Delta({**late.cells, **early.cells}))
    assert only(merged).theirs_author == "cy"
    assert only(merged).theirs_reason == "cy at ('value', 1)"


def test_an_edit_that_the_dropping_side_made_too_does_not_keep_the_row() -> None:
    merged = three_way(change("ann", LABEL, DROP), change("bob", LABEL))
    assert not len(merged.conflicts)
    assert not merged.clean


def test_marks_do_not_keep_a_row_and_are_united() -> None:
    merged = three_way(change("ann", DROP), change("bob", (HARD, 1, False, True)))
    assert not len(merged.conflicts)
    assert [place for place, _ in cells_of(merged.clean)] == [(HARD, 1)]


def test_a_row_that_one_side_added_and_dropped_and_the_other_added_stays_in_question() -> None:
    ours = change("ann", (ROW, 1, None, "A"), DROP)
    merged = three_way(ours, change("bob", (ROW, 1, None, "B")))
    assert only(merged).column == DROPPED
    assert merged.twice_added.tolist() == [1]


def test_a_decision_that_both_sides_have_is_taken_once() -> None:
    both = pa.concat_tables([one_decision("kept"), one_decision("skipped")])
    merged = three_way(Delta(decisions=one_decision("kept")), Delta(decisions=both))
    assert merged.clean.decisions.to_pylist() == one_decision("skipped").to_pylist()


def test_starts_that_cross_leave_in_doubt_what_they_disagree_about() -> None:
    first = change("ann", LABEL, (ROW, 2, None, "A"), (None, "role:label", None, '"x"'))
    second = change(
        "bob", ("label", 1, "cat", "cow"), (ROW, 2, None, "B"), (None, "role:label", None, '"y"')
    )
    unsure = three_way(first, second).unsure
    assert {name: rows.tolist() for name, rows in unsure.cells.items()} == {"label": [1], ROW: [2]}
    assert unsure.facts == {"role:label"}
    theirs = change("bob", ("label", 1, "dog", "cow"))
    assert only(three_way(EMPTY, theirs, unsure=unsure)).ours_author is None
    assert not len(three_way(EMPTY, theirs).conflicts)


def conflict_of_labels() -> Conflicts:
    ours = change("ann", LABEL, (None, "role:label", '"a"', '"b"'))
    theirs = change("bob", ("label", 1, "cat", "cow"), (None, "role:label", '"a"', None))
    return three_way(ours, theirs).conflicts


def test_a_value_of_neither_side_is_signed_by_who_resolved() -> None:
    choices = {("k1", "label"): "ant", (None, "role:label"): {"b": 1, "a": "é"}}
    made = {"author": "eve", "reason": "asked both", "time": dt.datetime(2026, 2, 1, tzinfo=dt.UTC)}
    found, left = resolve(conflict_of_labels(), choices, keys=with_k, made=made)
    assert not len(left)
    cells = dict(cells_of(found))
    assert (cells["label", 1]["old"], cells["label", 1]["new"]) == ("dog", "ant")
    assert cells[None, "role:label"]["new"] == '{"a":"é","b":1}'
    for cell in cells.values():
        assert {name: cell[name] for name in made} == made
        assert cell["finding"] is None


def with_k(ordinals: Any) -> list[str]:
    return [f"k{row}" for row in ordinals]


def test_none_is_a_value_in_a_mapping_and_refused_from_a_rule_that_forgot_to_return() -> None:
    found, _ = resolve(conflict_of_labels(), {(1, "label"): None})
    assert dict(cells_of(found))["label", 1]["new"] is None
    with pytest.raises(InputError, match="gave None for 'label' of 1"):
        resolve(conflict_of_labels(), lambda conflict: None)


def test_a_rule_may_give_the_null_that_one_side_has() -> None:
    facts = Conflicts(facts=conflict_of_labels().facts)
    found, left = resolve(facts, lambda conflict: conflict.theirs)
    assert (dict(cells_of(found))[None, "role:label"]["new"], len(left)) == (None, 0)


def test_choices_that_cannot_be_meant_are_refused() -> None:
    conflicts = conflict_of_labels()
    with pytest.raises(InputError, match="'their' is no rule"):
        resolve(conflicts, "their")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"1 of 2 choices are for no conflict: \(1, 'lable'\)"):
        resolve(conflicts, {(1, "lable"): "cow", (1, "label"): "cow"})
    with pytest.raises(ColumnError, match="label does not fit its type string"):
        resolve(conflicts, {(1, "label"): 7})
    with pytest.raises(ColumnError, match="a fact does not fit"):
        resolve(conflicts, {(None, "role:label"): {1, 2}})


def test_a_column_of_two_types_is_refused() -> None:
    texts = change("ann", LABEL)
    counts = Delta({"label": change("bob", ("value", 1, 1, 2)).cells["value"]})
    with pytest.raises(ColumnError, match="'label' is string on our side and int64 on theirs"):
        three_way(texts, counts)


def test_a_frame_shows_cells_and_facts_as_objects() -> None:
    frame = conflict_of_labels().frame(with_k)
    assert list(frame.columns) == list(Conflict._fields)
    assert frame[["key", "column", "ours", "theirs"]].to_numpy().tolist() == [
        ["k1", "label", "dog", "cow"],
        [None, "role:label", "b", None],
    ]
    assert list(Conflicts().frame().columns) == list(Conflict._fields)
