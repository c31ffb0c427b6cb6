"""Reasoning and acting in turns of a conversation, with the model's own way of calling tools."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.data.prediction import Prediction
from telic.errors import AdapterParseError, ContextWindowExceededError, InputError
from telic.modules.native_turns import (
    Under,
    calls_of,
    history_input,
    numbered,
    turn_instructions,
    turn_signature,
    turns_of,
    ways_of_calling,
)
from telic.modules.tool_turns import answering_tool, called_together, tools_by_name
from telic.modules.turn_budget import PromptSize
from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.runtime.tools import Tool, ToolCalls
from telic.signatures import ensure_signature
from telic.types import History, ToolCallResults

logger = logging.getLogger("telic")

SUBMIT = "submit"


class ReActV2(Answering[Answer], SteppedModule):
    """Let the model call tools, several in one turn if it likes, until it submits the outputs by calling
    `submit`.

    Turns are a conversation (`History`) that only ever grows at its end. Tools are called natively where the
    adapter is told to, and, where no adapter is chosen, with any model that can; in text otherwise. What a
    tool raises is shown to the model. Where the conversation no longer fits the window, the oldest turns are
    left out, until half of the room for turns is free. A model that does not submit in time is made to.

    Args:
        signature: what is asked. An input of type `History` holds earlier turns; one named `history` is added
            where there is none.
        tools: functions or `Tool`s.
        max_iters: most turns.

    The prediction has the outputs, `history` with the turns that did not have to leave (to be given to the
    next call), and `termination_reason`: `"submit"`, or why the model was made to submit.
    """

    def __init__(
        self,
        signature: str | type[Answer],
        tools: Sequence[Callable[..., Any] | Tool],
        max_iters: int = 20,
    ) -> None:
        self.signature: Any = ensure_signature(signature)
        self.max_iters = max_iters
        self.tools = tools_by_name([*tools, answering_tool(SUBMIT, self.signature)])
        self.history = _history_field(self.signature)
        ending = f"call `{SUBMIT}` with {', '.join(f'`{name}`' for name in self.signature.output_fields)}"
        how = turn_instructions(self.signature, self.history, self.tools, ending)
        instructions = f"{self.signature.instructions}\n\n{how}"
        self.react = Predict(turn_signature(self.signature, self.history, instructions))

    def steps(self, **inputs: Any) -> Steps[Prediction]:
        """Act until something is submitted; inputs by keyword.

        Raises:
            AdapterParseError: nothing was, even when the model was made to.
            ContextWindowExceededError: the inputs alone do not fit.
        """
        past = list(turns_of(inputs.pop(self.history, None)))
        turns: list[dict[str, Any]] = []
        reason = "max_iters"
        for _ in range(inputs.pop("max_iters", self.max_iters)):
            try:
                move = yield from self._ask(past, turns, inputs)
            except AdapterParseError as error:
                logger.warning(
                    "%s: the agent's turn cannot be read, and it is made to answer: %s", self, error
                )
                reason = "parse_failure"
                break
            if not calls_of(move):
                reason = "empty_tool_calls"
                break
            answer = yield from self._act(move, past, turns, inputs)
            if answer is not None:
                return self._prediction(answer, past, turns, SUBMIT)
        move = yield from self._ask(past, turns, inputs, {"tool_choice": _only(SUBMIT)})
        answer = (yield from self._act(move, past, turns, inputs)) if calls_of(move) else None
        if answer is None:
            raise AdapterParseError(
                type(self).__name__,
                self.signature,
                str(turns[-1].get("tool_calls") if turns else getattr(move, "next_thought", "")),
                f"the agent did not submit an answer ({reason}), not even when it was made to.",
            )
        return self._prediction(answer, past, turns, reason)

    def _ask(
        self,
        past: list[Any],
        turns: list[dict[str, Any]],
        inputs: Mapping[str, Any],
        wish: Mapping[str, Any] | None = None,
    ) -> Steps[Any]:
        choices, native = ways_of_calling(self.react)
        given: dict[str, Any] = {"config": dict(wish)} if wish and native else {}
        given["tools"] = [self.tools[SUBMIT]] if wish and not native else list(self.tools.values())

        def asked() -> dict[str, Any]:
            history = {self.history: History(messages=[*past, *turns])}
            return {**({} if turns else inputs), **history, **given}

        while True:
            try:
                return (yield Under(Call(self.react, **asked()), choices))
            except ContextWindowExceededError:
                logger.warning("The conversation does not fit the model's window; its oldest turns go.")
                size = PromptSize(self.react, choices)
                bare = {**inputs, self.history: History(messages=[]), **given}
                low = size.low_water(size.tokens(asked()), size.tokens(bare))
                if not _shortened(past, turns, inputs):
                    raise
                while size.tokens(asked()) > low and _shortened(past, turns, inputs):
                    pass

    def _act(
        self, move: Any, past: list[Any], turns: list[dict[str, Any]], inputs: Mapping[str, Any]
    ) -> Steps[dict[str, Any] | None]:
        calls = numbered(calls_of(move), [*past, *turns])
        called = yield called_together(calls, self.tools)
        results = ToolCallResults.from_tool_calls_and_values(
            calls, [c.observation for c in called], [c.error is not None for c in called]
        )
        turn: dict[str, Any] = dict(inputs) if not turns else {}
        if (thought := getattr(move, "next_thought", None)) is not None:
            turn["next_thought"] = str(thought)
        turn["tool_calls"] = ToolCalls(tool_calls=calls, tool_call_results=results)
        turns.append(turn)
        for call, outcome in zip(calls, called, strict=True):
            if call.name == SUBMIT and outcome.error is None:
                answer: dict[str, Any] = outcome.value
                turn.update(answer)
                return answer
        return None

    def _prediction(
        self, answer: Mapping[str, Any], past: list[Any], turns: list[dict[str, Any]], reason: str
    ) -> Prediction:
        history = History(messages=[*past, *turns])
        return Prediction({**answer, "history": history, "termination_reason": reason})

    def __repr__(self) -> str:
        return f"ReActV2({self.signature.signature}, tools={list(self.tools)})"


def _history_field(signature: Any) -> str:
    """The input that holds earlier turns.

    Raises:
        InputError: a field of another type is called `history`.
    """
    known = history_input(signature)
    if known is not None:
        return known
    if "history" in signature.fields:
        raise InputError("ReActV2 needs the name 'history' for earlier turns: call that field otherwise.")
    return "history"


def _shortened(past: list[Any], turns: list[dict[str, Any]], inputs: Mapping[str, Any]) -> bool:
    """Leave out the oldest turn, but not the inputs; whether there was one to leave out."""
    if past:
        del past[0]
        return True
    if len(turns) < 2:
        return False
    del turns[0]
    turns[0] = {**inputs, **turns[0]}
    return True


def _only(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}
