import numpy as np
import pyarrow as pa
import pytest

from burnish.errors import InputError
from burnish.model import assign_folds


def test_a_fold_depends_on_nothing_but_identity_and_seed() -> None:
    whole = dict(zip(range(500), assign_folds(range(500), 5, seed=3), strict=True))
    part = [499, 3, 250]
    assert assign_folds(part, 5, seed=3).tolist() == [whole[key] for key in part]


def test_folds_are_the_same_on_every_machine() -> None:
    assert assign_folds(["a", 1, ("x", 2), 2.5], 7, seed=0).tolist() == [0, 2, 1, 2]


def test_another_seed_gives_another_assignment() -> None:
    assert (assign_folds(range(100), 5, 0) != assign_folds(range(100), 5, 1)).any()


def test_folds_are_about_equally_large() -> None:
    counts = np.bincount(assign_folds([f"row {i}" for i in range(5_000)], 5, seed=0))
    assert len(counts) == 5
    assert counts.min() > 900


def test_a_numpy_key_has_the_fold_of_the_python_value() -> None:
    assert assign_folds(np.arange(9), 4).tolist() == assign_folds(list(range(9)), 4).tolist()


@pytest.mark.parametrize(
    ("cells", "left", "right"),
    [
        ([0, 1_000, -5_000], pa.timestamp("ms"), pa.timestamp("ns")),
        ([0, 1_000, -5_000], pa.timestamp("us", "UTC"), pa.timestamp("ns", "Asia/Tokyo")),
        ([0, 1_000, -5_000], pa.duration("s"), pa.duration("ns")),
    ],
    ids=str,
)
def test_the_unit_and_zone_of_times_do_not_matter(
    cells: list[int], left: pa.DataType, right: pa.DataType
) -> None:
    array = pa.array(cells, left)
    moved = array.cast(right)
    assert (
        assign_folds(moved.to_pylist(), 97).tolist() == assign_folds(array.to_pylist(), 97).tolist()
    )


@pytest.mark.parametrize("n_folds", [1, 0, -2, 2.5, "5", None, True])
def test_a_number_of_folds_that_makes_no_sense_is_refused(n_folds: object) -> None:
    with pytest.raises(InputError, match="at least 2"):
        assign_folds(range(10), n_folds)  # type: ignore[arg-type]
