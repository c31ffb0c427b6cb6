"""`Retrieve`: passages for a query, by the retriever of the settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.data.prediction import Prediction
from telic.errors import InputError
from telic.program.parameter import Parameter
from telic.retrieval.retriever import Retriever
from telic.runtime.events import active_callbacks, notifying
from telic.runtime.settings import settings
from telic.runtime.steps import Do, Steps, adrive, drive


def single_query_passage(passages: Sequence[Mapping[str, Any]]) -> Prediction:
    """Rows of passages as one prediction with a list for each field; `long_text` is called `passages`."""
    columns = {name: [row[name] for row in passages] for name in passages[0]}
    if "long_text" in columns:
        columns["passages"] = columns.pop("long_text")
    return Prediction(columns)


class Retrieve(Parameter):
    """Asks `settings.rm`, a telic `Retriever` or any function `rm(query, k=…)`.

    Derive from it and define `forward` (and `aforward`, which calls it by default) to bring your own.

    Args:
        k: how many passages.
        callbacks: told of each call.
    """

    name = "Search"
    input_variable = "query"
    desc = "takes a search query and returns one or more passages that may answer it"

    def __init__(self, k: int = 3, callbacks: list[Any] | None = None) -> None:
        self.k = k
        self.callbacks = callbacks or []

    def reset(self) -> None:
        """Nothing is learnt."""

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """`k`."""
        return {"k": self.k}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the state `dump_state` gave."""
        for name, value in state.items():
            setattr(self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Passages for a query; see `forward`."""
        return drive(self._told(args, kwargs))

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Passages for a query, on the running loop; see `forward`."""
        return await adrive(self._told(args, kwargs))

    def forward(self, query: str | list[str], k: int | None = None, **kwargs: Any) -> Any:
        """Ask the retriever of the settings.

        Args:
            query: what to look for; or a list of queries.
            k: how many passages, for this call.
            **kwargs: handed to the retriever.

        Returns:
            A prediction with `passages`, a list of texts, and where the retriever tells them `ids` and
            `scores`. For a list of queries, a list of predictions.

        Raises:
            InputError: no retriever is set.
        """
        return drive(self._steps(query, k, kwargs))

    async def aforward(self, query: str | list[str], k: int | None = None, **kwargs: Any) -> Any:
        """`forward`, on the running loop. A retriever that blocks runs in a thread."""
        if type(self).forward is not Retrieve.forward:
            import asyncio

            return await asyncio.to_thread(self.forward, query, k=k, **kwargs)
        return await adrive(self._steps(query, k, kwargs))

    def _told(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps[Any]:
        callbacks = active_callbacks(self.callbacks)
        steps = self._forwarding(args, kwargs)
        if callbacks:
            inputs = {"args": args, "kwargs": kwargs}
            steps = notifying(callbacks, "module", self, inputs, steps)
        return (yield from steps)

    def _forwarding(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps[Any]:
        return (yield Do(lambda: self.forward(*args, **kwargs), lambda: self.aforward(*args, **kwargs)))

    def _steps(self, query: Any, k: int | None, kwargs: dict[str, Any]) -> Steps[Any]:
        retriever: Any = settings.rm
        if retriever is None:
            raise InputError(
                "No retriever is set. Write telic.configure(rm=…), with a telic.Retriever or a function "
                "rm(query, k=3) that gives passages."
            )
        options = {"k": self.k if k is None else k, **kwargs}
        if isinstance(query, str):
            return _prediction((yield _asking(retriever, query, options)))
        if isinstance(retriever, Retriever):  # searches for several at once
            found = yield _asking(retriever.search, list(query), options, retriever.asearch)
            return [_prediction(passages) for passages in found]
        rows = []
        for one in query:
            rows.append(_prediction((yield _asking(retriever, one, options))))
        return rows


def _asking(retriever: Callable[..., Any], query: Any, options: dict[str, Any], awaited: Any = None) -> Do:
    awaited = awaited or getattr(retriever, "acall", None)

    def ask() -> Any:
        found = retriever(query, **options)
        if inspect.isawaitable(found):
            from telic.runtime.portal import portal

            return portal.run(_itself(found))
        return found

    async def aask() -> Any:
        import asyncio

        if awaited is not None:
            return await awaited(query, **options)
        if inspect.iscoroutinefunction(retriever):
            return await retriever(query, **options)
        found = await asyncio.to_thread(retriever, query, **options)
        return await found if inspect.isawaitable(found) else found

    return Do(ask, aask)


async def _itself(value: Any) -> Any:
    return await value


def _prediction(found: Any) -> Any:
    if isinstance(found, Prediction):
        return found
    if not isinstance(found, (list, tuple)):
        found = [found]
    columns: dict[str, list[Any]] = {"passages": [_text(passage) for passage in found]}
    for name, column in (("id", "ids"), ("score", "scores")):
        values = [getattr(passage, name, None) for passage in found]
        if not any(value is None or callable(value) for value in values):
            columns[column] = values
    return Prediction(columns)


def _text(passage: Any) -> str:
    if isinstance(passage, str):
        return passage
    text: Any = passage.get("long_text") if isinstance(passage, Mapping) else passage.long_text
    return str(text)
