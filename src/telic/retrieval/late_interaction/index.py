"""Changing an index: each change writes new files, then publishes them all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from telic.errors import DataError, IndexFileError, InputError
from telic.retrieval.late_interaction.files import Files
from telic.retrieval.late_interaction.manifest import CodecEntry, Manifest, SegmentEntry, file_name
from telic.retrieval.late_interaction.opened import Opened, open_published, published
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


def build(files: Files, corpus: Corpus, recipe: Recipe, encoder: str) -> None:
    """Put an index of a corpus in the place of what is there.

    Raises:
        DataError: the corpus is ill-formed, or has an id twice.
    """
    with files.writing():
        old = published(files)
        first = 1 if old is None else old.next
        _sweep(files, old)
        writer = Writer(files, recipe, first)
        spool = Spool(corpus, 0, files, writer.number())
        codec, segments = writer.whole(spool)
        _publish(files, old, recipe, encoder, writer, codec, segments, spool.next_number)


def add(files: Files, corpus: Corpus, recipe: Recipe, encoder: str, *, replacing: bool) -> None:
    """Add passages.

    A collection that is kept plain is written anew with them, as it is small. Else they become a segment of
    the codec that is there, joined by the newest segments as long as those are no larger than what joins
    them: so there are never many, and no passage is copied often.

    Raises:
        DataError: an id is there already (unless they may be replaced), or twice among the new.
    """
    with files.writing():
        opened = open_published(files)
        old = opened.manifest
        _sweep(files, old)
        writer = Writer(files, recipe, old.next)
        spool = Spool(corpus, old.numbered, files, writer.number())
        if not len(spool):
            _sweep(files, old)
            return
        kept = _without(opened, spool, replacing)
        codec = old.codec
        if opened.codec.plain:
            codec, segments = writer.whole(Chained(Living(kept, exact=True), spool))
        else:
            segments = _extended(writer, opened, kept, spool)
        _publish(files, old, recipe, encoder, writer, codec, segments, max(old.numbered, spool.next_number))


def delete(files: Files, ids: Iterable[str], recipe: Recipe, encoder: str) -> int:
    """Let passages count no longer; their bytes go when segments are merged.

    Returns:
        How many there were.

    Raises:
        InputError: there is no passage with one of the ids; then none is deleted.
    """
    if isinstance(ids, str):
        raise InputError(f"Passages are deleted by a list of ids, not by {ids!r}: write [{ids!r}].")
    with files.writing():
        opened = open_published(files)
        old = opened.manifest
        _sweep(files, old)
        found: dict[int, set[int]] = {}
        for identity in set(ids):
            number, place = opened.at(identity)
            found.setdefault(number, set()).add(place)
        if not found:
            return 0
        writer = Writer(files, recipe, old.next)
        segments = []
        for number, segment in enumerate(opened.segments):
            segment.alive[sorted(found.get(number, ()))] = 0
            segments.append(_marked(writer, segment))
        _publish(files, old, recipe, encoder, writer, old.codec, segments, old.numbered)
        return sum(map(len, found.values()))


def compact(files: Files, recipe: Recipe, encoder: str, retrain: bool | None) -> None:
    """Merge all segments, without what was deleted; see `LateInteraction.compact`."""
    with files.writing():
        opened = open_published(files)
        old = opened.manifest
        _sweep(files, old)
        anew = needs_training(old) if retrain is None else retrain
        writer = Writer(files, recipe, old.next)
        codec = old.codec
        if anew or opened.codec.plain:
            exact = opened.codec.finest.bits >= _EXACT_BITS
            codec, segments = writer.whole(Living(opened.segments, exact))
        elif len(old.segments) > 1 or any(segment.deletions for segment in old.segments):
            segments = _merged(writer, opened)
        else:
            return
        _publish(files, old, recipe, encoder, writer, codec, segments, old.numbered)


def drift(manifest: Manifest) -> float:
    """Mean squared length of the residuals, as a multiple of what the codec was made on."""
    tokens = sum(segment.tokens for segment in manifest.segments)
    error = sum(segment.error for segment in manifest.segments)
    return (
        1.0
        if not tokens or manifest.codec.centroids == 1
        else error / tokens / max(manifest.codec.error, 1e-12)
    )


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
                f"first, or add "
                "with replace=True."
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


def _publish(
    files: Files,
    old: Manifest | None,
    recipe: Recipe,
    encoder: str,
    writer: Writer,
    codec: CodecEntry,
    segments: Sequence[SegmentEntry],
    numbered: int,
) -> None:
    manifest = Manifest(
        generation=1 if old is None else old.generation + 1,
        encoder=encoder,
        dim=recipe.dim,
        bits=recipe.bits,
        rescore_bits=recipe.rescore_bits,
        seed=recipe.seed,
        numbered=numbered,
        next=writer.number(),
        codec=codec,
        segments=tuple(segments),
    )
    files.publish(manifest.to_json())
    _sweep(files, manifest)


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
            f"{files.where}: the index was made by the encoder '{manifest.encoder}' ({manifest.dim} "
            f"numbers a token), "
            f"not by '{fingerprint}' ({dim}). Open it with that encoder, or build it again with this one."
        )
