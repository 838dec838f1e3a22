"""Images of rows become small PNGs; what cannot be drawn is left out and never an error."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from burnish.session.pictures import ink_of, png

SIZE = 32
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")


def pixels(drawn: bytes | None) -> npt.NDArray[np.uint8]:
    """Return the pixels of a PNG."""
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")
    return np.asarray(Image.open(io.BytesIO(drawn)))


def encoded(array: npt.NDArray[np.uint8], kind: str) -> bytes:
    """Return an array as an image file."""
    out = io.BytesIO()
    Image.fromarray(array).save(out, format=kind)
    return out.getvalue()


def drawn(value: Any, ink: tuple[float, float] = (0.0, 1.0)) -> npt.NDArray[np.uint8]:
    """Return the pixels that are drawn for a value."""
    return pixels(png(value, ink, SIZE))


def ramp(*shape: int) -> npt.NDArray[np.uint8]:
    """Return an array of bytes that differ."""
    return (np.arange(np.prod(shape)) * 3 % 256).astype(np.uint8).reshape(shape)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 4, 4), (1, 1)], ids=str)
def test_bytes_are_drawn_as_they_are(shape: tuple[int, ...]) -> None:
    assert drawn(ramp(*shape)).tolist() == ramp(*shape).tolist()


def test_measurements_are_ink_on_paper_and_the_largest_is_black() -> None:
    picture = drawn(np.array([[0.0, 8.0], [16.0, 4.0]]), (0.0, 16.0))
    assert picture.tolist() == [[255, 128], [0, 191]]
    assert drawn(np.array([[0, 16]]), (0.0, 16.0)).tolist() == [[255, 0]]
    assert drawn(np.array([[False, True]])).tolist() == [[255, 0]]


def test_colours_of_floats_are_not_turned_round() -> None:
    assert drawn(np.array([[[1.0, 0.0, 0.5]]])).tolist() == [[[255, 0, 128]]]


def test_what_was_not_measured_is_paper() -> None:
    values = np.array([[np.nan, -5.0, 5.0]])
    assert drawn(values, (-5.0, 5.0)).tolist() == [[255, 255, 0]]
    assert drawn(np.array([[np.nan, np.inf, -np.inf]])).tolist() == [[255, 0, 255]]


def test_a_flat_column_is_drawn() -> None:
    assert drawn(np.full((2, 2), 7.0), (7.0, 7.0)).shape == (2, 2)


def test_ink_is_the_range_of_what_is_finite() -> None:
    sample = [np.array([[1.0, np.nan]]), None, np.array([[np.inf, -3.0]]), b"coded", "path"]
    assert ink_of(sample) == (-3.0, 1.0)
    assert ink_of([None, b"coded", np.full((2, 2), np.nan)]) == (0.0, 1.0)


@pytest.mark.parametrize("kind", FORMATS)
def test_encoded_images_are_drawn(kind: str) -> None:
    array = np.zeros((8, 6, 3), np.uint8)
    array[:] = (200, 30, 60)
    picture = drawn(encoded(array, kind))
    assert picture.shape == (8, 6, 3)
    assert np.abs(picture[4, 3].astype(int) - (200, 30, 60)).max() <= 6


def test_an_encoded_image_keeps_what_can_be_seen_through() -> None:
    assert drawn(encoded(ramp(4, 4, 4), "PNG")).tolist() == ramp(4, 4, 4).tolist()
    assert drawn(encoded(ramp(4, 4), "PNG"))[..., 0].tolist() == ramp(4, 4).tolist()


@pytest.mark.parametrize("shape", [(1500, 3000), (3000, 1500, 3), (2000, 40)], ids=str)
def test_a_large_image_is_scaled_down_and_keeps_its_shape(shape: tuple[int, ...]) -> None:
    array = np.zeros(shape, np.uint8)
    for value in (array, encoded(array, "PNG"), encoded(array, "JPEG")):
        height, width = drawn(value).shape[:2]
        assert max(height, width) == SIZE
        assert abs(height / width - shape[0] / shape[1]) * min(height, width) <= shape[0] / shape[1]


def test_a_small_image_is_not_blown_up() -> None:
    assert drawn(ramp(2, 3)).shape == (2, 3)


@pytest.mark.parametrize("side", [33, 60])
def test_a_decompression_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch, side: int) -> None:
    array = np.zeros((side, side), np.uint8)
    assert png(encoded(array, "PNG"), (0, 1), SIZE) is not None
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)  # warns above it, raises above twice it
    assert png(encoded(array, "PNG"), (0, 1), SIZE) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"not an image",
        "a/path.png",
        7,
        {"a": 1},
        [[1, 2], [3]],
        np.zeros(4, np.uint8),
        np.zeros((0, 0), np.uint8),
        np.zeros((2, 2, 7), np.uint8),
        np.array([["x"]]),
        np.zeros((2, 2, 2, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_image_is_not_drawn(value: Any) -> None:
    assert png(value, (0, 1), SIZE) is None


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=50)
@given(data=st.data())
def test_broken_bytes_are_drawn_or_left_out(kind: str, data: st.DataObject) -> None:
    whole = bytearray(encoded(ramp(9, 9, 3), kind))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    result = png(broken, (0, 1), SIZE)
    assert result is None or max(pixels(result).shape[:2]) <= SIZE
