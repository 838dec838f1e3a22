"""Random samples for a blind review, and what their decisions say about all rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import burnish as bn
from burnish.errors import InputError
from burnish.model.binomial import hypergeometric
from burnish.review.drawing import allocate
from burnish.review.weighting import Strata, interval, share


def frame_of(n: int = 200, rare: int = 20) -> pd.DataFrame:
    labels = ["cat"] * (n - rare) + ["dog"] * rare
    return pd.DataFrame({"id": range(n), "label": labels, "size": [i % 7 for i in range(n)]})


def dataset(frame: pd.DataFrame) -> Any:
    return bn.create(None, frame, key="id", label="label")


def other_labels(sample: Any) -> list[str]:
    return ["dog" if label == "cat" else "cat" for label in sample.given]


@pytest.fixture
def ds() -> Any:
    return dataset(frame_of())


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_an_allocation_is_complete_and_gives_each_stratum_its_few(
    sizes: list[int], data: st.DataObject
) -> None:
    n = data.draw(st.integers(len(sizes), sum(sizes)))
    shares = allocate(n, sizes)
    assert sum(shares) == n
    least = min(5, n // len(sizes))
    assert all(min(least, size) <= part <= size for part, size in zip(shares, sizes))


def test_the_draw_does_not_depend_on_how_rows_are_stored() -> None:
    frame = frame_of()
    turned = frame.sample(frac=1, random_state=3)
    for by in (None, "label", "size"):
        one, two = (bn.review_sample(dataset(each), 30, by=by) for each in (frame, turned))
        assert list(one.keys) == list(two.keys)
        assert one.frame().equals(two.frame())


def test_another_seed_draws_other_rows(ds: Any) -> None:
    one, two = (set(bn.review_sample(ds, 30, seed=seed).keys) for seed in (0, 1))
    assert one != two


def test_every_row_is_drawn_as_often_as_its_probability_says(ds: Any) -> None:
    times = np.zeros(200)
    for seed in range(300):
        sample = bn.review_sample(ds, 40, by="label", seed=seed)
        times[list(sample.keys)] += 1
    told = dict(zip(sample.given, sample.details["probability"]))
    assert told == {"cat": 35 / 180, "dog": 5 / 20}
    assert abs(times[:180] / 300 - 35 / 180).max() < 0.11
    assert abs(times[180:] / 300 - 5 / 20).max() < 0.11


def test_a_sample_is_findings_that_suggest_nothing_in_random_order(ds: Any) -> None:
    sample = bn.review_sample(ds, 50, by="label")
    plain = sample.findings()
    assert type(plain) is bn.find.label_issues(["a"], np.ones((1, 1))).__class__
    assert plain.id == sample.id
    assert set(sample.suggestions) == {None}
    assert set(sample.scores) == {0.0}
    assert list(sample.keys) != sorted(sample.keys)
    assert "dog" in list(sample.given[:25])


def test_a_sample_of_a_version_is_drawn_again_after_labels_changed(ds: Any) -> None:
    sample = bn.review_sample(ds.at("v0"), 20, by="label")
    ds.relabel(sample.keys[:5], "dog", because=sample)
    ds.commit("reviewed")
    again = bn.review_sample(ds.at("v0"), 20, by="label")
    assert again.id == sample.id
    assert bn.error_rate(ds, again).frame().equals(bn.error_rate(ds, sample).frame())


def test_slices_that_overlap_make_a_stratum_of_each_combination(ds: Any) -> None:
    slices = [bn.Slice("low", "size < 4"), bn.Slice("even", "size % 2 = 0")]
    sample = bn.review_sample(ds, 60, by=slices)
    assert set(sample.details["stratum"]) == {"low", "even", "low and even", "no slice"}
    table = bn.error_rate(ds, sample).frame().set_index("slice")
    assert table.loc["low", "rows"] == int(ds.rows_where(slices[0]).sum())
    assert table.loc["low", "n"] == sum(key % 7 < 4 for key in sample.keys)


def test_where_draws_from_those_rows_only(ds: Any) -> None:
    sample = bn.review_sample(ds, 10, where="size = 3")
    assert all(key % 7 == 3 for key in sample.keys)
    assert bn.error_rate(ds, sample).frame()["rows"][0] == int(ds.rows_where("size = 3").sum())


def test_rows_without_a_label_are_left_out_and_counted() -> None:
    frame = frame_of()
    frame.loc[:9, "label"] = None
    sample = bn.review_sample(dataset(frame), 190)
    assert min(sample.keys) == 10
    assert sample.provenance["n_null_labels"] == 10


def test_decisions_are_counted_as_what_they_say(ds: Any) -> None:
    sample = bn.review_sample(ds, 12)
    a, b, c, d, e, f, *_ = sample.keys
    ds.relabel(a, other_labels(sample)[0], because=sample)
    ds.decide(b, "accepted", because=sample)
    ds.drop(b)
    ds.relabel(c, sample.given[2], because=sample)
    ds.decide(d, "unsure", because=sample)
    ds.decide(e, "skipped", because=sample)
    ds.decide(f, "accepted", because=sample)
    ds.decide(f, "kept", because=sample)
    line = bn.error_rate(ds, sample).frame().iloc[0]
    assert (line["n"], line["reviewed"], line["errors"], line["missing"]) == (12, 4, 2, 8)
    low, high = hypergeometric(2, 4, 200)
    assert (line["rate"], line["low"], line["high"]) == (0.5, low / 200, high / 200)
    assert line["low_if_right"] == hypergeometric(2, 12, 200)[0] / 200
    assert line["high_if_wrong"] == hypergeometric(10, 12, 200)[1] / 200


def test_undo_takes_an_error_back(ds: Any) -> None:
    sample = bn.review_sample(ds, 12)
    ds.decide(sample.keys[:1], "accepted", because=sample)
    ds.undo()
    assert bn.error_rate(ds, sample).frame()["reviewed"][0] == 0
    assert "unknown" in repr(bn.error_rate(ds, sample))


def test_decisions_on_other_findings_are_no_blind_review(ds: Any) -> None:
    sample = bn.review_sample(ds, 12)
    ds.decide(sample.keys, "accepted")
    assert bn.error_rate(ds, sample).frame()["reviewed"][0] == 0


def test_what_an_earlier_sample_put_right_is_right_in_the_next(ds: Any) -> None:
    first = bn.review_sample(ds, 200)
    ds.relabel(first.keys[:10], other_labels(first)[:10], because=first)
    ds.decide(first.keys[10:], "kept", because=first)
    ds.commit("reviewed")
    second = bn.review_sample(ds, 200)
    line = bn.error_rate(ds, second).frame().iloc[0]
    assert (line["reviewed"], line["errors"]) == (200, 0)
    assert bn.error_rate(ds, first).frame()["errors"][0] == 10


def test_all_rows_reviewed_leave_no_interval(ds: Any) -> None:
    sample = bn.review_sample(ds, 200, by="label")
    ds.decide(sample.keys[:30], "accepted", because=sample)
    ds.decide(sample.keys[30:], "kept", because=sample)
    for method in ("exact", "wilson"):
        line = bn.error_rate(ds, sample, method=method).frame().iloc[0]
        assert np.allclose([line["rate"], line["low"], line["high"]], 30 / 200)


@given(st.lists(st.tuples(st.integers(1, 30), st.data()), min_size=1, max_size=4))
def test_an_interval_lies_around_the_share_within_what_is_certain(cases: list[Any]) -> None:
    rows = [size for size, _ in cases]
    seen = [data.draw(st.integers(0, size)) for size, data in cases]
    errors = [data.draw(st.integers(0, n)) for n, (_, data) in zip(seen, cases)]
    strata = Strata(*(np.array(part, float) for part in (rows, seen, errors)))
    for method in ("exact", "wilson"):
        low, high = interval(strata, 0.9, method)
        assert 0 <= low <= high <= 1
        if sum(seen) and all(seen):
            assert low - 1e-9 <= share(strata) <= high + 1e-9


COVERAGE = {
    "proportional": ([9000, 900, 100], [86, 9, 5], [0.02, 0.1, 0.3]),
    "a large stratum without errors": ([10000, 100], [50, 50], [0.03, 0.1]),
    "many strata, few errors": ([5000] * 10, [10] * 10, [0.01] * 10),
    "all errors in one stratum": ([5000] * 10, [10] * 10, [0.0] * 9 + [0.4]),
    "half wrong": ([500, 300], [100, 60], [0.5, 0.3]),
    "least shares": ([98000] + [200] * 10, [150] + [5] * 10, [0.01] + [0.2] * 10),
    "few rows that weigh much": ([1000, 9000], [90, 10], [0.0, 0.1]),
}


@pytest.mark.parametrize("name", list(COVERAGE))
def test_the_stratified_interval_misses_on_each_side_as_rarely_as_it_says(name: str) -> None:
    rows, seen, shares = (np.array(part) for part in COVERAGE[name])
    wrong = np.round(rows * shares).astype(int)
    drawn = np.random.default_rng(0).hypergeometric(wrong, rows - wrong, seen, (2000, len(rows)))
    different, times = np.unique(drawn, axis=0, return_counts=True)
    ends = np.array(
        [interval(Strata(rows * 1.0, seen * 1.0, x * 1.0), 0.95, "exact") for x in different]
    )
    true = wrong.sum() / rows.sum()
    assert times[true < ends[:, 0]].sum() / 2000 <= 0.03
    assert times[true > ends[:, 1]].sum() / 2000 <= 0.03


def test_the_interval_of_a_sample_covers_through_the_public_calls() -> None:
    frame = frame_of(60, 12)
    ds = dataset(frame)
    wrong = {key for key in range(60) if key % 5 == 0 or key > 54}
    inside = 0
    for seed in range(40):
        sample = bn.review_sample(ds, 15, by="label", seed=seed)
        ds.decide([key for key in sample.keys if key in wrong], "accepted", because=sample)
        ds.decide([key for key in sample.keys if key not in wrong], "kept", because=sample)
        found = bn.error_rate(ds, sample)
        inside += found.low <= len(wrong) / 60 <= found.high
        ds.discard()
    assert inside >= 36


def test_the_table_reads_as_text_never_as_markup() -> None:
    frame = frame_of().replace({"label": {"dog": "<b>dog</b>"}})
    ds = dataset(frame)
    sample = bn.review_sample(ds, 20, by="label")
    found = bn.error_rate(ds, sample)
    assert "<b>dog</b>" not in sample._repr_html_()
    assert "&lt;b&gt;dog" in found._repr_html_()


@pytest.mark.parametrize("n", [0, 201, 2.5, True])
def test_a_sample_of_no_rows_or_too_many_is_refused(ds: Any, n: Any) -> None:
    with pytest.raises(InputError, match="expected a number of rows from 1 to 200"):
        bn.review_sample(ds, n)


def test_a_sample_needs_a_row_for_each_stratum(ds: Any) -> None:
    with pytest.raises(InputError, match="one for each of 2 strata"):
        bn.review_sample(ds, 1, by="label")


@pytest.mark.parametrize("by", [[], ["low"], [bn.Slice("a", "size < 3")] * 2])
def test_strata_that_are_no_slices_of_different_names_are_refused(ds: Any, by: Any) -> None:
    with pytest.raises(InputError, match="expected slices"):
        bn.review_sample(ds, 20, by=by)


def test_an_error_rate_needs_the_sample_the_decisions_and_a_method(ds: Any) -> None:
    sample = bn.review_sample(ds, 20)
    with pytest.raises(InputError, match="expected a ReviewSample, got Findings"):
        bn.error_rate(ds, sample.findings())
    with pytest.raises(InputError, match="expected a Dataset with decisions"):
        bn.error_rate(ds.at("v0"), sample)
    with pytest.raises(InputError, match="method='agresti'"):
        bn.error_rate(ds, sample, method="agresti")
    with pytest.raises(InputError, match="between 0 and 1"):
        bn.error_rate(ds, sample, confidence=95)
