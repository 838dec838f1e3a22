"""Which versions came from which, against the definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from burnish.core.graph import Graph

Parents = dict[str, tuple[str, ...]]


@st.composite
def histories(draw: st.DrawFn) -> Parents:
    made: Parents = {"0": ()}
    for version in range(1, draw(st.integers(1, 12))):
        parents = st.lists(st.sampled_from(list(made)), min_size=1, max_size=2, unique=True)
        made[str(version)] = tuple(draw(parents))
    return made


@given(histories(), st.data())
def test_merge_bases_are_the_common_versions_from_which_no_other_one_came(
    parents: Parents, data: st.DataObject
) -> None:
    graph = Graph(parents)
    a, b = (data.draw(st.sampled_from(list(parents))) for _ in "ab")
    shared = graph.ancestors(a) & graph.ancestors(b)
    older = {old for version in shared for old in graph.ancestors(*parents[version])}
    assert graph.merge_bases(a, b) == [version for version in parents if version in shared - older]


@given(histories(), st.data())
def test_a_version_contains_what_it_came_from(parents: Parents, data: st.DataObject) -> None:
    graph = Graph(parents)
    a, b = (data.draw(st.sampled_from(list(parents))) for _ in "ab")
    assert graph.contains(a, b) == (b in graph.ancestors(a))
