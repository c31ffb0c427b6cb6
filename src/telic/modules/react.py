"""Reasoning and acting in turns (Yao et al., 2022, arXiv:2210.03629)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from telic.errors import AdapterParseError, ContextWindowExceededError, InputError
from telic.modules.chain_of_thought import ChainOfThought
from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.runtime.tools import Tool, calling
from telic.signatures import InputField, OutputField, ensure_signature, make_signature

logger = logging.getLogger("telic")

FINISH = "finish"
_KEYS = ("thought", "tool_name", "tool_args", "observation")


class ReAct(Answering[Answer], SteppedModule):
    """Let the model think, call a tool and see what came back, until it knows enough; then extract the
    outputs.

    The trajectory only ever grows at its end, so that servers can reuse the prompt before it. Where it no
    longer fits the model's window, the oldest turns are left out, as many as need be.

    What a tool raises is shown to the model as an observation, logged with its traceback, and told to
    callbacks.

    Args:
        signature: what is asked.
        tools: functions or `Tool`s.
        max_iters: most turns.

    The prediction has the outputs, `reasoning`, and `trajectory`: a dict of `thought_0`, `tool_name_0`,
    `tool_args_0`, `observation_0`, `thought_1`, …
    """

    def __init__(
        self,
        signature: str | type[Answer],
        tools: Sequence[Callable[..., Any] | Tool],
        max_iters: int = 20,
    ) -> None:
        self.signature: Any = ensure_signature(signature)
        self.max_iters = max_iters
        self.tools = _by_name([*tools, _finish_tool(self.signature)])
        names = tuple(self.tools)
        fields = {name: (field.annotation, field) for name, field in self.signature.input_fields.items()}
        given = {**fields, "trajectory": (str, InputField())}
        move = {
            "next_thought": (str, OutputField()),
            "next_tool_name": (Literal[names], OutputField()),
            "next_tool_args": (dict[str, Any], OutputField()),
        }
        outputs = {name: (field.annotation, field) for name, field in self.signature.output_fields.items()}
        self.react = Predict(make_signature({**given, **move}, self._instructions()))
        self.extract = ChainOfThought(make_signature({**given, **outputs}, self.signature.instructions))

    def steps(self, **inputs: Any) -> Steps[Any]:
        """Act, then extract.

        Args:
            **inputs: the inputs; `max_iters` overrides the number of turns for one call.
        """
        trajectory: dict[str, Any] = {}
        max_iters = inputs.pop("max_iters", self.max_iters)
        for turn in range(max_iters):
            try:
                move = yield from self._ask(self.react, trajectory, inputs)
            except AdapterParseError as error:
                logger.warning(
                    "%s: the agent chose no valid tool, and is asked for its answer: %s", self, error
                )
                break
            trajectory[f"thought_{turn}"] = move.next_thought
            trajectory[f"tool_name_{turn}"] = move.next_tool_name
            trajectory[f"tool_args_{turn}"] = move.next_tool_args
            called = yield calling(self.tools[move.next_tool_name], move.next_tool_args)
            trajectory[f"observation_{turn}"] = called.observation
            if move.next_tool_name == FINISH:
                break
        answer = yield from self._ask(self.extract, trajectory, inputs)
        from telic.data.prediction import Prediction

        return Prediction(trajectory=trajectory, **dict(answer.items()))

    def truncate_trajectory(self, trajectory: dict[str, Any]) -> dict[str, Any]:
        """Leave out the oldest turn. Override it to keep something else.

        Raises:
            ContextWindowExceededError: there is only one turn, which alone does not fit.
        """
        turns = list(trajectory)
        if len(turns) <= len(_KEYS):
            raise ContextWindowExceededError(
                "The trajectory does not fit the model's window, and has only one turn, which cannot be left "
                "out: "
                "let the tools return less, or use a model with a larger window."
            )
        for key in turns[: len(_KEYS)]:
            del trajectory[key]
        return trajectory

    def _ask(self, module: Any, trajectory: dict[str, Any], inputs: Mapping[str, Any]) -> Steps[Any]:
        while True:
            try:
                return (yield Call(module, **inputs, trajectory=self._shown(trajectory)))
            except ContextWindowExceededError:
                logger.warning("The trajectory does not fit the model's window; its oldest turn is left out.")
                trajectory = self.truncate_trajectory(trajectory)

    def _shown(self, trajectory: Mapping[str, Any]) -> str:
        if not trajectory:
            return ""
        signature = make_signature(
            {name: (str, InputField()) for name in trajectory} | {"x": (str, OutputField())}
        )
        return self.react.adapter_in_use().format_user_message_content(signature, trajectory)

    def _instructions(self) -> str:
        inputs = ", ".join(f"`{name}`" for name in self.signature.input_fields)
        outputs = ", ".join(f"`{name}`" for name in self.signature.output_fields)
        listed = "\n".join(
            f"({number}) {tool.format()}" for number, tool in enumerate(self.tools.values(), 1)
        )
        return (
            f"{self.signature.instructions}\n\n"
            f"You work as an agent, in turns. You are given {inputs}, and your trajectory so far. Use the "
            "tools to "
            f"find out what it takes to produce {outputs}.\n"
            "Each turn, write next_thought (what you know, what is missing, what to do about it), "
            "next_tool_name "
            "and next_tool_args. What the tool returns is then added to the trajectory as an observation.\n\n"
            f"next_tool_name is one of these tools:\n{listed}\n\n"
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


def _by_name(tools: Sequence[Callable[..., Any] | Tool]) -> dict[str, Tool]:
    made: dict[str, Tool] = {}
    for tool in tools:
        wrapped = tool if isinstance(tool, Tool) else Tool(tool)
        name = str(wrapped.name)
        if name in made:
            raise InputError(f"Two tools are called '{name}'. Give one another name: Tool(func, name='…').")
        made[name] = wrapped
    return made
