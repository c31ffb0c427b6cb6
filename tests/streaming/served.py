"""Programs and answers for the tests of streaming."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import telic
from telic.streaming import StreamResponse, streamify
from telic.testing.server import LocalServer


def chat(**fields: Any) -> str:
    """An answer in the chat adapter's form."""
    parts = [f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items()]
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])


def lm(server: LocalServer, **options: Any) -> telic.LM:
    """An LM on a local server, that does not look into the record."""
    return telic.LM("openai/test", api_base=server.url, api_key="key", **{"cache": False, **options})


async def collect(program: Any, listeners: Any = None, *, options: Any = None, **inputs: Any) -> list[Any]:
    """Everything that a program yields."""
    streamer = streamify(program, stream_listeners=listeners, **(options or {}))
    return [item async for item in streamer(**inputs)]


def text_of(items: Sequence[Any], field: str) -> str:
    """A field's chunks, joined."""
    own = [i for i in items if isinstance(i, StreamResponse) and i.signature_field_name == field]
    return "".join(item.chunk for item in own)


def pieces_of(items: Sequence[Any], field: str) -> list[tuple[str, bool]]:
    """A field's chunks with whether each is the last."""
    return [
        (i.chunk, i.is_last_chunk)
        for i in items
        if isinstance(i, StreamResponse) and i.signature_field_name == field
    ]


class Chain(telic.Module):
    """Two predictors, one of them deep inside, called from blocking code."""

    def __init__(self) -> None:
        self.outline = telic.Predict("question -> outline")
        self.parts = {"write": [telic.ChainOfThought("outline -> answer")]}

    def forward(self, question: str) -> Any:
        outline = self.outline(question=question).outline
        return self.parts["write"][0](outline=outline)


class Twice(telic.Module):
    """Two predictors with the same output field."""

    def __init__(self) -> None:
        self.first = telic.Predict("question -> answer")
        self.second = telic.Predict("question -> answer")

    def forward(self, question: str) -> Any:
        self.first(question=question)
        return self.second(question=question)


class Loop(telic.Module):
    """One predictor, called several times."""

    def __init__(self, times: int = 2) -> None:
        self.step = telic.Predict("question -> answer")
        self.times = times

    def forward(self, question: str) -> Any:
        return [self.step(question=f"{question} {n}") for n in range(self.times)][-1]


class Awaited(telic.Module):
    """Only an async way."""

    def __init__(self) -> None:
        self.step = telic.Predict("question -> answer")

    async def aforward(self, question: str) -> Any:
        return await self.step.acall(question=question)
