"""Branches, tags and merges of a dataset."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from burnish.core.conflicts import Rule
from burnish.core.names import checked_name
from burnish.core.version import Version
from burnish.dataset.editing import Editing
from burnish.dataset.lineage import Lineage, lineage_of
from burnish.dataset.views import ConflictTable, Log, Merge, Reflog
from burnish.dataset.working import Change
from burnish.errors import CorruptError, InputError, RefError, StagedError
from burnish.store.backend import RefMove, StaleError

Ref = str | Version


class Branching(Editing):
    """Names of versions, and the ways to bring versions together."""

    @property
    def branch_name(self) -> str:
        """Name of the branch that this working copy follows."""
        return self._copy.branch

    @property
    def head(self) -> Version:
        """The version below the staged edits."""
        return self._history.version(self._copy.head)

    @property
    def branches(self) -> dict[str, Version]:
        """Branch → the version it stands at, those fetched from other copies included."""
        return self._named("branch") | self._named("remote")

    @property
    def tags(self) -> dict[str, Version]:
        """Tag → version."""
        return self._named("tag")

    def branch(self, name: str, at: Ref | None = None) -> Version:
        """Make a branch; see `switch` for working on it.

        Parameters
        ----------
        name : str
            Letters, digits, ``.``, ``-``, ``_`` and single ``/`` between them; may not look like
            a version.
        at : str or Version, optional
            Where it starts, as for `at`; the head by default.

        Returns
        -------
        Version

        Raises
        ------
        RefError
            The name is taken or not allowed.
        UnknownVersionError
            There is no version `at`.
        """
        return self._name("branch", name, at)

    def tag(self, name: str, at: Ref | None = None) -> Version:
        """Give a version a name that stays; parameters and errors as for `branch`."""
        return self._name("tag", name, at)

    def delete_branch(self, name: str) -> None:
        """Remove a branch; its versions stay until `gc`.

        Raises
        ------
        RefError
            It is the branch of this working copy, or ``main``, or there is none of that name.
        StagedError
            Somebody has edits staged on it.
        """
        if name in (self.branch_name, "main"):
            raise RefError(
                f"the branch {name!r} cannot be removed: "
                + ("it is the first one" if name == "main" else "you are on it"),
                hint="switch to another first" if name != "main" else "keep it",
            )
        for branch, user in self._history.backend.working_copies():
            if branch == name and self._history.backend.working(branch, user).applied:
                raise StagedError(
                    f"{user!r} has staged edits on the branch {name!r}",
                    hint="commit or discard them first",
                )
        self._unname("branch", name)

    def delete_tag(self, name: str) -> None:
        """Remove a tag.

        Raises
        ------
        RefError
            There is no such tag.
        """
        self._unname("tag", name)

    def switch(self, name: str) -> None:
        """Follow another branch; edits that are staged stay with the branch they were made on.

        Raises
        ------
        RefError
            There is no such branch.
        """
        self._check_open()
        known = self._history.backend.refs()
        if name not in known:
            raise RefError(
                f"there is no branch {name!r}{_nearest(name, list(known))}",
                hint=f"make it with ds.branch({name!r})",
            )
        if name == self.branch_name:
            return
        self._copy = self._copy.on(name)
        text = f"switch to {name}"
        self._copy.tell(Change("switch", text, f"ds.switch({name!r})", reshaped=True))

    def merge(
        self,
        ref: Ref,
        resolve: Rule | None = None,
        message: str | None = None,
        author: str | None = None,
    ) -> Merge:
        """Bring the changes of another branch or version into this branch.

        Parameters
        ----------
        ref : str or Version
            As for `at`.
        resolve : {"ours", "theirs", "newest"}, mapping or callable, optional
            How to decide cells that both sides changed. ``"newest"`` takes the later edit. A
            mapping gives values by ``(key, column)``, also by several calls. A callable gets a
            `Conflict` and returns a value, or `OPEN`. Without it conflicts are only listed.
        message : str, optional
        author : str, optional
            The user of the working copy by default.

        Returns
        -------
        Merge
            ``version`` is the head after it, ``conflicts`` what is left to decide. Nothing is
            written while a conflict is left.

        Raises
        ------
        StagedError
            Edits are staged.
        UnknownVersionError
            There is no such version.
        ConflictError
            Columns of both sides have one name, or a role has lost its column.

        Notes
        -----
        Cell by cell, from the latest version that both sides came from (from several, merged,
        where histories cross). A cell that only one side changed takes that change, with its
        author and reason; an edit of a row that the other side dropped is a conflict of the
        column ``$dropped``; marks of both sides stay. Costs the changed cells.
        """
        self._check_open()
        theirs = self._history.resolve(ref)
        name = ref if isinstance(ref, str) else ref.name
        text = message or f"merge {name}"
        rule = f", resolve={resolve!r}" if isinstance(resolve, str | dict) else ""
        return self._merged(theirs, resolve, text, author, f"ds.merge({name!r}{rule})")

    def _merged(
        self, theirs: str, resolve: Rule | None, message: str, author: str | None, code: str
    ) -> Merge:
        keyed = _by_column_id(resolve, self._copy.state.schema.by_name)
        version, left = self._copy.merge(theirs, keyed, message, author or self.user, code)
        return Merge(version, ConflictTable(left, self._history.state(theirs)))

    def cherry_pick(self, ref: Ref, author: str | None = None) -> Version:
        """Write a version that makes the change of another one, and only that, here.

        Parameters
        ----------
        ref : str or Version
            As for `at`; of a merge, what it brought to its branch.
        author : str, optional
            The user of the working copy by default.

        Returns
        -------
        Version
            The head where all of it was here already.

        Raises
        ------
        StagedError
            Edits are staged.
        ConflictError
            A cell is not as the change expects it, or was edited here and would go with its row
            or column; ``conflicts`` lists them, and nothing is written.
        UnknownVersionError
            There is no such version.
        """
        self._check_open()
        return self._copy.cherry_pick(self._history.resolve(ref), author or self.user)

    def revert(self, ref: Ref, author: str | None = None) -> Version:
        """Write a version that takes another one's cells back to what they were.

        Parameters
        ----------
        ref : str or Version
            The version to take back, as for `at`.
        author : str, optional
            The user of the working copy by default.

        Returns
        -------
        Version

        Raises
        ------
        StagedError
            Edits are staged.
        ConflictError
            Some of the cells were changed again since, or cells of a row or a column that would
            go with it were; ``conflicts`` lists them, and nothing is written.
        UndoError
            The version changed no cell, or nothing of it is left.
        UnknownVersionError
            There is no such version.
        """
        self._check_open()
        return self._copy.revert(self._history.resolve(ref), author or self.user)

    def log(self, all: bool = False) -> Log:
        """Return versions, newest first: children always stand before their parents.

        Parameters
        ----------
        all : bool, default False
            Those of every branch, not only what led to the head of this one.
        """
        self._check_open()
        history = self._history
        history.refresh()
        graph = history.graph
        names = self.branches.values() if all else [self.head]
        wanted = graph.ancestors(*(version.id for version in names))
        refs: dict[str, list[str]] = {}
        for name, version in (self.branches | self.tags).items():
            refs.setdefault(version.id, []).append(name)
        return Log(tuple(map(history.version, graph.order(wanted))), refs)

    def lineage(self, ref: Ref | None = None) -> Lineage:
        """Return what led to a version and what was made of it.

        Parameters
        ----------
        ref : str or Version, optional
            As for `at`; the head by default.

        Returns
        -------
        Lineage
            Parents, findings and decisions in it; comparisons, exports and training fingerprints
            that were made of it.

        Raises
        ------
        UnknownVersionError
            There is no such version.
        """
        self._check_open()
        history = self._history
        commit = self._copy.head if ref is None else history.resolve(ref)
        version = history.version(commit)
        parents = tuple(map(history.version, version.parents))
        return lineage_of(version, parents, history.delta(commit), history.backend.links(commit))

    def note(self, ref: Ref, kind: str, content: dict[str, Any]) -> None:
        """Note what was made of a version, for burnish's own layers; the same note stays one."""
        self._history.note(self._history.resolve(ref), kind, content)

    def reflog(self) -> Reflog:
        """Return each move of a branch or tag, newest first: where to find what a move left."""
        self._check_open()
        return Reflog(tuple(self._history.backend.reflog()[::-1]), self._name_of)

    def _named(self, kind: str) -> dict[str, Version]:
        self._check_open()
        self._history.refresh()
        refs = self._history.backend.refs(kind)
        return {name: self._history.version(commit) for name, commit in refs.items()}

    def _name(self, kind: str, name: str, at: Ref | None) -> Version:
        self._check_open()
        checked_name(name, kind)
        target = self._copy.head if at is None else self._history.resolve(at)
        for other in ("branch", "tag", "remote"):
            if name in self._history.backend.refs(other):
                raise self._taken(other, name)
        move = RefMove(kind, name, None, target, self.user, f"make {kind} {name}")
        self._move(move, lambda: self._taken(kind, name))
        return self._history.version(target)

    def _unname(self, kind: str, name: str) -> None:
        self._check_open()
        known = self._history.backend.refs(kind)
        if name not in known:
            raise RefError(
                f"there is no {kind} {name!r}{_nearest(name, list(known))}",
                hint="ds.branches and ds.tags list what there is",
            )
        move = RefMove(kind, name, known[name], None, self.user, f"remove {kind} {name}")
        self._move(move, lambda: RefError(f"{kind} {name!r} has moved", hint="look again"))

    def _move(self, move: RefMove, refusal: Callable[[], RefError]) -> None:
        try:
            self._history.backend.move_ref(move)
        except StaleError:
            raise refusal() from None
        self._copy.tell(Change("refs", move.act, ""))

    def _taken(self, kind: str, name: str) -> RefError:
        stands = self._history.version(self._history.backend.refs(kind)[name])
        return RefError(
            f"there is a {kind} {name!r} already, at {stands.name}",
            hint=f"work on it with ds.switch({name!r})"
            if kind == "branch"
            else f"look at it with ds.at({name!r}), or choose another name",
        )

    def _name_of(self, commit: str) -> str:
        try:
            return self._history.version(commit).name
        except CorruptError:  # it was swept away
            return commit[:8]


def _nearest(name: object, known: list[str]) -> str:
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"; the nearest is {close[0]!r}" if close else f", only {', '.join(known) or 'none'}"


def _by_column_id(rule: Rule | None, columns: dict[str, Any]) -> Rule | None:
    """Return a rule that names columns by id where the user's names them by name."""
    if rule is None or isinstance(rule, str) or callable(rule):
        return rule
    if not hasattr(rule, "items"):
        raise InputError(
            f"resolve={rule!r} is no rule",
            hint="pass 'ours', 'theirs', 'newest', a dict of (key, column) to value, or a function",
        )
    return {
        (key, columns[name].id if name in columns else name): value
        for (key, name), value in rule.items()
    }
