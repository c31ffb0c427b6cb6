"""Each field as an XML element."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from telic.adapters.chat import CALL, ChatAdapter
from telic.adapters.kinds import DATA
from telic.adapters.layout import Layout, Slot
from telic.adapters.rendered import Fields, SignatureClass
from telic.adapters.values import render_value
from telic.adapters.wording import form, schema_of
from telic.adapters.xml_values import escape, from_xml, sketch, to_xml, unescape


class XMLAdapter(ChatAdapter):
    """Each field is an element named after it; lists and models in outputs are nested elements.

    Text in outputs is escaped (`&lt;`, `&amp;`), inputs stand as they are. Read tolerantly: tags in other
    case, a missing end tag, JSON inside an element, and, for an only output field, no tags at all.
    """

    name: ClassVar[str] = "xml"

    def prepare(self, signature: SignatureClass, layout: Layout) -> None:
        """Tags of each field, schemas of those with inner structure, and the pattern of opening tags."""
        for slot in (*layout.places, *layout.outputs):
            slot.head, slot.tail = f"<{slot.name}>\n", f"\n</{slot.name}>"
        layout.facts["open"] = _opening([slot.name for slot in layout.outputs])

    # Rendering.

    def format_field_structure(self, signature: SignatureClass) -> str:
        """The layout of a whole exchange, with what each output must look like."""
        layout = self.layout(signature)
        parts = ["Fields are written in this layout, each value inside its element:"]
        parts += [f"{slot.head}{{{slot.name}}}{slot.tail}" for slot in layout.places]
        parts += [self._blank(layout, slot) for slot in layout.outputs]
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
        parts = [prefix] if prefix else []
        for slot in layout.places:
            value = inputs.get(slot.name, _MISSING)
            if value is not _MISSING:
                text = value if type(value) is str else render_value(value, in_text_field=slot.is_text)
                parts.append(f"{slot.head}{text}{slot.tail}")
        if main_request:
            parts.append(self._requirements(signature, layout))
        if suffix:
            parts.append(suffix)
        return "\n\n".join(parts).strip()

    def format_assistant_message_content(
        self, signature: SignatureClass, outputs: Fields, missing_field_message: str | None = None
    ) -> str:
        """An assistant turn: every output in its element."""
        parts = []
        for slot in self.layout(signature).outputs:
            value = outputs.get(slot.name)
            if slot.kind is DATA and value is not None and type(value) is not str:
                parts.append(to_xml(slot.name, value))
            else:
                text = self._output(slot, value, outputs, missing_field_message)
                parts.append(f"{slot.head}{escape(text)}{slot.tail}")
        return "\n\n".join(parts)

    def format_section(self, name: str, text: str) -> str:
        """A value that is no field of the signature, as an element."""
        return f"<{name}>\n{text}\n</{name}>"

    def format_field_with_value(self, fields_with_values: Mapping[Any, Any]) -> str:
        """Elements for fields given as `{field: value}`, where a field has a `name`."""
        return "\n\n".join(
            f"<{field.name}>\n{render_value(value)}\n</{field.name}>"
            for field, value in fields_with_values.items()
        )

    def user_message_output_requirements(self, signature: SignatureClass) -> str:
        """The reminder at the end of the main request; rendered once per signature."""
        asked = ", then ".join(f"`<{slot.name}>`" for slot in self.layout(signature).outputs)
        return f"Now write {asked}, each with its end tag." if asked else CALL

    def _blank(self, layout: Layout, slot: Slot) -> str:
        if slot.kind is DATA:
            inner = sketch(self._schema(layout, slot))
            return f"<{slot.name}>{inner}</{slot.name}>" if inner != "..." else f"{slot.head}...{slot.tail}"
        how = form(slot)
        return f"{slot.head}{{{slot.name}}}{f'    ({how})' if how else ''}{slot.tail}"

    @staticmethod
    def _schema(layout: Layout, slot: Slot) -> dict[str, Any]:
        key = ("schema", slot.name)
        found: dict[str, Any] | None = layout.facts.get(key)
        if found is None:
            found = layout.facts[key] = schema_of(slot)
        return found

    # Reading.

    def parse(self, signature: SignatureClass, completion: str) -> dict[str, Any]:
        """The output fields of an answer; see `Adapter.read`."""
        layout = self.layout(signature)
        found: dict[str, Any] = {}
        for tag, content in _elements(layout.facts["open"], completion):
            name = layout.output_like(tag)
            if name is not None and name not in found:
                found[name] = self._content(layout, layout.by_output[name], content)
        if not found:
            return self._unmarked(signature, layout, completion)
        return self.typed(signature, completion, found)

    def _content(self, layout: Layout, slot: Slot, content: str | None) -> Any:
        if content is None:
            if slot.none_allowed:
                return None
            content = ""
        # A list that begins with a letter is its only item; bullets and JSON are read elsewhere.
        if slot.kind is DATA and (content[:1] in ("<", "") or ("\n" not in content and content[0].isalpha())):
            value = from_xml(content, self._schema(layout, slot))
            if value is not content:
                return value
        return unescape(content)


_MISSING = object()


def _opening(names: Sequence[str]) -> re.Pattern[str]:
    words = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"<[ \t]*({words})(?:\s[^<>]*?)?[ \t]*(/?)>", re.IGNORECASE)


def _elements(opening: re.Pattern[str], text: str) -> list[tuple[str, str | None]]:
    """Tag and content of each outermost known element, `None` for `<tag/>`; no search inside an element."""
    found: list[tuple[str, str | None]] = []
    at = 0
    while (match := opening.search(text, at)) is not None:
        tag = match[1]
        if match[2]:
            found.append((tag, None))
            at = match.end()
        else:
            content, at = _until_end(opening, text, match.end(), tag)
            found.append((tag, content.strip()))
    return found


def _until_end(opening: re.Pattern[str], text: str, start: int, tag: str) -> tuple[str, int]:
    depth = 1
    first: re.Match[str] | None = None
    for match in re.finditer(
        rf"<[ \t]*(/?)[ \t]*{re.escape(tag)}(?:\s[^<>]*?)?(/?)>", text[start:], re.IGNORECASE
    ):
        if match[1]:
            first = first or match
            depth -= 1
        elif not match[2]:
            depth += 1
        if depth == 0:
            return text[start : start + match.start()], start + match.end()
    if first is not None:  # an element of the same name was opened in the text and never closed
        return text[start : start + first.start()], start + first.end()
    after = opening.search(text, start)
    end = after.start() if after is not None else len(text)
    return text[start:end], end
