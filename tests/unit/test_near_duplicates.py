from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits, load_sample_images

import burnish as bn
from burnish.errors import BurnishError, InputError
from burnish.model.similar_text import jaccard, normalised

TEXTS = [
    "The delivery came two days late and the box was open.",
    "the delivery came two days late and the box was open",
    "Great value, I would buy it again.",
    "Nothing like the picture on the page",
    "Great value, I would buy it again.",
    None,
    "",
    "   ",
]


def groups(found) -> set[frozenset]:
    return {frozenset(keys) for keys in found.groups}


def encoded(image, kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def photographs():
    """Return 64 parts of two photographs, those with something to see on them."""
    parts = [
        image[y : y + 100, x : x + 100]
        for image in load_sample_images().images
        for y in range(0, 400, 80)
        for x in range(0, 540, 90)
    ]
    parts = [part for part in parts if part.shape == (100, 100, 3)]
    return sorted(parts, key=lambda part: -part.std())[:32]


def test_copies_are_exact_and_the_almost_equal_near() -> None:
    found = bn.find.near_duplicates(TEXTS)
    assert found.groups == ((2, 4), (0, 1))
    assert found.details["kind"].tolist() == ["exact", "near"]
    assert found.scores[0] == 1.0
    assert found.scores[1] == pytest.approx(jaccard(*map(normalised, TEXTS[:2])))


def test_what_is_left_out_is_counted() -> None:
    facts = bn.find.near_duplicates([*TEXTS, 3, b"x", float("nan")]).provenance
    assert (facts["n_null"], facts["n_empty"], facts["n_not_text"]) == (2, 2, 2)
    assert facts["n_rows"] == 11


def test_values_that_are_no_text_are_written_out() -> None:
    found = bn.find.near_duplicates([17, "17", b"caf\xc3\xa9", "café", b"\xff", b"\xff", 2.5])
    assert groups(found) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})}


def test_case_space_and_spelling_of_characters_do_not_count() -> None:
    found = bn.find.near_duplicates(["Cafe\u0301  STRASSE", "café\tstraße\n", "\ud800 odd"])
    assert found.groups == ((0, 1),)
    assert found.scores.tolist() == [1.0]
    assert found.details["kind"].tolist() == ["near"]


@pytest.mark.parametrize("texts", [[], ["one"], [None, None], ["", ""], ["a", "b"]])
def test_nothing_alike_finds_nothing(texts) -> None:
    assert len(bn.find.near_duplicates(texts, by="text")) == 0


def test_huge_texts_are_compared() -> None:
    letters = np.random.default_rng(0).integers(97, 123, 10_000_000, dtype=np.uint8)
    text = letters.tobytes().decode()
    found = bn.find.near_duplicates([text, "x" + text[1:], "short"])
    assert found.groups == ((0, 1),)


def test_labels_and_splits_mark_the_groups() -> None:
    labels = ["late", "late", "good", "bad", "poor", None, "x", "y"]
    splits = ["train", "test", "train", "train", "train", "test", None, None]
    found = bn.find.near_duplicates(TEXTS, labels=labels, splits=splits)
    assert found.where(conflicting=True).groups == ((2, 4),)
    assert found.where(crosses_splits=True).groups == ((0, 1),)
    assert found.extras(keep="test").keys.tolist() == [4, 0]


def test_a_null_label_is_no_conflict() -> None:
    found = bn.find.near_duplicates(["same", "same"], labels=["x", None])
    assert found.details["conflicting"].tolist() == [False]
    assert len(found.conflicts()) == 0


def test_a_dataset_gives_what_its_rows_give_and_extras_can_be_dropped() -> None:
    keys = list("hgfedcba")
    frame = pd.DataFrame({"id": keys, "text": TEXTS, "label": list("xxyyyzzz")})
    with bn.create(None, frame, key="id", label="label", text="text") as ds:
        found = bn.find.near_duplicates(ds)
        assert found.groups == (("d", "f"), ("g", "h"))
        assert found.provenance["fingerprint"] == ds.fingerprint
        assert "crosses_splits" not in found.details
        ds.drop(found.extras(), reason="copies")
        assert len(bn.find.near_duplicates(ds)) == 0


def test_several_text_columns_are_compared_together() -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "q": ["why?"] * 3, "a": ["so", "so", "no way at all"]})
    with bn.create(None, frame, key="id", text=["q", "a"]) as ds:
        assert bn.find.near_duplicates(ds).groups == ((1, 2),)


def test_a_chain_is_split_where_its_ends_are_not_alike() -> None:
    words = [f"word{i:03}" for i in range(60)]
    chain = [" ".join(words[i : i + 20]) for i in range(40)]
    found = bn.find.near_duplicates(chain, threshold=0.85)
    for keys in found.groups:
        assert any(all(jaccard(chain[a], chain[b]) >= 0.85 for b in keys) for a in keys)
    assert (found.scores >= 0.85).all()
    assert sum(map(len, found.groups)) + found.provenance["n_alike_to_none_left"] == 40


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (lambda image: image.copy(), 1),
        (lambda image: image.convert("L"), 1),
        (lambda image: image.convert("RGBA"), 1),
        (lambda image: image.convert("P", palette=Image.Palette.ADAPTIVE), 1),
        (lambda image: image.resize((57, 81)), 0.96),
        (lambda image: ImageEnhance.Brightness(image).enhance(1.1), 0.96),
        (lambda image: image.crop((1, 1, 99, 99)), 0.96),
        (
            lambda image: image.transform((100, 100), Image.Transform.AFFINE, (1, 0, 1, 0, 1, 0)),
            0.9,
        ),
    ],
)
def test_changed_photographs_are_found_across_modes_and_sizes(photographs, change, least) -> None:
    changed = [encoded(change(Image.fromarray(each))) for each in photographs]
    found = bn.find.near_duplicates([*photographs, *changed], by="image", threshold=0.9)
    n = len(photographs)
    assert np.mean([any({i, i + n} <= keys for keys in groups(found)) for i in range(n)]) >= least
    assert all(len({key % n for key in keys}) == 1 for keys in found.groups)


def test_a_strong_jpeg_is_near_and_a_copied_file_exact(photographs) -> None:
    image = Image.fromarray(photographs[0])
    png, jpeg = encoded(image), encoded(image, "JPEG", quality=40)
    found = bn.find.near_duplicates([png, jpeg], by="image")
    assert found.details["kind"].tolist() == ["near"]
    assert bn.find.near_duplicates([png, png], by="image").details["kind"].tolist() == ["exact"]


def test_even_images_of_different_colour_are_not_alike() -> None:
    images = [np.full((9, 9), value, np.uint8) for value in (0, 128, 255, 255)]
    assert bn.find.near_duplicates(images).groups == ((2, 3),)


def test_images_that_do_not_decode_are_left_out_and_counted(tmp_path, photographs) -> None:
    path = tmp_path / "photograph.png"
    path.write_bytes(encoded(Image.fromarray(photographs[0])))
    images = [b"\x89PNG", str(path), "gone.png", None, photographs[0]]
    found = bn.find.near_duplicates(images, by="image")
    assert found.groups == ((1, 4),)
    assert (found.provenance["n_broken"], found.provenance["n_null"]) == (2, 1)


def test_planted_copies_of_digits_are_found_and_little_else() -> None:
    images = load_digits().images
    some = np.random.default_rng(0).choice(len(images), 50, replace=False)
    slight = np.clip(images[some] + np.random.default_rng(1).normal(0, 0.3, (50, 8, 8)), 0, 16)
    found = bn.find.near_duplicates([*images, *slight, *images[some]], by="image")
    n = len(images)
    hits = [any({k, n + i, n + 50 + i} <= g for g in groups(found)) for i, k in enumerate(some)]
    assert np.mean(hits) >= 0.96
    strangers = [g for g in groups(found) if max(g) < n]
    assert sum(map(len, strangers)) <= 0.1 * n


def test_vectors_are_alike_where_they_are_much_nearer_than_usual() -> None:
    random = np.random.default_rng(0)
    tight, wide = random.normal(0, 1, (300, 8)), random.normal(50, 30, (300, 8))
    values = np.concatenate([tight, wide, tight[:20] + 0.01, wide[:20], [[np.nan] * 8]])
    found = bn.find.near_duplicates(values)
    expected = {frozenset({i, 600 + i}) for i in range(20)}
    expected |= {frozenset({300 + i, 620 + i}) for i in range(20)}
    assert groups(found) == expected
    assert found.where(kind="exact").scores.tolist() == [1.0] * 20
    assert found.provenance["n_without_vector"] == 1
    scaled = bn.find.near_duplicates(values * 1e4)
    assert groups(scaled) == expected


def test_many_copies_of_one_vector_are_one_group() -> None:
    values = np.random.default_rng(0).normal(size=(80, 4))
    values[:40] = values[0]
    assert groups(bn.find.near_duplicates(values)) == {frozenset(range(40))}
    same = bn.find.near_duplicates(np.ones((30, 4)))
    assert groups(same) == {frozenset(range(30))}


def test_by_embedding_reads_the_features_of_a_dataset() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(50, 3)), columns=list("xyz"))
    frame.loc[49] = frame.loc[0]
    frame["id"] = [f"r{i:02}" for i in range(50)]
    with bn.create(None, frame, key="id", features=list("xyz")) as ds:
        assert bn.find.near_duplicates(ds).groups == (("r00", "r49"),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "sound"}, "by='sound', expected one of"),
        ({"threshold": 0}, "threshold=0, expected a similarity"),
        ({"threshold": 1.5}, "threshold=1.5"),
        ({"threshold": "high"}, "threshold='high'"),
        ({"labels": ["x"]}, "labels has length 1, expected 2"),
        ({"by": "embedding"}, "no numbers|vectors have shape"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments, message) -> None:
    with pytest.raises(InputError, match=message):
        bn.find.near_duplicates(["one", "two"], **arguments)


@pytest.mark.parametrize("given", ["a text", pd.DataFrame({"x": [1]}), 3, None])
def test_what_holds_no_rows_is_refused(given) -> None:
    with pytest.raises(BurnishError):
        bn.find.near_duplicates(given)


def test_a_dataset_without_the_role_is_refused() -> None:
    frame = pd.DataFrame({"id": [1], "x": [1]})
    with bn.create(None, frame, key="id") as ds:
        for by in ("text", "image"):
            with pytest.raises(InputError, match=f"no {by} role"):
                bn.find.near_duplicates(ds, by=by)
        with pytest.raises(InputError, match="no column has a role"):
            bn.find.near_duplicates(ds)


def test_arrays_in_a_dataset_are_compared_with_what_stands_beside_a_null() -> None:
    images = [np.asarray(image, dtype=np.uint8) * 15 for image in load_digits().images[:20]]
    frame = pd.DataFrame({"id": range(22), "image": [*images, None, images[0]]})
    with bn.create(None, frame, key="id", image="image") as ds:
        found = bn.find.near_duplicates(ds)
        assert found.groups == ((0, 21),)
        assert found.details["kind"].tolist() == ["exact"]
        assert found.provenance["n_null"] == 1
        assert len(bn.find.broken_images(ds)) == 0


@pytest.mark.parametrize("by", ["image", "embedding"])
def test_images_and_vectors_in_another_order_give_the_same_groups(by) -> None:
    values = load_digits().images[:200] if by == "image" else load_digits().data[:200]
    rows = [*values, *(values[:40] + 0.01)]
    order = np.random.default_rng(0).permutation(len(rows))
    straight = bn.find.near_duplicates(rows, by=by)
    mixed = bn.find.near_duplicates([rows[i] for i in order], by=by)
    assert len(straight) >= 40
    assert groups(straight) == {frozenset(order[list(keys)].tolist()) for keys in mixed.groups}


def test_a_relabel_changes_what_conflicts_and_not_the_groups() -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "text": ["same", "same", "other"], "label": list("xxy")})
    with bn.create(None, frame, key="id", label="label", text="text") as ds:
        before = bn.find.near_duplicates(ds)
        ds.relabel(2, "y")
        after = bn.find.near_duplicates(ds)
    assert before.groups == after.groups == ((1, 2),)
    assert (len(before.conflicts()), len(after.conflicts())) == (0, 2)


def test_copies_that_are_alike_to_nothing_left_are_a_group_and_not_counted_as_left_out() -> None:
    texts = ["cat", "the", "cat cats mat", "mat mat the", "the the", *["mat dog mat cats cats"] * 2]
    found = bn.find.near_duplicates(texts, threshold=0.1)
    assert (5, 6) in found.groups
    assert found.provenance["n_alike_to_none_left"] == 0
