"""Vectors of a hosted model, recorded text by text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from struct import pack, unpack
from typing import TYPE_CHECKING, Any

from telic.errors import LMConfigurationError
from telic.lm import permission
from telic.runtime import scope as scopes
from telic.runtime.steps import Do, Steps
from telic.types import Choice, Request, Response, Usage

if TYPE_CHECKING:
    from telic.lm.http.embeddings import EmbeddingEngine


class Hosted:
    """A model behind a server.

    A text and its vector are recorded as a request and its answer, the vector as base64 of little-endian
    32-bit floats.

    Args:
        model: `provider/name`.
        connection: how it is reached.
    """

    def __init__(self, model: str, connection: Mapping[str, Any]) -> None:
        from telic.lm.http.embeddings import EmbeddingEngine
        from telic.lm.http.providers import http_engine_for

        engine = http_engine_for(model, **connection)
        if engine is None:
            raise LMConfigurationError(
                f"Embedder({model!r}): no OpenAI-compatible server is known for this provider. Write "
                "'openai/<name there>' and api_base=…, or give a function from texts to vectors.",
                model=model,
            )
        self.model = model
        self._engine: EmbeddingEngine = EmbeddingEngine(engine)

    def lookup(self, text: str, params: Mapping[str, Any]) -> Sequence[float] | None:
        """The recorded vector of a text."""
        known = _record().lookup(self._request(text, params).key)
        if known is None:
            return None
        for sink in scopes.current().sinks:
            sink.add(self._request(text, params), known)
        return _vector(known.choices[0].text or "")

    def ask(self, texts: list[str], params: Mapping[str, Any]) -> Steps[list[list[float]]]:
        """Ask for vectors, under every budget in force; they are recorded before anyone sees them."""
        scope = scopes.current()
        whole = self._request("\n".join(texts), params)
        tickets: list[tuple[Any, Any]] = []
        if scope.budgets:
            from telic.budget.admission import reserving

            tickets = yield from reserving(scope.budgets, whole)
        answer: Response | None = None
        try:
            vectors, usage, seconds = yield self._asking(texts, params)
            answer = Response((Choice(""),), usage, self.model, self._cost(usage), seconds)
            yield self._recording(texts, params, vectors, seconds)
        finally:
            for budget, ticket in tickets:
                budget.settle(ticket, answer)
        for sink in scope.sinks:
            sink.add(whole, answer)
        found: list[list[float]] = vectors
        return found

    def _asking(self, texts: list[str], params: Mapping[str, Any]) -> Do:
        from telic.runtime.portal import portal

        engine = self._engine
        permission.check(engine, self.model)
        return Do(lambda: portal.run(engine.aembed(texts, params)), lambda: engine.aembed(texts, params))

    def _recording(
        self, texts: list[str], params: Mapping[str, Any], vectors: list[list[float]], seconds: float
    ) -> Do:
        rows = [
            (
                self._request(text, params),
                Response((Choice(_packed(vector)),), model=self.model, latency=seconds),
            )
            for text, vector in zip(texts, vectors, strict=True)
        ]

        def record() -> None:
            for request, response in rows:
                _record().record(request, response)

        async def arecord() -> None:
            import asyncio

            await asyncio.gather(*(_record().arecord(request, response) for request, response in rows))

        return Do(record, arecord)

    def _request(self, text: str, params: Mapping[str, Any]) -> Request:
        return Request(
            self.model, f"{self._engine.endpoint}/embeddings", None, text, dict(params), None, None
        )

    def _cost(self, usage: Usage) -> float | None:
        from telic.budget.prices import cost

        price: float | None = cost(self.model, usage)
        return price


def _record() -> Any:
    from telic.store.default import call_record

    return call_record()


def _packed(vector: Sequence[float]) -> str:
    return b64encode(pack(f"<{len(vector)}f", *vector)).decode("ascii")


def _vector(text: str) -> Sequence[float]:
    raw = b64decode(text)
    return unpack(f"<{len(raw) // 4}f", raw)
