"""`Avatar`: an agent whose instructions are to be compiled from what went well and what did not (AvaTaR;
Wu et al., 2024, arXiv:2406.11200).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, Field

from telic.data.prediction import Prediction
from telic.program.answers import Answer, Answering
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.runtime.tools import Called, Tool, calling
from telic.signatures import InputField, OutputField, Signature, ensure_signature

FINISH = "Finish"


class Action(BaseModel):
    """What to do next."""

    tool_name: Any = Field(description="name of the tool to use")
    tool_input_query: Any = Field(
        description="the tool's input: its argument, or a JSON object of its arguments"
    )


class ActionOutput(BaseModel):
    """What was done, and what came of it."""

    tool_name: str
    tool_input_query: Any
    tool_output: str


class Actor(Signature):
    """You work towards a goal with tools, one action at a time. Look at the actions so far and at what came
    of them, and choose the next tool and its input. Use the tool `Finish` when the actions so far are enough
    to produce the outputs.
    """

    goal: str = InputField(desc="the task")
    tools: list[str] = InputField(desc="the tools there are")
    actions: list[ActionOutput] = InputField(desc="what was done so far")
    action: Action = OutputField(desc="the next action")


class Avatar(Answering[Answer], SteppedModule):
    """Act with tools until enough is known, then produce the outputs.

    Args:
        signature: what is asked.
        tools: functions or `Tool`s.
        max_iters: most actions.
        verbose: print each action.

    The prediction has the outputs and `actions`, a list of `ActionOutput`.
    """

    def __init__(
        self,
        signature: str | type[Answer],
        tools: Sequence[Callable[..., Any] | Tool],
        max_iters: int = 3,
        verbose: bool = False,
    ) -> None:
        asked: Any = ensure_signature(signature)
        self.signature = asked
        self.tools = [tool if isinstance(tool, Tool) else Tool(tool) for tool in tools]
        self.max_iters = max_iters
        self.verbose = verbose
        actor: Any = Actor
        for field in reversed(asked.input_fields.values()):
            actor = actor.insert(2, field.name, InputField(desc=field.desc), field.annotation)
        self.actor = Predict(actor)
        about = InputField(desc="what was found out with tools")
        self.finish = Predict(asked.append("actions", about, list[ActionOutput]))

    def steps(self, **kwargs: Any) -> Steps[Any]:
        """Act, then answer; inputs by keyword."""
        actions: list[ActionOutput] = []
        by_name = {str(tool.name): tool for tool in self.tools}
        listed = [*(tool.format() for tool in self.tools), f"{FINISH}: ends the actions. It takes no input."]
        for _ in range(self.max_iters):
            chosen = yield Call(
                self.actor, goal=self.signature.instructions, tools=listed, actions=list(actions), **kwargs
            )
            name, query = str(chosen.action.tool_name), chosen.action.tool_input_query
            if name == FINISH:
                break
            tool = by_name.get(name)
            if tool is None:
                output = f"There is no tool '{name}'. There are: {', '.join([*by_name, FINISH])}."
            else:
                called: Called = yield calling(tool, _arguments(tool, query))
                output = str(called.observation)
            actions.append(ActionOutput(tool_name=name, tool_input_query=query, tool_output=output))
            if self.verbose:
                print(f"{name}({query!r}) -> {output}")
        answer = yield Call(self.finish, actions=actions, **kwargs)
        return Prediction({**dict(answer.items()), "actions": actions})


def _arguments(tool: Tool, query: Any) -> dict[str, Any]:
    """A tool's arguments: from an object, or the text for the first of them."""
    if isinstance(query, str):
        try:
            parsed = json.loads(query)
        except ValueError:
            parsed = query
        query = parsed if isinstance(parsed, dict) else query
    if isinstance(query, dict):
        return query
    first = next(iter(tool.args or {}), None)
    return {} if first is None else {first: query}
