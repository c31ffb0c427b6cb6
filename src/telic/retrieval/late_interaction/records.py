"""The passages of a segment as they were given: ids, texts, metadata; read where they lie, one at a time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from telic._json import decoded, encoded
from telic.retrieval.late_interaction.files import Files, Sink, Written
from telic.retrieval.passage import Passage

_EMPTY = b"{}\n"


def id_hash(identity: str) -> int:
    """64 bits of a passage's id."""
    return int.from_bytes(
        blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


class RecordsWriter:
    """Writes the four files of a segment's passages.

    Args:
        create: begins a file, by its kind.
    """

    def __init__(self, create: Callable[[str], Sink]) -> None:
        self._create = create
        self._texts, self._metadata = create("records"), create("metadata")
        self._ends, self._hashes = array("q"), array("Q")
        self._end = self._metadata_end = 0

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, passage: Passage) -> None:
        """Append a passage."""
        record = encoded({"id": passage.id, "text": passage.text}) + b"\n"
        metadata = encoded(dict(passage.metadata)) + b"\n" if passage.metadata else _EMPTY
        self.add_raw(record, metadata, id_hash(passage.id))

    def add_raw(self, record: bytes, metadata: bytes, hashed: int) -> None:
        """Append a passage's two lines as another segment has them."""
        self._texts.write(record)
        self._metadata.write(metadata)
        self._end += len(record)
        self._metadata_end += len(metadata)
        self._ends.extend((self._end, self._metadata_end))
        self._hashes.append(hashed)

    def close(self) -> dict[str, Written]:
        """Make all durable, with where each line ends and the ids in the order of their hashes."""
        hashes = np.array(self._hashes, "<u8")
        order = np.argsort(hashes, kind="stable").astype("<u4")
        written = {"records": self._texts.close(), "metadata": self._metadata.close()}
        ends = np.array(self._ends, "<i8").reshape(-1, 2)
        for kind, data in (("record_ends", ends), ("id_hashes", hashes[order]), ("id_order", order)):
            sink = self._create(kind)
            sink.write(data)
            written[kind] = sink.close()
        return written


class Records:
    """Reads them.

    Args:
        files: where they lie.
        name: a file's name, by its kind.
    """

    KINDS = ("records", "metadata", "record_ends", "id_hashes", "id_order")

    def __init__(self, files: Mapping[str, np.ndarray]) -> None:
        self._texts, self._metadata = files["records"], files["metadata"]
        self._ends: np.ndarray = files["record_ends"].view("<i8").reshape(-1, 2)
        self._hashes: np.ndarray = files["id_hashes"].view("<u8")
        self._order: np.ndarray = files["id_order"].view("<u4")

    def __len__(self) -> int:
        return len(self._ends)

    def passage(self, place: int) -> Passage:
        """The passage at a place, `0 <= place < len(self)`."""
        record, metadata, _ = self.raw(place)
        read = decoded(record)
        return Passage(read["id"], read["text"], metadata={} if metadata == _EMPTY else decoded(metadata))

    def raw(self, place: int) -> tuple[bytes, bytes, int]:
        """A passage's two lines, and the hash of its id."""
        record = self._line(self._texts, 0, place)
        metadata = self._line(self._metadata, 1, place)
        return record, metadata, id_hash(decoded(record)["id"])

    def metadata(self) -> Iterator[Mapping[str, Any]]:
        """What is known of each passage, in order."""
        for line in bytes(self._metadata).splitlines():
            yield {} if line == _EMPTY[:-1] else decoded(line)

    def find(self, identity: str) -> list[int]:
        """Places of the passages with an id: one, unless it was deleted and added again; or none."""
        wanted = np.uint64(id_hash(identity))
        first, end = (
            np.searchsorted(self._hashes, wanted, "left"),
            np.searchsorted(self._hashes, wanted, "right"),
        )
        places = [int(place) for place in self._order[first:end]]
        return [place for place in places if self.passage(place).id == identity]

    def hashes(self) -> np.ndarray:
        """The hashes of all ids, increasing."""
        return self._hashes

    @property
    def order(self) -> np.ndarray:
        """The place of the passage that each of the `hashes` is of."""
        return self._order

    def _line(self, data: np.ndarray, column: int, place: int) -> bytes:
        first = int(self._ends[place - 1, column]) if place else 0
        return bytes(data[first : int(self._ends[place, column])])


def load(files: Files, names: Iterable[tuple[str, str]]) -> dict[str, np.ndarray]:
    """Files by their kind."""
    return {kind: files.read(name) for kind, name in names}
