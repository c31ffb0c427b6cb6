"""Texts of a program as components: instructions, declared texts, what tools are said to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import telic
from telic.errors import ProgramFileError
from telic.program.state import ProgramState


def search(query: str, limit: int = 3) -> str:
    """Find pages.

    Args:
        query: what to look for.
    """
    return query * limit


class Agent(telic.Module):
    def __init__(self) -> None:
        self.tone = telic.Text("Short.", desc="tone of answers")
        self.act = telic.ReAct("question -> answer", tools=[search])

    def forward(self, question: str) -> Any:
        return self.act(question=question)


DESC = "act.tools['search'].desc"
QUERY = "act.tools['search'].args['query']"


def test_every_text_has_a_name_but_not_those_of_built_in_tools() -> None:
    components = ProgramState.of(Agent()).components()
    assert list(components) == [
        "tone",
        "act.react",
        "act.extract.predict",
        DESC,
        QUERY,
        "act.tools['search'].args['limit']",
    ]
    assert components["tone"] == "Short."
    assert components[DESC] == "Find pages."
    assert components[QUERY] == "what to look for."


def test_new_texts_reach_the_tools_and_where_instructions_list_them() -> None:
    agent = Agent()
    state = ProgramState.of(agent).with_components(
        {DESC: "Looks up facts.", QUERY: "a name", "tone": "Long."}
    )
    made = state.apply(agent)
    assert made.act.tools["search"].desc == "Looks up facts."
    assert made.act.tools["search"].args["query"]["description"] == "a name"
    assert "Looks up facts." in made.act.react.signature.instructions
    assert "Find pages." not in made.act.react.signature.instructions
    assert str(made.tone) == "Long."
    assert agent.act.tools["search"].desc == "Find pages."
    assert ProgramState.of(state.apply(agent)).components()[DESC] == "Looks up facts."


def test_instructions_that_lost_the_list_of_tools_get_it_back() -> None:
    agent = Agent()
    made = ProgramState.of(agent).with_components({"act.react": "Be quick."}).apply(agent)
    instructions = made.act.react.signature.instructions
    assert instructions.startswith("Be quick.\n")
    assert made.act.tools["search"].format() in instructions


def test_rewritten_texts_are_saved_and_loaded(tmp_path: Path) -> None:
    agent = Agent()
    made = ProgramState.of(agent).with_components({DESC: "Looks up facts.", "tone": "Long."}).apply(agent)
    made.save(tmp_path / "agent.json")
    again = Agent()
    again.load(tmp_path / "agent.json")
    assert again.act.tools["search"].desc == "Looks up facts."
    assert again.act.react.signature.instructions == made.act.react.signature.instructions
    assert str(again.tone) == "Long."
    assert ProgramState.of(again) == ProgramState.of(made)
    assert ProgramState.of(Agent()) == ProgramState.of(agent)


def test_texts_of_tools_that_were_not_rewritten_are_not_saved(tmp_path: Path) -> None:
    assert not any("tools" in path for path in Agent().dump_state())
    Agent().save(tmp_path / "agent.json")
    Agent().load(tmp_path / "agent.json")


def test_texts_of_another_tool_are_refused() -> None:
    state = Agent().dump_state()
    other = {"tool": "find", "desc": "", "args": {}}
    with pytest.raises(ProgramFileError, match="'find'"):
        Agent().load_state({**state, "act.tools['search']": other})
    with pytest.raises(ProgramFileError, match="which this program does not"):
        Agent().load_state({**state, "act.tools['find']": other})


def test_unknown_components_are_named() -> None:
    with pytest.raises(KeyError, match="nothing"):
        ProgramState.of(Agent()).with_components({"nothing": "x"})


def test_a_text_is_a_text_and_can_be_reset() -> None:
    text = telic.Text("one")
    assert (str(text), f"{text}", repr(text)) == ("one", "one", "Text('one')")
    assert str(text.load_state({"text": "two"})) == "two"
    text.reset()
    assert str(text) == "one"
    with pytest.raises(ProgramFileError, match="Text"):
        text.load_state({"demos": []})


def test_states_of_programs_with_other_parameters_have_paths_of_predictors_alone() -> None:
    assert ProgramState.of(Agent()).paths == ("act.react", "act.extract.predict")
    assert "tone" not in repr(ProgramState.of(Agent()))
