"""Inputs between markers, the answer as one JSON object, held to its schema where the engine can."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from telic.adapters.base import Adapter, OnParseFailure
from telic.adapters.chat import CALL, ChatAdapter
from telic.adapters.json_text import ABSENT, complete_part, decode, objects, unfenced
from telic.adapters.kinds import ANY, CHOICE, DATA, TEXT, WORD
from telic.adapters.layout import Layout, Slot
from telic.adapters.rendered import NOTHING, Fields, Rendered, SignatureClass
from telic.adapters.unmarked import Bare, unmarked
from telic.adapters.wording import form, in_brackets
from telic.signatures.validation import object_schema, to_jsonable
from telic.types import Capabilities, Constraint
from telic.types.forms import Forms

_quoted = json.JSONEncoder(ensure_ascii=False).encode


class JSONAdapter(ChatAdapter):
    """Asks for one JSON object with the output fields in order.

    Read tolerantly: inside prose or fences, damaged, cut off (what is complete counts, and a last text as far
    as it goes), keys in other case or spacing, wrapped in an outer object; where there is only one output
    field, also its bare value.

    Args:
        callbacks: see `Adapter`.
        use_native_function_calling: see `Adapter`.
        parallel_tool_calls: see `Adapter`.
        native_response_types: see `Adapter`.
        indent: spaces of indentation in demos; `None` for one line, which costs fewer tokens.
        constrain: hold the answer to the schema on engines that can; where a schema cannot tell the shape of
            an output (mappings with keys of any name), to JSON of whatever shape.
        on_parse_failure: see `Adapter`; this adapter is itself the way out of others.
    """

    name: ClassVar[str] = "json"
    use_native_function_calling: bool = True
    constrain: bool = True
    indent: int | None = 2

    def __init__(
        self,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = True,
        parallel_tool_calls: bool | None = None,
        *,
        native_response_types: list[type] | None = None,
        indent: int | None = 2,
        constrain: bool = True,
        on_parse_failure: OnParseFailure | None = None,
    ) -> None:
        super().__init__(
            callbacks,
            use_native_function_calling,
            native_response_types,
            parallel_tool_calls=parallel_tool_calls,
            constrain=constrain,
            on_parse_failure=on_parse_failure,
        )
        self._choose(indent=indent)

    def speaker(self, capabilities: Capabilities) -> Adapter:
        """This adapter."""
        return self

    def fallback(self) -> Adapter | None:
        """No one: this is the way out of others."""
        return None

    def compose(
        self,
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
        capabilities: Capabilities,
        params: Fields = NOTHING,
    ) -> Rendered:
        """What to send; held to some JSON where not to the schema."""
        rendered = super().compose(signature, demos, inputs, capabilities, params)
        if (
            rendered.constraint is not None
            or not self.constrain
            or not capabilities.chat
            or not (capabilities.json_object or capabilities.json_schema)
            or "response_format" in params
            or not signature.output_fields
        ):
            return rendered
        return replace(rendered, params={**rendered.params, "response_format": {"type": "json_object"}})

    def constraint(self, signature: SignatureClass, capabilities: Capabilities) -> Constraint | None:
        """The object's schema, or a grammar of it where the engine takes only grammars."""
        if not self.constrain or not (capabilities.json_schema or capabilities.grammar):
            return None
        layout = self.layout(signature)
        facts = layout.facts
        if not layout.outputs or (not capabilities.grammar and self._is_open(signature, layout)):
            return None
        kind = "schema" if capabilities.json_schema else "grammar"
        made: Constraint | None = facts.get(kind)
        if made is None:
            schema = object_schema(signature.output_fields)
            if kind == "schema":
                made = Constraint(json_schema=schema)
            else:
                from telic.adapters.schema_grammar import grammar_of_schema

                made = Constraint(grammar=grammar_of_schema(schema))
            facts[kind] = made
        return made

    @staticmethod
    def _is_open(signature: SignatureClass, layout: Layout) -> bool:
        """Whether strict servers would refuse the schema; those that know grammars take any."""
        known: bool | None = layout.facts.get("open")
        if known is None:
            known = layout.facts["open"] = _has_open_objects(object_schema(signature.output_fields))
        return known

    # Rendering.

    def format_field_structure(self, signature: SignatureClass) -> str:
        """The layout of inputs and of the answer."""
        layout = self.layout(signature)
        parts = []
        if layout.places:
            parts.append("What is given is written in this layout, each value under its marker:")
            parts += [f"{slot.head}{{{slot.name}}}" for slot in layout.places]
        if not layout.outputs:
            return "\n\n".join(parts)
        parts.append("The answer is one JSON object and nothing else, its keys in this order:")
        lines = [f'  "{slot.name}": {_blank(slot)}' for slot in layout.outputs]
        parts.append("{\n" + ",\n".join(lines) + "\n}")
        return "\n\n".join(parts)

    def format_assistant_message_content(
        self, signature: SignatureClass, outputs: Fields, missing_field_message: str | None = None
    ) -> str:
        """The outputs as a JSON object."""
        members = []
        for slot in self.layout(signature).outputs:
            value = outputs.get(slot.name)
            if type(value) is str:
                members.append(f'"{slot.name}": {_quoted(value)}')
                continue
            if value is None and not (slot.none_allowed and slot.name in outputs):
                value = missing_field_message
            members.append(f'"{slot.name}": {self._dumped(value)}')
        if self.indent is None:
            return "{" + ", ".join(members) + "}"
        margin = "\n" + " " * self.indent
        return "{" + margin + f",{margin}".join(members) + "\n}"

    def _dumped(self, value: Any) -> str:
        # The encoder that indents is slow, so that the members are put together here.
        text = json.dumps(to_jsonable(value), ensure_ascii=False, indent=self.indent)
        return text if self.indent is None else text.replace("\n", "\n" + " " * self.indent)

    def format_field_with_value(self, fields_with_values: Mapping[Any, Any], role: str = "user") -> str:
        """Fields given as `{field: value}`: sections for the user, an object for the assistant."""
        if role == "user":
            return super().format_field_with_value(fields_with_values)
        row = {field.name: to_jsonable(value) for field, value in fields_with_values.items()}
        return json.dumps(row, ensure_ascii=False, indent=self.indent)

    def user_message_output_requirements(self, signature: SignatureClass) -> str:
        """The reminder at the end of the main request; rendered once per signature."""
        asked = ", then ".join(f"`{slot.name}`{in_brackets(slot)}" for slot in self.layout(signature).outputs)
        return f"Now write the JSON object with {asked}." if asked else CALL

    # Reading.

    def parse(self, signature: SignatureClass, completion: str) -> dict[str, Any]:
        """The output fields of an answer; see `Adapter.read`."""
        layout = self.layout(signature)
        found = self._best_object(layout, completion)
        if len(found) < len(layout.outputs):
            for name, text in _cut_texts(layout, completion).items():
                found.setdefault(name, text)
        if not found and len(layout.outputs) == 1:
            value = _bare_value(layout.outputs[0], completion)
            if value is not ABSENT:
                if self.on_parse_failure not in (None, "repair") or Forms.strict:
                    raise unmarked(self, signature, completion)
                return Bare(self.typed(signature, completion, {layout.outputs[0].name: value}))
        return self.typed(signature, completion, found)

    @staticmethod
    def _best_object(layout: Layout, completion: str) -> dict[str, Any]:
        best: dict[str, Any] = {}
        for candidate in objects(completion):
            found = _fields_of(layout, candidate)
            if len(found) > len(best):
                best = found
                if len(best) == len(layout.outputs):
                    break
        return best


def _fields_of(layout: Layout, row: Mapping[str, Any]) -> dict[str, Any]:
    """The output fields in an object, or in one that it wraps (`{"properties": {...}}`)."""
    found = _known(layout, row)
    if not found:
        for inner in row.values():
            if isinstance(inner, dict) and (found := _known(layout, inner)):
                break
    return found


def _known(layout: Layout, row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: row[name] for name in layout.by_output if name in row}
    if len(found) < len(layout.outputs):
        for key, value in row.items():
            name = layout.output_like(key)
            if name is not None:
                found.setdefault(name, value)
    return found


def _cut_texts(layout: Layout, completion: str) -> dict[str, Any]:
    """A text that was cut is still a text; anything else that was cut is not what it says."""
    start = completion.find("{")
    row = complete_part(completion[start:], open_string=True) if start >= 0 else ABSENT
    if not isinstance(row, dict):
        return {}
    known = _known(layout, row)
    return {name: value for name, value in known.items() if layout.by_output[name].is_text}


def _bare_value(slot: Slot, completion: str) -> Any:
    """The value of the only field, where a model gave it without the object around it."""
    text = unfenced(completion)
    if slot.kind in (DATA, ANY):
        return text or ABSENT
    value = decode(text)
    if isinstance(value, str):
        return value
    return text if text and not text.startswith("{") else ABSENT


def _has_open_objects(schema: Any) -> bool:
    """Whether an object may have keys that the schema does not name, or a value may be anything."""
    if isinstance(schema, list):
        return any(map(_has_open_objects, schema))
    if not isinstance(schema, dict):
        return False
    if not schema or (schema.get("type") == "object" and schema.get("additionalProperties") is not False):
        return True
    named = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    others = (
        value for key, value in schema.items() if key in ("items", "prefixItems", "anyOf", "oneOf", "allOf")
    )
    return any(map(_has_open_objects, named)) or any(map(_has_open_objects, others))


def _blank(slot: Slot) -> str:
    how = form(slot, true_false="true or false", none="null")
    quoted = slot.kind in (TEXT, CHOICE, WORD)
    blank = f'"{{{slot.name}}}"' if quoted else f"{{{slot.name}}}"
    return f"{blank}    ({how})" if how else blank
