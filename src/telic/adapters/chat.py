"""Fields between markers, demos as turns: the format for chat models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from telic.adapters.base import Adapter, OnParseFailure
from telic.adapters.json_text import whole_object
from telic.adapters.layout import Layout, Slot
from telic.adapters.named import adapter_by_name
from telic.adapters.rendered import Fields, SignatureClass
from telic.adapters.unmarked import Bare, unmarked
from telic.adapters.values import render_value
from telic.adapters.wording import field_lines, form, in_brackets
from telic.errors import AdapterParseError
from telic.types import Capabilities
from telic.types.forms import Forms

CALL = "Now call a tool."
END = "[[ ## completed ## ]]"
_MARKER = re.compile(r"^[ \t]*\[\[ ## (\w+) ## \]\]", re.MULTILINE)
_END_INSIDE = re.compile(r"\s*\[\[ ## completed ## \]\].*", re.DOTALL)


class ChatAdapter(Adapter):
    """Each field stands under a marker `[[ ## name ## ]]`; answers end with `[[ ## completed ## ]]`.

    Read tolerantly: markers in other case, spacing or bold, the end missing, a field named twice (the first
    counts), an object of JSON instead of all markers, and, where there is only one output field, an answer
    without any marker.

    Args:
        callbacks: see `Adapter`, as for all that is not said here.
        use_native_function_calling: see `Adapter`.
        native_response_types: see `Adapter`.
        use_json_adapter_fallback: ask anew for JSON under `on_parse_failure="json"`.
        parallel_tool_calls: see `Adapter`.
        constrain: on engines that can hold an answer to a JSON schema, ask for the outputs as one JSON object
            and hold the answer to it, as `JSONAdapter` does.
        on_parse_failure: see `Adapter`.
    """

    name: ClassVar[str] = "chat"
    use_json_adapter_fallback: bool = True
    constrain: bool = False

    def __init__(
        self,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = False,
        native_response_types: list[type] | None = None,
        use_json_adapter_fallback: bool = True,
        parallel_tool_calls: bool | None = None,
        *,
        constrain: bool = False,
        on_parse_failure: OnParseFailure | None = None,
    ) -> None:
        super().__init__(
            callbacks,
            use_native_function_calling,
            native_response_types,
            parallel_tool_calls,
            on_parse_failure=on_parse_failure,
        )
        self._choose(use_json_adapter_fallback=use_json_adapter_fallback, constrain=constrain)

    def speaker(self, capabilities: Capabilities) -> Adapter:
        """The JSON adapter where the answer is to be held to a schema and can be."""
        if not self.constrain or not (capabilities.json_schema or capabilities.grammar):
            return self
        if self._constrained is None:
            self._constrained = self._as_json()
        return self._constrained

    def fallback(self) -> Adapter | None:
        """The JSON adapter, unless that is switched off."""
        return self._as_json() if self.use_json_adapter_fallback else None

    def _as_json(self) -> Adapter:
        made: Adapter = adapter_by_name(
            "json",
            callbacks=self.callbacks,
            use_native_function_calling=self.use_native_function_calling,
            parallel_tool_calls=self.parallel_tool_calls,
            on_parse_failure=self.on_parse_failure,
        )
        made._native_types = self._native_types
        return made

    _constrained: Adapter | None = None

    def prepare(self, signature: SignatureClass, layout: Layout) -> None:
        """Markers of each field, and a pattern that finds them where a model wrote them almost right."""
        for slot in (*layout.places, *layout.outputs):
            slot.head = f"[[ ## {slot.name} ## ]]\n"
        names = [slot.name for slot in (*layout.outputs, *layout.inputs)]
        layout.facts["markers"] = _loose_markers([*names, "completed"])

    # Rendering.

    def format_field_description(self, signature: SignatureClass) -> str:
        """The input and output fields, each with its type and what is said about it."""
        given = field_lines("Given:", signature.input_fields.values())
        if not signature.output_fields:
            return given
        wanted = field_lines("Wanted:", signature.output_fields.values())
        return f"{given}\n\n{wanted}"

    def format_field_structure(self, signature: SignatureClass) -> str:
        """The layout of a whole exchange, with what each output must look like."""
        layout = self.layout(signature)
        sections = [f"{slot.head}{{{slot.name}}}" for slot in layout.places]
        sections += [f"{slot.head}{{{slot.name}}}{_aside(slot)}" for slot in layout.outputs]
        return "\n\n".join(
            ["Fields are written in this layout, each value under its marker:", *sections, END]
        )

    def format_task_description(self, signature: SignatureClass) -> str:
        """The signature's instructions."""
        return f"Task:\n{signature.instructions}"

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
        parts = [prefix] if prefix else []
        for slot in layout.places:
            value = inputs.get(slot.name, _MISSING)
            if type(value) is str:
                parts.append(slot.head + value)
            elif value is not _MISSING:
                parts.append(slot.head + render_value(value, in_text_field=slot.is_text))
        if main_request:
            parts.append(self._requirements(signature, layout))
        if suffix:
            parts.append(suffix)
        return "\n\n".join(parts).strip()

    def format_assistant_message_content(
        self, signature: SignatureClass, outputs: Fields, missing_field_message: str | None = None
    ) -> str:
        """An assistant turn: every output under its marker, then the end marker."""
        parts = []
        for slot in self.layout(signature).outputs:
            value = outputs.get(slot.name)
            if type(value) is str:
                parts.append(slot.head + value)
            else:
                parts.append(slot.head + self._output(slot, value, outputs, missing_field_message))
        parts.append(f"{END}\n")
        return "\n\n".join(parts)

    def format_field_with_value(self, fields_with_values: Mapping[Any, Any]) -> str:
        """Sections for fields given as `{field: value}`, where a field has a `name`."""
        return "\n\n".join(
            f"[[ ## {field.name} ## ]]\n{render_value(value, in_text_field=_takes_text(field))}"
            for field, value in fields_with_values.items()
        )

    def format_finetune_data(
        self, signature: SignatureClass, demos: Sequence[Fields], inputs: Fields, outputs: Fields
    ) -> dict[str, list[Any]]:
        """`{"messages": [...]}`: the request, and the answer as it should be, as a last assistant turn."""
        answer = self.format_assistant_message_content(signature, outputs)
        messages = [*self.format(signature, demos, inputs), {"role": "assistant", "content": answer}]
        return {"messages": messages}

    def user_message_output_requirements(self, signature: SignatureClass) -> str:
        """The reminder at the end of the main request; rendered once per signature."""
        asked = ", then ".join(
            f"`{slot.head.strip()}`{in_brackets(slot)}" for slot in self.layout(signature).outputs
        )
        if not asked:
            return CALL
        return f"Now write {asked}, and last `{END}`."

    def format_section(self, name: str, text: str) -> str:
        """A value that is no field of the signature, under a marker."""
        return f"[[ ## {name} ## ]]\n{text}"

    def repair_note(self, signature: SignatureClass, error: AdapterParseError) -> str:
        """What was wrong, and what is asked for once more."""
        asked = self._requirements(signature, self.layout(signature))
        return f"{super().repair_note(signature, error)}\n\n{asked}"

    def _requirements(self, signature: SignatureClass, layout: Layout) -> str:
        text: str | None = layout.facts.get("requirements")
        if text is None:
            text = layout.facts["requirements"] = self.user_message_output_requirements(signature)
        return text

    @staticmethod
    def _output(slot: Slot, value: Any, outputs: Fields, missing: str | None) -> str:
        if value is None and missing is not None and not (slot.none_allowed and slot.name in outputs):
            return missing
        return render_value(value, in_text_field=slot.is_text)

    # Reading.

    def parse(self, signature: SignatureClass, completion: str) -> dict[str, Any]:
        """The output fields of an answer; see `Adapter.read`."""
        layout = self.layout(signature)
        found = _sections(_MARKER, completion, layout.by_output)
        if len(found) < len(layout.outputs):
            almost = self._almost_marked(layout, completion)
            if len(almost) > len(found):
                found = almost
            # A marker of another name makes it an answer to something else, not an answer without markers.
            elif not found and not _MARKER.search(completion):
                return self._unmarked(signature, layout, completion)
        return self.typed(signature, completion, found)

    def _unmarked(self, signature: SignatureClass, layout: Layout, completion: str) -> dict[str, Any]:
        """The fields in an answer without any mark: an object with them, or the text as the only one."""
        if Forms.strict:
            return self.typed(signature, completion, {})
        text = completion.strip()
        row = whole_object(text)
        known = {name: row[name] for name in layout.by_output if name in row} if row else {}
        if known and len(known) == len(layout.outputs):
            return self.typed(signature, completion, known)
        only = layout.outputs[0] if len(layout.outputs) == 1 else None
        # An object with other keys is an answer to something else, unless objects are asked for.
        if only is None or not text or (row and only.is_text):
            return self.typed(signature, completion, {})
        if self.on_parse_failure not in (None, "repair"):
            raise unmarked(self, signature, completion)
        return Bare(self.typed(signature, completion, {only.name: text}))

    @staticmethod
    def _almost_marked(layout: Layout, completion: str) -> dict[str, str]:
        pieces = layout.facts["markers"].split(completion)
        found: dict[str, str] = {}
        for label, text in zip(pieces[1::2], pieces[2::2], strict=True):
            name = layout.output_like(label)
            if name is not None:
                found.setdefault(name, text.strip())
        return found


_MISSING = object()


def _sections(marker: re.Pattern[str], text: str, wanted: Mapping[str, Any]) -> dict[str, str]:
    pieces = marker.split(text)
    found: dict[str, str] = {}
    for at in range(1, len(pieces), 2):
        name = pieces[at]
        if name in wanted and name not in found:
            body = pieces[at + 1].strip()
            if END in body:  # on the last line of the value instead of on its own
                body = _END_INSIDE.sub("", body)
            found[name] = body
    return found


def _loose_markers(names: Sequence[str]) -> re.Pattern[str]:
    # [[## name ##]], [[ name ]], **[[ ## Name ## ]]**, ## name ##, [[ ## name ]]: and so on; at least a
    # bracket or two hash signs on the left, and something to close.
    words = "|".join(
        "[ _-]?".join(map(re.escape, name.split("_"))) for name in sorted(names, key=len, reverse=True)
    )
    return re.compile(
        rf"[*_`>#]*(?:\[\[?[ \t]*#*|\#\#)[ \t]*`?({words})`?[ \t]*(?:#*[ \t]*\]\]?|\#\#+)[*_`]*[ \t]*:?",
        re.IGNORECASE,
    )


def _aside(slot: Slot) -> str:
    how = form(slot)
    return f"    ({how})" if how else ""


def _takes_text(field: Any) -> bool:
    return getattr(field, "annotation", getattr(getattr(field, "info", None), "annotation", None)) is str
