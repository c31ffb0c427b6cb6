"""The one interface of everything that finds passages."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self, overload

from telic.errors import InputError
from telic.retrieval.filters import Filter, admits
from telic.retrieval.passage import Passage
from telic.runtime.tools import Tool


class Retriever(ABC):
    """Finds passages for queries. Derive from it and write `_search`; all else follows.

    A retriever is called like a function (`rm(query, k=3)`), so it serves as `rm` of `telic.configure`, in
    `Retrieve`, and through `as_tool` in an agent.

    Attributes:
        k: how many passages a search gives where it is not told.
    """

    k: int = 3

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # programs are copied again and again; what they search in is one

    @abstractmethod
    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        """For each query at most `k` passages that `wanted` admits, best first; equal scores by id."""

    async def _asearch(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        """`_search` off the event loop; retrievers that wait for a network override it."""
        return await asyncio.to_thread(self._search, queries, k, wanted)

    @overload
    def search(self, query: str, k: int | None = None, *, filter: Filter | None = None) -> list[Passage]: ...
    @overload
    def search(
        self, query: list[str] | tuple[str, ...], k: int | None = None, *, filter: Filter | None = None
    ) -> list[list[Passage]]: ...
    def search(
        self, query: str | list[str] | tuple[str, ...], k: int | None = None, *, filter: Filter | None = None
    ) -> list[Passage] | list[list[Passage]]:
        """The best passages for a query, or for each of several.

        Args:
            query: a text, or several, which are searched together.
            k: at most how many for each; a collection that holds fewer gives what it has.
            filter: which passages may be found: metadata they must have, or a test of their metadata.

        Raises:
            InputError: the query is not text, or `k` is not positive.
        """
        queries, count = self._asked(query, k, filter)
        found = self._search(queries, count, filter) if queries else []
        return found[0] if isinstance(query, str) else found

    @overload
    async def asearch(
        self, query: str, k: int | None = None, *, filter: Filter | None = None
    ) -> list[Passage]: ...
    @overload
    async def asearch(
        self, query: list[str] | tuple[str, ...], k: int | None = None, *, filter: Filter | None = None
    ) -> list[list[Passage]]: ...
    async def asearch(
        self, query: str | list[str] | tuple[str, ...], k: int | None = None, *, filter: Filter | None = None
    ) -> list[Passage] | list[list[Passage]]:
        """`search`, on the running loop."""
        queries, count = self._asked(query, k, filter)
        found = await self._asearch(queries, count, filter) if queries else []
        return found[0] if isinstance(query, str) else found

    def __call__(self, query: str | list[str] | tuple[str, ...], k: int | None = None, **kwargs: Any) -> Any:
        """`search`, as `rm` is called."""
        return self.search(query, k, **kwargs)

    async def acall(
        self, query: str | list[str] | tuple[str, ...], k: int | None = None, **kwargs: Any
    ) -> Any:
        """`asearch`, as `rm` is awaited."""
        return await self.asearch(query, k, **kwargs)

    def as_tool(self, name: str = "search", desc: str | None = None, k: int | None = None) -> Tool:
        """A tool for agents: `search(query)` gives the passages as one text, each with its number.

        Args:
            name: what the model calls it by.
            desc: what can be found with it.
            k: how many passages a call gives.
        """

        def search(query: str) -> str:
            return shown(self.search(query, k))

        async def asearch(query: str) -> str:
            return shown(await self.asearch(query, k))

        tool = Tool(search, name=name, desc=desc or "Finds passages that may answer a query.")
        tool._afunc = asearch
        return tool

    def _asked(
        self, query: str | list[str] | tuple[str, ...], k: int | None, wanted: Filter | None
    ) -> tuple[list[str], int]:
        queries = list(query) if isinstance(query, (list, tuple)) else [query]
        for text in queries:
            if not isinstance(text, str):
                raise InputError(f"{type(self).__name__}.search: a query is a text, not {text!r:.100}.")
        if wanted is not None:
            admits(wanted)  # refused here, whether or not the search comes to use it
        count = self.k if k is None else k
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise InputError(
                f"{type(self).__name__}.search: k must be a whole number of at least 1, not {k!r}."
            )
        return queries, count


def shown(found: Sequence[Passage]) -> str:
    """Passages for a model to read: `[1] …`, a line for each."""
    if not found:
        return "Nothing was found."
    return "\n".join(f"[{number}] {passage.text}" for number, passage in enumerate(found, 1))
