"""`Encoder`: the vectors of a text's tokens, for late interaction; pooled, for dense retrieval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cached_property
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from telic._json import stable_hash
from telic.errors import InputError
from telic.retrieval.late_interaction.encoder.architectures import build
from telic.retrieval.late_interaction.encoder.arithmetic import to_unit_length
from telic.retrieval.late_interaction.encoder.blas import default_threads, one_thread_a_product
from telic.retrieval.late_interaction.encoder.formats import ModelFiles, read_folder
from telic.retrieval.late_interaction.encoder.places import find
from telic.retrieval.late_interaction.encoder.saving import save
from telic.retrieval.late_interaction.encoder.settings import EncoderSettings
from telic.retrieval.late_interaction.encoder.tokens import Piece, Tokens

_BATCH_TOKENS = 1024
_TEXTS_AT_ONCE = 1024
"""Texts that are cut into tokens before the first of them is computed: bounds the memory, not the result."""


class Encoder:
    """A language model of the BERT family that gives a vector for each token of a text.

    It runs on the processor in float32, with numpy and compiled kernels; no deep-learning framework is
    loaded. It is safe to use from several threads. `Encoder.load` and `Encoder.default` make one; it is also
    a function from texts to pooled vectors, so it serves wherever a vectorizer or an embedder is asked for
    (`KNN`, `Embedder(encoder)`, dense retrieval).

    Args:
        files: the model, as `read_folder` gives it.
        settings: instead of those that the folder says.
        name: for people.
        threads: batches that are computed at once; by default as many as there are processors.

    Attributes:
        name: for people.
        settings: lengths, markers, which tokens count.
        threads: batches that are computed at once.

    Raises:
        InputError: a length is beyond what the model reads, or `threads` is not positive.
        ModelWeightsError: the model is of a kind that is not computed here, or the tokenizer lacks a token
            that the settings name.
    """

    def __init__(
        self,
        files: ModelFiles,
        settings: EncoderSettings | None = None,
        *,
        name: str = "encoder",
        threads: int | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise InputError(f"Encoder '{name}': threads={threads} must be at least 1.")
        self.name = name
        self.settings = settings or files.settings
        self.threads = threads or default_threads()
        self._files = files
        self._model = build(files.checkpoint)
        for length in ("query_length", "passage_length"):
            if getattr(self.settings, length) > self._model.longest:
                raise InputError(
                    f"Encoder '{name}': {length}={getattr(self.settings, length)}, but the model reads at "
                    f"most {self._model.longest} tokens."
                )
        self._projection = files.projection
        self._tokens = Tokens(files.tokenizer, self.settings, files.mask, name)

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        settings: EncoderSettings | None = None,
        threads: int | None = None,
        **changes: Any,
    ) -> Encoder:
        """Load an encoder.

        Args:
            source: a name of the catalogue (`"minilm"`; its weights are fetched at first use), a folder in
                the layout of ColBERT, pylate or sentence-transformers, or `"owner/name"` on the model hub.
            settings: instead of those that the folder says.
            threads: batches that are computed at once; by default as many as there are processors.
            **changes: single settings to change, such as `passage_length=180`.

        Raises:
            ModelWeightsError: there is no such model, it is damaged, or of a kind that is not computed here.
            InputError: a setting does not exist, or does not fit the model.
            MissingExtraError: the extra `retrieval` is not installed.
        """
        files = read_folder(find(source))
        return cls(files, (settings or files.settings).but(**changes), name=str(source), threads=threads)

    @classmethod
    def default(cls) -> Encoder:
        """all-MiniLM-L6-v2 (22.7 million weights, 384 wide, English, Apache-2.0), fetched at first use."""
        return cls.load("minilm")

    def save(self, folder: str | Path) -> Path:
        """Write the encoder as a folder that `load`, pylate and sentence-transformers read.

        Returns:
            The folder.

        Raises:
            ModelWeightsError: it cannot be written.
        """
        return save(self._files, self.settings, Path(folder).expanduser())

    @property
    def files(self) -> ModelFiles:
        """What it was made of: where training begins."""
        return self._files

    @property
    def dim(self) -> int:
        """Length of a row."""
        return self._model.width if self._projection is None else int(self._projection.weight.shape[0])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that decides the vectors: weights, tokenizer, settings; not of the machine."""
        digest = blake2b(digest_size=16)
        weights = self._model.tensors()
        if self._projection is not None:
            weights = chain(weights, (self._projection.weight, self._projection.bias))
        for tensor in weights:
            digest.update(repr(tensor.shape).encode())
            digest.update(np.ascontiguousarray(tensor).data)
        return stable_hash(
            [
                digest.hexdigest(),
                self._model.facts(),
                self._tokens.facts(),
                self._tokens.mask,
                asdict(self.settings),
            ]
        )

    def encode_queries(self, texts: Sequence[str]) -> list[np.ndarray]:
        """A float32 array `(tokens, dim)` of unit rows for each query.

        Raises:
            InputError: one of them is not a text.
        """
        return self._encode(texts, lambda some: ([piece] for piece in self._tokens.queries(some)))

    def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
        """A float32 array `(tokens, dim)` of unit rows for each passage, without punctuation.

        What is beyond `passage_length` tokens is left out, unless the settings say `overlap`.

        Raises:
            InputError: one of them is not a text.
        """
        return self._encode(texts, self._tokens.passages)

    def query_tokens(self, text: str) -> list[str]:
        """The token of each row that `encode_queries` gives for `text`."""
        return self._tokens.names(list(self._tokens.queries([text])))

    def passage_tokens(self, text: str) -> list[str]:
        """The token of each row that `encode_passages` gives for `text`."""
        return self._tokens.names(next(self._tokens.passages([text])))

    def pooled(self, texts: Sequence[str]) -> np.ndarray:
        """One unit vector for each text, `(n, width)`: for retrieval by single vectors, clustering, KNN.

        It is made of the language model's vectors of all tokens, before any projection, as
        sentence-transformers does. Texts are cut like passages.
        """
        rows = self._computed(texts, self._tokens.passages, self._pooled_rows)
        means = [np.mean(pieces, axis=0) for pieces in rows]
        pooled: np.ndarray = np.asarray(means, np.float32).reshape(len(means), self._model.width)
        to_unit_length(pooled)
        return pooled

    def __call__(self, texts: str | Sequence[str]) -> np.ndarray:
        """`pooled`; a single text gives a single vector `(width,)`."""
        if isinstance(texts, str):
            first: np.ndarray = self.pooled([texts])[0]
            return first
        return self.pooled(texts)

    def __repr__(self) -> str:
        return f"Encoder({self.name!r}, dim={self.dim})"

    def _encode(self, texts: Sequence[str], cut: Any) -> list[np.ndarray]:
        return [
            rows[0] if len(rows) == 1 else np.concatenate(rows)
            for rows in self._computed(texts, cut, self._token_rows)
        ]

    def _computed(self, texts: Sequence[str], cut: Any, finish: Any) -> Iterator[list[np.ndarray]]:
        """What `finish` makes of the pieces of each text, computed batch by batch."""
        if isinstance(texts, str):
            raise InputError("Encoder: a list of texts is needed, not a single one.")
        texts = list(texts)

        def work(batch: list[Piece]) -> list[np.ndarray]:
            hidden = self._model([piece.ids for piece in batch], [piece.seen for piece in batch])
            rows: list[np.ndarray] = finish(batch, hidden)
            return rows

        with one_thread_a_product(), ThreadPoolExecutor(self.threads, "telic-encoder") as pool:
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                texts_pieces = list(cut(texts[start : start + _TEXTS_AT_ONCE]))
                batches = list(_batches(chain.from_iterable(texts_pieces)))
                # A single batch needs no other thread.
                done = (map if len(batches) == 1 or self.threads == 1 else pool.map)(work, batches)
                rows = chain.from_iterable(done)
                for pieces in texts_pieces:
                    yield list(islice(rows, len(pieces)))

    def _token_rows(self, batch: list[Piece], hidden: list[np.ndarray]) -> list[np.ndarray]:
        kept = [rows[piece.kept] for piece, rows in zip(batch, hidden, strict=True)]
        if self._projection is not None:
            projection = self._projection
            kept = [projection(rows) + projection.bias for rows in kept]
        for rows in kept:
            to_unit_length(rows)
        return kept

    def _pooled_rows(self, batch: list[Piece], hidden: list[np.ndarray]) -> list[np.ndarray]:
        by_first = self._files.pooling == "cls"
        return [rows[0].copy() if by_first else rows.mean(axis=0) for rows in hidden]


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces in turn, so many together that products are efficient and what lies between fits the cache."""
    batch: list[Piece] = []
    tokens = 0
    for piece in pieces:
        batch.append(piece)
        tokens += len(piece.ids)
        if tokens >= _BATCH_TOKENS:
            yield batch
            batch, tokens = [], 0
    if batch:
        yield batch
