"""One generation of an index, open for reading; it stays as it is whatever is written meanwhile."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np

from telic._json import canonical
from telic.errors import IndexFileError, IndexFileMissingError, InputError
from telic.retrieval.filters import Filter, admits
from telic.retrieval.late_interaction.codec import Codec
from telic.retrieval.late_interaction.files import Files, Written, verify
from telic.retrieval.late_interaction.manifest import CodecEntry, Manifest, SegmentEntry
from telic.retrieval.late_interaction.segments import Segment

VERIFY_BYTES = 512 * 2**20
"""Files of an index are read through for their checksums at opening up to so many bytes: a quarter of a
second.
"""
_LARGE = {"residuals", "rescoring", "records", "metadata"}
_FILTERS = 16
_DTYPES = {"centroids": "u1", "groups": "<i8"}


class Opened:
    """A generation of an index.

    Args:
        files: where it is.
        manifest: what belongs to it.
        contents: whether all checksums are read now (`True`), only sizes (`False`), or, by default,
            everything if that is at most `VERIFY_BYTES`, else everything but vectors and texts; these are
            read through before they are first searched or copied.
        known: an earlier generation; what was read through there is not read again.

    Raises:
        IndexFileError: a file is not what was written.
        FileNotFoundError: a file is gone, as it is when a newer generation took this one's place.
    """

    def __init__(
        self, files: Files, manifest: Manifest, contents: bool | None = None, known: Opened | None = None
    ) -> None:
        self.files, self.manifest = files, manifest
        size = sum(written.size for written in manifest.names().values())
        self._at_once = size <= VERIFY_BYTES if contents is None else contents
        self._contents = contents
        self._proven: dict[str, tuple[Written, np.ndarray]] = {}
        self._unproven: dict[str, tuple[Written, np.ndarray]] = {}
        self._known = {} if known is None else known._proven
        self._lock = threading.Lock()
        self.codec = self._open_codec(manifest.codec)
        self.segments = [self._open_segment(entry) for entry in manifest.segments]
        self._admitted: OrderedDict[str, list[np.ndarray]] = OrderedDict()

    def verify(self) -> None:
        """Read through what was not yet.

        Raises:
            IndexFileError: a file is not what was written.
        """
        with self._lock:
            for name, (written, data) in list(self._unproven.items()):
                verify(self.files.where, name, data, written)
                self._proven[name] = self._unproven.pop(name)

    def admitted(self, wanted: Filter | None) -> list[np.ndarray]:
        """For each segment 1 for each passage that counts and that the filter admits, uint8.

        Raises:
            InputError: it is no filter.
        """
        if wanted is None:
            return [segment.alive for segment in self.segments]
        key = canonical(wanted) if isinstance(wanted, Mapping) else None
        if key is not None and key in self._admitted:
            return self._admitted[key]
        test = admits(wanted)
        masks = []
        for segment in self.segments:
            kept = np.fromiter((bool(test(m)) for m in segment.records.metadata()), np.uint8, len(segment))
            masks.append(kept & segment.alive)
        if key is not None:
            with self._lock:
                self._admitted[key] = masks
                while len(self._admitted) > _FILTERS:
                    self._admitted.popitem(last=False)
        return masks

    def find(self, identity: str) -> tuple[int, int] | None:
        """The segment and the place of the passage with an id."""
        for number, segment in enumerate(self.segments):
            place = segment.find(identity)
            if place is not None:
                return number, place
        return None

    def at(self, identity: str) -> tuple[int, int]:
        """`find`.

        Raises:
            InputError: there is no such passage.
        """
        found = self.find(identity)
        if found is None:
            raise InputError(f"{self.files.where}: there is no passage with the id '{identity}'.")
        return found

    def _open_codec(self, entry: CodecEntry) -> Codec:
        read = self._read(entry.names())
        arrays: dict[str, np.ndarray] = {
            kind: data.view(_DTYPES.get(kind, "<f4")) for kind, data in read.items()
        }
        return Codec.from_arrays(arrays, entry.bits, entry.rescore_bits, entry.error, entry.trained_on)

    def _open_segment(self, entry: SegmentEntry) -> Segment:
        return Segment(entry, self._read(entry.names()), self.codec)

    def _read(self, names: Mapping[str, tuple[str, Written]]) -> dict[str, np.ndarray]:
        """Everything is opened at once: an open file outlives its removal."""
        return {kind: self._proved(name, kind, written) for kind, (name, written) in names.items()}

    def _proved(self, name: str, kind: str, written: Written) -> np.ndarray:
        known = self._known.get(name)
        if known is not None and known[0] == written:
            self._proven[name] = known
            return known[1]
        data = self.files.read(name)
        now = self._contents is not False and (self._at_once or kind not in _LARGE)
        verify(self.files.where, name, data, written, contents=now)
        if now:
            self._proven[name] = written, data
        elif self._contents is None:
            self._unproven[name] = written, data
        return data


def open_published(files: Files, contents: bool | None = None, known: Opened | None = None) -> Opened:
    """The published generation; see `Opened`.

    A writer may publish a newer one, and sweep this one's files, between the reading of the manifest and the
    opening of the files; then the newer is opened.

    Raises:
        IndexFileError: there is no index, or it is damaged.
    """
    while True:
        manifest = published(files)
        if manifest is None:
            raise IndexFileMissingError(
                f"{files.where}: there is no index here. Build one with LateInteraction.build."
            )
        try:
            return Opened(files, manifest, contents, known)
        except FileNotFoundError as error:
            now = published(files)
            if now is not None and now.generation != manifest.generation:
                continue
            raise IndexFileError(
                f"{files.where}: the file '{error.filename or error}' of the index is missing. Restore "
                "it from a copy, or build the index again."
            ) from error


def published(files: Files) -> Manifest | None:
    """The manifest that counts.

    Raises:
        IndexFileError: it is damaged.
    """
    text = files.manifest()
    return None if text is None else Manifest.from_json(text, files.where)
