"""What every analysis keeps to, on a small dataset made from what it says that it reads."""

from __future__ import annotations

import inspect
import io
import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import burnish as bn
from burnish.core.finding import Findings
from burnish.errors import BurnishError
from burnish.find._registry import Analysis

CLASSES = ("<script>alert('one')</script>", "two & <b>half</b>", "three")
N_ROWS = 90
COLUMN_OF = {
    "label-sets": "tags",
    "token-labels": "tokens",
    "numbers": "target",
    "masks": "mask",
    "boxes": "boxes",
}
ROLE_OF = {
    "label": {"label": "label"},
    "vectors": {"features": [f"p{i}" for i in range(64)]},
    "text": {"text": "text"},
    "image": {"image": "image"},
    "split": {"split": "split"},
}


@dataclass(frozen=True)
class Material:
    """Rows of every kind of column, and what a model says of them."""

    table: pa.Table
    probabilities: Any
    predictions: dict[str, Any]


@dataclass
class Case:
    """One dataset and what an analysis is called with."""

    ds: Any
    arguments: dict[str, Any]
    others: list[Any] = field(default_factory=list)


@cache
def material() -> Material:
    """Return real digits 0, 1 and 2, in which a few things are wrong."""
    digits = load_digits(n_class=3)
    truth, images = digits.target[:N_ROWS], digits.images[:N_ROWS]
    random = np.random.default_rng(0)
    given = truth.copy()
    given[[3, 20, 41, 60, 77]] = (given[[3, 20, 41, 60, 77]] + 1) % 3
    images[8] = images[7]
    images[9] = random.permutation(images[9].ravel()).reshape(8, 8) * 3
    keys = [f"<i>{i:02d}</i>" for i in range(N_ROWS)]
    probs = random.dirichlet(np.ones(3), N_ROWS) * 0.3
    probs[np.arange(N_ROWS), truth] += 0.7
    probs[50] = [0.5, 0.5, 0.0]
    columns = {
        "id": pa.array(keys),
        "label": pa.array([CLASSES[i] for i in given]),
        **{f"p{i}": pa.array(images.reshape(N_ROWS, 64)[:, i]) for i in range(64)},
        "text": pa.array(texts(truth)),
        "image": pa.array(
            [png(image) if i != 30 else b"no image" for i, image in enumerate(images)]
        ),
        "split": pa.array(["train" if i % 3 else "test" for i in range(N_ROWS)]),
        **task_columns(truth, given),
    }
    predictions = {word: dict(zip(keys, each)) for word, each in task_predictions(truth).items()}
    return Material(pa.table(columns), (probs, keys), predictions)


def texts(truth: Any) -> list[str]:
    """Return a sentence a row, of which two are the same, two nearly, and one is short."""
    sentence = "the <b>quick</b> brown fox & lazy dogs jump over every red fence in may"
    words = re.findall(r"\S+", sentence)
    random = np.random.default_rng(1)
    made = [" ".join([CLASSES[i], *random.permutation(words)]) for i in truth]
    made[12] = made[11]
    made[14] = made[13] + " again"
    made[40] = "<b>"
    return made


def png(image: Any) -> bytes:
    """Return a picture as bytes."""
    stream = io.BytesIO()
    pixels = np.kron(np.clip(image, 0, 16) * 15, np.ones((4, 4))).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def task_columns(truth: Any, given: Any) -> dict[str, pa.Array]:
    """Return labels of the other tasks, wrong where the class is."""
    sets = [
        [CLASSES[i]] if i != j else [CLASSES[i], CLASSES[2]][: 1 + (i < 2)]
        for i, j in zip(given, truth)
    ]
    target = np.arange(N_ROWS) / 10 + (given != truth) * 50.0
    return {
        "tags": pa.array(sets),
        "tokens": pa.array([[CLASSES[i], CLASSES[j]] for i, j in zip(given, truth)]),
        "target": pa.array(target),
        "mask": pa.array([[[CLASSES[i], CLASSES[j]]] * 2 for i, j in zip(given, truth)]),
        "boxes": pa.array([[box(i, 0), box(j, 1)] for i, j in zip(given, truth)]),
    }


def box(code: int, place: int) -> dict[str, Any]:
    """Return one box."""
    return {"class": CLASSES[code], "box": [50.0 * place, 0.0, 50.0 * place + 30, 30.0]}


def task_predictions(truth: Any) -> dict[str, list[Any]]:
    """Return what a good model says of those."""
    rows = [np.full(3, 0.05) + 0.85 * np.eye(3)[i] for i in truth]
    return {
        "label-sets": [row * [1, 1, 0] + [0, 0, 0.9 * (i < 3)] for row, i in zip(rows, truth)],
        "token-labels": [np.stack([row, row]) for row in rows],
        "numbers": list(np.arange(N_ROWS) / 10 + 0.1 * (-1.0) ** np.arange(N_ROWS)),
        "masks": [np.broadcast_to(row[:, None, None], (3, 2, 2)).copy() for row in rows],
        "boxes": [
            [{**box(i, 0), "probability": 0.98}, {**box(i, 1), "probability": 0.97}] for i in truth
        ],
    }


@contextmanager
def case(analysis: Analysis, order: Any = None, blank: bool = False) -> Iterator[Case]:
    """Yield a dataset with the roles an analysis reads, in an order of rows, or with nulls only."""
    made = material()
    order = np.arange(N_ROWS) if order is None else order
    table = made.table.take(pa.array(order))
    if blank:
        names = [name for name in table.column_names if name != "id"]
        for name in names:
            empty = pa.nulls(len(table), table.schema.field(name).type)
            table = table.set_column(table.column_names.index(name), name, empty)
    words = set(analysis.reads) | (
        {"label", "probabilities"} if "issues" in analysis.reads else set()
    )
    roles = {role: name for word in sorted(words) for role, name in ROLE_OF.get(word, {}).items()}
    with bn.create(None, table, key="id", **roles) as ds:
        yield Case(ds, *arguments(analysis, ds, order))


def arguments(analysis: Analysis, ds: Any, order: Any) -> tuple[dict[str, Any], list[Any]]:
    """Return what to call an analysis with, by the names of its parameters."""
    made = material()
    values, keys = made.probabilities
    probs = bn.Probabilities(values[order], [keys[i] for i in order], CLASSES)
    word = next((each for each in analysis.reads if each in COLUMN_OF), None)
    known = {
        "ds": lambda: ds,
        "probs": lambda: probs,
        "issues": lambda: bn.find.label_issues(ds, probs),
        "predictions": lambda: {keys[i]: made.predictions[word][keys[i]] for i in order},
        "column": lambda: COLUMN_OF[word],
        "classes": lambda: CLASSES if word != "boxes" else None,
    }
    given, others = {}, []
    for name, each in inspect.signature(analysis.function).parameters.items():
        if each.kind is each.VAR_POSITIONAL:
            others = [other_opinion(bn.find.label_issues(ds, probs, filter_by="prune_by_class"))]
        elif name in known:
            given[name] = known[name]()
        elif each.default is each.empty:
            pytest.fail(
                f"the suite has nothing for {name!r}. Hint: tests/analysis_laws.py, `known`"
            )
    return given, others


def other_opinion(found: Findings) -> Findings:
    """Return findings as if another analysis had made them."""
    return replace(found, provenance={**found.provenance, "made_by": "another"})


def run(analysis: Analysis, at: Case) -> Any:
    """Call an analysis, with its leading arguments by position."""
    if not at.others:
        return analysis.function(**at.arguments)
    return analysis.function(*at.arguments.values(), *at.others)


def contents(value: Any) -> Any:
    """Return what an argument says, without what it only remembers of itself."""
    if isinstance(value, bn.Probabilities):
        return np.array(value.values), value.keys.tolist(), value.classes
    if isinstance(value, Findings):
        return said(value)
    return [contents(each) for each in value] if isinstance(value, list) else value


def said(found: Any) -> list[tuple[Any, ...]]:
    """Return findings as values that can be compared."""
    frame = found.frame()
    return [tuple(map(_plain, row)) for row in frame.itertuples(index=False)]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return round(float(value), 9) if isinstance(value, (float, np.floating)) else repr(value)


def keys_in(found: Any) -> list[Any]:
    """Return the keys of row findings, or of all groups."""
    return list(found.keys) if isinstance(found, Findings) else [k for g in found.groups for k in g]


def the_sample_has_something_to_find(analysis: Analysis) -> None:
    with case(analysis) as at:
        found = run(analysis, at)
    assert 0 < len(found) <= N_ROWS


def running_it_twice_says_the_same(analysis: Analysis) -> None:
    with case(analysis) as at:
        first, second = run(analysis, at), run(analysis, at)
    assert said(first) == said(second)
    assert first.id == second.id


def the_input_is_left_as_it_was(analysis: Analysis) -> None:
    with case(analysis) as at:
        given = [each for name, each in at.arguments.items() if name != "ds"]
        before, fingerprint = pickle.dumps(contents(given)), at.ds.fingerprint
        run(analysis, at)
        assert pickle.dumps(contents(given)) == before
        assert (at.ds.fingerprint, len(at.ds.staged)) == (fingerprint, 0)


def the_order_of_rows_does_not_matter(analysis: Analysis) -> None:
    with case(analysis) as at:
        expected = said(run(analysis, at))
    for order in (np.arange(N_ROWS)[::-1], np.random.default_rng(5).permutation(N_ROWS)):
        with case(analysis, order) as at:
            assert said(run(analysis, at)) == expected


def no_row_and_one_row_find_nothing_or_are_refused(analysis: Analysis) -> None:
    with case(analysis) as at:
        for kept in (1, 0):
            at.ds.drop(at.ds.keys[kept:].tolist())
            with suppress(BurnishError):
                again = Case(at.ds, *arguments(analysis, at.ds, np.arange(N_ROWS)))
                assert not len(run(analysis, again))


def nulls_are_never_taken_for_values(analysis: Analysis) -> None:
    with suppress(BurnishError), case(analysis, blank=True) as at:
        found = run(analysis, at)
        assert isinstance(found, Findings) or not len(found)
        assert all(each is None for each in getattr(found, "given", ()))


def scores_lie_in_zero_to_one_and_fall(analysis: Analysis) -> None:
    with case(analysis) as at:
        scores = np.asarray(run(analysis, at).scores, dtype=float)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.diff(scores) <= 0).all()


def findings_carry_the_code_of_their_analysis(analysis: Analysis) -> None:
    with case(analysis) as at:
        found = run(analysis, at)
    assert found.code == analysis.code
    assert all(each.code == analysis.code for each in found if hasattr(each, "code"))


def keys_are_rows_of_the_dataset(analysis: Analysis) -> None:
    with case(analysis) as at:
        at.ds.drop(at.ds.keys[-3:].tolist())
        again = arguments(analysis, at.ds, np.arange(N_ROWS))
        found = keys_in(run(analysis, Case(at.ds, *again)))
        assert set(found) <= set(at.ds.keys)
        assert len(set(found)) == len(found)


def provenance_says_what_was_read_and_how(analysis: Analysis) -> None:
    with case(analysis) as at:
        found = run(analysis, at)
        fingerprint = at.ds.fingerprint
    held = found.provenance
    assert held["made_by"] == analysis.name
    assert found.n_rows is not None
    if "ds" in at.arguments:
        assert held["fingerprint"] == fingerprint
        assert "version" in held
    for name, each in inspect.signature(analysis.function).parameters.items():
        if isinstance(each.default, (str, int, float)):
            nested = [each for each in held.values() if isinstance(each, Mapping)]
            assert any(name in each for each in (held, *nested)), f"{name} is not in {held}"


def findings_can_be_shown(analysis: Analysis) -> None:
    with case(analysis) as at:
        found = run(analysis, at)
    assert set(keys_in(found)) == set(found.frame()["key"])
    assert analysis.code in repr(found)
    shown = found._repr_html_()
    assert "<script>" not in shown
    assert "<i>" not in shown
    assert "&lt;i&gt;" in shown


LAWS = (
    the_sample_has_something_to_find,
    running_it_twice_says_the_same,
    the_input_is_left_as_it_was,
    the_order_of_rows_does_not_matter,
    no_row_and_one_row_find_nothing_or_are_refused,
    nulls_are_never_taken_for_values,
    scores_lie_in_zero_to_one_and_fall,
    findings_carry_the_code_of_their_analysis,
    keys_are_rows_of_the_dataset,
    provenance_says_what_was_read_and_how,
    findings_can_be_shown,
)
