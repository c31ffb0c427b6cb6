"""JSON answers, their types shown in a compact notation after the manner of BAML instead of JSON schemas."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from telic.adapters.json_adapter import JSONAdapter
from telic.adapters.kinds import is_custom
from telic.adapters.layout import Slot
from telic.adapters.rendered import Fields, SignatureClass
from telic.adapters.type_notation import notation
from telic.signatures.validation import to_jsonable, validator


class BAMLAdapter(JSONAdapter):
    """`JSONAdapter` for outputs of nested models: shorter prompts, which smaller models follow better.

    A model is shown as its members with their descriptions as comments, a model in an input as indented JSON.
    """

    name: ClassVar[str] = "baml"

    def format_field_structure(self, signature: SignatureClass) -> str:
        """The layout of inputs and of the answer."""
        layout = self.layout(signature)
        parts = []
        if layout.places:
            parts.append("What is given is written in this layout, each value under its marker:")
            parts += [f"{slot.head}{{{slot.name}}}" for slot in layout.places]
        if layout.outputs:
            parts.append("The answer is one JSON object and nothing else, of these types, in this order:")
            lines = [f"  {slot.name}: {_shown(slot)}," for slot in layout.outputs]
            parts.append("\n".join(["{", *lines, "}"]))
        return "\n\n".join(parts)

    def format_user_message_content(
        self,
        signature: SignatureClass,
        inputs: Fields,
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        """A user turn: `prefix`, the inputs that are given, what is asked for if main, `suffix`."""
        layout = self.layout(signature)
        shown = {slot.name: _spread(inputs.get(slot.name)) for slot in layout.places if slot.name in inputs}
        return super().format_user_message_content(signature, shown, prefix, suffix, main_request)


def _shown(slot: Slot) -> str:
    if slot.is_text:
        return "string or null" if slot.none_allowed else "string"
    return notation(validator(slot.field).json_schema(), 2)


def _spread(value: Any) -> Any:
    """A model as indented JSON; anything else as it is."""
    if hasattr(value, "model_dump") and not is_custom(type(value)):
        return json.dumps(to_jsonable(value), ensure_ascii=False, indent=2)
    return value
