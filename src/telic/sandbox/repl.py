"""What a model is shown of an interpreter: the variables in it, and what was run so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from telic._json import dumps
from telic.sandbox.printed import shortened

_PREVIEW = 1_000
"""Characters of a variable that are shown."""


@dataclass(frozen=True)
class REPLVariable:
    """One variable, as the model is told of it.

    Attributes:
        name: its name.
        type_name: its type.
        desc: what it is, where the signature says so.
        constraints: what holds for it.
        total_length: characters of the whole.
        preview: its beginning and end.
        setup: statements that have been run for it.
    """

    name: str
    type_name: str
    desc: str = ""
    constraints: str = ""
    total_length: int = 0
    preview: str = ""
    setup: str = ""

    @classmethod
    def of(cls, name: str, value: Any, field: Any = None) -> REPLVariable:
        """Describe `value`.

        Args:
            name: the variable.
            value: a plain value, or a `SandboxSerializable`.
            field: the signature's field.
        """
        preview = getattr(value, "rlm_preview", None)
        setup = value.sandbox_setup() if preview is not None else ""
        text = preview() if preview is not None else _text(value)
        return cls(
            name=name,
            type_name=type(value).__name__,
            desc=str(getattr(field, "description", None) or ""),
            constraints=getattr(field, "constraint_text", "") if getattr(field, "constraints", None) else "",
            total_length=len(text),
            preview=shortened(text, _PREVIEW),
            setup=setup,
        )

    def format(self) -> str:
        """A few lines for the prompt."""
        lines = [f"`{self.name}`: {self.type_name}, {self.total_length:,} characters"]
        if self.desc:
            lines.append(f"what it is: {self.desc}")
        if self.constraints:
            lines.append(f"constraints: {self.constraints}")
        if self.setup:
            lines.append(f"already run:\n{self.setup}")
        lines.append(f"preview:\n```\n{self.preview}\n```")
        return "\n".join(lines)


@dataclass(frozen=True)
class REPLEntry:
    """One turn: why, what, and what came out."""

    reasoning: str
    code: str
    output: str

    def format(self, number: int, max_output_chars: int) -> str:
        """A few lines for the prompt."""
        return (
            f"--- Turn {number} ---\nReasoning: {self.reasoning}\n```python\n{self.code}\n```\n"
            f"Output ({len(self.output):,} characters):\n{shortened(self.output, max_output_chars)}"
        )


@dataclass(frozen=True)
class REPLHistory:
    """The turns so far; it only grows at its end, so that the prompt before it stays the same.

    Args:
        entries: the turns.
        max_output_chars: characters shown of each output.
    """

    entries: tuple[REPLEntry, ...] = ()
    max_output_chars: int = 10_000

    def append(self, *, reasoning: str = "", code: str, output: str) -> REPLHistory:
        """The history with one more turn."""
        return REPLHistory((*self.entries, REPLEntry(reasoning, code, output)), self.max_output_chars)

    def format(self) -> str:
        """All turns, for the prompt."""
        if not self.entries:
            return "Nothing was run yet."
        return "\n".join(entry.format(n, self.max_output_chars) for n, entry in enumerate(self.entries, 1))

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[REPLEntry]:
        return iter(self.entries)


def described(variables: Sequence[REPLVariable]) -> str:
    """All variables, for the prompt."""
    return "\n\n".join(variable.format() for variable in variables) or "There are none."


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple, dict)) or hasattr(value, "model_dump"):
        return dumps(value, indent=2)
    return str(value)
