"""`Hybrid`: several retrievers asked at once, their rankings made one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Sized
from typing import Any

from telic.errors import InputError
from telic.retrieval.filters import Filter
from telic.retrieval.fusion import Method, by_ranks, by_scores
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever
from telic.runtime.executor import bounded_map

_DEPTH = 100
"""How many passages each part gives, unless more are asked for: enough that a passage which one part ranks
low and another high is seen by both.
"""


class Hybrid(Retriever):
    """Finds what several retrievers find, over the same passages with the same ids.

    The parts are asked at the same time where they wait for a network; filters are handed on to each.

    Args:
        *retrievers: the parts; or one mapping of names to parts, whose names `weights` may then use.
        k: how many passages a search gives where it is not told.
        method: `"ranks"` fuses by the places in each ranking (reciprocal rank fusion), which needs no
            scores that compare; `"scores"` by the scores, each ranking's brought to 0…1.
        weights: of the parts, in order or by name; all 1 by default.
        depth: how many passages each part is asked for.
        constant: of reciprocal rank fusion.

    Raises:
        InputError: there is no part, one is no `Retriever`, or weights do not fit the parts.
    """

    def __init__(
        self,
        *retrievers: Retriever | Mapping[str, Retriever],
        k: int = 3,
        method: Method = "ranks",
        weights: Sequence[float] | Mapping[str, float] | None = None,
        depth: int = _DEPTH,
        constant: float = 60.0,
    ) -> None:
        self.k = k
        self.parts = _named(retrievers)
        self.method = method
        self.weights = _weights(weights, list(self.parts))
        self.depth = depth
        self.constant = constant
        if method not in ("ranks", "scores"):
            raise InputError(f"Hybrid: method={method!r} must be 'ranks' or 'scores'.")

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        parts = list(self.parts.values())
        depth = max(k, self.depth)
        outcome = bounded_map(
            lambda part: part.search(list(queries), depth, filter=wanted), parts, num_threads=len(parts)
        )
        for failure in outcome.failures:
            raise failure.error
        return self._fused(outcome.values(), k)

    async def _asearch(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        depth = max(k, self.depth)
        searches = [part.asearch(list(queries), depth, filter=wanted) for part in self.parts.values()]
        return self._fused(await asyncio.gather(*searches), k)

    def _fused(self, found: Sequence[Sequence[Sequence[Passage]]], k: int) -> list[list[Passage]]:
        return [self._fuse(rankings)[:k] for rankings in zip(*found, strict=True)]

    def _fuse(self, rankings: Sequence[Sequence[Passage]]) -> list[Passage]:
        weights = list(self.weights.values())
        if self.method == "scores":
            return by_scores(rankings, weights)
        return by_ranks(rankings, weights, self.constant)

    def __len__(self) -> int:
        """How many passages a part holds; 0 where none can tell."""
        return max((len(part) for part in self.parts.values() if isinstance(part, Sized)), default=0)

    def stats(self) -> dict[str, Any]:
        """The parts with what they say of themselves, and the settings."""
        parts = {
            name: part.stats() if hasattr(part, "stats") else type(part).__name__
            for name, part in self.parts.items()
        }
        return {"kind": "hybrid", "method": self.method, "weights": self.weights, **parts}


def _named(given: Sequence[Retriever | Mapping[str, Retriever]]) -> dict[str, Retriever]:
    parts: dict[str, Any] = {}
    if len(given) == 1 and isinstance(given[0], Mapping):
        parts = dict(given[0])
    else:
        for part in given:
            name = type(part).__name__.lower()
            parts[name if name not in parts else f"{name}{len(parts) + 1}"] = part
    if not parts:
        raise InputError("Hybrid: give the retrievers to combine, as in Hybrid(BM25(corpus), Dense(corpus)).")
    for name, part in parts.items():
        if not isinstance(part, Retriever):
            raise InputError(
                f"Hybrid: '{name}' is {part!r:.100}, not a Retriever. Derive from telic.Retriever and define "
                "_search to bring your own."
            )
    return parts


def _weights(given: Sequence[float] | Mapping[str, float] | None, names: Sequence[str]) -> dict[str, float]:
    if given is None:
        return dict.fromkeys(names, 1.0)
    weights = dict(given) if isinstance(given, Mapping) else dict(zip(names, given, strict=False))
    if set(weights) != set(names) or len(given) != len(names):
        raise InputError(f"Hybrid: a weight is needed for each of {', '.join(names)}; not {given!r}.")
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise InputError(f"Hybrid: weights must not be negative, and not all zero; not {given!r}.")
    return {name: float(weights[name]) for name in names}
