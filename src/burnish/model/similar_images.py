"""Images that are alike: difference hashes that nearly agree, verified on thumbnails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from burnish.core.keys import KeyArray
from burnish.model.decoding import Broken, digest, each, ink_range, opened
from burnish.model.linking import Grouping, Places, Scores, grouping, link, stars

if TYPE_CHECKING:
    from PIL.Image import Image

RADIUS = 7
BITS = 16
SIDE = 16
AT_ONCE = 1 << 14
LEAST = 0.95
SAMPLE, RANK = 1_000, 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


class Seen(NamedTuple):
    """What is compared of an image.

    Attributes
    ----------
    steps : int
        64 bits: whether each of 8 × 8 cells is darker than the next on its right.
    levels : int
        64 bits: whether each of 8 × 8 cells is lighter than the mean.
    thumbnail : bytes
        16 × 16 grey values.
    digest : bytes
        Hash of the file or array.
    """

    steps: int
    levels: int
    thumbnail: bytes
    digest: bytes


def seen(cell: Any, ink: tuple[float, float]) -> Seen:
    """Return the hash and thumbnail of an image.

    Raises
    ------
    BrokenPictureError
        It does not decode.
    """
    from PIL.Image import Resampling

    grey = _grey(opened(cell, ink))
    small = np.asarray(grey.resize((9, 8), Resampling.BILINEAR), dtype=np.int16)
    level = np.asarray(grey.resize((8, 8), Resampling.BILINEAR), dtype=np.int16)
    thumbnail = grey.resize((SIDE, SIDE), Resampling.BILINEAR).tobytes()
    steps, levels = _number(small[:, 1:] > small[:, :-1]), _number(level > level.mean())
    return Seen(steps, levels, thumbnail, digest(cell))


def _number(bits: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _grey(picture: Image) -> Image:
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        top = 65535.0 if high > 255 else 255.0
        span = (0.0, top) if low >= 0 and high <= top else (low, high)
        picture = Image.fromarray(
            np.uint8(np.clip((values - span[0]) / (span[1] - span[0]), 0, 1) * 255)
        )
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    return picture.convert("L")


class Pictures:
    """Hashes and thumbnails of different images.

    Parameters
    ----------
    images : sequence of Seen
    """

    def __init__(self, images: Sequence[Seen]) -> None:
        self.hashes = [
            np.array([image.steps for image in images], dtype=np.uint64),
            np.array([image.levels for image in images], dtype=np.uint64),
        ]
        raw = np.frombuffer(b"".join(image.thumbnail for image in images), np.uint8)
        self.thumbnails = raw.reshape(len(images), SIDE * SIDE)
        self.means = self.thumbnails.mean(axis=1)
        self.variances = self.thumbnails.var(axis=1)

    def buckets(self) -> Iterator[npt.NDArray[np.uint64]]:
        """Give bucketings in which images meet where one of both hashes differs in 7 bits at most.

        Notes
        -----
        Of four parts of 16 bits one differs in one bit at most; the two agree once that bit is
        masked.
        """
        for hashes, part in product(self.hashes, range(64 // BITS)):
            bits = (hashes >> np.uint64(part * BITS)) & np.uint64(2**BITS - 1)
            for bit in range(BITS):
                yield bits & ~np.uint64(1 << bit)

    def similarity(self, first: Places, second: Places) -> Scores:
        """Return the structural similarity of thumbnails, 0 where both hashes differ in over 7."""
        distances = [_popcount(each[first] ^ each[second]) for each in self.hashes]
        near = np.flatnonzero(np.minimum(*distances) <= RADIUS)
        scores = np.zeros(len(first))
        for start in range(0, len(near), AT_ONCE):
            part = near[start : start + AT_ONCE]
            scores[part] = self._structural(first[part], second[part])
        return scores

    def default_threshold(self) -> float:
        """Return 0.95, or more where unrelated images are alike, such as digits of 8 × 8 pixels.

        Notes
        -----
        Of up to 1,000 of the images, evenly spaced in the order of their content, each is compared
        with the others. The median dissimilarity to the 5th most alike is what unrelated images
        keep; duplicates keep at most a quarter of it.
        """
        some = np.unique(np.linspace(0, len(self.means) - 1, SAMPLE).astype(np.int64))
        if len(some) <= RANK + 1:
            return LEAST
        far = [np.sort(1 - self._structural(np.full_like(some, i), some))[RANK] for i in some]
        return max(LEAST, 1 - float(np.median(far)) / 4)

    def _structural(self, first: Places, second: Places) -> Scores:
        a, b = self.means[first], self.means[second]
        left = self.thumbnails[first].astype(np.float32)
        right = self.thumbnails[second].astype(np.float32)
        both = np.einsum("ij,ij->i", left, right).astype(np.float64) / (SIDE * SIDE) - a * b
        spread = self.variances[first] + self.variances[second]
        means = (2 * a * b + _C1) / (a * a + b * b + _C1)
        return np.asarray(np.clip(means * (2 * both + _C2) / (spread + _C2), 0, 1))


def _popcount(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(values), dtype=np.int64)
    bits = np.unpackbits(np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8), axis=1)
    return np.asarray(bits.sum(axis=1, dtype=np.int64))


def image_groups(cells: KeyArray, threshold: float | None = None) -> Grouping:
    """Group images that are alike.

    Parameters
    ----------
    cells : object array of shape (n_rows,)
        Bytes, paths, arrays or None.
    threshold : float, optional
        Least structural similarity of a member to its group's centre, in (0, 1]. By default 0.95,
        or more where unrelated images are alike.

    Returns
    -------
    Grouping

    Notes
    -----
    Two images are alike where their difference hashes or their mean hashes differ in at most 7 of
    64 bits, and the structural similarity of their 16 × 16 grey thumbnails reaches the threshold.
    All such pairs meet (multi-index hashing), except in buckets of more than 100 images, where
    each is compared with 100 others. Transparent pixels are laid on white; the orientation tag is
    obeyed.

    References
    ----------
    Norouzi, Punjani and Fleet (2012), Fast search in Hamming space with multi-index hashing. CVPR.
    Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from error visibility to
    structural similarity. Krawetz (2013), Kind of Like That (the difference hash).
    """
    ink = ink_range(cells)
    there = [i for i, cell in enumerate(cells) if cell is not None]
    looked = dict(zip(there, each(lambda cell: seen(cell, ink), cells[there]), strict=True))
    whole = {i: image for i, image in looked.items() if not isinstance(image, Broken)}
    images = sorted(set(whole.values()))
    place = {image: i for i, image in enumerate(images)}
    items = np.array([place[whole[i]] if i in whole else -1 for i in range(len(cells))], np.int64)
    pictures = Pictures(images)
    threshold = pictures.default_threshold() if threshold is None else threshold
    links = link(len(images), pictures.buckets(), pictures.similarity, threshold)
    found = stars(links, pictures.similarity, threshold)
    identities = [whole[i].digest if i in whole else None for i in range(len(cells))]
    facts = {
        "threshold": threshold,
        "radius": RADIUS,
        "n_null": len(cells) - len(there),
        "n_broken": len(there) - len(whole),
        **links.counts,
    }
    return grouping(items, found, identities, facts)
