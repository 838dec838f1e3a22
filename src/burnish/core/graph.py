"""The order of versions: which came from which. Never by time, since clocks go backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

_A, _B, _OLDER = 1, 2, 4


class Graph:
    """Versions and their parents.

    Parameters
    ----------
    parents : mapping of str to sequence of str
        Parents of each version; must list parents before children, and may grow in that order.
    """

    def __init__(self, parents: Mapping[str, tuple[str, ...]]) -> None:
        self._parents: dict[str, tuple[str, ...]] = {}
        self._depth: dict[str, int] = {}
        self._place: dict[str, int] = {}
        for version, above in parents.items():
            self.add(version, above)

    def add(self, version: str, parents: tuple[str, ...]) -> None:
        """Add a version whose parents are there already."""
        self._parents[version] = parents
        self._place.setdefault(version, len(self._place))
        self._depth[version] = self._depth[parents[0]] + 1 if parents else 0

    def depth(self, version: str) -> int:
        """Return how many first parents lie between a version and the first one."""
        return self._depth[version]

    def up(self, version: str) -> Iterator[str]:
        """Yield a version, its first parent, the first parent of that, up to the first version."""
        step: str | None = version
        while step is not None:
            yield step
            step = next(iter(self._parents[step]), None)

    def path(self, old: str, new: str) -> tuple[list[str], list[str]]:
        """Return the versions to take back and those to apply, along first parents.

        Returns
        -------
        back, forth : list of str
            Newest first; oldest first.
        """
        back: list[str] = []
        forth: list[str] = []
        while old != new:
            if self._depth[old] >= self._depth[new]:
                back.append(old)
                old = self._parents[old][0]
            else:
                forth.append(new)
                new = self._parents[new][0]
        return back, forth[::-1]

    def ancestors(self, *versions: str) -> set[str]:
        """Return versions and all that they came from."""
        seen: set[str] = set()
        todo = list(versions)
        while todo:
            version = todo.pop()
            if version not in seen:
                seen.add(version)
                todo += self._parents[version]
        return seen

    def contains(self, version: str, ancestor: str) -> bool:
        """Whether a version is another one or came from it; looks at none before that one."""
        floor, seen, todo = self._place[ancestor], {version}, [version]
        while todo:
            fresh = {above for above in self._parents[todo.pop()] if self._place[above] >= floor}
            todo += fresh - seen
            seen |= fresh
        return ancestor in seen

    def merge_bases(self, a: str, b: str) -> list[str]:
        """Return the latest versions that both came from; several in a criss-cross history.

        Newest first, each version is marked with who came from it; no further than needed.
        """
        found: list[str] = []
        marks = {a: _A} | {b: _B if a != b else _A | _B}
        todo = {a, b}
        while any(not marks[version] & _OLDER for version in todo):
            version = max(todo, key=self._place.__getitem__)
            todo.remove(version)
            mark = marks[version]
            if mark == _A | _B:
                found.append(version)
                mark |= _OLDER
            for above in self._parents[version]:
                marks[above] = marks.get(above, 0) | mark
                todo.add(above)
        return found[::-1]

    def order(self, versions: Iterable[str]) -> list[str]:
        """Return versions with children before their parents."""
        wanted = set(versions)
        return [version for version in reversed(self._parents) if version in wanted]
