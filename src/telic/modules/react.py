"""Reasoning and acting in turns (Yao et al., 2022, arXiv:2210.03629)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from telic.errors import AdapterParseError, ContextWindowExceededError
from telic.modules.chain_of_thought import ChainOfThought
from telic.modules.native_turns import ways_of_calling
from telic.modules.react_native import NativeRun, suits
from telic.modules.tool_turns import called_together, tools_by_name
from telic.modules.turn_budget import Question
from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import SteppedModule
from telic.runtime.settings import settings
from telic.runtime.steps import Steps
from telic.runtime.tools import Tool, ToolCalls, calling
from telic.signatures import InputField, OutputField, ensure_signature, make_signature

logger = logging.getLogger("telic")

FINISH = "finish"
_KEYS = ("thought", "tool_name", "tool_args", "observation")


class ReAct(Answering[Answer], SteppedModule):
    """Let the model think, call tools and see what came back, until it knows enough; then extract the
    outputs.

    Tools are called natively where the model can: any number in one turn, made side by side. Else, or where
    an adapter was chosen that is not told to (`use_native_function_calling`), or without
    `settings.native_agent_tools`, a turn is a thought, one tool and its arguments, in text. What is learnt
    in one way (instructions, demos) is used in the other too.

    What was sent stays as it was: prompts only grow at their end, so that servers can reuse what they have
    read. Where the trajectory no longer fits the model's window, the oldest turns are left out, until half of
    the room for them is free.

    What a tool raises is shown to the model as an observation, logged with its traceback, and told to
    callbacks. So is a call of a tool that there is not, or with arguments that cannot be read.

    Args:
        signature: what is asked.
        tools: functions or `Tool`s.
        max_iters: most turns.

    The prediction has the outputs, `reasoning`, and `trajectory`: a dict of `thought_0`, `tool_name_0`,
    `tool_args_0`, `observation_0`, `thought_1`, … with a number for each call. Of several calls in one turn,
    the first has the thought. A turn without a call ends the search, as a call of `finish` does.
    """

    def __init__(
        self,
        signature: str | type[Answer],
        tools: Sequence[Callable[..., Any] | Tool],
        max_iters: int = 20,
    ) -> None:
        self.signature: Any = ensure_signature(signature)
        self.max_iters = max_iters
        self.tools = tools_by_name([*tools, _finish_tool(self.signature)])
        names = tuple(self.tools)
        fields = {name: (field.annotation, field) for name, field in self.signature.input_fields.items()}
        given = {**fields, "trajectory": (str, InputField())}
        move = {
            "next_thought": (str, OutputField()),
            "next_tool_name": (Literal[names], OutputField()),
            "next_tool_args": (dict[str, Any], OutputField()),
        }
        outputs = {name: (field.annotation, field) for name, field in self.signature.output_fields.items()}
        instructions = f"{self.signature.instructions}\n\n{self._protocol()}"
        self.react = Predict(make_signature({**given, **move}, instructions))
        self.extract = ChainOfThought(make_signature({**given, **outputs}, self.signature.instructions))

    def steps(self, **inputs: Any) -> Steps[Any]:
        """Act, then extract.

        Args:
            **inputs: the inputs; `max_iters` overrides the number of turns for one call.
        """
        trajectory: dict[str, Any] = {}
        max_iters = inputs.pop("max_iters", self.max_iters)
        choices, native = ways_of_calling(self.react)
        run = None
        if native and settings.native_agent_tools and suits(self):
            run = NativeRun(self, inputs, choices)
        for number in range(max_iters):
            turn = self._turn(number, trajectory, inputs) if run is None else self._native(run, trajectory)
            try:
                ended = yield from turn
            except AdapterParseError as error:
                logger.warning(
                    "%s: the agent chose no valid tool, and is asked for its answer: %s", self, error
                )
                break
            if ended:
                break
        extraction = Question(self.extract, self.extract.predict, partial(self._given, inputs))
        answer = yield from self._ask(extraction, trajectory)
        from telic.data.prediction import Prediction

        return Prediction(trajectory=trajectory, **dict(answer.items()))

    def truncate_trajectory(self, trajectory: dict[str, Any]) -> dict[str, Any]:
        """Leave out the oldest call. Override it to keep something else.

        It is called as often as it takes until half of the room for the trajectory is free.

        Raises:
            ContextWindowExceededError: there is only one call, which alone does not fit.
        """
        turns = list(trajectory)
        if len(turns) <= len(_KEYS):
            raise ContextWindowExceededError(
                "The trajectory does not fit the model's window, and has only one turn, which cannot be left "
                "out: let the tools return less, or use a model with a larger window."
            )
        for key in turns[: len(_KEYS)]:
            del trajectory[key]
        return trajectory

    def _turn(self, number: int, trajectory: dict[str, Any], inputs: Mapping[str, Any]) -> Steps[bool]:
        """A turn in text; whether it was the last."""
        question = Question(self.react, self.react, partial(self._given, inputs))
        move = yield from self._ask(question, trajectory)
        trajectory[f"thought_{number}"] = move.next_thought
        trajectory[f"tool_name_{number}"] = move.next_tool_name
        trajectory[f"tool_args_{number}"] = move.next_tool_args
        called = yield calling(self.tools[move.next_tool_name], move.next_tool_args)
        trajectory[f"observation_{number}"] = called.observation
        return bool(move.next_tool_name == FINISH)

    def _native(self, run: NativeRun, trajectory: dict[str, Any]) -> Steps[bool]:
        """A turn with native calls; whether it was the last."""
        # What is noted of it in the trace is noted by the run.
        question = Question(self.react, self.react, run.asking, run.choices, traced=False)
        move = yield from self._ask(question, trajectory, run.newest)
        thought = str(move.next_thought or "")
        calls, problems = run.calls(move, trajectory)
        if not calls:  # what it says without a call is its end
            calls = [ToolCalls.ToolCall(name=FINISH, args={})]
        run.note(thought, calls, trajectory)
        called = yield called_together(calls, self.tools, problems)
        run.add(thought, calls, called, trajectory)
        return any(call.name == FINISH for call in calls)

    def _ask(self, question: Question, trajectory: dict[str, Any], newest: int = 1) -> Steps[Any]:
        while True:
            try:
                return (yield question.step(trajectory))
            except ContextWindowExceededError:
                logger.warning(
                    "The trajectory does not fit the model's window; its oldest turns are left out."
                )
                self._shorten(trajectory, question, newest)

    def _shorten(self, trajectory: dict[str, Any], question: Question, newest: int) -> None:
        """Leave out the oldest calls until half of the room is free, but none of the `newest` ones, unless
        there are no others.
        """
        size = question.size()
        before = size.tokens(question.given(trajectory))
        low = size.low_water(before, size.tokens(question.given({})))
        while True:
            left = dict(self.truncate_trajectory(trajectory))
            trajectory.clear()
            trajectory.update(left)
            now = size.tokens(question.given(trajectory))
            if now >= before:
                raise ContextWindowExceededError(
                    f"{type(self).__name__}.truncate_trajectory made the trajectory no shorter, and it does "
                    "not fit the model's window."
                )
            if now <= low or len(trajectory) <= newest * len(_KEYS):
                return
            before = now

    def _given(self, inputs: Mapping[str, Any], trajectory: Mapping[str, Any]) -> dict[str, Any]:
        return {**inputs, "trajectory": self._shown(trajectory)}

    def _shown(self, trajectory: Mapping[str, Any]) -> str:
        if not trajectory:
            return ""
        signature = make_signature(
            {name: (str, InputField()) for name in trajectory} | {"x": (str, OutputField())}
        )
        return self.react.adapter_in_use().format_user_message_content(signature, trajectory)

    def _protocol(self) -> str:
        """How the agent works in the text protocol."""
        inputs = ", ".join(f"`{name}`" for name in self.signature.input_fields)
        outputs = ", ".join(f"`{name}`" for name in self.signature.output_fields)
        listed = "\n".join(
            f"({number}) {tool.format()}" for number, tool in enumerate(self.tools.values(), 1)
        )
        return (
            f"You work as an agent, in turns. You are given {inputs}, and your trajectory so far. Use the "
            f"tools to find out what it takes to produce {outputs}.\n"
            "Each turn, write next_thought (what you know, what is missing, what to do about it), "
            "next_tool_name and next_tool_args. What the tool returns is then added to the trajectory as an "
            f"observation.\n\nnext_tool_name is one of these tools:\n{listed}\n\n"
            "next_tool_args is a JSON object with the tool's arguments."
        )

    def __repr__(self) -> str:
        return f"ReAct({self.signature.signature}, tools={list(self.tools)})"


def _finish_tool(signature: Any) -> Tool:
    outputs = ", ".join(f"`{name}`" for name in signature.output_fields)
    tool = Tool(
        lambda **ignored: "Completed.",  # what small models say with it is no reason to object
        name=FINISH,
        desc=f"Ends the turns: everything needed to produce {outputs} is known.",
        args={},
    )
    tool._built_in = True
    return tool
