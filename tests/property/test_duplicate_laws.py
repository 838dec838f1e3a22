from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import burnish as bn
from burnish.model import linking
from burnish.model.similar_images import Pictures, Seen
from burnish.model.similar_text import Plan, Shingled, jaccard, normalised

WORDS = st.sampled_from(["cat", "cats", "dog", "mat", "the", "sat", "ß", "Σ", "  ", "é", "x"])
TEXTS = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=12)
THRESHOLD = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9, 1.0])


def alike(texts, threshold) -> set[tuple[int, int]]:
    clean = [normalised(text) for text in texts]
    pairs = itertools.combinations(range(len(texts)), 2)
    both = ((i, j) for i, j in pairs if clean[i] and clean[j])
    return {(i, j) for i, j in both if jaccard(clean[i], clean[j]) >= threshold - 1e-12}


def groups(found) -> set[frozenset]:
    return {frozenset(keys) for keys in found.groups}


@given(texts=TEXTS, threshold=THRESHOLD)
def test_every_group_has_a_centre_that_all_its_rows_are_alike_to(texts, threshold) -> None:
    pairs = alike(texts, threshold)
    for keys in bn.find.near_duplicates(texts, threshold=threshold).groups:
        assert any(all(a == b or (min(a, b), max(a, b)) in pairs for b in keys) for a in keys)


@given(texts=TEXTS, threshold=THRESHOLD)
def test_every_row_with_a_like_is_in_one_group_or_counted(texts, threshold) -> None:
    found = bn.find.near_duplicates(texts, threshold=threshold)
    grouped = found.keys.tolist()
    assert len(set(grouped)) == len(grouped)
    expected = {row for pair in alike(texts, threshold) for row in pair}
    lost = expected - set(grouped)
    assert set(grouped) <= expected
    assert (
        len({normalised(texts[row]) for row in lost}) == (found.provenance["n_alike_to_none_left"])
    )


@given(texts=TEXTS, threshold=THRESHOLD)
def test_rows_that_are_all_alike_are_one_group(texts, threshold) -> None:
    """Where being alike is transitive, groups are its classes."""
    pairs = alike(texts, threshold)
    classes = {frozenset({i} | {j for p in pairs if i in p for j in p}) for i in range(len(texts))}
    if sum(map(len, classes)) == len(texts):
        found = groups(bn.find.near_duplicates(texts, threshold=threshold))
        assert found == {each for each in classes if len(each) > 1}


@given(texts=TEXTS, threshold=THRESHOLD, data=st.data())
def test_the_order_of_rows_does_not_matter(texts, threshold, data) -> None:
    order = data.draw(st.permutations(range(len(texts))))
    straight = bn.find.near_duplicates(texts, threshold=threshold)
    mixed = bn.find.near_duplicates([texts[i] for i in order], threshold=threshold)
    assert groups(straight) == {frozenset(order[i] for i in keys) for keys in mixed.groups}
    frame = pd.DataFrame({"id": range(len(texts)), "text": pd.Series(texts, dtype="str")})
    if len(texts):
        with bn.create(None, frame.iloc[list(order)], key="id", text="text") as ds:
            stored = bn.find.near_duplicates(ds, threshold=threshold)
        pd.testing.assert_frame_equal(stored.frame(), straight.frame())


@given(texts=TEXTS, threshold=THRESHOLD)
def test_the_score_is_the_least_similarity_to_the_centre(texts, threshold) -> None:
    found = bn.find.near_duplicates(texts, threshold=threshold)
    for score, row in zip(found.scores, found.members["similarity"], strict=True):
        assert threshold - 1e-12 <= score == min(row)
        assert max(row) == 1


@given(texts=st.lists(st.text(max_size=20), max_size=8))
def test_any_text_is_compared(texts) -> None:
    clean = sorted({normalised(text) for text in texts} - {""}, key=lambda t: (len(t), t))
    shingled = Shingled(clean)
    pairs = np.array(list(itertools.combinations(range(len(clean)), 2)), np.int64).reshape(-1, 2)
    expected = [jaccard(clean[i], clean[j]) for i, j in pairs]
    assert shingled.similarity(pairs[:, 0], pairs[:, 1]).tolist() == pytest.approx(expected)


@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_links_lead_between_exactly_what_brute_force_links(seed, data) -> None:
    random = np.random.default_rng(seed)
    n = data.draw(st.integers(0, 60))
    points = random.random(n) * data.draw(st.floats(0.5, 30))

    def similarity(first, second):
        return 1 - np.minimum(np.abs(points[first] - points[second]), 1)

    made = linking.link(n, [np.zeros(n, np.uint64)], similarity, 0.6, limit=n)
    first, second = np.triu_indices(n, 1)
    near = similarity(first, second) >= 0.6
    expected = linking.labels_of_links(n, first[near], second[near])
    for labels in (made.labels, expected):
        assert len(set(zip(labels, expected, strict=True))) == len(set(labels.tolist()))
    assert (made.similarity >= 0.6).all()
    assert made.n_skipped == 0


def planted(n: int, seed: int) -> list[str]:
    """Return texts of which each has a copy with one to six characters replaced."""
    random = np.random.default_rng(seed)
    letters = list("etaoinshrdlucmfw ")
    texts = []
    for _ in range(n):
        row = random.choice(letters, 60)
        copy = row.copy()
        copy[random.choice(60, random.integers(1, 7), replace=False)] = "#"
        texts += ["".join(row), "".join(copy)]
    return sorted({normalised(text) for text in texts} - {""}, key=lambda t: (len(t), t))


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85])
def test_bands_find_pairs_with_the_probability_that_they_promise(threshold) -> None:
    texts = planted(3_000, seed=1)
    shingled = Shingled(texts)
    plan = shingled.plan(threshold)
    assert plan.recall(threshold) >= 0.99
    links = linking.link(len(texts), shingled.buckets(plan, 0), shingled.similarity, threshold)
    truth = brute_force(texts, threshold)
    found = {tuple(sorted(pair)) for pair in zip(links.first, links.second, strict=True)}
    assert found <= truth
    met = [pair for pair in truth if links.labels[pair[0]] == links.labels[pair[1]]]
    assert len(truth) > 400
    assert len(met) >= 0.99 * len(truth)


def brute_force(texts, threshold) -> set[tuple[int, int]]:
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(
        analyzer=lambda t: {f" {t} "[i : i + 4] for i in range(len(t) - 1)}, binary=True
    )
    sets = words.fit_transform(texts).astype(np.int32)
    sizes = np.asarray(sets.sum(axis=1)).ravel()
    common = (sets @ sets.T).tocoo()
    upper = common.row < common.col
    i, j, shared = common.row[upper], common.col[upper], common.data[upper]
    near = shared / (sizes[i] + sizes[j] - shared) >= threshold
    return set(zip(i[near].tolist(), j[near].tolist(), strict=True))


@pytest.mark.parametrize("plan", [Plan(5, 2), Plan(20, 4), Plan(8, 1)])
def test_a_band_lets_a_pair_meet_as_often_as_minhash_should(plan) -> None:
    texts = planted(2_000, seed=2)
    shingled = Shingled(texts)
    buckets = np.array(list(shingled.buckets(plan, 3)))
    pairs = np.array(sorted(brute_force(texts, 0.4)))
    similarity = shingled.similarity(pairs[:, 0], pairs[:, 1])
    met = (buckets[:, pairs[:, 0]] == buckets[:, pairs[:, 1]]).any(axis=0)
    expected = np.array([plan.recall(each) for each in similarity])
    error = np.sqrt((expected * (1 - expected)).sum()) / len(pairs)
    assert abs(met.mean() - expected.mean()) <= 4 * error + 1e-9


@given(seed=st.integers(0, 2**32 - 1), flips=st.integers(0, 7))
def test_hashes_within_the_radius_meet_and_no_others_are_alike(seed, flips) -> None:
    random = np.random.default_rng(seed)
    one, level, other = (int(v) for v in random.integers(0, 2**63, 3, dtype=np.int64))
    bits = random.choice(64, flips, replace=False)
    changed = one ^ sum(1 << int(bit) for bit in bits)
    thumbnail = random.integers(0, 256, 256, dtype=np.uint8).tobytes()
    pictures = Pictures([Seen(one, level, thumbnail, b"a"), Seen(changed, other, thumbnail, b"b")])
    assert any(each[0] == each[1] for each in pictures.buckets())
    assert pictures.similarity(np.array([0]), np.array([1]))[0] == pytest.approx(1)
    far = Pictures(
        [Seen(one, level, thumbnail, b"a"), Seen(one ^ 255, level ^ 255, thumbnail, b"")]
    )
    assert far.similarity(np.array([0]), np.array([1])).tolist() == [0]


def test_a_centre_keeps_what_it_took_first() -> None:
    matrix = np.eye(6)
    for a, b in [(0, 1), (0, 2), (0, 3), (3, 4), (4, 5)]:
        matrix[a, b] = matrix[b, a] = 0.9

    def similarity(first, second):
        return matrix[first, second]

    links = linking.link(6, [np.zeros(6, np.uint64)], similarity, 0.8)
    made = linking.stars(links, similarity, 0.8)
    assert made.owner.tolist() == [0, 0, 0, 0, 4, 4]
    assert made.similarity.tolist() == [1, 0.9, 0.9, 0.9, 1, 0.9]
    assert not len(made.alone)
