"""Token vectors of HotPotQA, encoded once and kept; and more passages than it has, made from them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

CHUNK = 1250
"""Passages encoded, and kept, at a time."""
QUERIES = 300
NOISE = 0.3
"""Length of what is added to each token's vector of a copied passage, before it is of length 1 again."""


class Stored:
    """Gives passages and queries their stored vectors; a text is a number. Serves as an encoder of an index.

    Beyond the passages that were encoded, passage `c * encoded + i` is passage `i` with noise that depends
    on `c`: as many passages as wanted, of the same kind.

    Args:
        folder: where `prepare` put them.
        size: passages wanted.
        dim: fewer numbers a token, by a random rotation of which the first are kept; all if left out.
    """

    def __init__(self, folder: Path, size: int, dim: int | None = None) -> None:
        rows, lengths = [], []
        for path in sorted(folder.glob("passages-*.npy")):
            rows.append(np.load(path, mmap_mode="r"))
            lengths.append(np.load(path.with_name(path.name.replace("passages", "lengths"))))
            if sum(map(len, lengths)) >= size:
                break
        self._turn: np.ndarray | None = None
        self.dim = rows[0].shape[1]
        if dim is not None and dim != self.dim:
            drawn = np.random.default_rng(0).standard_normal((self.dim, self.dim))
            self._turn = np.linalg.qr(drawn)[0][:, :dim].astype(np.float32)
            self.dim = dim
        self._passages = [
            part
            for chunk, counts in zip(rows, lengths, strict=True)
            for part in np.split(chunk, np.cumsum(counts)[:-1])
        ]
        queries, counts = np.load(folder / "queries.npy"), np.load(folder / "query_lengths.npy")
        self._queries = np.split(queries, np.cumsum(counts)[:-1])
        self.fingerprint = f"stored-{folder.name}-{self.dim}"
        self.encoded = len(self._passages)

    def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [self.passage(int(text)) for text in texts]

    def encode_queries(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [self._unit(np.asarray(self._queries[int(text)], np.float32)) for text in texts]

    def passage_tokens(self, text: str) -> list[str]:
        return [str(place) for place in range(len(self.passage(int(text))))]

    def query_tokens(self, text: str) -> list[str]:
        return [str(place) for place in range(len(self._queries[int(text)]))]

    def passage(self, number: int) -> np.ndarray:
        copy, place = divmod(number, self.encoded)
        rows = self._unit(np.asarray(self._passages[place], np.float32))
        if not copy:
            return rows
        noise = np.random.default_rng([copy, place]).standard_normal(rows.shape, np.float32)
        return _unit(rows + noise * np.float32(NOISE / self.dim**0.5))

    def _unit(self, rows: np.ndarray) -> np.ndarray:
        return _unit(rows if self._turn is None else rows @ self._turn)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def texts(count: int) -> tuple[list[str], list[str]]:
    """Paragraphs in a random order that is always the same, and questions."""
    from telic import datasets

    corpus = datasets.load_corpus("hotpotqa")
    order = np.random.default_rng(0).permutation(len(corpus))
    paragraphs = [f"{corpus[place]['title']}. {corpus[place]['text']}" for place in order.tolist()[:count]]
    rows = [row for split in ("dev", "test") for row in datasets.load("hotpotqa", split)]
    return paragraphs, [str(row["question"]) for row in rows][:QUERIES]


def prepare(folder: Path, size: int) -> dict[str, Any] | None:
    """Encode what is not there yet, chunk by chunk; passages a second, if any were encoded."""
    paragraphs, questions = texts(size)
    starts = range(0, len(paragraphs), CHUNK)
    missing = [start for start in starts if not (folder / f"passages-{start:06d}.npy").exists()]
    if not missing and (folder / "queries.npy").exists():
        return None
    from telic.retrieval.late_interaction.encoder.encoder import Encoder

    encoder = Encoder.default()
    folder.mkdir(parents=True, exist_ok=True)
    _keep(folder, "queries", "query_lengths", encoder.encode_queries(questions))
    cpu, wall, count = time.process_time(), time.perf_counter(), 0
    for start in missing:
        part = encoder.encode_passages(paragraphs[start : start + CHUNK])
        _keep(folder, f"passages-{start:06d}", f"lengths-{start:06d}", part)
        count += len(part)
    return {
        "passages": count,
        "passages_per_second": count / (time.perf_counter() - wall),
        "cpu_ms_a_passage": (time.process_time() - cpu) / count * 1e3,
    }


def _keep(folder: Path, rows: str, lengths: str, parts: list[np.ndarray]) -> None:
    np.save(folder / f"{lengths}.npy", np.array([len(part) for part in parts], np.int32))
    np.save(folder / f"{rows}.npy", np.concatenate(parts).astype(np.float16))
