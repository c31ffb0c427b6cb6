"""The wording of a predictor: its instruction, and the prefix of its last output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telic.adapters.completion import CompletionAdapter
from telic.optimize.proposing.instructions import instruction_in
from telic.program.state import ProgramState

_LONGEST_PREFIX = 60
"""Characters; what is longer is no prefix but an answer."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a predictor is asked.

    Attributes:
        instruction: what it is told to do.
        prefix: what the last output is written after; only some adapters show it.
    """

    instruction: str
    prefix: str

    def __str__(self) -> str:
        return self.instruction


def wording_of(state: ProgramState, path: str) -> Wording:
    """How the predictor at a path is asked."""
    signature = state.to_json()[path]["signature"]
    return Wording(signature["instructions"], _last_output(signature)["prefix"])


def with_wording(state: ProgramState, path: str, wording: Wording) -> ProgramState:
    """The state with another wording at a path."""
    states = state.to_json()
    signature = states[path]["signature"]
    signature["instructions"] = wording.instruction
    _last_output(signature)["prefix"] = wording.prefix
    return ProgramState(states)


def wording_in(value: Any, before: Wording) -> Wording | None:
    """The wording in a reply; `None` where it has no instruction. A missing prefix stays what it was."""
    instruction = instruction_in(value)
    if instruction is None:
        return None
    prefix = str((value or {}).get("prefix") or "").strip()
    return Wording(instruction, prefix if 0 < len(prefix) <= _LONGEST_PREFIX else before.prefix)


def shows_prefixes(predictor: Any) -> bool:
    """Whether the adapter of a predictor writes prefixes; most have marks of their own."""
    return isinstance(predictor.adapter_in_use(), CompletionAdapter)


def _last_output(signature: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = [field for field in signature["fields"] if field["role"] == "output"][-1]
    return row
