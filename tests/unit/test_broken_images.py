from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import burnish as bn
from burnish.errors import InputError


def encoded(size=(40, 30), kind="PNG", mode="RGB") -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(out, kind)
    return out.getvalue()


def reasons(images) -> dict[int, str]:
    found = bn.find.broken_images(images)
    return dict(zip(found.keys, found.details["reason"], strict=True))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not an image"),
        (encoded()[:200], "damaged"),
        (encoded(kind="JPEG")[:-400], "damaged"),
        ("no/such/file.png", "missing file"),
        ("with\0null", "missing file"),
        (np.zeros((2, 2, 2, 2)), "wrong shape"),
        (np.zeros((0, 5), np.uint8), "wrong shape"),
        (np.full((4, 4), np.nan), "damaged"),
        ([[1, 2], [3]], "wrong shape"),
        (3, "wrong shape"),
        (np.array([["a", "b"]]), "not an image"),
    ],
)
def test_what_does_not_decode_is_found_with_its_reason(image, reason) -> None:
    assert reasons([encoded(), image, None]) == {1: reason}


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F"])
def test_images_of_every_mode_are_fine(mode) -> None:
    out = io.BytesIO()
    Image.new(mode, (5, 7)).save(out, "TIFF")
    assert reasons([out.getvalue()]) == {}


def test_arrays_of_every_layout_are_fine() -> None:
    shapes = [(8, 8), (8, 8, 1), (8, 8, 3), (8, 8, 4), (3, 8, 8), (1, 1)]
    for kind in (np.uint8, np.int64, np.uint64, bool, np.float16, float):
        assert reasons([np.zeros(shape, kind) for shape in shapes]) == {}


def test_a_bomb_is_too_large(monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert reasons([encoded((12, 10)), encoded((40, 30))]) == {0: "too large", 1: "too large"}


def test_a_dataset_is_read_by_key_and_nulls_are_counted(tmp_path) -> None:
    (tmp_path / "fine.png").write_bytes(encoded())
    paths = ["gone.png", str(tmp_path / "fine.png"), None]
    frame = pd.DataFrame({"id": ["c", "b", "a"], "image": paths})
    with bn.create(None, frame, key="id", image="image") as ds:
        found = bn.find.broken_images(ds)
    assert found.keys.tolist() == ["c"]
    assert found.given.tolist() == ["gone.png"]
    assert found.scores.tolist() == [1.0]
    assert found.provenance["n_null"] == 1


def test_a_dataset_without_images_is_refused() -> None:
    frame = pd.DataFrame({"id": [1], "x": [1]})
    with (
        bn.create(None, frame, key="id") as ds,
        pytest.raises(InputError, match="no image role"),
    ):
        bn.find.broken_images(ds)


def test_no_images_and_only_null_are_fine() -> None:
    assert len(bn.find.broken_images([])) == len(bn.find.broken_images([None])) == 0
