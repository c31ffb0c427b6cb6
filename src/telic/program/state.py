"""`ProgramState`: what a program has learnt, as frozen JSON. The candidates of a compiler are these, never
live programs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from telic._json import stable_hash
from telic.program.components import components_of, with_components
from telic.program.states import dump_states, load_states
from telic.program.tool_texts import list_again, listings, named_tools, tool_state


class ProgramState:
    """The state of every parameter, and the texts of every tool, by path; immutable, hashable, JSON.

    Args:
        states: path to state, as `Predict.dump_state` and its like give it.
    """

    def __init__(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        self._states = MappingProxyType({path: dict(state) for path, state in states.items()})

    @classmethod
    def of(cls, program: Any) -> ProgramState:
        """The state of a live program."""
        tools = {path: tool_state(tool) for path, tool in named_tools(program)}
        return cls({**dump_states(program), **tools})

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> ProgramState:
        """The inverse of `to_json`."""
        return cls(row)

    def to_json(self) -> dict[str, Any]:
        """Path to state; a copy."""
        return copy.deepcopy(dict(self._states))

    @cached_property
    def hash(self) -> str:
        """Stable hash: equal states have equal hashes in every process."""
        return stable_hash(dict(self._states))

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the predictors, in order of definition."""
        return tuple(path for path, state in self._states.items() if "signature" in state)

    def demos(self, path: str) -> tuple[Mapping[str, Any], ...]:
        """Demos of a predictor."""
        return tuple(self._states[path]["demos"])

    def instructions(self, path: str) -> str:
        """Instructions of a predictor."""
        text: str = self._states[path]["signature"]["instructions"]
        return text

    def components(self) -> dict[str, str]:
        """Every text of the program by name: instructions, declared texts, and what tools are said to do (see
        `telic.program.components`).
        """
        return components_of(self._states)

    def with_components(self, texts: Mapping[str, str]) -> ProgramState:
        """The state with other texts at some names.

        Raises:
            KeyError: there is no component of such a name.
        """
        return ProgramState(with_components(self._states, texts))

    def with_demos(self, demos: Mapping[str, Sequence[Mapping[str, Any]]]) -> ProgramState:
        """The state with other demos at some paths."""
        return self._changed(demos, lambda state, new: {**state, "demos": [dict(demo) for demo in new]})

    def with_instructions(self, instructions: Mapping[str, str]) -> ProgramState:
        """The state with other instructions at some paths."""
        return self._changed(
            instructions,
            lambda state, new: {**state, "signature": {**state["signature"], "instructions": new}},
        )

    def with_adapter(self, adapters: Mapping[str, Mapping[str, Any] | None]) -> ProgramState:
        """The state with other adapters (as `Adapter.to_json` gives them) at some paths."""
        return self._changed(
            adapters, lambda state, new: {**state, "adapter": None if new is None else dict(new)}
        )

    def with_lm(self, lms: Mapping[str, Mapping[str, Any] | None]) -> ProgramState:
        """The state with other LMs (as `LM.dump_state` gives them) at some paths."""
        return self._changed(lms, lambda state, new: {**state, "lm": None if new is None else dict(new)})

    def apply(self, program: Any) -> Any:
        """A copy of `program` with this state; `program` itself is not touched, and LMs are shared with
        it.
        """
        made = program.deepcopy()
        listed = listings(made)
        load_states(made, self._states, allow_unsafe_lm_state=True)
        list_again(listed)
        return made

    def _changed(
        self, values: Mapping[str, Any], change: Callable[[dict[str, Any], Any], dict[str, Any]]
    ) -> ProgramState:
        unknown = set(values) - set(self.paths)
        if unknown:
            raise KeyError(f"no predictor at {sorted(unknown)}; there are {list(self.paths)}")
        return ProgramState(
            {p: change(dict(s), values[p]) if p in values else s for p, s in self._states.items()}
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProgramState) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        parts = (f"{path}: {len(self.demos(path))} demos" for path in self.paths)
        return f"ProgramState({self.hash[:8]}, {', '.join(parts)})"
