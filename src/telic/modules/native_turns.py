"""Turns of an agent as a conversation in which the model calls tools, natively where it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache, lru_cache
from itertools import count
from typing import Any

from telic.program.adapting import adapter_for
from telic.program.pipeline import resolve_lm
from telic.runtime import scope as scopes
from telic.runtime.settings import settings
from telic.runtime.steps import Step
from telic.runtime.tools import Tool, ToolCalls
from telic.signatures import InputField, OutputField, make_signature
from telic.signatures.field import LEFT_OUT
from telic.types import History, Reasoning

THOUGHT, CALLS, TOOLS = "next_thought", "tool_calls", "tools"


def turn_signature(
    signature: Any, history: str, instructions: str, calls: type[ToolCalls] = ToolCalls, *more: str
) -> Any:
    """What is asked in each turn: the conversation and the tools, to a thought and calls.

    The inputs come with the first turn only, and may be left out later.

    Args:
        signature: of the whole task.
        history: name of the field for the conversation.
        instructions: of a turn.
        calls: the type of the calls.
        *more: names of further texts that earlier turns may hold.
    """
    given: dict[str, Any] = {
        name: (field.annotation, InputField(desc=field.desc, default=LEFT_OUT))
        for name, field in signature.input_fields.items()
        if name != history
    }
    given |= {name: (str, InputField(default=LEFT_OUT)) for name in more}
    moves = {
        history: (History, InputField()),
        TOOLS: (list[Tool], InputField()),
        THOUGHT: (Reasoning, OutputField()),
        CALLS: (calls, OutputField()),
    }
    return make_signature({**given, **moves}, instructions)


known_turn_signature = lru_cache(maxsize=128)(turn_signature)
"""The same, one class for the same arguments: adapters work out a class once."""


def turn_instructions(signature: Any, history: str, tools: Mapping[str, Tool], ending: str) -> str:
    """How an agent that calls tools works.

    Args:
        signature: of the whole task.
        history: name of the field for the conversation.
        tools: by name.
        ending: how it ends its turns, to be put after "When you know enough, ".
    """
    inputs = ", ".join(f"`{name}`" for name in signature.input_fields if name != history)
    outputs = ", ".join(f"`{name}`" for name in signature.output_fields)
    return (
        f"You work as an agent, in turns. You are given {inputs}. Call tools to find out what it takes "
        f"to produce {outputs}. Every turn makes at least one call, and may make several. When you know "
        f"enough, {ending}.\n"
        f"The tools are: {', '.join(f'`{name}`' for name in tools)}."
    )


def history_input(signature: Any) -> str | None:
    """The input that holds earlier turns, if there is one."""
    return next(
        (str(name) for name, field in signature.input_fields.items() if field.annotation is History), None
    )


def turns_of(history: Any) -> Sequence[Any]:
    """The turns of a history that was given, or not."""
    return () if history is None else History.model_validate(history).messages


def calls_of(move: Any) -> list[Any]:
    """The calls that a turn makes."""
    calls = getattr(move, CALLS, None)
    return [] if calls is None else list(calls.tool_calls)


def numbered(calls: list[Any], turns: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Calls with ids that no other call of the conversation has; those that came in text have none."""
    if all(call.id for call in calls):
        return calls
    made = [ToolCalls.model_validate(turn[CALLS]) for turn in turns if turn.get(CALLS)]
    taken = {call.id for one in made for call in one.tool_calls}
    names = ([f"call_{n}_{k}" for k in range(len(calls))] for n in count(len(turns)))
    free = next(ids for ids in names if taken.isdisjoint(ids))
    return [
        call if call.id else call.model_copy(update={"id": id_})
        for call, id_ in zip(calls, free, strict=True)
    ]


def ways_of_calling(predictor: Any) -> tuple[dict[str, Any], bool]:
    """How an agent's predictor has tools called.

    Where nobody chose an adapter, and the model has native calls, the chat adapter is told to use them
    (`settings.native_agent_tools`). An adapter that was chosen does as it was told.

    Returns:
        The settings to ask under, and whether calls are native.
    """
    lm = resolve_lm(predictor.lm)
    able = lm.capabilities.tools
    chosen = predictor.adapter or settings.adapter or lm.preferred_adapter
    if able and not chosen and settings.native_agent_tools:
        return {"adapter": _calling_natively()}, True
    return {}, able and adapter_for(predictor.adapter, lm).use_native_function_calling


@cache
def _calling_natively() -> Any:
    from telic.adapters import ChatAdapter

    return ChatAdapter(use_native_function_calling=True)


class Under:
    """A step done under other settings, or without a trace; what waits for its outcome is not.

    Args:
        step: what to do.
        choices: settings.
        traced: whether calls of predictors are noted in the trace.
    """

    __slots__ = ("_choices", "_step", "_traced")

    def __init__(self, step: Step, choices: Mapping[str, Any], *, traced: bool = True) -> None:
        self._step = step
        self._choices = dict(choices) if traced else {**choices, "trace": None}
        self._traced = traced

    def perform(self) -> Any:
        """Do it, blocking."""
        with self._around():
            return self._step.perform()

    async def aperform(self) -> Any:
        """Do it on the running loop."""
        with self._around():
            return await self._step.aperform()

    def _around(self) -> ExitStack:
        around = ExitStack()
        around.enter_context(settings.context(**self._choices))
        if not self._traced:
            around.enter_context(scopes.within(trace=None))
        return around
