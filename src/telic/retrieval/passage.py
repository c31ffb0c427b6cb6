"""What a retriever finds, and what it is filled with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from telic.errors import DataError


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that can be found.

    Attributes:
        id: what the collection knows it by; stable across rebuilding.
        text: what is searched and shown.
        score: how well it matched; higher is better, and scales differ between retrievers.
        metadata: what else is known of it (JSON values): filters look here.
    """

    id: str
    text: str
    score: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def long_text(self) -> str:
        """The text, under the name that DSPy's retrievers give it."""
        return self.text

    def scored(self, score: float) -> Passage:
        """The same passage with another score."""
        return replace(self, score=float(score))

    def __str__(self) -> str:
        return self.text


Corpus: TypeAlias = Iterable[str | Mapping[str, Any] | Passage]
"""What an index is filled with."""


def passages(corpus: Corpus, first: int = 0) -> Iterator[Passage]:
    """Read a collection: texts, mappings with `text` (and `id`, `metadata` or other fields), or passages.

    A mapping without `id` is numbered by its place, as a text is; fields other than `id`, `text`, `score` and
    `metadata` become metadata.

    Args:
        corpus: the collection.
        first: the number of the first place.

    Raises:
        DataError: an item is none of these, or has no text; says which.
    """
    if isinstance(corpus, (str, Mapping)):
        raise DataError(
            f"A corpus is a list of passages, not one {type(corpus).__name__}: put it into a list."
        )
    for place, item in enumerate(corpus, first):
        if isinstance(item, Passage):
            yield item
        elif isinstance(item, str):
            yield Passage(str(place), item)
        elif isinstance(item, Mapping) and isinstance(item.get("text"), str):
            yield _from_mapping(item, place)
        else:
            raise DataError(
                f"Item {place} of the corpus is {item!r:.100}: a text, a passage, or a mapping with 'text' "
                "is needed."
            )


def _from_mapping(item: Mapping[str, Any], place: int) -> Passage:
    rest = {name: value for name, value in item.items() if name not in {"id", "text", "score", "metadata"}}
    identity = item.get("id", place)
    return Passage(str(identity), item["text"], metadata={**rest, **(item.get("metadata") or {})})
