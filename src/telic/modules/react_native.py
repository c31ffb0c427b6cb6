"""A run of `ReAct` whose tools are called natively: its trajectory, shown as a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from telic.data.prediction import Prediction
from telic.modules.native_turns import (
    CALLS,
    THOUGHT,
    TOOLS,
    calls_of,
    history_input,
    known_turn_signature,
    numbered,
    turn_instructions,
    turns_of,
)
from telic.modules.spoken_calls import SpokenCalls
from telic.program.fitting import fitted
from telic.program.pipeline import trace, traced
from telic.runtime.tools import Called, ToolCalls
from telic.types import History, ToolCallResults

_NO_RESULT = "(What it gave back is not part of this example.)"
_IN_TEXT = (
    "Where this speaks of next_tool_name and next_tool_args, make a call of that tool with those arguments."
)


class NativeRun:
    """One run. The trajectory is kept by the agent; this knows which of its steps were one turn.

    Args:
        agent: the `ReAct`.
        inputs: its inputs.
        choices: settings under which its predictor is asked.
    """

    def __init__(self, agent: Any, inputs: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
        self.choices = choices
        self._agent = agent
        self._all = dict(inputs)
        self._history = _history_name(agent.signature)
        self._inputs = dict(fitted(agent.signature, inputs))
        past = turns_of(self._inputs.pop(self._history, None))
        examples = list(_examples(agent, self._history))
        self._lead = [*examples, *past]
        more = ("trajectory",) if any("trajectory" in turn for turn in examples) else ()
        self._signature = known_turn_signature(
            agent.signature, self._history, _instructions(agent, self._history), SpokenCalls, *more
        )
        self._turns: list[range] = []
        self._ids: dict[int, str | None] = {}

    @property
    def newest(self) -> int:
        """How many calls the last turn made."""
        return len(self._turns[-1]) if self._turns else 1

    def asking(self, trajectory: Mapping[str, Any]) -> dict[str, Any]:
        """Keywords of the predictor for the next turn."""
        turns = list(self._shown(trajectory))
        if turns:
            turns[0] = {**self._inputs, **turns[0]}
        return {
            **({} if turns else self._inputs),
            self._history: History(messages=[*self._lead, *turns]),
            TOOLS: list(self._agent.tools.values()),
            "signature": self._signature,
            "demos": [],  # they are in the history
        }

    def calls(self, move: Any, trajectory: Mapping[str, Any]) -> tuple[list[Any], dict[int, str]]:
        """The calls of a turn, each with an id, and why some of them cannot be made."""
        made = numbered(calls_of(move), [*self._lead, *self._shown(trajectory)])
        return made, dict(getattr(getattr(move, CALLS, None), "problems", {}))

    def note(self, thought: str, calls: list[Any], trajectory: Mapping[str, Any]) -> None:
        """Note a turn for those who collect predictor calls, as the text protocol would have it: so that what
        is learnt from it can be used in both.
        """
        if not traced():
            return
        inputs = {**self._all, "trajectory": self._agent._shown(trajectory)}
        for call in calls:
            move = {"next_thought": thought, "next_tool_name": call.name, "next_tool_args": call.args}
            trace(self._agent.react, inputs, Prediction(move))

    def add(self, thought: str, calls: list[Any], called: list[Called], trajectory: dict[str, Any]) -> None:
        """Add a turn to the trajectory: each call under a number of its own, the thought with the first."""
        first = self._turns[-1].stop if self._turns else 0
        self._turns.append(range(first, first + len(calls)))
        for at, call, outcome in zip(self._turns[-1], calls, called, strict=True):
            self._ids[at] = call.id
            trajectory[f"thought_{at}"] = thought if at == first else ""
            trajectory[f"tool_name_{at}"] = call.name
            trajectory[f"tool_args_{at}"] = call.args
            trajectory[f"observation_{at}"] = outcome.observation

    def _shown(self, trajectory: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What is left of each turn, as turns of a history."""
        for turn in self._turns:
            left = [at for at in turn if f"observation_{at}" in trajectory]
            if not left:
                continue
            names, args, seen = (
                [trajectory[f"{key}_{at}"] for at in left]
                for key in ("tool_name", "tool_args", "observation")
            )
            ids = [self._ids[at] for at in left]
            yield _turn(trajectory.get(f"thought_{left[0]}"), names, args, ids, seen)


def suits(agent: Any) -> bool:
    """Whether the names that native turns need are free."""
    taken = {THOUGHT, CALLS, TOOLS, "trajectory", "signature", "demos", "config", "lm"}
    return taken.isdisjoint(agent.signature.input_fields) and bool(_history_name(agent.signature))


def _turn(
    thought: Any, names: list[Any], arguments: list[Any], ids: list[Any], seen: list[Any]
) -> dict[str, Any]:
    calls = [
        ToolCalls.ToolCall(id=id_, name=name, args=args)
        for name, args, id_ in zip(names, arguments, ids, strict=True)
    ]
    results = ToolCallResults.from_tool_calls_and_values(calls, seen)
    said = {THOUGHT: str(thought)} if thought else {}
    return {**said, CALLS: ToolCalls(tool_calls=calls, tool_call_results=results)}


def _history_name(signature: Any) -> str:
    """The input with earlier turns, or a name that is free; empty where none is."""
    free = (name for name in ("history", "conversation") if name not in signature.fields)
    return history_input(signature) or next(free, "")


def _examples(agent: Any, history: str) -> Iterator[dict[str, Any]]:
    """The demos of the text protocol as turns with native calls; those without a move show nothing."""
    fields = [name for name in agent.signature.input_fields if name != history]
    for number, demo in enumerate(agent.react.demos):
        name = demo.get("next_tool_name")
        given = {key: demo[key] for key in fields if demo.get(key) is not None}
        if not name or not given:
            continue
        if demo.get("trajectory"):
            given["trajectory"] = str(demo["trajectory"])
        made = SpokenCalls.model_validate([{"name": name, "args": demo.get("next_tool_args") or {}}])
        if not made.problems:
            args = made.tool_calls[0].args
            yield {**given, **_turn(demo.get(THOUGHT), [name], [args], [f"demo_{number}"], [_NO_RESULT])}


def _instructions(agent: Any, history: str) -> str:
    """The predictor's instructions with the native protocol in place of the one in text.

    Where an optimizer rewrote that too, it stays, with a word on how it is meant.
    """
    text = str(agent.react.signature.instructions)
    protocol = agent._protocol()
    how = turn_instructions(agent.signature, history, agent.tools, "call `finish`")
    if protocol in text:
        return text.replace(protocol, how)
    bridge = f"\n{_IN_TEXT}" if "next_tool_name" in text or "next_tool_args" in text else ""
    return f"{text}{bridge}\n\n{how}"
