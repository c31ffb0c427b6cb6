"""Where the passages of an index come from while it is written, to be gone through more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from telic.errors import DataError
from telic.retrieval.late_interaction.files import Files
from telic.retrieval.late_interaction.manifest import file_name
from telic.retrieval.late_interaction.records import Records, RecordsWriter, load
from telic.retrieval.late_interaction.segments import Segment
from telic.retrieval.passage import Corpus, Passage, passages


class Source(Protocol):
    """Passages by number."""

    def __len__(self) -> int: ...

    def passage(self, number: int) -> Passage:
        """One of them."""
        ...

    def vectors(self, number: int) -> np.ndarray | None:
        """Its vectors, if they are known well enough to need no encoder."""
        ...


class Spool:
    """A corpus, read once and laid down where the index will be: it may be larger than memory.

    Holds 24 bytes a passage in memory.

    Args:
        corpus: the passages.
        first: the number of the first that has no id.
        files: where to.
        number: names the files, which are swept away with the next generation.

    Attributes:
        next_number: the first number above all ids that are numbers.

    Raises:
        DataError: an item is no passage, or two have one id.
    """

    def __init__(self, corpus: Corpus, first: int, files: Files, number: int) -> None:
        names = {kind: file_name(number, f"spool_{kind}") for kind in Records.KINDS}
        writer = RecordsWriter(lambda kind: files.create(names[kind]))
        self.next_number = first
        for passage in passages(corpus, first):
            writer.add(passage)
            if passage.id.isdecimal() and len(passage.id) < 19:
                self.next_number = max(self.next_number, int(passage.id) + 1)
        writer.close()
        self._records = Records(load(files, names.items()))
        self._refuse_twins(files.where)

    def __len__(self) -> int:
        return len(self._records)

    def passage(self, number: int) -> Passage:
        """One of them."""
        return self._records.passage(number)

    def vectors(self, number: int) -> np.ndarray | None:
        """None are known."""
        return None

    def already_in(self, segment: Segment) -> list[int]:
        """Places of the segment's living passages whose ids are in this corpus too."""
        ours, theirs = self._records.hashes(), segment.records.hashes()
        near = np.minimum(np.searchsorted(theirs, ours), max(0, len(theirs) - 1))
        shared = np.flatnonzero(theirs[near] == ours) if len(theirs) else np.zeros(0, np.int64)
        mine = [self._records.passage(int(self._records.order[place])).id for place in shared]
        return [place for place in map(segment.find, mine) if place is not None]

    def _refuse_twins(self, where: str) -> None:
        hashes = self._records.hashes()
        for place in np.flatnonzero(hashes[1:] == hashes[:-1]).tolist():
            identity = self._records.passage(int(self._records.order[place])).id
            found = self._records.find(identity)
            if len(found) > 1:
                raise DataError(
                    f"{where}: the corpus has the id '{identity}' twice, as items {found[0]} and "
                    f"{found[1]}. Give each passage an id of its own."
                )


class Living:
    """What some segments hold, less what was deleted.

    Args:
        segments: of one codec.
        exact: whether what is stored is exact enough to make another codec from; else it is encoded again.
    """

    def __init__(self, segments: Sequence[Segment], exact: bool) -> None:
        self._segments = segments
        self._exact = exact
        numbers = [np.full(int(segment.alive.sum()), i) for i, segment in enumerate(segments)]
        places = [np.flatnonzero(segment.alive) for segment in segments]
        self._numbers = np.concatenate([np.zeros(0, np.int64), *numbers])
        self._places = np.concatenate([np.zeros(0, np.int64), *places])

    def __len__(self) -> int:
        return len(self._places)

    def passage(self, number: int) -> Passage:
        """One of them."""
        segment = self._segments[int(self._numbers[number])]
        return segment.records.passage(int(self._places[number]))

    def vectors(self, number: int) -> np.ndarray | None:
        """Its vectors, if they are stored exactly enough."""
        if not self._exact:
            return None
        return self._segments[int(self._numbers[number])].vectors(int(self._places[number]))


class Chained:
    """One source after another."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return sum(map(len, self._sources))

    def passage(self, number: int) -> Passage:
        """One of them."""
        source, within = self._find(number)
        return source.passage(within)

    def vectors(self, number: int) -> np.ndarray | None:
        """Its vectors, if its source knows them."""
        source, within = self._find(number)
        return source.vectors(within)

    def _find(self, number: int) -> tuple[Source, int]:
        for source in self._sources:
            if number < len(source):
                return source, number
            number -= len(source)
        raise IndexError(number)
