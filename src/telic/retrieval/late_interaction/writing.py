"""Vectors of a corpus, encoded once each, turned into a codec and segments within bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from telic.errors import DataError
from telic.retrieval.late_interaction.codec import Codec, centroid_count, plain_codec, train_codec
from telic.retrieval.late_interaction.files import Files
from telic.retrieval.late_interaction.manifest import CodecEntry, SegmentEntry, file_name
from telic.retrieval.late_interaction.segments import SegmentWriter, write_whole
from telic.retrieval.late_interaction.sources import Source
from telic.retrieval.passage import Passage

Encode = Callable[[Sequence[str]], list[np.ndarray]]

PLAIN_TOKENS = 20_000
"""A collection of no more tokens is kept as float16 and scanned."""
SAMPLE_BYTES = 400_000_000
"""Of the float16 vectors that centroids are found on; finding them takes about four times as much memory."""
_SAMPLE_PER_CENTROID = 32
_BATCH = 128


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an index was asked to be.

    Attributes:
        dim: length of a vector.
        bits: for each number.
        rescore_bits: of the finer copy.
        seed: of random choices.
        encode: gives passages their vectors.
    """

    dim: int
    bits: int
    rescore_bits: int | None
    seed: int
    encode: Encode

    def encoded(self, passages: Sequence[Passage]) -> list[np.ndarray]:
        """The vectors of passages.

        Raises:
            DataError: the encoder gave something else than finite vectors of its length.
        """
        vectors = self.encode([passage.text for passage in passages])
        for passage, rows in zip(passages, vectors, strict=True):
            if rows.ndim != 2 or rows.shape[1] != self.dim or not np.isfinite(rows).all():
                raise DataError(
                    f"The encoder's vectors of passage '{passage.id}' are of shape {rows.shape}, or not all "
                    f"finite; (tokens, {self.dim}) is needed."
                )
        return vectors


class Writer:
    """Writes files for one new generation.

    Args:
        files: where to.
        recipe: what of.
        number: of the first file.
    """

    def __init__(self, files: Files, recipe: Recipe, number: int) -> None:
        self.files, self.recipe = files, recipe
        self._next = number

    def number(self) -> int:
        """The next file's number."""
        self._next += 1
        return self._next - 1

    def whole(self, source: Source) -> tuple[CodecEntry, list[SegmentEntry]]:
        """A codec made for a source, and all of the source in segments.

        Vectors are held for a sample that is drawn at random, and encoded only once. What is in memory at a
        time: the sample (`SAMPLE_BYTES`, and four times that while centroids are found), a batch, and what a
        `SegmentWriter` holds; nothing else grows with the source.
        """
        sample, tokens = self._sample(source)
        complete = len(sample) == len(source)
        if complete and tokens <= PLAIN_TOKENS:
            codec = plain_codec(self.recipe.dim)
        else:
            rows = np.concatenate([sample[number] for number in sorted(sample)]).astype(np.float32)
            total = tokens if complete else int(tokens / len(sample) * len(source))
            bits, rescore_bits, seed = self.recipe.bits, self.recipe.rescore_bits, self.recipe.seed
            codec = train_codec(rows, total, bits=bits, rescore_bits=rescore_bits, seed=seed)
            del rows
        return self._codec(codec), self.segments(codec, source, sample)

    def segments(
        self, codec: Codec, source: Source, known: dict[int, np.ndarray], writer: SegmentWriter | None = None
    ) -> list[SegmentEntry]:
        """A source in segments of a codec that is there; `known` vectors are not encoded, and let go.

        Args:
            codec: how vectors are stored.
            source: the passages.
            known: vectors of some, by number.
            writer: a segment that was begun.
        """
        entries = []
        for numbers in _batches(range(len(source))):
            writer = writer or SegmentWriter(self.files, self.number(), codec)
            passages = [source.passage(number) for number in numbers]
            writer.add(passages, self._vectors(source, numbers, passages, known))
            if writer.full:
                entries.append(writer.close())
                writer = None
        return entries + ([writer.close()] if writer is not None and len(writer) else [])

    def _vectors(
        self,
        source: Source,
        numbers: Sequence[int],
        passages: Sequence[Passage],
        known: dict[int, np.ndarray],
    ) -> list[np.ndarray]:
        found = [known.pop(number, None) for number in numbers]
        found = [source.vectors(n) if rows is None else rows for n, rows in zip(numbers, found, strict=True)]
        lacking = [passage for passage, rows in zip(passages, found, strict=True) if rows is None]
        fresh = iter(self.recipe.encoded(lacking) if lacking else [])
        return [next(fresh) if rows is None else rows for rows in found]

    def _sample(self, source: Source) -> tuple[dict[int, np.ndarray], int]:
        """Vectors of passages drawn at random, as many as centroids can be found on, and their tokens."""
        order = np.random.default_rng(self.recipe.seed).permutation(len(source)).tolist()
        sample: dict[int, np.ndarray] = {}
        tokens = 0
        for numbers in _batches(order):
            expected = tokens / max(1, len(sample)) * len(source)
            enough = max(PLAIN_TOKENS, _SAMPLE_PER_CENTROID * centroid_count(int(expected), self.recipe.bits))
            if tokens > enough or tokens * self.recipe.dim * 2 > SAMPLE_BYTES:
                break
            passages = [source.passage(number) for number in numbers]
            for number, rows in zip(numbers, self._vectors(source, numbers, passages, {}), strict=True):
                sample[number] = rows.astype(np.float16)
                tokens += len(rows)
        return sample, tokens

    def _codec(self, codec: Codec) -> CodecEntry:
        number = self.number()
        written = {
            kind: write_whole(self.files.create(file_name(number, kind)), data)
            for kind, data in codec.arrays().items()
        }
        finer = None if codec.rescoring is None else codec.rescoring.bits
        return CodecEntry(
            number, len(codec.centroids), codec.residuals.bits, finer, codec.error, codec.trained_on, written
        )


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(numbers), _BATCH):
        yield numbers[first : first + _BATCH]
