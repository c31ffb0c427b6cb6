"""Plain labelled lines, one example after the other: for base models, and for small ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from telic.adapters.base import Adapter, OnParseFailure
from telic.adapters.content import content_of, content_of_demo, text_of
from telic.adapters.grammar import answer_grammar, only_text
from telic.adapters.kinds import DATA, SCALARS, squeeze
from telic.adapters.layout import Layout, Slot
from telic.adapters.rendered import NOTHING, Fields, Rendered, SignatureClass
from telic.adapters.turns import turns_of
from telic.adapters.values import render_json, render_value
from telic.adapters.wording import bounds, spoken_desc
from telic.errors import AdapterParseError
from telic.signatures.field import infer_prefix
from telic.signatures.validation import ValidationFailure, validate
from telic.types import Capabilities, Constraint, Message

_BLANK_LINES = re.compile(r"\n\s*\n")
_SPACES = re.compile(r"\s+")
_LONGEST_QUOTE = 600


class CompletionAdapter(Adapter):
    r"""The task, then demos and the new input as lines `Label: value`; the model continues after a label.

        Classify the message.
        - Intent: one of: billing; refund

        Message: I was charged twice
        Intent: billing

        Message: Can I have my money back?
        Intent:

    A blank line ends an example, and no value holds one: further lines of a value, empty ones too, are
    indented by two spaces. So "\n\n" can stop a base model before it invents the next example, once a demo
    has shown the form. It is no stop where it might cut an answer: without demos, unless the only output fits
    on one line by its type; and with demos that show texts of several lines. There, only the first input's
    label at the start of a line stops. Answers in a chat end by themselves, so no stop is set.

    On engines that take grammars the answer is held to the labels and types; texts are then one line, unless
    `multiline` says otherwise, and one of several is not empty unless a demo shows empty ones. An answer that
    is only one text is left free until demos have shown its form.

    Args:
        callbacks: see `Adapter`.
        use_native_function_calling: see `Adapter`.
        native_response_types: see `Adapter`.
        parallel_tool_calls: see `Adapter`.
        multiline: whether texts in the answer may have several lines; `None` to go by the demos.
        choices: list the choices of `Literal` and enum outputs in the head; `None` to leave the list out
            where a grammar holds the answer to them and demos show their use. (On 7 intents, SmolLM2-135M
            got 57 % of 200 right with 8 demos and no list, 42 % with the list; without demos both 27 %.)
        constrain: use grammars.
        max_text: most characters, under a grammar, of a text that other outputs follow; `None` for no limit.
        on_parse_failure: see `Adapter`.
    """

    name: ClassVar[str] = "completion"
    multiline: bool | None = None
    choices: bool | None = None
    constrain: bool = True
    max_text: int | None = 1200

    def __init__(
        self,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = False,
        native_response_types: list[type] | None = None,
        parallel_tool_calls: bool | None = None,
        *,
        multiline: bool | None = None,
        choices: bool | None = None,
        constrain: bool = True,
        max_text: int | None = 1200,
        on_parse_failure: OnParseFailure | None = None,
    ) -> None:
        super().__init__(
            callbacks,
            use_native_function_calling,
            native_response_types,
            parallel_tool_calls,
            on_parse_failure=on_parse_failure,
        )
        self._choose(multiline=multiline, choices=choices, constrain=constrain, max_text=max_text)

    def prepare(self, signature: SignatureClass, layout: Layout) -> None:
        """Labels, and the patterns that find them in an answer."""
        taken: set[str] = set()
        for slot in (*layout.inputs, *layout.outputs):
            slot.head = f"{_label(slot, taken)}:"
        layout.facts["outputs"] = _label_pattern(layout.outputs)
        layout.facts["inputs"] = _label_pattern(layout.inputs)
        spellings = ((text, slot) for slot in layout.outputs for text in _spellings(slot))
        layout.facts["slots"] = {squeeze(text): slot for text, slot in spellings}

    # Rendering.

    def compose(
        self,
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
        capabilities: Capabilities,
        params: Fields = NOTHING,
    ) -> Rendered:
        """A prompt to continue; where the model only chats, the same text as one user message."""
        layout = self.layout(signature)
        records, several_lines, gaps = self._records(layout, demos, inputs)
        blocks = several_lines if self.multiline is None else self.multiline
        constraint = None
        if self.constrain and capabilities.grammar and (records or not only_text(layout.outputs)):
            lead = " " if capabilities.completion else ""
            constraint = self._grammar(layout, lead, blocks, gaps)
        listed = not (constraint and records) if self.choices is None else self.choices
        text = self._content(signature, records, inputs, listed)
        if not capabilities.completion:
            return Rendered([{"role": "user", "content": text}], constraint=constraint)
        one_line = len(layout.outputs) == 1 and layout.outputs[0].kind in SCALARS
        stop = ["\n\n"] if one_line or (records and not blocks) else []
        if layout.inputs:
            stop.append(f"\n{layout.inputs[0].head}")
        params = {"stop": stop} if stop else {}
        return Rendered(prompt=text_of(text), constraint=constraint, params=params)

    def format(self, signature: SignatureClass, demos: Sequence[Fields], inputs: Fields) -> list[Message]:
        """The whole text as one user message."""
        records, _, _ = self._records(self.layout(signature), demos, inputs)
        content = self._content(signature, records, inputs, self.choices is not False)
        return [{"role": "user", "content": content}]

    def format_field_description(self, signature: SignatureClass) -> str:
        """A line for each field about which there is something to say."""
        return _notes(self.layout(signature), self.choices is not False)

    def format_field_structure(self, signature: SignatureClass) -> str:
        """Nothing: the labels speak for themselves."""
        return ""

    def format_task_description(self, signature: SignatureClass) -> str:
        """The signature's instructions."""
        # A blank line would end an example.
        return _BLANK_LINES.sub("\n", str(signature.instructions).strip())

    def format_system_message(self, signature: SignatureClass) -> str:
        """The head of the prompt: the task and what is said about fields; rendered once per signature."""
        return self._head(signature, self.choices is not False)

    def format_user_message_content(
        self,
        signature: SignatureClass,
        inputs: Fields,
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        """The given inputs as labelled lines; on the main request, the label the model goes on from."""
        layout = self.layout(signature)
        lines = [prefix] if prefix else []
        for slot in layout.inputs:
            value = inputs.get(slot.name, _MISSING)
            if value is not _MISSING:
                lines.append(_line(slot, value))
        if suffix:
            lines.append(suffix)
        if main_request:
            lines.append(layout.outputs[0].head)
        return "\n".join(lines)

    def format_assistant_message_content(
        self, signature: SignatureClass, outputs: Fields, missing_field_message: str | None = None
    ) -> str:
        """The outputs as labelled lines."""
        lines = []
        for slot in self.layout(signature).outputs:
            value = outputs.get(slot.name)
            if (
                value is None
                and missing_field_message is not None
                and not (slot.none_allowed and slot.name in outputs)
            ):
                value = missing_field_message
            lines.append(_line(slot, value))
        return "\n".join(lines)

    def repair(
        self, signature: SignatureClass, rendered: Rendered, text: str, error: AdapterParseError
    ) -> Rendered:
        """In a chat, as any adapter; a prompt goes on with a remark, and the same record is begun anew.

        A base model follows examples better than orders, so the record is what it is asked to do again.
        """
        if rendered.prompt is None:
            return super().repair(signature, rendered, text, error)
        record = rendered.prompt.rpartition("\n\n")[2]
        answer = _BLANK_LINES.sub("\n", text.strip())[:_LONGEST_QUOTE]
        said = f"{rendered.prompt} {answer}".rstrip()
        prompt = f"{said}\n\nThat was wrong: {error.detail} The same once more, put right:\n\n{record}"
        return replace(rendered, prompt=prompt)

    def repair_note(self, signature: SignatureClass, error: AdapterParseError) -> str:
        """What was wrong, and the labels that are asked for."""
        asked = ", then ".join(f"`{slot.head}`" for slot in self.layout(signature).outputs)
        return f"{super().repair_note(signature, error)}\nWrite {asked}, each followed by its value."

    def _records(
        self, layout: Layout, demos: Sequence[Fields], inputs: Fields
    ) -> tuple[list[str], bool, bool]:
        """Demos as text, those that lack fields first, then earlier turns of a conversation; whether an
        output of theirs has several lines, or is an empty text.
        """
        partial: list[str] = []
        whole: list[str] = []
        several = gaps = False
        earlier = inputs.get(layout.history) if layout.history is not None else None
        turns = turns_of(earlier) if earlier is not None else ()
        for number, demo in enumerate((*demos, *turns)):
            given_in, given_out = layout.given(demo)
            if not given_out or (not given_in and layout.inputs):
                continue
            lines = []
            for slot in (*layout.inputs, *layout.outputs):
                value = demo.get(slot.name)
                # What a demo lacks is left out: a base model would learn to write a placeholder.
                if value is not None or (slot.none_allowed and slot.name in demo):
                    lines.append(_demo_line(layout, slot, value))
                    if slot.field.role == "output":
                        several = several or "\n" in lines[-1]
                        gaps = gaps or lines[-1] == slot.head
            complete = given_in == len(layout.inputs) and given_out == len(layout.outputs)
            (whole if complete or number >= len(demos) else partial).append("\n".join(lines))
        return partial + whole, several, gaps and len(layout.outputs) > 1

    def _head(self, signature: SignatureClass, listed: bool) -> str:
        layout = self.layout(signature)
        head: str | None = layout.facts.get(("head", listed))
        if head is None:
            notes = self.format_field_description(signature) if listed else _notes(layout, listed)
            task = self.format_task_description(signature)
            head = layout.facts["head", listed] = "\n".join(part for part in (task, notes) if part)
        return head

    def _content(
        self, signature: SignatureClass, records: Sequence[str], inputs: Fields, listed: bool
    ) -> Any:
        head = self._head(signature, listed)

        def write() -> str:
            new = self.format_user_message_content(signature, inputs, main_request=True)
            return "\n\n".join([head, *records, new] if head else [*records, new])

        return content_of(self.layout(signature), inputs, write)

    def _grammar(self, layout: Layout, lead: str, blocks: bool, gaps: bool) -> Constraint:
        key = ("grammar", lead, blocks, gaps)
        made: Constraint | None = layout.facts.get(key)
        if made is None:
            text = answer_grammar(layout.outputs, lead=lead, blocks=blocks, max_text=self.max_text, gaps=gaps)
            made = layout.facts[key] = Constraint(grammar=text)
        return made

    # Reading.

    def parse(self, signature: SignatureClass, completion: str) -> dict[str, Any]:
        """The output fields of an answer; see `Adapter.read`."""
        layout = self.layout(signature)
        text = completion.strip()
        next_record = layout.facts["inputs"].search(text, 1) if layout.inputs else None
        if next_record is not None:  # the model went on to another example
            text = text[: next_record.start()]
        pieces = layout.facts["outputs"].split(text)
        found: dict[str, str] = {}
        slots: dict[str, Slot] = layout.facts["slots"]
        for at in range(1, len(pieces), 2):
            slot = slots[squeeze(pieces[at])]
            if slot.name not in found:
                found[slot.name] = _body(slot, pieces[at + 1])
        if pieces[0].strip():
            first = layout.outputs[0]
            body = _body(first, pieces[0])
            if first.name not in found or not _is_preamble(first, body):
                found[first.name] = body
        elif completion.lstrip(" ")[:1] == "\n" and layout.outputs[0].is_text:
            # The prompt ends with the first label: a line break after it ends an empty text.
            found.setdefault(layout.outputs[0].name, "")
        return self.typed(signature, completion, found)


_MISSING = object()


def _notes(layout: Layout, listed: bool) -> str:
    """A line for each field about which there is something to say.

    Args:
        layout: the fields.
        listed: name the choices of outputs.
    """
    lines = []
    for slot in (*layout.inputs, *layout.outputs):
        choices = "; ".join(slot.choices) if listed and slot.field.role == "output" else ""
        said = (spoken_desc(slot.field), choices and f"one of: {choices}", bounds(slot.field))
        note = _SPACES.sub(" ", "; ".join(part for part in said if part))
        if note:
            lines.append(f"- {slot.head} {note}")
    return "\n".join(lines)


def _label(slot: Slot, taken: set[str]) -> str:
    label = _SPACES.sub(" ", slot.field.prefix).strip().rstrip(":").rstrip() or infer_prefix(slot.name)
    for candidate in (label, infer_prefix(slot.name), slot.name):
        if squeeze(candidate) not in taken:
            break
    taken.add(squeeze(candidate))
    return candidate


def _spellings(slot: Slot) -> tuple[str, ...]:
    return slot.head[:-1], slot.name


def _label_pattern(slots: Sequence[Slot]) -> re.Pattern[str]:
    # Not after spaces: those mark a further line of the value before.
    texts = sorted({text for slot in slots for text in _spellings(slot)}, key=len, reverse=True)
    words = "|".join(re.escape(text).replace(r"\ ", r"[ \t]+") for text in texts)
    return re.compile(rf"^[*_#>-]*[ \t]?[*_]*({words})[*_]*[ \t]*:[*_]*", re.IGNORECASE | re.MULTILINE)


def _line(slot: Slot, value: Any) -> str:
    if type(value) is str:
        text = value
    elif slot.kind is DATA and slot.field.role == "output":
        text = render_json(value)
    else:
        text = render_value(value, in_text_field=slot.is_text)
    text = text.strip()
    if "\n" in text:
        text = text.replace("\r\n", "\n").replace("\n", "\n  ")
    return f"{slot.head} {text}" if text else slot.head


def _demo_line(layout: Layout, slot: Slot, value: Any) -> str:
    if slot.name not in layout.rich:
        return _line(slot, value)
    # One text holds all demos, so that pictures in them are only named.
    demo = {slot.name: value}
    return text_of(content_of_demo(layout, demo, lambda shown: _line(slot, shown[slot.name])))


def _body(slot: Slot, text: str) -> str:
    text = text.strip()
    if slot.kind in SCALARS and not any("\n" in choice for choice in slot.choices):
        return text.partition("\n")[0].strip()
    if "\n" in text and slot.kind is not DATA:
        first, *others = text.split("\n")
        if all(line.startswith("  ") or not line.strip() for line in others):
            return "\n".join([first, *(line[2:] for line in others)])
    return text


def _is_preamble(slot: Slot, body: str) -> bool:
    """Whether text in front of the first label is chatter rather than the first value."""
    if slot.is_text:
        return body.endswith(":")
    try:
        validate(slot.field, body)
    except ValidationFailure:
        return True
    return False
