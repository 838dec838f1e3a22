"""What the wire's bytes promise the browser."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from burnish.wire.bytes import pack_bits, pack_codes, pack_rows, quantise, unpack_bits

TOP = 65_535
masks = st.lists(st.booleans(), max_size=70).map(lambda bits: np.array(bits, dtype=bool))
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
anything = st.floats(width=32)


def pairs(values: st.SearchStrategy[float]) -> st.SearchStrategy[npt.NDArray[np.float32]]:
    """Return coordinates of up to 30 rows."""
    return st.integers(0, 30).flatmap(lambda n: arrays(np.float32, (n, 2), elements=values))


def points_of(packed: bytes) -> npt.NDArray[np.int64]:
    """Return the steps that the browser reads."""
    return np.frombuffer(packed, "<u2").reshape(-1, 2).astype(np.int64)


@given(masks)
def test_a_bitmap_comes_back_as_the_rows_it_was_made_of(mask: npt.NDArray[np.bool_]) -> None:
    bitmap = pack_bits(mask)
    assert len(bitmap) == math.ceil(len(mask) / 8)
    assert unpack_bits(bitmap, len(mask)).tolist() == np.flatnonzero(mask).tolist()


@given(masks)
def test_row_i_is_bit_i_and_7_of_byte_i_over_8(mask: npt.NDArray[np.bool_]) -> None:
    bitmap = pack_bits(mask)
    assert [bool(bitmap[i >> 3] >> (i & 7) & 1) for i in range(len(mask))] == mask.tolist()


@given(st.binary(max_size=9), st.integers(0, 80))
def test_bits_beyond_the_rows_are_ignored(bitmap: bytes, size: int) -> None:
    rows = unpack_bits(bitmap, size)
    inside = [i for i in range(min(size, 8 * len(bitmap))) if bitmap[i >> 3] >> (i & 7) & 1]
    assert rows.tolist() == inside
    assert rows.dtype == np.int64


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_bitmap_is_read_from_any_buffer(kind: Any) -> None:
    assert unpack_bits(kind(b"\x05"), 3).tolist() == [0, 2]
    assert unpack_bits(kind(b""), 3).tolist() == []


@given(pairs(finite))
@example(np.array([[3e38, 0], [-3e38, 1e-45]], np.float32))
@example(np.array([[1e-45, 0], [0, 1e-45]], np.float32))
def test_quantising_keeps_the_order_along_both_axes(where: npt.NDArray[np.float32]) -> None:
    packed, missing = quantise(where)
    steps = points_of(packed)
    assert not missing.any()
    for axis in (0, 1):
        order = np.argsort(where[:, axis], kind="stable")
        assert (np.diff(steps[order, axis]) >= 0).all()


@given(pairs(finite))
def test_quantising_keeps_distances_up_to_one_scale(where: npt.NDArray[np.float32]) -> None:
    steps = points_of(quantise(where)[0])
    exact = where.astype(np.float64)
    span = max((float(np.ptp(exact[:, axis])) for axis in (0, 1) if len(exact)), default=0.0)
    if span == 0:
        assert (steps == steps[:1]).all()
        return
    apart = (exact[:, None] - exact[None, :]) / span * TOP
    seen = steps[:, None] - steps[None, :]
    assert np.abs(apart - seen).max() <= 1 + 1e-6
    assert steps.max() - steps.min() >= TOP - 1


@given(pairs(finite))
def test_the_picture_is_centred(where: npt.NDArray[np.float32]) -> None:
    steps = points_of(quantise(where)[0])
    for axis in (0, 1) if len(where) else ():
        assert abs(steps[:, axis].min() + steps[:, axis].max() - TOP) <= 1


@given(pairs(anything))
def test_a_row_without_two_finite_numbers_is_missing(where: npt.NDArray[np.float32]) -> None:
    packed, missing = quantise(where)
    assert len(packed) == 4 * len(where)
    assert missing.tolist() == [not (math.isfinite(x) and math.isfinite(y)) for x, y in where]
    known = where[~missing]
    assert points_of(packed)[~missing].tolist() == points_of(quantise(known)[0]).tolist()


@given(finite, finite, st.integers(1, 5))
def test_one_point_or_equal_points_stand_in_the_middle(x: float, y: float, n: int) -> None:
    steps = points_of(quantise(np.full((n, 2), [x, y], np.float32))[0])
    assert (abs(steps * 2 - TOP) <= 1).all()


@given(st.lists(st.integers(0, TOP)))
def test_codes_are_little_endian_uint16(codes: list[int]) -> None:
    wanted = b"".join(code.to_bytes(2, "little") for code in codes)
    assert pack_codes(np.array(codes, np.uint16)) == wanted
    assert pack_codes(np.array(codes, ">u2")) == wanted


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_rows_are_little_endian_uint32(rows: list[int]) -> None:
    wanted = b"".join(row.to_bytes(4, "little") for row in rows)
    assert pack_rows(np.array(rows, np.uint32)) == wanted
    assert pack_rows(np.array(rows, ">u4")) == wanted
