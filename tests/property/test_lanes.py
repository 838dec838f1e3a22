"""Laws of the drawn history: each line is there once, and lanes never meet."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from burnish.core.lanes import Row, lay_out, width

Versions = list[tuple[str, tuple[str, ...]]]


@st.composite
def histories(draw: st.DrawFn, most: int = 24) -> Versions:
    """Return versions with one to three parents each, children first."""
    size = draw(st.integers(1, most))
    made: Versions = [("v0", ())]
    for number in range(1, size):
        known = [name for name, _ in made]
        parents = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        made.append((f"v{number}", tuple(parents)))
    return made[::-1]


@st.composite
def histories_with_head(draw: st.DrawFn) -> tuple[Versions, str | None]:
    """Return versions and one of them, or none."""
    versions = draw(histories())
    return versions, draw(st.none() | st.sampled_from([name for name, _ in versions]))


def traced(rows: list[Row]) -> list[tuple[str, str]]:
    """Follow each line from where it starts to where it ends; fails where two share a lane."""
    open_lines: dict[int, str] = {}
    found = []
    for row in rows:
        for lane in row.into:
            found.append((open_lines.pop(lane), row.id))
        assert sorted(open_lines) == list(row.past)
        assert row.lane not in row.past
        assert len(set(row.out)) == len(row.out)
        assert not set(row.out) & set(row.past)
        open_lines.update(dict.fromkeys(row.out, row.id))
    assert open_lines == {}
    return found


@given(histories_with_head())
def test_every_line_to_a_parent_is_drawn_once_and_no_two_share_a_lane(
    drawn: tuple[Versions, str | None],
) -> None:
    versions, head = drawn
    rows = lay_out(versions, head)
    assert [row.id for row in rows] == [name for name, _ in versions]
    edges = [(name, parent) for name, parents in versions for parent in parents]
    assert Counter(traced(rows)) == Counter(edges)


@given(histories_with_head())
def test_the_head_and_its_first_parents_stand_alone_in_the_first_lane(
    drawn: tuple[Versions, str | None],
) -> None:
    versions, head = drawn
    above, line = dict(versions), set()
    step: str | None = head or versions[0][0]
    while step:
        line.add(step)
        step = next(iter(above[step]), None)
    assert {row.id for row in lay_out(versions, head) if row.lane == 0} == line


@given(st.integers(1, 50))
def test_a_linear_history_takes_one_lane(length: int) -> None:
    versions: Versions = [(str(i), (str(i + 1),)) for i in range(length)]
    assert width(lay_out([*versions, (str(length), ())])) == 1


@given(histories())
def test_parents_that_are_not_listed_leave_no_line_behind(versions: Versions) -> None:
    listed = versions[: (len(versions) + 1) // 2]
    names = {name for name, _ in listed}
    edges = [(name, p) for name, parents in listed for p in parents if p in names]
    assert Counter(traced(lay_out(listed))) == Counter(edges)


def test_a_merge_joins_the_lane_of_its_second_parent() -> None:
    rows = lay_out([("m", ("a", "b")), ("b", ("r",)), ("a", ("r",)), ("r", ())])
    assert [(row.lane, row.into, row.out, row.past) for row in rows] == [
        (0, (), (0, 1), ()),
        (1, (1,), (1,), (0,)),
        (0, (0,), (0,), (1,)),
        (0, (0, 1), (), ()),
    ]


def test_nothing_to_draw_has_no_lane() -> None:
    assert (lay_out([]), width([])) == ([], 0)
