"""The texts of a program by name, whatever they are the texts of: what optimizers of instructions rewrite.

A component is named by where it is: `answer` (the instructions of the predictor there), `tone` (a `Text`),
`agent.tools['search'].desc` and `agent.tools['search'].args['query']` (what a tool and its argument are said
to be).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from telic.program.tool_texts import is_tool_state


def components_of(states: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Component name to text, in order of definition, tools last.

    Args:
        states: path to state, as in `ProgramState.to_json`.
    """
    return {name: text for path, state in states.items() for name, text in _texts(path, state)}


def with_components(
    states: Mapping[str, Mapping[str, Any]], texts: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    """The states with other texts at some names.

    Raises:
        KeyError: there is no component of such a name.
    """
    known = components_of(states)
    unknown = sorted(set(texts) - set(known))
    if unknown:
        raise KeyError(f"no component {unknown}; there are {list(known)}")
    return {path: _changed(path, state, texts) for path, state in states.items()}


def _texts(path: str, state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if is_tool_state(state):
        yield f"{path}.desc", state["desc"]
        yield from ((_argument(path, name), text) for name, text in state["args"].items())
    elif "signature" in state:
        yield path, state["signature"]["instructions"]
    elif isinstance(state.get("text"), str):
        yield path, state["text"]


def _changed(path: str, state: Mapping[str, Any], texts: Mapping[str, str]) -> Mapping[str, Any]:
    if not any(name in texts for name, _ in _texts(path, state)):
        return state
    if is_tool_state(state):
        told = {name: texts.get(_argument(path, name), text) for name, text in state["args"].items()}
        return {**state, "desc": texts.get(f"{path}.desc", state["desc"]), "args": told}
    if "signature" in state:
        return {**state, "signature": {**state["signature"], "instructions": texts[path]}}
    return {**state, "text": texts[path]}


def _argument(path: str, name: str) -> str:
    return f"{path}.args['{name}']"
