"""Several answers to one question: in one request where the server can, else the rest in one each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from telic.types import Choice, Response


async def collect(
    ask: Callable[[dict[str, Any]], Awaitable[Response]], body: dict[str, Any], *, many: bool
) -> Response:
    """Ask until there are `body["n"]` choices.

    Args:
        ask: sends one body.
        body: of the request, `n` included.
        many: the server knows `n`; else it is asked for one choice at a time.

    Returns:
        One response with all choices, their usage and cost together, and the longest latency.

    Raises:
        LMError: one of the requests failed; the others are cancelled.
    """
    wanted = int(body["n"])
    first = await ask(body if many else {**body, "n": 1})
    missing = wanted - len(first.choices)
    if missing <= 0:
        return first
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_call(ask, _single(body, i))) for i in range(1, missing + 1)]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return merge([first, *(task.result() for task in tasks)], wanted)


async def _call(ask: Callable[[dict[str, Any]], Awaitable[Response]], body: dict[str, Any]) -> Response:
    return await ask(body)


def _single(body: dict[str, Any], number: int) -> dict[str, Any]:
    """The body of one more choice; a fixed seed is moved on, or all choices would be the same."""
    one = {**body, "n": 1}
    if isinstance(one.get("seed"), int):
        one["seed"] += number
    return one


def merge(parts: list[Response], wanted: int) -> Response:
    """One response out of several to the same question."""
    choices: list[Choice] = [choice for part in parts for choice in part.choices]
    usage = sum((part.usage for part in parts[1:]), parts[0].usage)
    costs = [part.cost for part in parts]
    cost = None if None in costs else sum(c for c in costs if c is not None)
    return Response(tuple(choices[:wanted]), usage, parts[0].model, cost, max(part.latency for part in parts))
