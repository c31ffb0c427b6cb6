"""`ColBERTv2`: passages from a server that speaks the protocol of ColBERT's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from telic._json import decoded, dumps
from telic.errors import InputError
from telic.retrieval.filters import Filter, admits
from telic.retrieval.passage import Passage
from telic.retrieval.remote.wire import SearchWire
from telic.retrieval.retriever import Retriever
from telic.runtime.portal import portal
from telic.runtime.steps import Do, Steps, adrive
from telic.types import Choice, Request, Response

_ASKED_FOR_A_FILTER = 100
_OWN = frozenset({"text", "long_text", "pid", "score", "metadata"})


class Row(dict[str, Any]):
    """A passage as the server tells it: `text`, `long_text`, `pid`, `rank`, `score`, `prob`, as items and as
    attributes.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"The server told no {name!r} of this passage.") from None


class ColBERTv2(Retriever):
    """Asks a retrieval server: `GET {url}?query=…&k=…`, or the same as JSON. `telic index serve` is one.

    Called, it gives rows with `long_text`, `score` and the like; `search` gives passages whose ids are the
    server's `pid`s. Answers are recorded in the store and taken from there. A filter is applied to what the
    server finds (100 passages, or `k`), since servers of this protocol know none.

    Args:
        url: of the search, path included, such as `http://127.0.0.1:8893/api/search`.
        port: put behind `url`.
        post_requests: send the query as JSON.
        k: how many passages a search gives where it is not told.
        cache: take answers from the record.
        timeout: seconds one try may take.
        num_retries: tries after a failure that may pass, with growing pauses.
        deadline: seconds that all tries together may take.
    """

    def __init__(
        self,
        url: str = "http://0.0.0.0",
        port: str | int | None = None,
        post_requests: bool = False,
        *,
        k: int = 10,
        cache: bool = True,
        timeout: float = 30.0,
        num_retries: int = 3,
        deadline: float | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError(f"ColBERTv2: url={url!r} must begin with http:// or https://.")
        self.url = f"{url}:{port}" if port else url
        self.post_requests = post_requests
        self.k = k
        self.cache = cache
        self._wire = SearchWire(
            self.url, post=post_requests, timeout=timeout, num_retries=num_retries, deadline=deadline
        )

    def __call__(
        self,
        query: str | list[str] | tuple[str, ...],
        k: int | None = None,
        simplify: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The rows that the server finds, best first; their texts only, if `simplify`.

        Raises:
            LMError: the server could not be asked; one of its kinds, after all retries.
        """
        return self._as_rows(self.search(query, k, **kwargs), simplify)

    async def acall(
        self,
        query: str | list[str] | tuple[str, ...],
        k: int | None = None,
        simplify: bool = False,
        **kwargs: Any,
    ) -> Any:
        """`__call__`, on the running loop."""
        return self._as_rows(await self.asearch(query, k, **kwargs), simplify)

    def _as_rows(self, found: Sequence[Any], simplify: bool) -> list[Any]:
        if any(isinstance(item, list) for item in found):
            return [self._as_rows(item, simplify) for item in found]
        return [passage.text if simplify else _row(passage) for passage in found]

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        requests = self._requests(queries, k, wanted)
        found = {request.key: self._recorded(request) for request in requests}
        missing = [request for request in requests if found[request.key] is None]
        if missing:
            found.update(portal.run(self._ask(missing)))
        return [_passages(found[request.key], k, wanted) for request in requests]

    async def _asearch(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        requests = self._requests(queries, k, wanted)
        found = await self._ask(requests)
        return [_passages(found[request.key], k, wanted) for request in requests]

    def _requests(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[Request]:
        asked = k if wanted is None else max(k, _ASKED_FOR_A_FILTER)
        return [
            Request("colbertv2/search", self._wire.shown, prompt=query, params={"k": asked})
            for query in queries
        ]

    def _recorded(self, request: Request) -> Response | None:
        return _record().lookup(request.key) if self.cache else None

    async def _ask(self, requests: Sequence[Request]) -> dict[str, Any]:
        once = {request.key: request for request in requests}
        answers = await asyncio.gather(*(self._one(request) for request in once.values()))
        return dict(zip(once, answers, strict=True))

    async def _one(self, request: Request) -> Any:
        if not self.cache:
            return await self._fetched(request)
        known = _record().lookup(request.key)
        if known is not None:
            return known
        return await adrive(_record().flights.fly(request.key, lambda: self._asking(request)))

    def _asking(self, request: Request) -> Steps[Any]:
        record = _record()
        known = record.landed(request.key)
        if known is not None:
            return known
        response = yield Do(lambda: portal.run(self._fetched(request)), lambda: self._fetched(request))
        yield Do(lambda: record.record(request, response), lambda: record.arecord(request, response))
        return response

    async def _fetched(self, request: Request) -> Response:
        rows, seconds = await self._wire.search(str(request.prompt), request.params["k"])
        return Response((Choice(dumps(rows)),), model=request.model, latency=seconds)


def _record() -> Any:
    from telic.store.default import call_record

    return call_record()


def _passages(response: Response | None, k: int, wanted: Filter | None) -> list[Passage]:
    text = "[]" if response is None else response.choices[0].text or "[]"
    found = [_passage(row, place) for place, row in enumerate(decoded(text.encode()))]
    if wanted is not None:
        admitted = admits(wanted)
        found = [passage for passage in found if admitted(passage.metadata)]
    return found[:k]


def _passage(row: Mapping[str, Any], place: int) -> Passage:
    text = row.get("text", row.get("long_text"))
    told = {name: value for name, value in row.items() if name not in _OWN}
    metadata = {**told, **(row.get("metadata") or {})}
    if "pid" in row:
        metadata["pid"] = row["pid"]
    return Passage(str(row.get("pid", place)), str(text or ""), float(row.get("score") or 0.0), metadata)


def _row(passage: Passage) -> Row:
    facts = {"text": passage.text, "long_text": passage.text, "score": passage.score}
    return Row({**passage.metadata, **facts})
