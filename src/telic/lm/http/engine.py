"""The engine for servers and providers that speak OpenAI's protocol."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from telic._json import encoded
from telic.errors import LMInvalidRequestError, LMUnexpectedError, redact
from telic.lm.http.address import address_of
from telic.lm.http.answer import choices_of, chunks_in, usage_of
from telic.lm.http.body import body_of
from telic.lm.http.dialect import Dialect, traits_of
from telic.lm.http.failures import Asked
from telic.lm.http.keys import credentials_of, key_of, paths_of
from telic.lm.http.retry import LONGEST_TRY
from telic.lm.http.several import collect
from telic.lm.http.table import PROVIDERS, Provider
from telic.types import Capabilities, Request, Response, Usage
from telic.types.chunk import Chunk, chunks_of

if TYPE_CHECKING:
    from telic.lm.http.incoming import Incoming
    from telic.lm.http.wire import Wire

W = TypeVar("W", bound="Wire")
_log = logging.getLogger("telic.lm")
_CONSTRAINT_REFUSED = re.compile(
    r"(?i)response_format|json_schema|structured_outputs|guided_|grammar|\bschema\b"
)
_USAGE_REFUSED = re.compile(r"(?i)stream_options|include_usage")
_KEPT = ("n", "seed", "stream", "stream_options")
"""Of the body, whatever else is asked for anew."""


class HttpEngine:
    """Asks one model behind an OpenAI-compatible server.

    All engines of a loop share one connection pool, all engines of an endpoint and key share one adaptive
    limit; blocking calls from any number of threads go through the portal's loop. A complete answer is never
    asked for again. One whose body was cut or is unreadable has to be, paid for or not: `asked_again` counts.

    Args:
        model: the model as the server knows it.
        api_base: base URL of the server.
        api_key: the key; by default taken from the provider's environment variable at the first call.
        provider: who it is, or its name in `PROVIDERS`.
        dialect: what the server understands, where it is not the provider's usual.
        num_retries: tries after a passing failure. Waiting out a server's `Retry-After` uses none up.
        timeout: seconds that one try may take; by default 600.
        deadline: seconds that all tries together may take; by default there is no limit.
        backoff: seconds of the first back-off; it doubles from there.
        headers: sent with every request.
        extra_headers: more of them, by the OpenAI client's name.
        organization: OpenAI's organization.
        api_version: Azure's API version.
        context_window: tokens of prompt plus answer, where known.
        capabilities: what is known better than the table does, e.g. `{"json_schema": False}`.

    Raises:
        LMConfigurationError: `api_base` is not a URL.
    """

    native_async = True

    def __init__(
        self,
        model: str,
        api_base: str,
        api_key: str | None = None,
        *,
        provider: Provider | str = "openai",
        dialect: Dialect | None = None,
        num_retries: int = 3,
        timeout: float | None = None,
        deadline: float | None = None,
        backoff: float = 0.5,
        headers: Mapping[str, str] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        organization: str | None = None,
        api_version: str | None = None,
        context_window: int | None = None,
        capabilities: Mapping[str, Any] | None = None,
    ) -> None:
        self.provider = PROVIDERS[provider] if isinstance(provider, str) else provider
        self.dialect = dialect or self.provider.dialect
        self.name = model
        own = self.provider.base is None or api_base.rstrip("/") == self.provider.base
        self.address = address_of(api_base, versioned=not own)
        self.endpoint = self.address.endpoint
        self.num_retries = num_retries
        self.timeout = LONGEST_TRY if timeout is None else float(timeout)
        self.deadline = deadline
        self.backoff = backoff
        self.traits = traits_of(model, self.dialect)
        self._api_key = api_key
        self._headers = {**(headers or {}), **(extra_headers or {})}
        if organization:
            self._headers["OpenAI-Organization"] = organization
        self._api_version = api_version
        self._capabilities = Capabilities(
            **{
                "chat": self.traits.chat,
                "completion": self.traits.completion,
                "json_schema": self.traits.json_schema,
                "grammar": self.dialect.grammar is not None,
                "tools": self.dialect.tools and self.traits.tools and self.traits.chat,
                "reasoning": self.traits.shows_reasoning,
                "context_window": context_window,
                **(capabilities or {}),
            }
        )
        self._wire: Wire | None = None
        self._constrained = True
        self._counted = True
        self._priced = self.dialect.priced and not self.address.is_local

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do, by its name and dialect. Never changes, because requests are built by it."""
        return self._capabilities

    @property
    def model(self) -> str:
        """`provider/name`."""
        return f"{self.provider.name}/{self.name}"

    @property
    def asked_again(self) -> int:
        """Answers that arrived cut or unreadable, and so had to be asked for again."""
        return self._wire.asked_again if self._wire else 0

    def complete(self, request: Request) -> Response:
        """Ask, blocking; the request itself runs on the portal's loop."""
        from telic.runtime import portal

        return portal.run(self.acomplete(request))

    async def acomplete(self, request: Request) -> Response:
        """Ask, on the running loop. Cancelling the task closes the connection, so that the server can stop.

        Raises:
            LMError: one of its kinds, after all retries.
        """
        wire = self._wire or self._connect()
        body = body_of(request, self.name, self.dialect, self.traits, constrain=self._constrained)
        if (body.get("n") or 1) > 1:
            return await collect(lambda one: self._ask(wire, request, one), body, many=self.dialect.many)
        return await self._ask(wire, request, body)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Ask, and give the answer as it is written. Closing the generator, or cancelling the task, closes
        the connection, so that the server can stop.

        Raises:
            LMError: one of its kinds; after the first chunk without a retry.
        """
        wire = self._wire or self._connect()
        body = body_of(request, self.name, self.dialect, self.traits, constrain=self._constrained)
        if (body.get("n") or 1) > 1 and not self.dialect.many:
            for chunk in chunks_of(await self.acomplete(request)):
                yield chunk
            return
        body["stream"] = True
        if self._counted:
            body["stream_options"] = {"include_usage": True}
        incoming = await self._begun(wire, request, body)
        ended: dict[int, bool] = {}
        try:
            while (payload := await incoming.next()) is not None:
                for chunk in self._chunks(payload):
                    if chunk.usage is None:
                        ended[chunk.index] = ended.get(chunk.index, False) or bool(chunk.finish_reason)
                    yield chunk
            for index in ended if incoming.done else ():
                if not ended[index]:  # some servers say so only by the end of the stream
                    yield Chunk(finish_reason="stop", index=index)
            await incoming.drain()
        finally:
            wire.finish(incoming)

    def count_tokens(self, request: Request) -> int | None:
        """Not known without asking."""
        return None

    def close(self) -> None:
        """Forget the resolved key and address. Connections belong to their loop, which closes them."""
        self._wire = None

    def _connect(self) -> Wire:
        from telic.lm.http.wire import Wire

        paths = paths_of(self.provider, self.address, self.name, self._api_version)
        self._wire = self.wire(Wire, paths)
        return self._wire

    def wire(self, kind: type[W], paths: tuple[str, str]) -> W:
        """A way to the server, with this engine's key and patience.

        Args:
            kind: class of the wire.
            paths: the two that it posts to.

        Raises:
            LMAuthError: a key is needed and there is none.
        """
        provider, address = self.provider, self.address
        key = key_of(provider, address, self._api_key, self.model)
        return kind(
            Asked(
                self.model, provider.name, self.endpoint, provider.key_env[0] if provider.key_env else None
            ),
            address,
            paths,
            {"Content-Type": "application/json", **credentials_of(provider, address, key), **self._headers},
            key,
            num_retries=self.num_retries,
            backoff=self.backoff,
            timeout=self.timeout,
            deadline=self.deadline,
        )

    async def _ask(self, wire: Wire, request: Request, body: dict[str, Any]) -> Response:
        url = wire.chat_url if request.messages is not None else wire.text_url
        while True:
            try:
                return self._response(*await wire.post(url, encoded(body)))
            except LMInvalidRequestError as error:
                body = self._without_wish(request, body, error)

    async def _begun(self, wire: Wire, request: Request, body: dict[str, Any]) -> Incoming:
        url = wire.chat_url if request.messages is not None else wire.text_url
        while True:
            try:
                return await wire.stream(url, encoded(body))
            except LMInvalidRequestError as error:
                body = self._without_wish(request, body, error)

    def _without_wish(
        self, request: Request, body: dict[str, Any], error: LMInvalidRequestError
    ) -> dict[str, Any]:
        """The body without what the server refused, if that was only a wish; raises `error` otherwise."""
        if "stream_options" in body and _USAGE_REFUSED.search(error.message):
            self._counted = False
            return {name: value for name, value in body.items() if name != "stream_options"}
        constrained = request.constraint is not None and self._constrained
        if not (constrained and _CONSTRAINT_REFUSED.search(error.message)):
            raise error
        free = body_of(request, self.name, self.dialect, self.traits, constrain=False)
        free.update({name: body[name] for name in _KEPT if name in body})
        if free == body:
            raise error
        # A constraint is a wish: whoever reads the answer checks it anyway.
        _log.warning("%s does not take the constraint and is asked without: %s", self.model, error)
        self._constrained = "support" not in error.message
        return free

    def _chunks(self, payload: dict[str, Any]) -> list[Chunk]:
        try:
            chunks = chunks_in(payload)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._unknown_shape(payload, error) from error
        if chunks and chunks[-1].usage is not None:
            chunks[-1] = replace(chunks[-1], cost=self._cost(payload, chunks[-1].usage))
        return chunks

    def _response(self, payload: dict[str, Any], latency: float) -> Response:
        try:
            usage, choices = usage_of(payload), choices_of(payload)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._unknown_shape(payload, error) from error
        return Response(
            choices,
            usage or Usage(),
            payload.get("model") or self.name,
            self._cost(payload, usage),
            latency,
        )

    def _unknown_shape(self, payload: dict[str, Any], error: Exception) -> LMUnexpectedError:
        shape = redact(str(payload))[:200]
        return LMUnexpectedError(
            f"{self.model} at {self.endpoint} sent an answer of an unknown shape ({error!r}): {shape}",
            model=self.model,
            provider=self.provider.name,
        )

    def _cost(self, payload: dict[str, Any], usage: Usage | None) -> float | None:
        """US dollars; `None` where the provider, the price or the number of tokens is not known."""
        if usage is None or not self._priced:
            return None
        told = payload["usage"].get("cost")
        if isinstance(told, (int, float)):
            return float(told)
        from telic.budget.prices import cost

        price: float | None = cost(self.model, usage)
        return price

    def __deepcopy__(self, memo: dict[int, Any]) -> HttpEngine:
        # Nothing in it changes after the first call, and copies are to share the key.
        return self

    def __getstate__(self) -> dict[str, Any]:
        # A pickle may end up in a file, so the key stays out; the environment has it in the other process.
        return {**self.__dict__, "_wire": None, "_api_key": None}

    def __repr__(self) -> str:
        return f"HttpEngine({self.model!r}, {self.endpoint!r})"
