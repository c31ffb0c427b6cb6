"""What indexes that are kept in memory and saved whole have in common."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from telic.errors import InputError
from telic.retrieval.collection import Collection
from telic.retrieval.folder import Kept, keep, kept
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever


class SavedRetriever(Retriever):
    """A retriever over a collection of its own, that can be written to a folder.

    Attributes:
        path: the folder it was opened from or saved to.
    """

    kind: ClassVar[str]

    def __init__(self, k: int) -> None:
        self.k = k
        self.path: Path | None = None
        self._collection = Collection()
        self._stamp: str | None = None
        self._lock = threading.RLock()

    def passage(self, identity: str) -> Passage:
        """The passage of an id.

        Raises:
            InputError: there is none.
        """
        return self._collection.by_id(identity)

    def ids(self) -> list[str]:
        """The ids of all passages, in order."""
        return [passage.id for passage in self._collection]

    def save(self, path: str | Path | None = None) -> Path:
        """Write it to a folder, in one step: JSON, lines of text and plain arrays.

        Args:
            path: the folder; where it was opened or saved, if left out.

        Raises:
            InputError: no path is known.
            DataError: the folder holds something else, or another process changed the index there.
        """
        target = path or self.path
        if target is None:
            raise InputError(f"{type(self).__name__}.save: say where, as in index.save('index').")
        target = Path(target)
        with self._lock:
            settings, arrays = self._state()
            upon = self._stamp if target == self.path else None
            self._stamp = keep(target, self.kind, settings, self._collection, arrays, upon=upon)
            self.path = target
        return target

    def __len__(self) -> int:
        return len(self._collection)

    @abstractmethod
    def _state(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Settings (JSON) and arrays to be saved."""

    @classmethod
    def _kept(cls, path: str | Path) -> Kept:
        return kept(path, cls.kind)

    def _take(self, found: Kept, path: str | Path) -> None:
        """Be what was read."""
        self._collection = Collection(found.passages)
        self._stamp = found.stamp
        self.path = Path(path)

    def _without(self, ids: Iterable[str]) -> list[int]:
        """Take passages out of the collection; returns the places they had."""
        self._collection, gone = self._collection.without(ids)
        return gone
