"""What an adapter works out once per signature: the part of a prompt, and of reading, that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.adapters.kinds import TEXT, choice_text, choices_of, kind_of, squeeze, unwrap
from telic.signatures.field import Field


class Slot:
    """One field, with what rendering and reading ask about it again and again.

    Attributes:
        field: the field itself.
        name: its name.
        kind: how its type is written in text, one of `telic.adapters.kinds`.
        none_allowed: whether `None` is one of its values.
        choices: what a `Literal` or enum allows, as text; empty for other types.
        head: what stands before its value; set by the adapter.
        tail: what stands after it.
    """

    __slots__ = ("annotation", "choices", "field", "head", "is_text", "kind", "name", "none_allowed", "tail")

    def __init__(self, field: Field) -> None:
        self.field = field
        self.name = field.name
        self.annotation, self.none_allowed = unwrap(field.annotation)
        self.kind = kind_of(self.annotation)
        self.is_text = self.kind is TEXT
        self.choices = tuple(dict.fromkeys(map(choice_text, choices_of(self.annotation))))
        self.head = ""
        self.tail = ""


class Layout:
    """The fields of one signature as one adapter lays them out.

    Holds no reference to the signature itself, so that a cache keyed weakly on signatures lets them go.

    Attributes:
        inputs, outputs: the fields in order, without the one that holds the earlier turns of a conversation.
        history: name of that one, if any: an input whose type says `is_history = True`.
        by_output: output name to slot.
        facts: whatever else the adapter wants to keep: rendered texts, patterns, constraints.
    """

    __slots__ = ("_by_squeezed", "by_output", "facts", "history", "inputs", "outputs")

    def __init__(self, inputs: Mapping[str, Field], outputs: Mapping[str, Field]) -> None:
        slots = [Slot(field) for field in inputs.values()]
        self.inputs = tuple(slot for slot in slots if not _is_history(slot))
        self.history = next((slot.name for slot in slots if _is_history(slot)), None)
        self.outputs = tuple(Slot(field) for field in outputs.values())
        self.by_output = {slot.name: slot for slot in self.outputs}
        self.facts: dict[Any, Any] = {}
        squeezed: dict[str, str | None] = {}
        for name in self.by_output:
            key = squeeze(name)
            squeezed[key] = None if key in squeezed else name
        self._by_squeezed = squeezed

    def given(self, demo: Mapping[str, Any]) -> tuple[int, int]:
        """How many inputs and outputs a demo gives; a `None` counts only where the type allows it."""
        get = demo.get
        inputs = outputs = 0
        for slot in self.inputs:
            if get(slot.name) is not None or (slot.none_allowed and slot.name in demo):
                inputs += 1
        for slot in self.outputs:
            if get(slot.name) is not None or (slot.none_allowed and slot.name in demo):
                outputs += 1
        return inputs, outputs

    def output_like(self, name: str) -> str | None:
        """The output field that `name` means, whatever its case, spaces and punctuation; `None` if none."""
        return name if name in self.by_output else self._by_squeezed.get(squeeze(name))


def _is_history(slot: Slot) -> bool:
    return getattr(slot.annotation, "is_history", False) is True
