from hypothesis import given
from hypothesis import strategies as st

from burnish.model import assign_folds

KEY = st.one_of(st.integers(), st.text(), st.tuples(st.text(), st.integers()))
KEYS = st.lists(KEY, max_size=30)


@given(keys=KEYS, n_folds=st.integers(2, 20), seed=st.integers(0, 9))
def test_folds_are_in_range(keys, n_folds, seed):
    assert all(0 <= fold < n_folds for fold in assign_folds(keys, n_folds, seed))


@given(keys=KEYS, n_folds=st.integers(2, 20), data=st.data())
def test_a_fold_does_not_depend_on_order_or_other_rows(keys, n_folds, data):
    folds = dict(zip(keys, assign_folds(keys, n_folds), strict=True))
    some = data.draw(st.permutations(keys))[: len(keys) // 2 + 1]
    assert assign_folds(some, n_folds).tolist() == [folds[key] for key in some]
