"""`Retrieve`: passages for a query, by the retriever of the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.data.prediction import Prediction
from telic.errors import InputError
from telic.program.parameter import Parameter
from telic.runtime.events import active_callbacks, notify_around
from telic.runtime.settings import settings


def single_query_passage(passages: Sequence[Mapping[str, Any]]) -> Prediction:
    """Rows of passages as one prediction with a list for each field; `long_text` is called `passages`."""
    columns = {name: [row[name] for row in passages] for name in passages[0]}
    if "long_text" in columns:
        columns["passages"] = columns.pop("long_text")
    return Prediction(columns)


class Retrieve(Parameter):
    """Asks `settings.rm`, a function `rm(query, k=…)`; derive from it and define `forward` to bring your own.

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
        callbacks = active_callbacks(self.callbacks)
        if not callbacks:
            return self.forward(*args, **kwargs)
        with notify_around(callbacks, "module", self, {"args": args, "kwargs": kwargs}) as done:
            found = self.forward(*args, **kwargs)
            done(found)
        return found

    def forward(self, query: str, k: int | None = None, **kwargs: Any) -> Any:
        """Ask the retriever of the settings.

        Args:
            query: what to look for.
            k: how many passages, for this call.
            **kwargs: handed to the retriever.

        Returns:
            A prediction with `passages`, a list of texts.

        Raises:
            InputError: no retriever is set.
        """
        retriever: Callable[..., Any] | None = settings.rm
        if retriever is None:
            raise InputError(
                "No retriever is set. Write telic.configure(rm=…), where rm(query, k=3) gives passages."
            )
        found = retriever(query, k=self.k if k is None else k, **kwargs)
        if isinstance(found, Prediction):
            return found
        if not isinstance(found, (list, tuple)):
            found = [found]
        return Prediction(passages=[_text(passage) for passage in found])


def _text(passage: Any) -> str:
    if isinstance(passage, str):
        return passage
    text: Any = passage.get("long_text") if isinstance(passage, Mapping) else passage.long_text
    return str(text)
