"""The engine for every other provider: one request through litellm, under our limits, retries and errors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from telic.errors import LMTransportError, LMUnexpectedError
from telic.lm.bridge.failures import failure_from
from telic.lm.bridge.library import load
from telic.lm.http.address import address_of
from telic.lm.http.answer import choices_of, chunks_in, usage_of
from telic.lm.http.failures import Asked
from telic.lm.http.limiter import limiter_for
from telic.lm.http.persist import Persistence
from telic.lm.http.retry import LONGEST_TRY
from telic.lm.http.several import collect
from telic.types import Capabilities, Request, Response, Usage
from telic.types.chunk import Chunk

if TYPE_CHECKING:
    from telic.runtime.pipe import Pipe


class BridgeEngine:
    """Asks a model of any provider that litellm knows.

    All calls, from threads and from every loop, are made on the portal's loop, because litellm's clients do
    not outlive the loop they were first used on. litellm's own retries are off: ours honour the shared limit.

    Args:
        model: `provider/name`, as litellm writes it.
        api_base: base URL, where it is not the provider's own.
        api_key: the key; by default litellm takes the provider's environment variable.
        num_retries: tries after a passing failure. Waiting out a server's `Retry-After` uses none up.
        timeout: seconds that one try may take; by default 600.
        deadline: seconds that all tries together may take.
        backoff: seconds of the first back-off.
        headers: sent with every request.
        extra_headers: more of them.
        context_window: tokens of prompt plus answer, where known better than litellm does.
        capabilities: what is known better than litellm does.
        **options: passed to litellm with every request (`api_version`, `aws_region_name`, …).
    """

    native_async = True

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        num_retries: int = 3,
        timeout: float | None = None,
        deadline: float | None = None,
        backoff: float = 0.5,
        headers: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        context_window: int | None = None,
        capabilities: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.model = model
        self.provider = model.partition("/")[0]
        self.endpoint = address_of(api_base).endpoint if api_base else self.provider
        self.timeout = LONGEST_TRY if timeout is None else float(timeout)
        self._api_base = api_base
        self._api_key = api_key
        self._headers = {**(headers or {}), **(extra_headers or {})}
        self._options = options
        self._known = {**(capabilities or {})}
        if context_window is not None:
            self._known["context_window"] = context_window
        self._asked = Asked(model, self.provider, self.endpoint, f"{self.provider.upper()}_API_KEY")
        limiter = limiter_for(self.endpoint, api_key)
        self._persistence = Persistence(self._asked, limiter, num_retries, backoff, deadline)

    @cached_property
    def capabilities(self) -> Capabilities:
        """What litellm's table says about the model; loads litellm."""
        litellm = load(self.model)
        row = litellm.model_cost.get(self.model) or litellm.model_cost.get(self.model.partition("/")[2]) or {}
        able: dict[str, Any] = {
            "chat": row.get("mode", "chat") == "chat",
            "completion": row.get("mode") == "completion",
            "json_schema": bool(row.get("supports_response_schema")),
            "tools": bool(row.get("supports_function_calling")),
            "reasoning": bool(row.get("supports_reasoning")),
            "context_window": row.get("max_input_tokens"),
        }
        return Capabilities(**{**able, **self._known})

    def complete(self, request: Request) -> Response:
        """Ask, blocking."""
        from telic.runtime import portal

        return portal.run(self._answer(request))

    async def acomplete(self, request: Request) -> Response:
        """Ask, on the running loop. Cancelling the task cancels the request.

        Raises:
            LMError: one of its kinds, after all retries.
            MissingExtraError: litellm is not installed.
        """
        from telic.runtime import portal

        return await asyncio.wrap_future(portal.submit(self._answer(request)))

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Ask, and give the answer as it is written. Closing the generator cancels the request.

        Raises:
            LMError: one of its kinds; after the first chunk without a retry.
            MissingExtraError: litellm is not installed.
        """
        from telic.runtime import portal
        from telic.runtime.pipe import Pipe

        pipe: Pipe[Chunk] = Pipe()
        pumping = portal.submit(self._pump(request, pipe))
        pumping.add_done_callback(lambda done: pipe.close(None if done.cancelled() else done.exception()))
        try:
            async for chunk in pipe:
                yield chunk
        finally:
            pumping.cancel()

    def count_tokens(self, request: Request) -> int | None:
        """Not known: litellm guesses for most providers."""
        return None

    def close(self) -> None:
        """Nothing is held between calls but litellm's own clients."""

    async def _answer(self, request: Request) -> Response:
        litellm = await asyncio.to_thread(load, self.model)
        body = self._body(request)
        if (body.get("n") or 1) <= 1:
            return await self._ask(litellm, request, body)
        known = await asyncio.to_thread(litellm.get_supported_openai_params, model=self.model)
        many = "n" in (known or ())
        return await collect(lambda one: self._ask(litellm, request, one), body, many=many)

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {**self._options}
        if request.messages is not None:
            body["messages"] = list(request.messages)
        else:
            body["prompt"] = request.prompt
        schema = request.constraint.json_schema if request.constraint else None
        if schema is not None and request.messages is not None and self.capabilities.json_schema:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(schema)},
            }
        body.update({name: value for name, value in request.params.items() if value is not None})
        return body

    async def _ask(self, litellm: Any, request: Request, body: dict[str, Any]) -> Response:
        if body.get("n") == 1:
            body = {name: value for name, value in body.items() if name != "n"}
        call = litellm.acompletion if request.messages is not None else litellm.atext_completion
        answer, latency = await self._persistence.ask(lambda left: self._try(litellm, call, body, left))
        payload = answer.model_dump()
        try:
            usage = usage_of(payload)
            choices = choices_of(payload)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._unknown_shape(error) from error
        told = usage is not None and usage.total_tokens > 0
        cost = self._cost(answer, usage) if told and usage is not None else None
        return Response(choices, usage or Usage(), payload.get("model") or self.model, cost, latency)

    async def _pump(self, request: Request, pipe: Pipe[Chunk]) -> None:
        """On the portal's loop: from litellm into the pipe."""
        litellm = await asyncio.to_thread(load, self.model)
        body = {**self._body(request), "stream": True, "stream_options": {"include_usage": True}}
        call = litellm.acompletion if request.messages is not None else litellm.atext_completion
        opened, _ = await self._persistence.ask(lambda left: self._open(litellm, call, body, left), keep=True)
        stream, payload = opened
        try:
            while payload is not None:
                self._put(payload, pipe)
                payload = await self._next(litellm, stream)
        finally:
            self._persistence.release()
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    async def _open(
        self, litellm: Any, call: Any, body: dict[str, Any], left: float | None
    ) -> tuple[Any, dict[str, Any] | None]:
        """Ask once, and wait for the first chunk."""
        stream = aiter(await self._try(litellm, call, body, left))
        return stream, await self._next(litellm, stream)

    async def _next(self, litellm: Any, stream: Any) -> dict[str, Any] | None:
        try:
            chunk = await anext(stream, None)
        except _failures(litellm) as error:
            failure = failure_from(error, self._asked, self._secret)
        else:
            return None if chunk is None else dict(chunk.model_dump())
        raise failure

    def _put(self, payload: dict[str, Any], pipe: Pipe[Chunk]) -> None:
        try:
            chunks = chunks_in(payload)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._unknown_shape(error) from error
        for chunk in chunks:
            told = chunk.usage is not None and chunk.usage.total_tokens > 0
            pipe.put(replace(chunk, cost=self._price(chunk.usage)) if told and chunk.usage else chunk)

    async def _try(self, litellm: Any, call: Any, body: dict[str, Any], left: float | None) -> Any:
        """Ask once."""
        seconds = self.timeout if left is None else min(self.timeout, left)
        try:
            answer = await call(
                model=self.model,
                api_base=self._api_base,
                api_key=self._api_key,
                timeout=seconds,
                extra_headers=self._headers or None,
                num_retries=0,
                max_retries=0,
                **body,
            )
        except _failures(litellm) as error:
            failure = failure_from(error, self._asked, self._secret)
        else:
            if body.get("stream") or answer.choices:
                return answer
            failure = LMTransportError(f"{self.model} sent an answer without choices.", model=self.model)
        # Raised out here: litellm's exceptions hold the request, key included.
        raise failure

    @property
    def _secret(self) -> str | None:
        return self._api_key or os.environ.get(self._asked.key_name or "")

    def _cost(self, answer: Any, usage: Usage) -> float | None:
        """US dollars: as litellm reckons (0 is its word for unknown), else by our price list."""
        told = getattr(answer, "_hidden_params", {}).get("response_cost")
        return float(told) if told else self._price(usage)

    def _price(self, usage: Usage) -> float | None:
        from telic.budget.prices import cost

        price: float | None = cost(self.model, usage)
        return price

    def _unknown_shape(self, error: Exception) -> LMUnexpectedError:
        return LMUnexpectedError(
            f"{self.model} through litellm: an answer of an unknown shape ({error!r})",
            model=self.model,
            provider=self.provider,
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> BridgeEngine:
        return self

    def __repr__(self) -> str:
        return f"BridgeEngine({self.model!r}, {self.endpoint!r})"


def _failures(litellm: Any) -> tuple[type[Exception], ...]:
    return (*litellm.LITELLM_EXCEPTION_TYPES, litellm.exceptions.OpenAIError, OSError)
