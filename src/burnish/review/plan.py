"""A review that can say at every moment how many errors are left."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from burnish.core.delta import Ordinals
from burnish.core.finding import Findings
from burnish.core.keys import key_array, plain
from burnish.dataset.reading import keys_at, known_ordinals
from burnish.errors import InputError
from burnish.model.binomial import half_alpha
from burnish.model.reading import is_null, labels_of
from burnish.review.drawing import random_order
from burnish.review.left import Left, Remainder
from burnish.review.schedule import Flags, Judgement, Kind, Replay, Schedule

if TYPE_CHECKING:
    from burnish.dataset import Dataset

CODE = "unflagged"
QUEUE_PART = 0.2
_WRONG = {"accepted": True, "kept": False}


@dataclass(frozen=True)
class ReviewItem:
    """The row that is reviewed next.

    Attributes
    ----------
    key : key
    kind : {"ranked", "queue probe", "unflagged probe"}
        The next one by rank, one drawn from the rest of the queue, or one from all other rows.
    because : Findings
        What the decision is on: ``ds.decide(item.key, "kept", because=item.because)``.
    """

    key: Any
    kind: Kind
    because: Findings


@dataclass(frozen=True, eq=False)
class _Memo:
    """Verdicts that were replayed, and which rows were live then."""

    replay: Replay
    made: list[Judgement]
    live: Flags

    def goes_on(self, made: list[Judgement]) -> bool:
        """Whether verdicts only follow those that were replayed."""
        more = made[len(self.made) :]
        return made[: len(self.made)] == self.made and not any(each.before for each in more)


class ReviewPlan:
    """A review of ranked findings that says at every moment how many errors are left.

    Parameters
    ----------
    ds : Dataset
    issues : Findings
        The queue, about labels of rows of `ds`.
    every : int, default 10
        Out of so many turns one is for a row drawn at random from the rest of the queue, one for
        a row drawn from all that is not in it, the others go down the ranks; at least 3.
    seed : int, default 0
        Another seed draws other rows.
    confidence : float, default 0.95
        How often each interval holds over the whole review, in (0, 1).

    Attributes
    ----------
    issues : Findings
    every, seed, confidence

    Raises
    ------
    InputError
        `every`, `confidence` or `issues` is out of range, or there is no label role.
    KeysError
        The findings are about other rows.

    Notes
    -----
    The plan holds no verdicts: they are those of ``ds.decisions``, replayed in their order, so
    undo, a restart of the kernel and decisions from a widget need nothing more. The same plan
    made again on the same findings goes on where the review stood. A row that is decided out of
    turn is taken note of as such; the row whose turn it is keeps its turn until it is decided.

    An *accepted* decision is an error that was found (and corrected), *kept* is none; *unsure*
    and *skipped* rows count as right at the low end of an interval and as wrong at its high end.
    So do rows that were dropped without a decision, but these are not left in the dataset. Rows
    that decisions on earlier findings of this kind settled are right. Rows without a label are
    in no population. Do not decide rows out of turn because of what you see in them: that is the
    one thing that the intervals cannot stand.

    The intervals hold at every look, so a review may be stopped because of them; see
    `burnish.review.stopping.Confidence` for how and for the sources. The interval of the dataset
    adds those of its two parts, which share what it may miss as 1 to 4. Where a tenth of the
    turns goes to unflagged rows it is wide: after n of them without an error, about 4 / n of all
    rows may be wrong. A plan costs 3 µs a row once, a decision on a drawn row about 1 ms for each
    100 rows drawn before, on any other row some microseconds.

    References
    ----------
    Waudby-Smith and Ramdas (2020), Confidence sequences for sampling without replacement.
    Lewis, Yang and Frieder (2021), Certifying One-Phase Technology-Assisted Reviews. CIKM.

    Examples
    --------
    >>> import numpy as np, pandas as pd, burnish as bn
    >>> frame = pd.DataFrame({"id": range(400), "y": ["cat"] * 400})
    >>> ds = bn.create(None, frame, key="id", label="y")
    >>> from burnish.core.finding import Findings
    >>> issues = Findings("label-issue", range(100), np.linspace(1, 0, 100), ["cat"] * 100,
    ...                   ["dog"] * 100)
    >>> plan = bn.ReviewPlan(ds, issues)
    >>> for _ in range(60):
    ...     item = plan.next()
    ...     ds.decide(item.key, "accepted" if item.key < 20 else "kept", because=item.because)
    >>> plan.left()
    Left: in the queue 0 (0–29) · in the dataset 0 (0–185), 95 % at every look \
(20 found in 60 reviewed, 12 of them drawn)
    """

    def __init__(
        self,
        ds: Dataset,
        issues: Findings,
        every: int = 10,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> None:
        _check(ds, issues, every)
        half_alpha(confidence)
        self.ds = ds
        self.issues = issues
        self.every = every
        self.seed = seed
        self.confidence = confidence
        self.code = f"{CODE}-{hashlib.sha256(issues.id.encode()).hexdigest()[:8]}"
        self.schedule = self._schedule()
        self._flagged = frozenset(self.schedule.ranked.tolist())
        self._memo: _Memo | None = None

    def next(self) -> ReviewItem | None:
        """Return what to review next, None when nothing is left.

        Returns
        -------
        ReviewItem or None
            The same until it is decided.
        """
        item = self.replay().current
        if item is None:
            return None
        return ReviewItem(self.key(item.row), item.kind, self.because_of(item.row))

    def left(self) -> Left:
        """Return how many errors are left, in the queue and in the dataset.

        Returns
        -------
        Left
            With intervals that hold at every look.
        """
        replay = self.replay()
        parts = (replay.queue, replay.unflagged)
        alone, added = ([part.left(level) for part in parts] for level in (0, 1))
        rows = [part.open for part in parts]
        queue, unflagged = (Remainder(n, *ends) for n, ends in zip(rows, alone, strict=True))
        return Left(
            queue,
            unflagged,
            _sum(sum(rows), added),
            sum(part.found for part in parts),
            sum(len(part.order) - part.remaining - part.gone for part in parts),
            sum(part.n_draws for part in parts),
            self.confidence,
        )

    def because(self, key: Any) -> Findings:
        """Return the findings that a decision on a row is on.

        Parameters
        ----------
        key : key

        Returns
        -------
        Findings
            The issues where they hold the row, else findings on this row alone.

        Raises
        ------
        KeysError
            There is no such row.
        """
        one = key_array([key])
        return self.because_of(int(known_ordinals(self.ds.state, one)[0]))

    def because_of(self, row: int) -> Findings:
        """Return the findings that a decision on a row, given by its ordinal, is on."""
        if row in self._flagged:
            return self.issues
        key = self.key(row)
        label = self.ds.roles["label"]
        given = self.ds.state.take(label, np.array([row]))[0].as_py()
        told = {
            "made_by": "ReviewPlan",
            "issues": self.issues.id,
            "seed": self.seed,
            "code": f"plan.because({key!r})",
        }
        one, said, nothing = (key_array([value]) for value in (key, given, None))
        return Findings(self.code, one, np.zeros(1), said, nothing, told, n_rows=1)

    def __repr__(self) -> str:
        left = self.replay()
        return (
            f"ReviewPlan({len(self.schedule.ranked):,} in the queue, "
            f"{len(self.schedule.unflagged_order):,} other rows, {left.turns:,} turns taken)"
        )

    def _repr_html_(self) -> str:
        return self.left()._repr_html_()

    @property
    def code_text(self) -> str:
        """The call that makes this plan, on ``ds`` and ``issues``."""
        options: dict[str, tuple[float, float]] = {
            "every": (self.every, 10),
            "seed": (self.seed, 0),
            "confidence": (self.confidence, 0.95),
        }
        given = [
            f", {name}={value!r}" for name, (value, usual) in options.items() if value != usual
        ]
        return f"bn.ReviewPlan(ds, issues{''.join(given)})"

    def replay(self) -> Replay:
        """Return where the review stands, for burnish's own layers."""
        made = self._judgements()
        replay, known = self._so_far(made)
        for each in made[known:]:
            if not (each.before or replay.started):
                replay.start()
            replay.judge(each)
        if not replay.started:
            replay.start()
        self._memo = _Memo(replay, made, self.ds.state.live_mask)
        return replay

    def _so_far(self, made: list[Judgement]) -> tuple[Replay, int]:
        """Return what was replayed before, and of how many verdicts, or an empty replay."""
        memo, live = self._memo, self.ds.state.live_mask
        dropped = None
        if memo is not None and memo.goes_on(made):
            if memo.live is live:
                return memo.replay, len(memo.made)
            dropped = self._dropped(made)
            if np.array_equal(dropped, memo.replay.dropped):
                return memo.replay, len(memo.made)
        if dropped is None:
            dropped = self._dropped(made)
        return Replay(self.schedule, dropped, self._alphas()), 0

    def _dropped(self, made: list[Judgement]) -> Flags:
        """Return which rows of the review are dropped and have no verdict, by ordinal."""
        state = self.ds.state
        rows = np.concatenate([self.schedule.ranked, self.schedule.unflagged_order])
        dropped = np.zeros(state.n_ordinals, dtype=bool)
        dropped[rows[~state.is_live(rows)]] = True
        dropped[[each.row for each in made]] = False
        return dropped

    def _alphas(self) -> tuple[tuple[float, float], tuple[float, float]]:
        alpha = 1 - self.confidence
        return (alpha, alpha * QUEUE_PART), (alpha, alpha * (1 - QUEUE_PART))

    def _schedule(self) -> Schedule:
        state = self.ds.state
        ranked = known_ordinals(state, self.issues.keys)
        labelled = state.live[~is_null(labels_of(self.ds))]
        judged = self._rows_judged(self.ds.decisions.table)
        others = np.setdiff1d(np.union1d(labelled, judged), ranked)
        orders = [
            rows[random_order(keys_at(state, rows), self.seed, purpose)]
            for rows, purpose in ((ranked, "queue"), (others, "unflagged"))
        ]
        return Schedule(ranked, orders[0], orders[1], self.every)

    def _rows_judged(self, table: pa.Table) -> Ordinals:
        rows = table.select(["ordinal", "finding"]).to_pydict()
        own = [
            row
            for row, name in zip(rows["ordinal"], rows["finding"], strict=True)
            if (name or "").split(":")[0] == self.code
        ]
        return np.array(own, dtype=np.int64)

    def _judgements(self) -> list[Judgement]:
        """Return what was said of each row: what was settled before, then in order."""
        own: dict[int, str] = {}
        before: dict[int, str] = {}
        table = self.ds.decisions.table.select(["ordinal", "verdict", "finding"])
        for row, verdict, finding in zip(*table.to_pydict().values(), strict=True):
            said = self._said_by(finding)
            if said is not None:
                (own if said else before)[row] = verdict
        settled = [
            Judgement(row, None if verdict not in _WRONG else False, before=True)
            for row, verdict in before.items()
            if row not in own
        ]
        return settled + [Judgement(row, _WRONG.get(verdict)) for row, verdict in own.items()]

    def _said_by(self, finding: str | None) -> bool | None:
        """Whether a decision is one of this review, or of an earlier one; None for neither."""
        code = (finding or "").split(":")[0]
        if finding == self.issues.id or code == self.code:
            return True
        alike = code == self.issues.code or code.startswith(f"{CODE}-")
        return False if alike else None

    def key(self, row: int) -> Any:
        """Return the key of a row, given by its ordinal."""
        return plain(keys_at(self.ds.state, np.array([row], dtype=np.int64))[0])


def _sum(rows: int, parts: list[tuple[int | None, int, int]]) -> Remainder:
    known = [errors for errors, _, _ in parts if errors is not None]
    errors = sum(known) if len(known) == len(parts) else None
    return Remainder(rows, errors, sum(low for _, low, _ in parts), sum(high for *_, high in parts))


def _check(ds: Any, issues: Any, every: Any) -> None:
    if not hasattr(ds, "decisions"):
        raise InputError(
            f"a review goes on in a Dataset, got {type(ds).__name__}", hint="ds = bn.open(path)"
        )
    if not isinstance(issues, Findings):
        raise InputError(
            f"expected Findings, got {type(issues).__name__}",
            hint="issues = bn.find.label_issues(ds, probs)",
        )
    whole = isinstance(every, (int, np.integer)) and not isinstance(every, bool)
    if not whole or every < 3:
        raise InputError(
            f"every={every!r}, expected a whole number of at least 3",
            hint="every=10 draws two rows in ten turns",
        )
