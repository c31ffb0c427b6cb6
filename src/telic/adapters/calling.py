"""An exchange carried out with an LM as anyone calls it: `lm(messages=…)` gives texts, or dicts with more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from telic.adapters.exchange import Turn, exchange
from telic.adapters.rendered import AdapterObject, Fields, SignatureClass
from telic.types import Choice


def answers(
    adapter: AdapterObject,
    lm: Any,
    lm_kwargs: Fields,
    signature: SignatureClass,
    demos: Sequence[Fields],
    inputs: Fields,
) -> list[dict[str, Any]]:
    """The output fields of each answer, blocking."""
    turns = exchange(adapter, signature, demos, inputs, lm, lm_kwargs)
    try:
        turn = next(turns)
        while True:
            turn = turns.send(_choices(turn.lm(**_arguments(turn))))
    except StopIteration as end:
        rows: list[dict[str, Any]] = end.value
        return rows


async def aanswers(
    adapter: AdapterObject,
    lm: Any,
    lm_kwargs: Fields,
    signature: SignatureClass,
    demos: Sequence[Fields],
    inputs: Fields,
) -> list[dict[str, Any]]:
    """The output fields of each answer, on the running loop."""
    turns = exchange(adapter, signature, demos, inputs, lm, lm_kwargs)
    try:
        turn = next(turns)
        while True:
            turn = turns.send(_choices(await turn.lm.acall(**_arguments(turn))))
    except StopIteration as end:
        rows: list[dict[str, Any]] = end.value
        return rows


def _arguments(turn: Turn) -> dict[str, Any]:
    rendered = turn.rendered
    asked: dict[str, Any] = {**rendered.params, **turn.params}
    if rendered.constraint is not None:
        asked["constraint"] = rendered.constraint
    if rendered.messages is None:
        return {**asked, "prompt": rendered.prompt}
    return {**asked, "messages": rendered.messages}


def _choices(outputs: Iterable[Any]) -> list[Choice]:
    return [_choice(output) for output in outputs]


def _choice(output: Any) -> Choice:
    if not isinstance(output, dict):
        return Choice(output)
    return Choice(
        output.get("text"),
        tool_calls=tuple(output.get("tool_calls") or ()),
        reasoning=output.get("reasoning_content"),
        logprobs=output.get("logprobs"),
        citations=tuple(output.get("citations") or ()),
    )
