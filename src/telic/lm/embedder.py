"""`Embedder`: texts to vectors, by a hosted model or a function of one's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from telic._json import stable_hash
from telic._lazy import require
from telic.errors import InputError, LMUnexpectedError
from telic.lm.embedding import Hosted
from telic.runtime.steps import Do, Steps, adrive, drive

_CONNECTION = frozenset(
    {"api_base", "api_key", "api_version", "headers", "extra_headers", "organization", "timeout", "deadline"}
)


class Embedder:
    """Makes vectors of texts.

    Vectors of a hosted model are recorded in the store, text by text, and taken from there. Those of a
    function are kept in this object.

    Args:
        model: `provider/name` of a model behind an OpenAI-compatible server, or a function (blocking or
            async) from a list of texts to a vector each.
        batch_size: texts to a request, or to a call of the function.
        caching: take vectors from the record.
        **kwargs: sent with every request, or given to every call; `api_base`, `api_key`, `timeout` and the
            like say how the model is reached.

    Raises:
        LMConfigurationError: no server is known that has the model.
    """

    def __init__(
        self,
        model: str | Callable[..., Any],
        batch_size: int = 200,
        caching: bool = True,
        **kwargs: Any,
    ) -> None:
        if not isinstance(model, str) and not callable(model):
            raise InputError(f"Embedder: a model's name or a function is needed, not {model!r:.100}.")
        self.model = model
        self.batch_size = batch_size
        self.caching = caching
        hosted = isinstance(model, str)
        connection = {name: kwargs.pop(name) for name in list(kwargs) if hosted and name in _CONNECTION}
        self.default_kwargs = kwargs
        self._hosted = Hosted(model, connection) if isinstance(model, str) else None
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(
        self,
        inputs: str | Sequence[str],
        batch_size: int | None = None,
        caching: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Vectors, blocking.

        Args:
            inputs: a text, or several.
            batch_size: for this call.
            caching: for this call.
            **kwargs: for this call.

        Returns:
            A float32 array of shape `(d,)` for a text, `(n, d)` for several.

        Raises:
            LMError: the model could not be asked.
            LMUnexpectedError: the function did not give one vector for each text.
        """
        return drive(self._steps(inputs, batch_size, caching, kwargs))

    async def acall(
        self,
        inputs: str | Sequence[str],
        batch_size: int | None = None,
        caching: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """`__call__` on the running loop; a blocking function runs in a thread."""
        return await adrive(self._steps(inputs, batch_size, caching, kwargs))

    def _steps(
        self, inputs: Any, batch_size: int | None, caching: bool | None, kwargs: dict[str, Any]
    ) -> Steps[Any]:
        texts = _texts(inputs)
        params = {**self.default_kwargs, **kwargs}
        cached = self.caching if caching is None else caching
        found: dict[str, Any] = {}
        for text in dict.fromkeys(texts):
            known = self._lookup(text, params) if cached else None
            if known is not None:
                found[text] = known
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        for batch in _batches(missing, batch_size or self.batch_size):
            vectors = yield from self._ask(batch, params)
            if len(vectors) != len(batch):
                raise LMUnexpectedError(
                    f"Embedder: {self.model!r} gave {len(vectors)} vectors for {len(batch)} texts."
                )
            found.update(zip(batch, vectors, strict=True))
        rows = [found[text] for text in texts]
        array = _numpy().asarray(rows, dtype="float32")
        return array[0] if isinstance(inputs, str) else array

    def _lookup(self, text: str, params: Mapping[str, Any]) -> Any:
        if self._hosted is not None:
            return self._hosted.lookup(text, params)
        return self._known.get(_key(text, params))

    def _ask(self, batch: list[str], params: Mapping[str, Any]) -> Steps[Any]:
        if self._hosted is not None:
            return (yield from self._hosted.ask(batch, params))
        vectors = yield self._calling(batch, params)
        with self._lock:
            self._known.update({_key(text, params): row for text, row in zip(batch, vectors, strict=False)})
        return vectors

    def _calling(self, batch: list[str], params: Mapping[str, Any]) -> Do:
        import asyncio
        import inspect

        function: Any = self.model
        is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - an object's way of being called, not whether
        )

        def call() -> Any:
            if not is_async:
                return function(batch, **params)
            from telic.runtime.portal import portal

            return portal.run(function(batch, **params))

        async def acall() -> Any:
            if is_async:
                return await function(batch, **params)
            return await asyncio.to_thread(function, batch, **params)

        return Do(call, acall)


def _texts(inputs: Any) -> list[str]:
    texts = [inputs] if isinstance(inputs, str) else list(inputs)
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if wrong is not None:
        raise InputError(f"Embedder: texts are needed, not {type(wrong).__name__} ({wrong!r:.80}).")
    return texts


def _batches(texts: list[str], size: int) -> Iterator[list[str]]:
    if size < 1:
        raise InputError(f"batch_size={size!r} must be at least 1.")
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def _key(text: str, params: Mapping[str, Any]) -> str:
    return f"{stable_hash(dict(params))}{text}" if params else text


def _numpy() -> Any:
    return require("numpy", extra="retrieval", purpose="vectors of texts")
