"""A segment: some passages of an index, in files that never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from telic.retrieval.late_interaction import kernels
from telic.retrieval.late_interaction.codec import ID_TYPE, Codec
from telic.retrieval.late_interaction.files import Files, Sink, Written
from telic.retrieval.late_interaction.lists import build_lists
from telic.retrieval.late_interaction.manifest import SegmentEntry, file_name
from telic.retrieval.late_interaction.records import Records, RecordsWriter
from telic.retrieval.passage import Passage

SEGMENT_TOKENS = 8_000_000
"""A segment that has reached so many tokens is closed: what is held in memory for one stays bounded."""


class Segment:
    """An open segment.

    Args:
        entry: what the manifest says of it.
        files: contents, by kind.
        codec: how its vectors are stored.

    Attributes:
        starts: first token of each passage, and the end of the last, int64.
        centroid_of: centroid of each token.
        residuals: packed rows, uint8 `(tokens, width)`.
        rescoring: the finer copy, where there is one.
        lists: inverted lists; see `lists`.
        list_ends: where each ends, int64.
        alive: 1 for each passage that counts, uint8.
        records: ids, texts and metadata.
    """

    def __init__(self, entry: SegmentEntry, files: Mapping[str, np.ndarray], codec: Codec) -> None:
        self.entry, self.codec = entry, codec
        self.starts = np.concatenate([[0], np.cumsum(files["lengths"].view("<u4"), dtype=np.int64)])
        self.centroid_of = files["centroid_of"].view(ID_TYPE)
        self.residuals = files["residuals"].reshape(entry.tokens, codec.residuals.width)
        self.rescoring: np.ndarray | None = None
        if codec.rescoring is not None:
            self.rescoring = files["rescoring"].reshape(entry.tokens, codec.rescoring.width)
        self.lists = files["lists"]
        self.list_ends = np.cumsum(files["list_sizes"].view("<u4"), dtype=np.int64)
        self.alive: np.ndarray = np.ones(entry.passages, np.uint8)
        if "deleted" in files:
            self.alive[files["deleted"].view("<u4")] = 0
        self.records = Records(files)

    def __len__(self) -> int:
        return self.entry.passages

    @cached_property
    def finest(self) -> np.ndarray:
        """The packed rows that scores come from in the end."""
        return self.residuals if self.rescoring is None else self.rescoring

    def tokens(self, place: int) -> slice:
        """The rows of a passage."""
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def vectors(self, place: int) -> np.ndarray:
        """A passage's vectors as near as they are stored, float32 `(tokens, dim)`."""
        rows = self.tokens(place)
        left = self.codec.finest.unpacked(np.asarray(self.finest[rows]))
        decoded: np.ndarray = left + self.codec.centroids.rows[self.centroid_of[rows]]
        return decoded

    def find(self, identity: str) -> int | None:
        """The place of the living passage with an id."""
        return next((place for place in self.records.find(identity) if self.alive[place]), None)


class SegmentWriter:
    """Writes a segment; memory for its tokens' centroids (2 bytes each) and its passages' lengths and
    ids.

    Args:
        files: where to.
        number: names its files.
        codec: how vectors are stored.
    """

    def __init__(self, files: Files, number: int, codec: Codec) -> None:
        self._files, self.number, self._codec = files, number, codec
        self._records = RecordsWriter(self._create)
        self._residuals = self._create("residuals")
        self._rescoring = None if codec.rescoring is None else self._create("rescoring")
        self._centroid_of: list[np.ndarray] = []
        self._lengths: list[int] = []
        self._error = 0.0
        self.tokens = 0

    def __len__(self) -> int:
        return len(self._lengths)

    @property
    def full(self) -> bool:
        """Whether it is time for the next segment."""
        return self.tokens >= SEGMENT_TOKENS

    def add(self, passages: Sequence[Passage], vectors: Sequence[np.ndarray]) -> None:
        """Append passages with their vectors."""
        if not passages:
            return
        rows = np.concatenate(vectors).astype(np.float32)
        codec, centroids = self._codec, self._codec.centroids.rows
        nearest: np.ndarray = codec.centroids.nearest(rows).astype(ID_TYPE)
        self._error += float(kernels.squared_error(rows, nearest, centroids))
        packed = codec.residuals.packed(rows, nearest, centroids)
        finer = None if codec.rescoring is None else codec.rescoring.packed(rows, nearest, centroids)
        for passage in passages:
            self._records.add(passage)
        self._add_tokens([len(part) for part in vectors], nearest, packed, finer)

    def copy(self, segment: Segment) -> None:
        """Append the living passages of a segment of the same codec, as they are stored."""
        copied = 0
        for place in np.flatnonzero(segment.alive).tolist():
            rows = segment.tokens(place)
            finer = None if segment.rescoring is None else segment.rescoring[rows]
            self._records.add_raw(*segment.records.raw(place))
            self._add_tokens(
                [rows.stop - rows.start], segment.centroid_of[rows], segment.residuals[rows], finer
            )
            copied += rows.stop - rows.start
        self._error += segment.entry.error * copied / max(1, segment.entry.tokens)

    def close(self) -> SegmentEntry:
        """Make it durable."""
        starts = np.concatenate([[0], np.cumsum(self._lengths, dtype=np.int64)]).astype(np.int64)
        centroid_of = np.concatenate([np.zeros(0, ID_TYPE), *self._centroid_of])
        lists, ends = build_lists(starts, centroid_of, len(self._codec.centroids))
        written = {**self._records.close(), "residuals": self._residuals.close()}
        if self._rescoring is not None:
            written["rescoring"] = self._rescoring.close()
        whole = {
            "lengths": np.array(self._lengths, "<u4"),
            "centroid_of": centroid_of,
            "lists": lists,
            "list_sizes": np.diff(ends, prepend=0).astype("<u4"),
        }
        for kind, data in whole.items():
            written[kind] = write_whole(self._create(kind), data)
        return SegmentEntry(self.number, len(self), self.tokens, self._error, written)

    def _create(self, kind: str) -> Sink:
        return self._files.create(file_name(self.number, kind))

    def _add_tokens(
        self, lengths: list[int], centroid_of: np.ndarray, packed: np.ndarray, finer: np.ndarray | None
    ) -> None:
        self._residuals.write(packed)
        if self._rescoring is not None and finer is not None:
            self._rescoring.write(finer)
        self._centroid_of.append(np.array(centroid_of))
        self._lengths += lengths
        self.tokens += sum(lengths)


def write_whole(sink: Sink, data: np.ndarray) -> Written:
    """A file of one array."""
    sink.write(data)
    return sink.close()
