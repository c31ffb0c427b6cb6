"""Reasoning and acting in turns of a conversation, with the model's own way of calling tools."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from telic.data.prediction import Prediction
from telic.errors import AdapterParseError, ContextWindowExceededError, InputError
from telic.modules.tool_turns import answering_tool, called_together, tools_by_name
from telic.program.adapting import adapter_for
from telic.program.answers import Answer, Answering
from telic.program.pipeline import resolve_lm
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.settings import settings
from telic.runtime.steps import Steps
from telic.runtime.tools import Tool, ToolCalls
from telic.signatures import InputField, OutputField, ensure_signature, make_signature
from telic.signatures.field import LEFT_OUT
from telic.types import History, Reasoning, ToolCallResults

logger = logging.getLogger("telic")

SUBMIT = "submit"


class ReActV2(Answering[Answer], SteppedModule):
    """Let the model call tools, several in one turn if it likes, until it submits the outputs by calling
    `submit`.

    Turns are a conversation (`History`) that only ever grows at its end. Tools are called natively where the
    adapter is told to, and, where no adapter is chosen, with any model that can; in text otherwise. What a
    tool raises is shown to the model. Where the conversation no longer fits the window, the oldest turns are
    left out. A model that does not submit in time is made to.

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
        self.react = Predict(self._turn_signature())

    def steps(self, **inputs: Any) -> Steps[Prediction]:
        """Act until something is submitted; inputs by keyword.

        Raises:
            AdapterParseError: nothing was, even when the model was made to.
            ContextWindowExceededError: the inputs alone do not fit.
        """
        past = list(_turns(inputs.pop(self.history, None)))
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
            if not _calls(move):
                reason = "empty_tool_calls"
                break
            answer = yield from self._act(move, past, turns, inputs)
            if answer is not None:
                return self._prediction(answer, past, turns, SUBMIT)
        move = yield from self._ask(past, turns, inputs, {"tool_choice": _only(SUBMIT)})
        answer = (yield from self._act(move, past, turns, inputs)) if _calls(move) else None
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
        with self._adapter() as native:
            given: dict[str, Any] = {"config": dict(wish)} if wish and native else {}
            tools = list(self.tools.values())
            if wish and not native:
                tools = [self.tools[SUBMIT]]
            while True:
                asked = {} if turns else inputs
                history = History(messages=[*past, *turns])
                try:
                    return (yield Call(self.react, **asked, **{self.history: history}, tools=tools, **given))
                except ContextWindowExceededError:
                    logger.warning("The conversation does not fit the model's window; its oldest turn goes.")
                    if not _shortened(past, turns, inputs):
                        raise

    def _act(
        self, move: Any, past: list[Any], turns: list[dict[str, Any]], inputs: Mapping[str, Any]
    ) -> Steps[dict[str, Any] | None]:
        calls = _numbered(_calls(move), [*past, *turns])
        called = yield called_together([(self.tools.get(call.name), call) for call in calls], self.tools)
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

    @contextmanager
    def _adapter(self) -> Iterator[bool]:
        """Choose an adapter where nobody did; tells whether tools are called natively."""
        lm = resolve_lm(self.react.lm)
        able = lm.capabilities.tools
        adapter = adapter_for(self.react.adapter, lm)
        chosen = self.react.adapter or settings.adapter or lm.preferred_adapter
        if able and not chosen and settings.native_agent_tools:
            from telic.adapters import ChatAdapter

            with settings.context(adapter=ChatAdapter(use_native_function_calling=True)):
                yield True
        else:
            yield able and adapter.use_native_function_calling

    def _turn_signature(self) -> Any:
        given: dict[str, Any] = {
            name: (field.annotation, InputField(desc=field.desc, default=LEFT_OUT))
            for name, field in self.signature.input_fields.items()
            if name != self.history
        }
        moves = {
            self.history: (History, InputField()),
            "tools": (list[Tool], InputField()),
            "next_thought": (Reasoning, OutputField()),
            "tool_calls": (ToolCalls, OutputField()),
        }
        return make_signature({**given, **moves}, self._instructions())

    def _instructions(self) -> str:
        inputs = ", ".join(f"`{name}`" for name in self.signature.input_fields if name != self.history)
        outputs = ", ".join(f"`{name}`" for name in self.signature.output_fields)
        return (
            f"{self.signature.instructions}\n\n"
            f"You work as an agent, in turns. You are given {inputs}. Call tools to find out what it takes "
            f"to produce {outputs}; you may call several in one turn. When you know enough, call `{SUBMIT}` "
            f"with {outputs}.\n"
            f"The tools are: {', '.join(f'`{name}`' for name in self.tools)}."
        )

    def __repr__(self) -> str:
        return f"ReActV2({self.signature.signature}, tools={list(self.tools)})"


def _history_field(signature: Any) -> str:
    """The input that holds earlier turns.

    Raises:
        InputError: a field of another type is called `history`.
    """
    for name, field in signature.input_fields.items():
        if field.annotation is History:
            return str(name)
    if "history" in signature.fields:
        raise InputError("ReActV2 needs the name 'history' for earlier turns: call that field otherwise.")
    return "history"


def _turns(history: Any) -> Sequence[Any]:
    return () if history is None else History.model_validate(history).messages


def _calls(move: Any) -> list[Any]:
    calls = getattr(move, "tool_calls", None)
    return [] if calls is None else list(calls.tool_calls)


def _numbered(calls: list[Any], turns: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Calls with ids that no other call of the conversation has; those that came in text have none."""
    if all(call.id for call in calls):
        return calls
    made = [ToolCalls.model_validate(turn["tool_calls"]) for turn in turns if turn.get("tool_calls")]
    taken = {call.id for one in made for call in one.tool_calls}
    names = ([f"call_{n}_{k}" for k in range(len(calls))] for n in count(len(turns)))
    free = next(ids for ids in names if taken.isdisjoint(ids))
    return [
        call if call.id else call.model_copy(update={"id": id_})
        for call, id_ in zip(calls, free, strict=True)
    ]


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
