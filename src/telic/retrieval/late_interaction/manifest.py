"""What an index consists of at one moment: a JSON file that a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telic._json import decoded, dumps, stable_hash
from telic.errors import IndexFileError
from telic.retrieval.late_interaction.files import Written

FORMAT = "telic late interaction"
VERSION = 1


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A segment, as the manifest knows it.

    Attributes:
        number: its files are named by it.
        passages: how many it holds, deleted ones included.
        tokens: likewise.
        error: sum of the squared lengths of its residuals.
        files: what was written, by kind.
        deleted: the number of the file that lists which passages no longer count; 0 if all do.
        deletions: how many these are.
        deleted_file: what was written there.
    """

    number: int
    passages: int
    tokens: int
    error: float
    files: Mapping[str, Written]
    deleted: int = 0
    deletions: int = 0
    deleted_file: Written | None = None

    @property
    def alive(self) -> int:
        """Passages that count."""
        return self.passages - self.deletions

    def names(self) -> dict[str, tuple[str, Written]]:
        """Each file's name and what was written, by kind."""
        named = {kind: (file_name(self.number, kind), written) for kind, written in self.files.items()}
        if self.deleted_file is not None:
            named["deleted"] = (file_name(self.deleted, "deleted"), self.deleted_file)
        return named


@dataclass(frozen=True, slots=True)
class CodecEntry:
    """The codec, as the manifest knows it; see `Codec`."""

    number: int
    centroids: int
    bits: int
    rescore_bits: int | None
    error: float
    trained_on: int
    files: Mapping[str, Written]

    def names(self) -> dict[str, tuple[str, Written]]:
        """Each file's name and what was written, by kind."""
        return {kind: (file_name(self.number, kind), written) for kind, written in self.files.items()}


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of an index.

    Attributes:
        generation: counts what was published.
        encoder: fingerprint of the encoder whose vectors these are.
        dim: length of a vector.
        bits: that were asked for; a collection too small for centroids is kept at 16.
        rescore_bits: of the finer copy that was asked for.
        seed: of random choices.
        numbered: how many passages it was ever given: those without an id are numbered on from here.
        next: the number of the next file; never used twice.
        codec: how vectors are stored.
        segments: in the order they were added.
    """

    generation: int
    encoder: str
    dim: int
    bits: int
    rescore_bits: int | None
    seed: int
    numbered: int
    next: int
    codec: CodecEntry
    segments: tuple[SegmentEntry, ...] = field(default=())

    @property
    def passages(self) -> int:
        """Passages that count."""
        return sum(segment.alive for segment in self.segments)

    def names(self) -> dict[str, Written]:
        """Every file that counts."""
        entries = [self.codec.names(), *(segment.names() for segment in self.segments)]
        return {name: written for entry in entries for name, written in entry.values()}

    def to_json(self) -> str:
        """As text, with a checksum of itself."""
        body = {"format": FORMAT, "version": VERSION, **_plain(self)}
        return dumps({**body, "checksum": stable_hash(body)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Manifest:
        """Read it.

        Raises:
            IndexFileError: it is damaged, or of something else.
        """
        try:
            body = decoded(text.encode())
            checksum = body.pop("checksum", None)
        except (ValueError, AttributeError, TypeError) as error:
            raise IndexFileError(
                f"{where}: the manifest is not JSON: {error}. Build the index again."
            ) from error
        if body.get("format") != FORMAT or body.get("version") != VERSION:
            raise IndexFileError(
                f"{where}: the manifest is of '{body.get('format')}' version {body.get('version')}; this "
                f"release reads '{FORMAT}' version {VERSION}. Build the index again."
            )
        if checksum != stable_hash(body):
            raise IndexFileError(
                f"{where}: the manifest is not what was written (its checksum differs). Build the index "
                "again."
            )
        return cls(
            **{name: body[name] for name in _NUMBERS},
            codec=CodecEntry(**{**body["codec"], "files": _files(body["codec"]["files"])}),
            segments=tuple(_segment(entry) for entry in body["segments"]),
        )


_NUMBERS = ("generation", "encoder", "dim", "bits", "rescore_bits", "seed", "numbered", "next")


def file_name(number: int, kind: str) -> str:
    """What a file is called."""
    return f"telic-{number:06d}.{kind}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    names = getattr(type(value), "__dataclass_fields__", None)
    return value if names is None else {name: _plain(getattr(value, name)) for name in names}


def _files(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Written]:
    return {kind: Written(**entry) for kind, entry in entries.items()}


def _segment(entry: Mapping[str, Any]) -> SegmentEntry:
    gone = entry["deleted_file"]
    return SegmentEntry(
        **{**entry, "files": _files(entry["files"]), "deleted_file": gone and Written(**gone)}
    )
