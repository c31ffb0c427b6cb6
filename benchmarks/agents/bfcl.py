"""Which functions to call: questions of BFCL, each with its own functions as tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import telic
from benchmarks.agents.functions import gold_calls, right, spoken, tools_of
from benchmarks.agents.scripted import Call, Calls, Mind, Minds, Outputs, Way

SIGNATURE = telic.Signature("question -> answer").with_instructions(
    "Call the functions that the question asks for, with the arguments that it states. Where none of them "
    "can do what is asked, call none. Then say what was done."
)


def rows(limit: int, seed: int = 0) -> list[telic.Example]:
    """Questions of all five categories of the test split."""
    return telic.datasets.load("bfcl_single_turn", "test", limit, seed)


def scripted(way: Way, given: Sequence[telic.Example]) -> list[bool]:
    """Whether each row's calls are right when the model wants the gold ones."""
    with Minds(way) as minds:
        return [_asked(way.agent, row, {"lm": minds.lm(_mind(row)), "adapter": way.adapter}) for row in given]


def modelled(lm: telic.LM, given: Sequence[telic.Example], max_iters: int = 2) -> list[bool]:
    """The same with a model that finds out by itself, in at most `max_iters` turns."""
    return [_asked(telic.ReAct, row, {"lm": lm}, max_iters) for row in given]


def _asked(
    agent: Callable[..., Any], row: telic.Example, settings: dict[str, Any], max_iters: int = 20
) -> bool:
    made: list[Call] = []
    with telic.context(**settings):
        agent(SIGNATURE, tools=tools_of(row.functions, made), max_iters=max_iters)(question=row.question)
    return right(row, made)


def _mind(row: telic.Example) -> Mind:
    wanted = [Call(spoken(call.name), call.args) for call in gold_calls(row)]
    if wanted:
        yield Calls(wanted)
    yield Outputs({"answer": "Done." if wanted else "No function fits."})
