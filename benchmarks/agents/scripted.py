"""A model that does as it is told, behind a real HTTP server: what an agent makes of it is then the agent's.

A *mind* is a generator that yields `Calls` and, at the end of each call of the agent, `Outputs`; it is sent
the conversation as the server got it, so it can look at what tools gave back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import telic
from telic.adapters import ChatAdapter
from telic.testing import LocalServer
from telic.testing.replies import Reply


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calls:
    """Call these, all in one turn where the agent can."""

    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Be done, with these outputs."""

    values: Mapping[str, Any]


Step: TypeAlias = Calls | Outputs
Mind: TypeAlias = Generator[Step, str, None]


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which an agent and a model understand each other.

    Attributes:
        title: for people.
        agent: the class of the agent.
        adapter: what to set; `None` leaves the choice to the agent.
        write: a step as answers of the model, one after the other.
    """

    title: str
    agent: Callable[..., telic.Module]
    adapter: ChatAdapter | None
    write: Callable[[Step], list[Reply]]


def _natively(step: Step) -> list[Reply]:
    return [_native(step.calls if isinstance(step, Calls) else [Call("submit", step.values)])]


def _natively_then_asked(step: Step) -> list[Reply]:
    if isinstance(step, Calls):
        return [_native(step.calls)]
    return [_native([Call("finish")]), _marked(reasoning="As planned.", **step.values)]


def _native(calls: Sequence[Call]) -> Reply:
    made = [
        {"id": f"c{n}", "type": "function", "function": {"name": c.name, "arguments": json.dumps(c.args)}}
        for n, c in enumerate(calls)
    ]
    return {"content": None, "tool_calls": made}


def _as_calls_in_text(step: Step) -> list[Reply]:
    calls = step.calls if isinstance(step, Calls) else [Call("submit", step.values)]
    made = [{"name": call.name, "args": call.args} for call in calls]
    return [_marked(next_thought="As planned.", tool_calls=json.dumps({"tool_calls": made}))]


def _as_moves(step: Step) -> list[Reply]:
    if isinstance(step, Calls):
        return [_move(call) for call in step.calls]
    return [_move(Call("finish")), _marked(reasoning="As planned.", **step.values)]


def _move(call: Call) -> str:
    return _marked(next_thought="As planned.", next_tool_name=call.name, next_tool_args=json.dumps(call.args))


def _marked(**fields: Any) -> str:
    """An answer in the form of the chat adapter."""
    parts = [f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items()]
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])


WAYS = {
    "react-native": Way("ReAct, native calls", telic.ReAct, None, _natively_then_asked),
    "react": Way("ReAct, in text", telic.ReAct, ChatAdapter(), _as_moves),
    "native": Way("ReActV2, native calls", telic.ReActV2, None, _natively),
    "text": Way("ReActV2, calls in text", telic.ReActV2, ChatAdapter(), _as_calls_in_text),
}
"""The native way sets no adapter: that calls are native with a model that has them is the agent's choice."""


class Minds:
    """The server, and a language model for each mind on it.

    with Minds(WAYS["native"]) as minds, telic.context(lm=minds.lm(mind)):
        agent(...)
    """

    def __init__(self, way: Way) -> None:
        self.way = way
        self._minds: dict[str, Generator[Reply, str, None]] = {}
        self._numbers = count()
        self.server = LocalServer(self._reply)

    def lm(self, mind: Mind) -> telic.LM:
        """A model that follows `mind`."""
        name = f"mind-{next(self._numbers)}"
        self._minds[name] = _replies(self.way, mind)
        return telic.LM(
            "openai/gpt-4o", api_base=self.server.url, api_key="none", cache=False, num_retries=0, user=name
        )

    def _reply(self, body: dict[str, Any]) -> Reply:
        try:
            return self._minds[body["user"]].send(json.dumps(body["messages"], ensure_ascii=False))
        except StopIteration:
            raise LookupError(f"the script of {body['user']} is over, and the agent asks on") from None

    def __enter__(self) -> Minds:
        self.server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.stop()


def _replies(way: Way, mind: Mind) -> Generator[Reply, str, None]:
    """The answers of a mind, ready for the first `send`."""

    def replies() -> Generator[Reply, str, None]:
        shown = yield ""
        step = next(mind, None)
        while step is not None:
            for reply in way.write(step):
                shown = yield reply
            try:
                step = mind.send(shown)
            except StopIteration:
                return

    started = replies()
    next(started)
    return started
