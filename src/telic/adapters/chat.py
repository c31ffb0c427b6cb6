"""Fields between markers, demos as turns: the format for chat models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from telic.adapters.base import Adapter, Fields, SignatureClass
from telic.adapters.layout import Layout, Slot
from telic.adapters.values import render_value
from telic.adapters.wording import field_lines, form
from telic.errors import AdapterParseError
from telic.signatures.typenames import type_name

END = "[[ ## completed ## ]]"
_MARKER = re.compile(r"^[ \t]*\[\[ ## (\w+) ## \]\]", re.MULTILINE)
_END_INSIDE = re.compile(r"\s*\[\[ ## completed ## \]\].*", re.DOTALL)


class ChatAdapter(Adapter):
    """Each field stands under a marker `[[ ## name ## ]]`; answers end with `[[ ## completed ## ]]`.

    Read tolerantly: markers in other case, spacing or bold, the end missing, a field named twice (the first
    counts), and, where there is only one output field, an answer without any marker.
    """

    name: ClassVar[str] = "chat"

    def prepare(self, signature: SignatureClass, layout: Layout) -> None:
        """Markers of each field, and a pattern that finds them where a model wrote them almost right."""
        for slot in (*layout.inputs, *layout.outputs):
            slot.head = f"[[ ## {slot.name} ## ]]\n"
        names = [slot.name for slot in (*layout.outputs, *layout.inputs)]
        layout.facts["markers"] = _loose_markers([*names, "completed"])

    # Rendering.

    def format_field_description(self, signature: SignatureClass) -> str:
        """The input and output fields, each with its type and what is said about it."""
        given = field_lines("Given:", signature.input_fields.values())
        wanted = field_lines("Wanted:", signature.output_fields.values())
        return f"{given}\n\n{wanted}"

    def format_field_structure(self, signature: SignatureClass) -> str:
        """The layout of a whole exchange, with what each output must look like."""
        layout = self.layout(signature)
        sections = [f"{slot.head}{{{slot.name}}}" for slot in layout.inputs]
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
        for slot in layout.inputs:
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
        return f"Now write {asked}, and last `{END}`."

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
            elif (
                not found
                and len(layout.outputs) == 1
                and completion.strip()
                and not _MARKER.search(completion)
            ):
                found = {layout.outputs[0].name: completion.strip()}
        return self.typed(signature, completion, found)

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


def in_brackets(slot: Slot) -> str:
    """A reminder of the type, where it is not plain text."""
    return "" if slot.field.annotation is str else f" ({type_name(slot.field.annotation)})"


def _takes_text(field: Any) -> bool:
    return getattr(field, "annotation", getattr(getattr(field, "info", None), "annotation", None)) is str
