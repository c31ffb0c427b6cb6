"""What an adapter works out once per signature: the part of a prompt, and of reading, that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.adapters.kinds import (
    TEXT,
    choice_text,
    choices_of,
    is_custom,
    is_history,
    kind_of,
    squeeze,
    unwrap,
)
from telic.adapters.reach import reach_of
from telic.signatures.field import Field


class Slot:
    """One field, with what rendering and reading ask about it again and again.

    Attributes:
        field: the field itself.
        name: its name.
        kind: how its type is written in text, one of `telic.adapters.kinds`.
        none_allowed: whether `None` is one of its values.
        choices: what a `Literal` or enum allows, as text; empty for other types.
        custom: whether its type is a `telic.types.Type`.
        reach: whether its values may be, or have in them, values of such types; see `reach_of`.
        head: what stands before its value; set by the adapter.
        tail: what stands after it.
    """

    __slots__ = (
        "annotation",
        "choices",
        "custom",
        "field",
        "head",
        "is_text",
        "kind",
        "name",
        "none_allowed",
        "reach",
        "tail",
    )

    def __init__(self, field: Field) -> None:
        self.field = field
        self.name = field.name
        self.annotation, self.none_allowed = unwrap(field.annotation)
        self.kind = kind_of(self.annotation)
        self.is_text = self.kind is TEXT
        self.custom = is_custom(self.annotation)
        self.reach = reach_of(self.annotation)
        self.choices = tuple(dict.fromkeys(map(choice_text, choices_of(self.annotation))))
        self.head = ""
        self.tail = ""


class Layout:
    """The fields of one signature as one adapter lays them out.

    Holds no reference to the signature itself, so that a cache keyed weakly on signatures lets them go.

    Attributes:
        inputs, outputs: the fields in order, without the one that holds the earlier turns of a conversation.
        places: the inputs with that one.
        history: its name, if there is one.
        by_output: output name to slot.
        rich: names of inputs whose values, by their types, have content parts in them.
        loose: names of inputs whose values may have them.
        natives: outputs of custom types, which a model may give natively.
        calls: name of the output that a model gives by native calls instead, and the prompt knows nothing of.
        facts: whatever else the adapter wants to keep: rendered texts, patterns, constraints.
    """

    __slots__ = (
        "_by_squeezed",
        "by_output",
        "calls",
        "facts",
        "history",
        "inputs",
        "loose",
        "natives",
        "outputs",
        "places",
        "rich",
    )

    def __init__(self, inputs: Mapping[str, Field], outputs: Mapping[str, Field]) -> None:
        self.places = tuple(Slot(field) for field in inputs.values())
        self.history = next((slot.name for slot in self.places if is_history(slot.annotation)), None)
        self.inputs = tuple(slot for slot in self.places if slot.name != self.history)
        self.outputs = tuple(Slot(field) for field in outputs.values())
        self.by_output = {slot.name: slot for slot in self.outputs}
        self.rich = tuple(slot.name for slot in self.inputs if slot.reach == "some")
        self.loose = tuple(slot.name for slot in self.inputs if slot.reach == "any")
        self.natives = tuple(slot for slot in self.outputs if slot.custom)
        self.calls: str | None = None
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
