"""`LateInteraction`: search by the tokens of a passage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from telic.errors import InputError
from telic.retrieval.filters import Filter
from telic.retrieval.late_interaction import index
from telic.retrieval.late_interaction.files import Files, FolderFiles, MemoryFiles
from telic.retrieval.late_interaction.opened import Opened, open_published, published
from telic.retrieval.late_interaction.packing import WIDTHS
from telic.retrieval.late_interaction.search import Hits, Query, Stages, find, maxima
from telic.retrieval.late_interaction.threads import each
from telic.retrieval.late_interaction.writing import Recipe
from telic.retrieval.passage import Corpus, Passage
from telic.retrieval.retriever import Retriever

if TYPE_CHECKING:
    from telic.retrieval.late_interaction.encoding import TokenEncoder


@dataclass(frozen=True, slots=True)
class Match:
    """What a token of a query found in a passage.

    Attributes:
        query_token: the query's token.
        passage_token: the passage's token that fits it best.
        position: which row of the passage's vectors that is.
        score: their product: what the query's token adds to the passage's score.
    """

    query_token: str
    passage_token: str
    position: int
    score: float


class LateInteraction(Retriever):
    """Finds passages by their tokens: the score is the sum, over the tokens of the query, of the best match.

    Khattab & Zaharia 2020 (arXiv:2004.12832). Vectors are stored compressed (ColBERTv2, arXiv:2112.01488) and
    searched in stages (PLAID, arXiv:2205.09707).

    It is made by `build` or `open`. What is open stays as it was when another process changes the index; see
    `refresh`. One process writes at a time, others wait for it; a process that dies while it writes
    leaves the last complete state.

    Attributes:
        encoder: makes the vectors.
        stages: how closely a search looks; see `Stages`.
        k: how many passages a search gives where it is not told.
    """

    def __init__(
        self, files: Files, encoder: TokenEncoder, opened: Opened, *, k: int, stages: Stages
    ) -> None:
        self.encoder, self.k, self.stages = encoder, k, stages
        self._files, self._opened = files, opened

    @classmethod
    def build(
        cls,
        corpus: Corpus,
        *,
        encoder: TokenEncoder | None = None,
        path: str | Path | None = None,
        bits: int = 4,
        rescore_bits: int | None = None,
        k: int = 3,
        seed: int = 0,
        stages: Stages | None = None,
    ) -> LateInteraction:
        """Make an index.

        The corpus is read once, and may be larger than memory: see `Writer.whole` for what is held.
        A collection of up to 20,000 tokens is kept as it is, in 16 bits a number, and scanned.

        Args:
            corpus: texts, mappings with `text` (and `id`, `metadata`), or passages.
            encoder: makes the vectors; by default the small encoder that telic brings.
            path: a folder; an index that is there is replaced when the new one is complete. By default it is
                kept in memory.
            bits: for each number of a token's vector: 1, 2, 4, 8 or 16. A token takes `dim * bits / 8` bytes
                and about 4 more.
            rescore_bits: keep a finer copy beside, from which the last passages are scored: more than `bits`.
                It adds `dim * rescore_bits / 8` bytes a token, which searching reads for few passages.
            k: how many passages a search gives where it is not told.
            seed: of random choices; the same corpus, encoder and seed give the same index.
            stages: how closely a search looks.

        Raises:
            InputError: the bits are none of the above.
            DataError: the corpus is ill-formed, or has an id twice.
        """
        if bits not in WIDTHS or (
            rescore_bits is not None and (rescore_bits not in WIDTHS or rescore_bits <= bits)
        ):
            raise InputError(
                f"LateInteraction.build: bits={bits!r}, rescore_bits={rescore_bits!r}: each must be one of "
                f"{WIDTHS}, and rescore_bits more than bits."
            )
        encoder = encoder or _default_encoder()
        files: Files = MemoryFiles() if path is None else FolderFiles(path)
        recipe = Recipe(encoder.dim, bits, rescore_bits, seed, encoder.encode_passages)
        with index.changing(files, recipe, encoder.fingerprint) as change:
            index.build(change, corpus)
        return cls(files, encoder, open_published(files), k=k, stages=stages or Stages())

    @classmethod
    def open(
        cls,
        path: str | Path,
        encoder: TokenEncoder | None = None,
        *,
        k: int = 3,
        verify: bool | None = None,
        stages: Stages | None = None,
    ) -> LateInteraction:
        """Open an index that was built in a folder.

        Args:
            path: the folder.
            encoder: the one it was built with; by default the small encoder that telic brings.
            k: how many passages a search gives where it is not told.
            verify: whether every file is read through for its checksum now. By default it is up to 512 MB; of
                larger indexes, vectors and texts are read through at the first search. `False` compares
                only sizes.
            stages: how closely a search looks.

        Raises:
            IndexFileError: there is no index, it is damaged (says which file), or of another encoder.
        """
        files = FolderFiles(path)
        opened = open_published(files, verify)
        encoder = encoder or _default_encoder()
        index.check_encoder(files, opened.manifest, encoder.fingerprint, encoder.dim)
        return cls(files, encoder, opened, k=k, stages=stages or Stages())

    def __len__(self) -> int:
        return self._opened.manifest.passages

    def add(self, corpus: Corpus, *, replace: bool = False) -> None:
        """Add passages; they are found as soon as this returns, or not at all if it fails.

        Args:
            corpus: as for `build`; passages without an id are numbered on.
            replace: put those with an id that is there already in that one's place.

        Raises:
            DataError: an id is there already, or twice among the new.
        """
        with self._changing() as change:
            index.add(change, self._latest(), corpus, replacing=replace)
        self.refresh()

    def delete(self, ids: Iterable[str]) -> int:
        """Remove passages; the bytes they take go with the next `compact`.

        Returns:
            How many there were.

        Raises:
            InputError: there is no passage with one of the ids; then none is removed.
        """
        with self._changing() as change:
            count = index.delete(change, self._latest(), ids)
        self.refresh()
        return count

    def compact(self, *, retrain: bool | None = None) -> None:
        """Merge all segments into as few as possible, without what was deleted.

        Args:
            retrain: whether centroids and levels are found anew. By default they are when what was added
                differs from what they were found on (its residuals are longer by a quarter, in squares), or
                when the collection has grown eightfold. Vectors stored in 8 bits or more are then taken as
                they are; others are encoded again from the texts, which takes as long as building.
        """
        with self._changing() as change:
            index.compact(change, self._latest(), retrain)
        self.refresh()

    def refresh(self) -> bool:
        """See what was published since the index was opened; whether there was anything.

        Raises:
            IndexFileError: the index is damaged.
        """
        newest = published(self._files)
        if newest is not None and newest.generation == self._opened.manifest.generation:
            return False
        self._opened = self._latest()
        return True

    def verify(self) -> None:
        """Read every file through for its checksum that was not yet.

        Raises:
            IndexFileError: a file is not what was written; says which.
        """
        self._opened.verify()

    def stats(self) -> dict[str, Any]:
        """What the index holds and takes.

        `bytes_per_token` counts all that searching reads (vectors, centroids, lists, lengths, codec);
        `passage_bytes` are the ids, texts and metadata beside.
        """
        manifest = self._opened.manifest
        sizes = {name: written.size for name, written in manifest.names().items()}
        beside = sum(size for name, size in sizes.items() if name.partition(".")[2] in _BESIDE)
        tokens = sum(segment.tokens for segment in manifest.segments)
        searched = sum(sizes.values()) - beside
        return {
            "passages": manifest.passages,
            "deleted": sum(segment.deletions for segment in manifest.segments),
            "tokens": tokens,
            "dim": manifest.dim,
            "bits": manifest.codec.bits,
            "rescore_bits": manifest.codec.rescore_bits,
            "centroids": manifest.codec.centroids,
            "segments": len(manifest.segments),
            "generation": manifest.generation,
            "drift": index.drift(manifest),
            "bytes": searched,
            "passage_bytes": beside,
            "bytes_per_token": searched / tokens if tokens else 0.0,
            "encoder": manifest.encoder,
        }

    def passage(self, identity: str) -> Passage:
        """The passage with an id.

        Raises:
            InputError: there is none.
        """
        number, place = self._opened.at(identity)
        return self._opened.segments[number].records.passage(place)

    def vectors(self, identity: str) -> np.ndarray:
        """A passage's vectors as they are stored, unpacked: float32 `(tokens, dim)`; lengths are near 1.

        Raises:
            InputError: there is no such passage.
        """
        number, place = self._opened.at(identity)
        return self._opened.segments[number].vectors(place)

    def explain(self, query: str, identity: str) -> list[Match]:
        """Which token of a passage each token of a query matched; the scores add up to the passage's score.

        Raises:
            InputError: there is no such passage.
        """
        tokens = self.encoder.query_tokens(query)
        there = self.encoder.passage_tokens(self.passage(identity).text)
        vectors = self.vectors(identity)
        if not len(vectors):
            return []
        products = self.encoder.encode_queries([query])[0] @ vectors.T
        best = products.argmax(axis=1)
        return [
            Match(token, there[position], position, float(products[row, position]))
            for row, (token, position) in enumerate(zip(tokens, best.tolist(), strict=True))
        ]

    def candidates(self, query_vectors: np.ndarray, n: int, wanted: Filter | None = None) -> list[str]:
        """Ids of the best `n` passages for a query's vectors, best first.

        Args:
            query_vectors: `(tokens, dim)`.
            n: how many.
            wanted: which may be found.
        """
        opened = self._opened
        hits = self._hits(opened, query_vectors, n, opened.admitted(wanted))
        return [passage.id for passage in _passages(opened, hits, n)]

    def token_maxima(self, query_vectors: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Each query token's best match in each passage, from the finest copy: float32 `(len(ids), tokens)`.

        Raises:
            InputError: there is no passage with one of the ids.
        """
        opened = self._opened
        query = Query(query_vectors, opened.codec)
        found = [opened.at(identity) for identity in ids]
        out: np.ndarray = np.empty((len(found), query.count), np.float32)
        for number, segment in enumerate(opened.segments):
            rows = [row for row, (where, _) in enumerate(found) if where == number]
            picked = np.array([found[row][1] for row in rows], np.uint32)
            out[rows] = maxima(query, segment, picked, finest=True)[:, : query.count]
        return out

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        opened = self._opened
        admitted = opened.admitted(wanted)
        vectors = self.encoder.encode_queries(queries)
        found: list[list[Passage]] = [[] for _ in queries]

        def one(number: int) -> None:
            found[number] = _passages(opened, self._hits(opened, vectors[number], k, admitted), k)

        each(len(queries), one)
        return found

    def _hits(self, opened: Opened, vectors: np.ndarray, n: int, admitted: list[np.ndarray]) -> Hits:
        if vectors.ndim != 2 or vectors.shape[1] != opened.manifest.dim:
            raise InputError(f"A query's vectors are (tokens, {opened.manifest.dim}), not {vectors.shape}.")
        opened.verify()
        return find(Query(vectors, opened.codec), opened.segments, admitted, n, self.stages)

    def _latest(self) -> Opened:
        """What is published now, opened apart from what this reader has open."""
        opened = open_published(self._files, known=self._opened)
        index.check_encoder(self._files, opened.manifest, self.encoder.fingerprint, self.encoder.dim)
        return opened

    def _changing(self) -> AbstractContextManager[index.Change]:
        return index.changing(self._files, self._recipe(), self.encoder.fingerprint)

    def _recipe(self) -> Recipe:
        manifest = self._opened.manifest
        encode = self.encoder.encode_passages
        return Recipe(manifest.dim, manifest.bits, manifest.rescore_bits, manifest.seed, encode)


_BESIDE = {"records", "metadata", "record_ends", "id_hashes", "id_order"}


def _passages(opened: Opened, hits: Hits, n: int) -> list[Passage]:
    """The best `n`, equal scores by id."""
    found = [
        replace(opened.segments[segment].records.passage(place), score=float(score))
        for score, segment, place in zip(
            hits.scores.tolist(), hits.segments.tolist(), hits.places.tolist(), strict=True
        )
    ]
    return sorted(found, key=lambda passage: (-passage.score, passage.id))[:n]


def _default_encoder() -> TokenEncoder:
    from telic.retrieval.late_interaction.encoder.encoder import Encoder

    encoder: TokenEncoder = Encoder.default()
    return encoder
