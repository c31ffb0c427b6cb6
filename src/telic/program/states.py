"""The state of a whole program: every parameter's, by path; taken whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import ProgramMismatchError
from telic.program.tool_texts import check_tool_state, is_tool_state, named_tools, set_tool_state, tool_state
from telic.program.tree import named_parameters
from telic.runtime.settings import settings


def dump_states(program: Any, *, json_mode: bool = True) -> dict[str, Any]:
    """Path to state, as JSON; `self` where the program is a single predictor.

    Of tools, the texts of those that were rewritten; DSPy's files have none.
    """
    found = {path: parameter.dump_state(json_mode=json_mode) for path, parameter in named_parameters(program)}
    if settings.state_layout != "dspy":
        found |= {path: tool_state(tool) for path, tool in named_tools(program) if tool._rewritten}
    return found


def load_states(program: Any, states: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> None:
    """Set every parameter of `program`; nothing is changed where something does not fit.

    Raises:
        ProgramFileError: the paths differ from the program's; both sides are named.
        SignatureError: a predictor's fields differ; the differences are named.
    """
    mine = dict(named_parameters(program))
    tools = dict(named_tools(program))
    told = {path: state for path, state in states.items() if path in tools and is_tool_state(state)}
    theirs = [path for path in states if path != "metadata" and path not in told]
    if settings.state_layout == "dspy":  # which takes what it knows
        theirs = [path for path in theirs if path in mine]
    missing, surplus = sorted(set(mine) - set(theirs)), sorted(set(theirs) - set(mine))
    if missing or surplus:
        raise ProgramMismatchError(
            f"The state is of another program than {type(program).__name__}."
            + (f" It lacks {missing}." if missing else "")
            + (f" It has {surplus}, which this program does not." if surplus else "")
        )
    for path, state in told.items():
        check_tool_state(tools[path], path, state)
    before = {path: parameter.__dict__.copy() for path, parameter in mine.items()}
    try:
        for path, parameter in mine.items():
            if allow_unsafe_lm_state and hasattr(parameter, "signature"):
                parameter.load_state(states[path], allow_unsafe_lm_state=True)  # type: ignore[call-arg]
            else:
                parameter.load_state(states[path])
    except BaseException:
        for path, parameter in mine.items():
            parameter.__dict__.clear()
            parameter.__dict__.update(before[path])
        raise
    for path, state in told.items():
        set_tool_state(tools[path], state)
