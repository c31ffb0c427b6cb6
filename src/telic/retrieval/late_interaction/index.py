"""Changing an index: each change writes new files, then publishes them all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from telic.errors import DataError, IndexFileError, InputError
from telic.retrieval.late_interaction.files import Files
from telic.retrieval.late_interaction.manifest import CodecEntry, Manifest, SegmentEntry, file_name
from telic.retrieval.late_interaction.opened import Opened, published
from telic.retrieval.late_interaction.segments import SEGMENT_TOKENS, Segment, SegmentWriter, write_whole
from telic.retrieval.late_interaction.sources import Chained, Living, Source, Spool
from telic.retrieval.late_interaction.writing import Recipe, Writer
from telic.retrieval.passage import Corpus

DRIFT = 1.25
"""Residuals this much longer (in squares, on average) than those the codec was made on call for a new
codec.
"""
GROWTH = 8
"""So does a collection that has grown this much since: it should have more centroids."""
_EXACT_BITS = 8


@dataclass(frozen=True)
class Change:
    """A change that is under way: nothing else is written, and nothing is published yet.

    Attributes:
        files: where.
        recipe: what the index is to be.
        encoder: fingerprint of the encoder.
        old: what is published.
        writer: writes the files of what is to come.
    """

    files: Files
    recipe: Recipe
    encoder: str
    old: Manifest | None
    writer: Writer

    def publish(self, codec: CodecEntry, segments: Sequence[SegmentEntry], numbered: int) -> None:
        """Put what was written in the place of the old."""
        manifest = Manifest(
            generation=1 if self.old is None else self.old.generation + 1,
            encoder=self.encoder,
            dim=self.recipe.dim,
            bits=self.recipe.bits,
            rescore_bits=self.recipe.rescore_bits,
            seed=self.recipe.seed,
            numbered=numbered,
            next=self.writer.number(),
            codec=codec,
            segments=tuple(segments),
        )
        self.files.publish(manifest.to_json())
        _sweep(self.files, manifest)


@contextmanager
def changing(files: Files, recipe: Recipe, encoder: str) -> Iterator[Change]:
    """Be the one that changes the index; what was written and not published is removed at the end.

    Raises:
        IndexFileError: another process has been writing for too long.
    """
    with files.writing():
        old = published(files)
        # A writer that died may have left something.
        _sweep(files, old)
        try:
            yield Change(files, recipe, encoder, old, Writer(files, recipe, 1 if old is None else old.next))
        finally:
            _sweep(files, published(files))


def build(change: Change, corpus: Corpus) -> None:
    """Put an index of a corpus in the place of what is there.

    Raises:
        DataError: the corpus is ill-formed, or has an id twice.
    """
    spool = Spool(corpus, 0, change.files, change.writer.number())
    codec, segments = change.writer.whole(spool)
    change.publish(codec, segments, spool.next_number)


def add(change: Change, opened: Opened, corpus: Corpus, *, replacing: bool) -> None:
    """Add passages.

    A collection that is kept plain is written anew with them, as it is small. Else they become a segment of
    the codec that is there, joined by the newest segments as long as those are no larger than what joins
    them: so there are never many, and no passage is copied often.

    Args:
        change: what is under way.
        opened: what is published.
        corpus: the passages.
        replacing: whether passages with an id that is there come in that one's place.

    Raises:
        DataError: an id is there already (unless they may be replaced), or twice among the new.
    """
    old, writer = opened.manifest, change.writer
    spool = Spool(corpus, old.numbered, change.files, writer.number())
    if not len(spool):
        return
    kept = _without(opened, spool, replacing)
    codec = old.codec
    if opened.codec.plain:
        opened.verify()
        codec, segments = writer.whole(Chained(Living(kept, exact=True), spool))
    else:
        segments = _extended(writer, opened, kept, spool)
    change.publish(codec, segments, max(old.numbered, spool.next_number))


def delete(change: Change, opened: Opened, ids: Iterable[str]) -> int:
    """Let passages count no longer; their bytes go when segments are merged.

    Returns:
        How many there were.

    Raises:
        InputError: there is no passage with one of the ids; then none is deleted.
    """
    if isinstance(ids, str):
        raise InputError(f"Passages are deleted by a list of ids, not by {ids!r}: write [{ids!r}].")
    found = {opened.at(identity) for identity in ids}
    for number, place in found:
        opened.segments[number].alive[place] = 0
    if found:
        segments = [_marked(change.writer, segment) for segment in opened.segments]
        change.publish(opened.manifest.codec, segments, opened.manifest.numbered)
    return len(found)


def compact(change: Change, opened: Opened, retrain: bool | None) -> None:
    """Merge all segments, without what was deleted; see `LateInteraction.compact`."""
    old = opened.manifest
    anew = needs_training(old) if retrain is None else retrain
    codec = old.codec
    opened.verify()
    if anew or opened.codec.plain:
        exact = opened.codec.finest.bits >= _EXACT_BITS
        codec, segments = change.writer.whole(Living(opened.segments, exact))
    elif len(old.segments) > 1 or any(segment.deletions for segment in old.segments):
        segments = _merged(change.writer, opened)
    else:
        return
    change.publish(codec, segments, old.numbered)


def drift(manifest: Manifest) -> float:
    """Mean squared length of the residuals, as a multiple of what the codec was made on."""
    tokens = sum(segment.tokens for segment in manifest.segments)
    error = sum(segment.error for segment in manifest.segments)
    if not tokens or manifest.codec.centroids == 1:
        return 1.0
    return error / tokens / max(manifest.codec.error, 1e-12)


def needs_training(manifest: Manifest) -> bool:
    """Whether the vectors have drifted, or grown, away from what the codec was made for."""
    tokens = sum(segment.tokens for segment in manifest.segments)
    if manifest.codec.centroids == 1:
        return False
    return drift(manifest) > DRIFT or tokens > GROWTH * manifest.codec.trained_on


def _without(opened: Opened, spool: Spool, replacing: bool) -> list[Segment]:
    """The segments, less the passages whose ids come again.

    Raises:
        DataError: there are such, and they may not be replaced.
    """
    for segment in opened.segments:
        places = spool.already_in(segment)
        if places and not replacing:
            identity = segment.records.passage(places[0]).id
            raise DataError(
                f"{opened.files.where}: there is a passage with the id '{identity}' already. Delete it "
                "first, or add with replace=True."
            )
        segment.alive[places] = 0
    return opened.segments


def _extended(writer: Writer, opened: Opened, kept: list[Segment], spool: Source) -> list[SegmentEntry]:
    joining = len(spool)
    first = len(kept)
    tokens = 0
    while (
        first and len(kept[first - 1]) <= joining and tokens + kept[first - 1].entry.tokens < SEGMENT_TOKENS
    ):
        first -= 1
        joining += len(kept[first])
        tokens += kept[first].entry.tokens
    begun = SegmentWriter(writer.files, writer.number(), opened.codec)
    if first < len(kept):
        opened.verify()
    for segment in kept[first:]:
        begun.copy(segment)
    return [
        *(_marked(writer, segment) for segment in kept[:first]),
        *writer.segments(opened.codec, spool, {}, begun),
    ]


def _merged(writer: Writer, opened: Opened) -> list[SegmentEntry]:
    entries = []
    begun: SegmentWriter | None = None
    for segment in opened.segments:
        begun = begun or SegmentWriter(writer.files, writer.number(), opened.codec)
        begun.copy(segment)
        if begun.full:
            entries.append(begun.close())
            begun = None
    if begun is not None:
        entries.append(begun.close())
    return [entry for entry in entries if entry.passages]


def _marked(writer: Writer, segment: Segment) -> SegmentEntry:
    """The segment's entry with what is no longer alive in it."""
    gone: np.ndarray = np.flatnonzero(segment.alive == 0).astype("<u4")
    if len(gone) == segment.entry.deletions:
        return segment.entry
    number = writer.number()
    written = write_whole(writer.files.create(file_name(number, "deleted")), gone)
    return replace(segment.entry, deleted=number, deletions=len(gone), deleted_file=written)


def _sweep(files: Files, manifest: Manifest | None) -> None:
    """Remove what does not count: leavings of a writer that died, and what the last generation alone
    needed.
    """
    files.sweep(() if manifest is None else manifest.names())


def check_encoder(files: Files, manifest: Manifest, fingerprint: str, dim: int) -> None:
    """Refuse an encoder whose vectors cannot be compared with the index's.

    Raises:
        IndexFileError: it is another encoder.
    """
    if manifest.encoder != fingerprint or manifest.dim != dim:
        raise IndexFileError(
            f"{files.where}: the index was made by the encoder '{manifest.encoder}' ({manifest.dim} numbers "
            f"a token), not by '{fingerprint}' ({dim}). Open it with that encoder, or build it again with "
            "this one."
        )
