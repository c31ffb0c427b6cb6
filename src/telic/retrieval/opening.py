"""Opening an index without knowing of which kind it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telic._json import decoded
from telic.errors import IndexFileError, IndexFileMissingError
from telic.retrieval.folder import FORMAT, MANIFEST
from telic.retrieval.retriever import Retriever

_LATE = "telic late interaction"


def kind_of(path: str | Path) -> str:
    """Of which kind the index in a folder is: `bm25`, `dense`, `hybrid` or `late`.

    Raises:
        IndexFileError: there is none (a `FileNotFoundError` then), or its manifest cannot be read.
    """
    file = Path(path) / MANIFEST
    try:
        manifest = decoded(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise IndexFileMissingError(f"There is no index at {path}: {file} is missing.") from None
    except ValueError as error:
        raise IndexFileError(f"The index is damaged: {file}: it is not JSON ({error}).") from error
    if isinstance(manifest, dict):
        if manifest.get("format") == _LATE:
            return "late"
        if manifest.get("format") == FORMAT:
            return str(manifest.get("kind"))
    raise IndexFileError(f"{file} is no manifest of an index of telic.")


def open_index(path: str | Path, embedder: Any = None, encoder: Any = None) -> Retriever:
    """The index in a folder, whatever its kind.

    Args:
        path: the folder.
        embedder: of a dense index, if it was not telic's small encoder.
        encoder: of an index for late interaction, if it was not telic's small encoder.

    Raises:
        IndexFileError: there is none, it is damaged, or of a kind that is not known here.
    """
    kind = kind_of(path)
    if kind == "bm25":
        from telic.retrieval.lexical.bm25 import BM25

        return BM25.open(path)
    if kind == "dense":
        from telic.retrieval.dense.dense import Dense

        return Dense.open(path, embedder)
    if kind == "hybrid":
        from telic.retrieval.kept_hybrid import open_hybrid

        return open_hybrid(path, lambda part: open_index(part, embedder, encoder))
    if kind == "late":
        from telic.retrieval.late_interaction.retriever import LateInteraction

        return LateInteraction.open(path, encoder)
    raise IndexFileError(f"{path} holds an index of kind {kind!r}, which this telic does not know.")
