"""A `Hybrid` on disk: its parts in folders of their own beside a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic.errors import IndexFileError, InputError
from telic.retrieval.folder import FORMAT, MANIFEST, VERSION, manifest_of
from telic.retrieval.hybrid import Hybrid
from telic.retrieval.passage import Corpus, passages
from telic.retrieval.retriever import Retriever


def keep_hybrid(hybrid: Hybrid, path: str | Path) -> None:
    """Write the manifest of a hybrid whose parts are kept in the folder `path` under their names."""
    settings = {
        "k": hybrid.k,
        "method": hybrid.method,
        "weights": hybrid.weights,
        "depth": hybrid.depth,
        "constant": hybrid.constant,
    }
    manifest = {"format": FORMAT, "version": VERSION, "kind": "hybrid", "settings": settings, "files": {}}
    write_atomic(Path(path) / MANIFEST, dumps(manifest, indent=1) + "\n")


def open_hybrid(path: str | Path, opening: Callable[[Path], Retriever]) -> Hybrid:
    """The hybrid in a folder; `opening` opens its parts.

    Raises:
        IndexFileError: a part is missing or damaged, or one was changed without the others.
    """
    settings = dict(manifest_of(path)["settings"])
    parts: dict[str, Any] = {name: opening(Path(path) / name) for name in settings["weights"]}
    counts = {name: len(part) for name, part in parts.items()}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{count:,} in {name}" for name, count in counts.items())
        raise IndexFileError(
            f"The parts of {path} hold different passages: {shown}. A change of it was cut short: repeat it, "
            "or build the index again."
        )
    return Hybrid(parts, **settings)


def change(retriever: Any, *, add: Corpus = (), delete: Iterable[str] = ()) -> None:
    """Take passages out of an index on disk and put others in, every part of a hybrid alike.

    Raises:
        InputError: the retriever is not one that can be changed; or there is no passage of an id.
        DataError: an id is there already.
    """
    if isinstance(retriever, Hybrid):
        # Read once, for every part.
        parts_new, gone = list(passages(add)), list(delete)
        for part in retriever.parts.values():
            change(part, add=parts_new, delete=gone)
        return
    gone = list(delete)
    if not hasattr(retriever, "add") or not hasattr(retriever, "delete"):
        raise InputError(f"{type(retriever).__name__} cannot be changed.")
    if gone:
        retriever.delete(gone)
    new = list(add)
    if new:
        retriever.add(new)
    if hasattr(retriever, "save"):
        retriever.save()
