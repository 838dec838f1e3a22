import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import burnish as bn
from burnish.errors import ColumnError, InputError, KeysError, LabelError, ProbabilityError

NAMES = ["ant", "bee", "cat"]


@pytest.fixture(scope="module")
def made():
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 300)
    probs = random.dirichlet(np.ones(3), 300) * 0.4
    probs[np.arange(300), truth] += 0.6
    wrong = random.random(300) < 0.2
    return np.where(wrong, (truth + 1) % 3, truth), probs


@pytest.fixture
def ds(made):
    labels, _ = made
    frame = pd.DataFrame({"id": range(300), "label": np.array(NAMES)[labels]})
    with bn.create(None, frame, key="id", label="label") as ds:
        yield ds


def by_class(probs, names=NAMES, **more):
    return pa.table({**more, **dict(zip(names, probs.T))})


def saved(tmp_path, table, **options):
    path = tmp_path / "probs.parquet"
    pq.write_table(table, path, **options)
    return path


def expected(made):
    labels, probs = made
    return bn.find.label_issues(np.array(NAMES)[labels], probs)


def test_a_file_gives_what_an_array_gives(made, ds, tmp_path):
    path = saved(tmp_path, by_class(made[1], id=range(300)), row_group_size=70)
    found = bn.find.label_issues(ds, path)
    pd.testing.assert_frame_equal(found.frame(), expected(made).frame())
    assert found.provenance["probabilities"] == {"path": str(path)}
    assert found.provenance["n_without_probabilities"] == 0
    assert found.probabilities is None


def test_32_bit_floats_in_files_are_read_as_they_are(made, ds, tmp_path):
    probs = made[1].astype(np.float32)
    found = bn.find.label_issues(ds, saved(tmp_path, by_class(probs, id=range(300))))
    keyed = bn.Probabilities(probs, range(300), NAMES)
    pd.testing.assert_frame_equal(found.frame(), bn.find.label_issues(ds, keyed).frame())


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float64(), 3)], ids=str)
def test_a_column_of_lists_holds_the_sorted_classes(made, ds, tmp_path, kind):
    lists = pa.array(made[1].tolist(), kind)
    path = saved(tmp_path, pa.table({"id": range(300), "probabilities": lists}))
    pd.testing.assert_frame_equal(bn.find.label_issues(ds, path).frame(), expected(made).frame())


def test_files_beside_plain_labels_hold_no_keys(made, tmp_path):
    labels, probs = made
    path = saved(tmp_path, by_class(probs, ["0", "1", "2"]), row_group_size=90)
    found = bn.find.label_issues(labels, path)
    pd.testing.assert_frame_equal(found.frame(), bn.find.label_issues(labels, probs).frame())
    with pytest.raises(ProbabilityError, match="299 labels and 300 rows"):
        bn.find.label_issues(labels[1:], path)


def test_a_class_without_rows_is_a_class_in_a_file(made, tmp_path):
    labels, probs = made
    wide = np.hstack([probs * 0.5, np.full((300, 1), 0.5)])
    path = saved(tmp_path, by_class(wide, ["0", "1", "2", "3"]))
    found = bn.find.label_issues(labels, path)
    pd.testing.assert_frame_equal(found.frame(), bn.find.label_issues(labels, wide).frame())


def test_keys_of_several_columns_are_read_from_files(made, tmp_path):
    labels, probs = made
    frame = pd.DataFrame({"a": np.arange(300) // 20, "b": np.arange(300) % 20})
    frame["label"] = np.array(NAMES)[labels]
    path = saved(tmp_path, by_class(probs, a=frame["a"], b=frame["b"]))
    with bn.create(None, frame, key=["a", "b"], label="label") as ds:
        found = bn.find.label_issues(ds, path)
    assert found.keys.tolist() == [divmod(row, 20) for row in expected(made).keys]


def test_edits_and_drops_are_seen_and_previous_does_no_harm(made, ds, tmp_path):
    path = saved(tmp_path, by_class(made[1], id=range(300)))
    first = bn.find.label_issues(ds, path)
    ds.drop(first.keys[0])
    ds.relabel(first.keys[1], first.suggestions[1])
    found = bn.find.label_issues(ds, path, previous=first)
    keyed = bn.find.label_issues(ds, bn.Probabilities(made[1], range(300), NAMES))
    pd.testing.assert_frame_equal(found.frame(), keyed.frame())


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda t: t.drop_columns("id"), ColumnError, "no key column 'id'"),
        (lambda t: t.drop_columns("bee"), ColumnError, "no column for the labels 'bee'"),
        (lambda t: t.append_column("note", [["x"] * 300]), ColumnError, "'note' \\(string\\)"),
        (lambda t: t.select(["id"]), ColumnError, "no columns"),
        (lambda t: pa.concat_tables([t, t[:2]]), KeysError, "2 keys are there twice.*: 0, 1"),
        (lambda t: pa.concat_tables([t[:0], *[t[5:6]] * 3]), KeysError, "1 keys are there twice"),
        (lambda t: with_column(t, "id", range(1000, 1300)), ProbabilityError, "none of the 300"),
        (lambda t: with_column(t, "ant", [None] * 300), ProbabilityError, "are null"),
        (lambda t: with_column(t, "ant", [0.9] * 300), ProbabilityError, "do not sum|outside"),
        (lambda t: with_column(t, "ant", [np.inf] * 300), ProbabilityError, "infinite"),
    ],
)
def test_files_that_do_not_fit_are_refused(made, ds, tmp_path, spoil, error, message):
    path = saved(tmp_path, spoil(by_class(made[1], id=range(300))))
    with pytest.raises(error, match=message) as caught:
        bn.find.label_issues(ds, path)
    assert caught.value.hint


def with_column(table, name, values):
    place = table.schema.names.index(name)
    kind = pa.float64() if name in NAMES else pa.int64()
    return table.set_column(place, name, pa.array(values, kind))


def test_lists_of_another_length_are_refused(made, ds, tmp_path):
    short = [row[:2] if i == 250 else row for i, row in enumerate(made[1].tolist())]
    path = saved(tmp_path, pa.table({"id": range(300), "p": short}))
    with pytest.raises(ProbabilityError, match="899 probabilities in rows 0 to 299"):
        bn.find.label_issues(ds, path)
    path = saved(tmp_path, pa.table({"id": range(300), "p": made[1][:, :2].tolist()}))
    with pytest.raises(LabelError, match="3 classes"):
        bn.find.label_issues(ds, path)


def test_a_path_that_holds_nothing_is_refused(ds, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        bn.find.label_issues(ds, str(tmp_path / "nothing.parquet"))


def test_a_file_without_rows_covers_nothing(made, ds, tmp_path):
    path = saved(tmp_path, by_class(made[1][:0], id=pa.array([], pa.int64())))
    with pytest.raises(ProbabilityError, match="none of the 300"):
        bn.find.label_issues(ds, path)
