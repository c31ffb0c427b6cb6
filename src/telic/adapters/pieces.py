"""What an adapter writes and reads, piece by piece: the methods to override."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from telic.adapters.content import content_of, content_of_demo
from telic.adapters.json_text import ABSENT
from telic.adapters.layout import Layout
from telic.adapters.rendered import Fields, SignatureClass
from telic.adapters.shown import Shown
from telic.adapters.turns import conversation
from telic.errors import AdapterParseError
from telic.signatures.validation import ValidationFailure, validate
from telic.types import Message

NOT_GIVEN = "(not given in this example)"
PARTIAL_DEMO = "A partial example of the task: some of its fields are left out."


class Pieces:
    """The pieces of a prompt, put together by `format`, and the reading of an answer by `parse`.

    Pieces that depend on the signature alone are made once per signature. A subclass must define `parse` and
    those that raise here.
    """

    _layouts: WeakKeyDictionary[SignatureClass, Layout]

    def format(self, signature: SignatureClass, demos: Sequence[Fields], inputs: Fields) -> list[Message]:
        """The messages: system, demos as user and assistant turns, the conversation so far, the new input.

        After results of native calls, without new input, they are the last.
        """
        messages = [{"role": "system", "content": self.format_system_message(signature)}]
        if demos:
            messages += self.format_demos(signature, demos)
        layout = self.layout(signature)
        history = layout.history
        if history is not None and history in inputs:
            if inputs[history] is not None:
                messages += self.format_conversation_history(signature, history, inputs)
            inputs = {name: value for name, value in inputs.items() if name != history}
            if messages[-1]["role"] == "tool" and not any(slot.name in inputs for slot in layout.inputs):
                return messages  # the model goes on from what its tools gave back; nobody says anything new
        messages.append({"role": "user", "content": self.user_content(signature, inputs)})
        return messages

    def user_content(self, signature: SignatureClass, inputs: Fields) -> Any:
        """The content of a user turn that asks: text, or content parts where inputs are shown as such."""

        def write() -> Any:
            return self.format_user_message_content(signature, inputs, main_request=True)

        return content_of(self.layout(signature), inputs, write)

    def format_system_message(self, signature: SignatureClass) -> str:
        """Fields, layout and task; rendered once per signature."""
        facts = self.layout(signature).facts
        system: str | None = facts.get("system")
        if system is None:
            parts = (
                self.format_field_description(signature),
                self.format_field_structure(signature),
                self.format_task_description(signature),
            )
            system = facts["system"] = "\n\n".join(part for part in parts if part)
        return system

    def format_field_description(self, signature: SignatureClass) -> str:
        """The input and output fields, each with its type and what is said about it."""
        raise NotImplementedError(f"{type(self).__name__} must define format_field_description")

    def format_field_structure(self, signature: SignatureClass) -> str:
        """How fields are laid out in the messages."""
        raise NotImplementedError(f"{type(self).__name__} must define format_field_structure")

    def format_task_description(self, signature: SignatureClass) -> str:
        """The signature's instructions."""
        raise NotImplementedError(f"{type(self).__name__} must define format_task_description")

    def format_user_message_content(
        self,
        signature: SignatureClass,
        inputs: Fields,
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        """A user turn: `prefix`, the inputs that are given, what is asked for if main, `suffix`."""
        raise NotImplementedError(f"{type(self).__name__} must define format_user_message_content")

    def format_assistant_message_content(
        self, signature: SignatureClass, outputs: Fields, missing_field_message: str | None = None
    ) -> str:
        """An assistant turn: the outputs, `missing_field_message` in place of those that are not given."""
        raise NotImplementedError(f"{type(self).__name__} must define format_assistant_message_content")

    def parse(self, signature: SignatureClass, completion: str) -> dict[str, Any]:
        """The output fields of an answer; see `read`."""
        raise NotImplementedError(f"{type(self).__name__} must define parse")

    def format_demos(self, signature: SignatureClass, demos: Sequence[Fields]) -> list[Message]:
        """Demos as pairs of turns: those that lack fields first, with a note, then the whole ones.

        A demo without any output, or without any input, shows nothing and is left out.
        """
        layout = self.layout(signature)
        if not type(self).__module__.startswith("telic."):  # a user's adapter may have a mind of its own
            return self._turns_of(signature, layout, demos)
        shown: Shown | None = layout.facts.get(Shown)
        if shown is None or not shown.of(demos):
            shown = Shown(demos, self._turns_of(signature, layout, demos))
            layout.facts[Shown] = shown
        return shown.messages()

    def _turns_of(self, signature: SignatureClass, layout: Layout, demos: Sequence[Fields]) -> list[Message]:
        incomplete: list[Message] = []
        whole: list[Message] = []
        for demo in demos:
            given_in, given_out = layout.given(demo)
            if not given_out or (not given_in and layout.inputs):
                continue
            complete = given_in == len(layout.inputs) and given_out == len(layout.outputs)
            write = partial(self._demo_input, signature, "" if complete else PARTIAL_DEMO)
            user = content_of_demo(layout, demo, write)
            assistant = self.format_assistant_message_content(signature, demo, NOT_GIVEN)
            turns = whole if complete else incomplete
            turns.append({"role": "user", "content": user})
            turns.append({"role": "assistant", "content": assistant})
        return incomplete + whole

    def format_conversation_history(
        self, signature: SignatureClass, history_field_name: str, inputs: Fields
    ) -> list[Message]:
        """The earlier turns held by an input field, as user and assistant turns."""
        return conversation(self, signature, inputs[history_field_name])

    def format_section(self, name: str, text: str) -> str:
        """A value that is no field of the signature, under its name."""
        return f"{name}:\n{text}"

    def _demo_input(self, signature: SignatureClass, prefix: str, demo: Fields) -> Any:
        return self.format_user_message_content(signature, demo, prefix)

    # For those who write adapters.

    def layout(self, signature: SignatureClass) -> Layout:
        """What is known about the signature; made at first use and kept as long as the signature lives."""
        found = self._layouts.get(signature)
        if found is None:
            found = Layout(signature.input_fields, signature.output_fields)
            self.prepare(signature, found)
            self._layouts[signature] = found
        return found

    def prepare(self, signature: SignatureClass, layout: Layout) -> None:
        """Add to a new layout what this adapter needs; must not keep the signature in it."""

    def typed(self, signature: SignatureClass, completion: str, found: Mapping[str, Any]) -> dict[str, Any]:
        """Validate what was found.

        Args:
            signature: whose outputs.
            completion: the whole answer, for the error.
            found: output name to text or JSON value.

        Raises:
            AdapterParseError: naming every field that is missing or does not fit.
        """
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for slot in self.layout(signature).outputs:
            raw = found.get(slot.name, ABSENT)
            if raw is ABSENT:
                if not (slot.none_allowed and found):
                    problems[slot.name] = f"'{slot.name}' is not in the answer"
                    continue
                raw = None
            try:
                values[slot.name] = validate(slot.field, raw)
            except ValidationFailure as failure:
                problems[slot.name] = str(failure)
        if problems:
            raise AdapterParseError(
                type(self).__name__,
                signature,
                completion,
                "; ".join(problems.values()) + ".",
                values,
                missing=tuple(problems),
            )
        return values
