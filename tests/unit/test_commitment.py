"""Commitments: what their description says, in every store alike, and open to erasure."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from burnish.core import commitment as scheme
from burnish.core.commitment import commitment, committed, erased, is_committed, leaves, salts
from burnish.core.delta import DECISIONS, FACTS, Delta, Ordinals, cells_schema

SEED = bytes(range(32))
KEYS = ["b", "ç", "a"]
FIRST = "6c732170065e1d01a14a8d045bac3b7a323b8d40ded767e82b7e752cdf9774f3"
WHEN = datetime(2020, 1, 1, tzinfo=UTC)
WHO = {"author": "ann", "time": WHEN}


def change(keys: list[str]) -> Delta:
    """Return one change of a label, two drops, a decision and a fact, in a store's own order."""
    label = [{"ordinal": keys.index("b"), "old": "cat", "new": None, "reason": "it barks", **WHO}]
    drops = [{"ordinal": keys.index(k), "old": False, "new": True, **WHO} for k in ("ç", "a")]
    decided = {"ordinal": keys.index("ç"), "verdict": "kept", "position": 3, **WHO}
    fact = {"name": "role:label", "new": '"label"', **WHO}
    cells = {
        "label": pa.Table.from_pylist(label, cells_schema(pa.string())),
        "$dropped": pa.Table.from_pylist(
            sorted(drops, key=lambda row: row["ordinal"]), cells_schema(pa.bool_())
        ),
    }
    decisions = pa.Table.from_pylist([decided], DECISIONS)
    return Delta(cells, decisions, pa.Table.from_pylist([fact], FACTS))


def key_of(keys: list[str]) -> scheme.Keys:
    known = pa.array([b"s" + key.encode() for key in keys], pa.binary())
    return lambda ordinals: known.take(pa.array(ordinals))


def by_hand() -> list[bytes]:
    """Return the leaves from nothing but hashlib."""
    nothing, ann, when = b"n", b"sann", b"t1577836800.0"
    who = [nothing, nothing, nothing, ann, when]
    rows = [
        [b"$dropped", b"sa", b"b0", b"b1", *who],
        [b"$dropped", b"s\xc3\xa7", b"b0", b"b1", *who],
        [b"label", b"sb", b"scat", nothing, b"sit barks", nothing, nothing, ann, when],
        [b"$decisions", b"s\xc3\xa7", b"skept", nothing, b"i3", nothing, ann, when],
        [b"$facts", b"srole:label", nothing, b's"label"', *who],
    ]
    stream = hashlib.shake_128(SEED).digest(16 * len(rows))
    drawn = [stream[16 * place : 16 * place + 16] for place in range(len(rows))]
    return [
        hashlib.sha256(salt + b"".join(b"%d:%b" % (len(part), part) for part in row)).digest()
        for salt, row in zip(drawn, rows, strict=True)
    ]


def test_a_commitment_is_what_its_description_says() -> None:
    found = commitment(change(KEYS), SEED, key_of(KEYS))
    assert found == "2:" + hashlib.sha256(b"".join(by_hand())).hexdigest()


def test_stores_that_number_their_rows_differently_commit_to_the_same() -> None:
    found = {commitment(change(keys), SEED, key_of(keys)) for keys in (KEYS, KEYS[::-1])}
    assert len(found) == 1


def test_an_empty_change_has_a_commitment() -> None:
    def nobody(_: Ordinals) -> pa.Array:
        raise AssertionError

    assert is_committed(commitment(Delta(), SEED, nobody), Delta(), SEED, nobody)


def test_another_cell_reason_or_seed_is_not_what_was_committed() -> None:
    text, keys = commitment(change(KEYS), SEED, key_of(KEYS)), key_of(KEYS)
    assert is_committed(text, change(KEYS), SEED, keys)
    assert not is_committed(text, change(KEYS), SEED[::-1], keys)
    for name, value in (("new", "dog"), ("reason", None), ("author", "bob")):
        other = change(KEYS)
        rows = [{**other.cells["label"].to_pylist()[0], name: value}]
        table = pa.Table.from_pylist(rows, cells_schema(pa.string()))
        cells = {**other.cells, "label": table}
        assert not is_committed(text, Delta(cells, other.decisions, other.facts), SEED, keys)


def test_the_first_scheme_is_still_verified() -> None:
    assert is_committed(FIRST, change(KEYS), SEED, key_of(KEYS))
    assert not is_committed(FIRST, change(KEYS), SEED[::-1], key_of(KEYS))


@pytest.mark.parametrize("text", [FIRST, commitment(change(KEYS), SEED, key_of(KEYS))])
@pytest.mark.parametrize("first", range(3))
def test_rows_are_erased_one_after_the_other_and_the_commitment_holds(
    text: str, first: int
) -> None:
    delta, seed, keys, went = change(KEYS), SEED, key_of(KEYS), 0
    for row in [first, *({0, 1, 2} - {first})]:
        delta, seed, count = erased(text, delta, seed, keys, np.array([row]))
        went += count
        assert is_committed(text, delta, seed, keys)
        assert not is_committed(text, delta, seed[:-1] + b"?", keys)
        assert not is_committed(text, change(KEYS), seed, keys)
        assert not is_committed(text, delta, SEED, keys)
    assert (went, delta.cells, len(delta.decisions), len(delta.facts)) == (4, {}, 0, 1)


def test_what_takes_the_place_of_the_seed_holds_no_salt_of_what_is_gone() -> None:
    text, drawn = commitment(change(KEYS), SEED, key_of(KEYS)), salts(SEED, 5).to_pylist()
    seed = erased(text, change(KEYS), SEED, key_of(KEYS), np.array([1]))[1]
    assert [salt in seed for salt in drawn] == [True, False, True, False, True]
    assert SEED not in seed


def test_a_leaf_stands_in_for_a_cell_whose_value_is_gone() -> None:
    whole = change(KEYS)
    kept = leaves(whole, salts(SEED, 5), key_of(KEYS))[2:3]
    rest = Delta({"$dropped": whole.cells["$dropped"]}, whole.decisions, whole.facts)
    others = salts(SEED, 5).take(pa.array([0, 1, 3, 4]))
    found = np.insert(leaves(rest, others, key_of(KEYS)), 2, kept, axis=0)
    assert committed(found) == commitment(whole, SEED, key_of(KEYS))


@pytest.mark.parametrize("size", [1, 3, 1025])
def test_values_that_are_all_the_same_are_spelled_like_others(size: int) -> None:
    def both(value: object, kind: pa.DataType) -> tuple[list[bytes], list[bytes]]:
        same = pa.chunked_array([pa.array([value] * size, kind)])
        mixed = pa.chunked_array([pa.array([value] * size + [None], kind)])
        once, each = scheme._framed(same), scheme._framed(mixed)
        spelled = [b"".join(once)] * size if len(once) == 1 else scheme._join(once).to_pylist()
        return spelled, scheme._join(each).to_pylist()[:-1]

    cases = [("ä", pa.string()), (7, pa.int8()), (-0.0, pa.float64()), (True, pa.bool_())]
    for value, kind in [
        *cases,
        (WHEN, pa.timestamp("ns", "UTC")),
        ([1.0, 2.0], pa.list_(pa.float32(), 2)),
    ]:
        once, each = both(value, kind)
        assert once == each
