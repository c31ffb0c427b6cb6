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
_LARGE = {"residuals", "rescoring", "records", "metadata", "spool_records"}
_FILTERS = 16
_DTYPES = {"centroids": "u1", "groups": "<i8"}


class Opened:
    """A generation of an index.

    Args:
        files: where it is.
        manifest: what belongs to it.
        contents: whether all checksums are read now (`True`), only sizes (`False`), or, by default,
            everything if that is at most `VERIFY_BYTES`, else everything but vectors and texts; what was not
            read through is when its segment is first searched.

    Raises:
        IndexFileError: a file is not what was written.
        FileNotFoundError: a file is gone, as it is when a newer generation took this one's place.
    """

    def __init__(self, files: Files, manifest: Manifest, contents: bool | None = None) -> None:
        self.files, self.manifest = files, manifest
        size = sum(written.size for written in manifest.names().values())
        self._at_once = size <= VERIFY_BYTES if contents is None else contents
        self._contents = contents
        self._unverified: dict[int, list[tuple[str, np.ndarray, Written]]] = {}
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
            for number in list(self._unverified):
                for name, data, written in self._unverified[number]:
                    verify(self.files.where, name, data, written)
                del self._unverified[number]

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
        read = self._read(entry.names(), entry.number)
        arrays: dict[str, np.ndarray] = {
            kind: data.view(_DTYPES.get(kind, "<f4")) for kind, data in read.items()
        }
        return Codec.from_arrays(arrays, entry.bits, entry.rescore_bits, entry.error, entry.trained_on)

    def _open_segment(self, entry: SegmentEntry) -> Segment:
        return Segment(entry, self._read(entry.names(), entry.number), self.codec)

    def _read(self, names: Mapping[str, tuple[str, Written]], number: int) -> dict[str, np.ndarray]:
        """Everything of one codec or segment is opened at once: an open file outlives its removal."""
        read = {}
        for kind, (name, written) in names.items():
            data = self.files.read(name)
            now = self._contents is not False and (self._at_once or kind not in _LARGE)
            verify(self.files.where, name, data, written, contents=now)
            if not now and self._contents is None:
                self._unverified.setdefault(number, []).append((name, data, written))
            read[kind] = data
        return read


def open_published(files: Files, contents: bool | None = None) -> Opened:
    """The published generation.

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
            return Opened(files, manifest, contents)
        except FileNotFoundError as error:
            now = published(files)
            if now is not None and now.generation != manifest.generation:
                continue
            raise IndexFileError(
                f"{files.where}: the file '{error.filename or error}' of the index is missing. Restore it "
                f"from a "
                "copy, or build the index again."
            ) from error


def published(files: Files) -> Manifest | None:
    """The manifest that counts.

    Raises:
        IndexFileError: it is damaged.
    """
    text = files.manifest()
    return None if text is None else Manifest.from_json(text, files.where)
