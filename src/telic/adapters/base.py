"""What an adapter is: signature, demos and inputs to a prompt, and the answer back to typed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeAlias
from weakref import WeakKeyDictionary

from telic.adapters.json_text import ABSENT
from telic.adapters.layout import Layout
from telic.errors import AdapterError, AdapterParseError
from telic.signatures.validation import ValidationFailure, validate
from telic.types import Capabilities, Constraint, Message

SignatureClass: TypeAlias = Any
"""A `Signature` class; read only through `instructions`, `input_fields` and `output_fields`."""
Fields: TypeAlias = Mapping[str, Any]
"""Names to values: a dict, or an `Example`, which answers `get` alike."""

DEFAULT_CAPABILITIES = Capabilities()
NOT_GIVEN = "(not given in this example)"
PARTIAL_DEMO = "A partial example of the task: some of its fields are left out."


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send. Exactly one of `messages` and `prompt` is set.

    Attributes:
        messages: chat messages; what never changes first, the new input last.
        prompt: text to continue.
        constraint: how the engine may narrow the answer.
        params: request parameters the adapter wants (`stop`); the caller's own win.
    """

    messages: list[Message] | None = None
    prompt: str | None = None
    constraint: Constraint | None = None
    params: dict[str, Any] = field(default_factory=dict)


class Adapter:
    """Turns a signature with demos and inputs into what is sent, and what came back into typed values.

    Adapters are pure and keep no state but a cache of what they worked out per signature, so one instance
    serves all threads. The `format_*` methods are the pieces to override; those that depend on the signature
    alone are called once per signature. A subclass must define `parse` and the `format_*` methods that raise
    here.

    Attributes:
        name: what `adapter_by_name` and saved programs call it.
        options: the keyword arguments that differ from the defaults; JSON values.
    """

    name: ClassVar[str] = ""
    options: dict[str, Any]
    _layouts: WeakKeyDictionary[SignatureClass, Layout]

    def __new__(cls, *args: Any, **options: Any) -> Self:  # noqa: D102
        # Here rather than in `__init__`, which a subclass may forget to call.
        made = super().__new__(cls)
        made.options = {}
        made._layouts = WeakKeyDictionary()
        return made

    def __init__(self) -> None:
        """Takes no options."""

    # What the rest of telic calls.

    def render(
        self,
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
        capabilities: Capabilities = DEFAULT_CAPABILITIES,
    ) -> Rendered:
        """What to send to a model that can do `capabilities`.

        A model without chat is sent the same text as one prompt.
        """
        messages = self.format(signature, demos, inputs)
        constraint = self.constraint(signature, capabilities)
        if capabilities.chat or not capabilities.completion:
            return Rendered(messages, constraint=constraint)
        return Rendered(prompt=_as_prompt(messages), constraint=constraint)

    def read(self, signature: SignatureClass, text: str) -> dict[str, Any]:
        """The output fields of an answer, each valid for its type.

        Raises:
            AdapterParseError: a field is missing or does not fit; says which, and why.
        """
        return self.parse(signature, text)

    def repair(
        self, signature: SignatureClass, rendered: Rendered, text: str, error: AdapterParseError
    ) -> Rendered:
        """The same request, the model's own answer, what was wrong with it, and the question again."""
        note = self.repair_note(signature, error)
        if rendered.messages is None:
            prompt = f"{rendered.prompt}{text.rstrip()}\n\n{note}\n\n"
            return Rendered(prompt=prompt, constraint=rendered.constraint, params=rendered.params)
        if text.strip():
            turns = [
                *rendered.messages,
                {"role": "assistant", "content": text},
                {"role": "user", "content": note},
            ]
        else:
            # Several providers refuse an empty turn, and two turns of one role in a row.
            *earlier, last = rendered.messages
            turns = [*earlier, {**last, "content": _appended(last["content"], note)}]
        return Rendered(turns, constraint=rendered.constraint, params=rendered.params)

    def constraint(self, signature: SignatureClass, capabilities: Capabilities) -> Constraint | None:
        """How the answer can be narrowed on a model of these capabilities; by default not at all."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Name and options; `adapter_by_name(**row)` makes the adapter again."""
        return {"name": self.name, **self.options}

    # The pieces.

    def format(self, signature: SignatureClass, demos: Sequence[Fields], inputs: Fields) -> list[Message]:
        """The messages: system, demos as user and assistant turns, the conversation so far, the new input."""
        messages = [{"role": "system", "content": self.format_system_message(signature)}]
        if demos:
            messages += self.format_demos(signature, demos)
        layout = self.layout(signature)
        if layout.history is not None and inputs.get(layout.history) is not None:
            messages += self.format_conversation_history(signature, layout.history, inputs)
        content = self.format_user_message_content(signature, inputs, main_request=True)
        messages.append({"role": "user", "content": content})
        return messages

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
        partial: list[Message] = []
        whole: list[Message] = []
        for demo in demos:
            given_in, given_out = layout.given(demo)
            if not given_out or (not given_in and layout.inputs):
                continue
            complete = given_in == len(layout.inputs) and given_out == len(layout.outputs)
            user = self.format_user_message_content(signature, demo, "" if complete else PARTIAL_DEMO)
            assistant = self.format_assistant_message_content(signature, demo, NOT_GIVEN)
            turns = whole if complete else partial
            turns.append({"role": "user", "content": user})
            turns.append({"role": "assistant", "content": assistant})
        return partial + whole

    def format_conversation_history(
        self, signature: SignatureClass, history_field_name: str, inputs: Fields
    ) -> list[Message]:
        """The earlier turns held by an input field, as user and assistant turns."""
        messages: list[Message] = []
        for turn in inputs[history_field_name].messages:
            user = self.format_user_message_content(signature, turn, main_request=True)
            messages.append({"role": "user", "content": user})
            messages.append(
                {"role": "assistant", "content": self.format_assistant_message_content(signature, turn)}
            )
        return messages

    def repair_note(self, signature: SignatureClass, error: AdapterParseError) -> str:
        """What a model is told about an answer that could not be read."""
        return (
            f"That answer cannot be used: {error.detail}\nGive the whole answer again, with this put right."
        )

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

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_layouts"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.options.items())})"


def adapter_by_name(name: str, **options: Any) -> Adapter:
    """The adapter of that name, with the options of its constructor.

    Raises:
        AdapterError: there is no such adapter, or it has no such option.
    """
    from importlib import import_module

    place = _BUILT_IN.get(name)
    if place is None:
        raise AdapterError(f"There is no adapter {name!r}. There are: {', '.join(_BUILT_IN)}.")
    module, _, attribute = place.partition(":")
    made: type[Adapter] = getattr(import_module(module), attribute)
    try:
        return made(**options)
    except TypeError as error:
        raise AdapterError(f"The adapter {name!r} does not take these options: {error}.") from error


_BUILT_IN = {
    "chat": "telic.adapters.chat:ChatAdapter",
    "json": "telic.adapters.json_adapter:JSONAdapter",
    "xml": "telic.adapters.xml_adapter:XMLAdapter",
    "completion": "telic.adapters.completion:CompletionAdapter",
}


def _as_prompt(messages: Sequence[Message]) -> str:
    return "".join(f"{message['content'].strip()}\n\n" for message in messages)


def _appended(content: Any, note: str) -> Any:
    if isinstance(content, str):
        return f"{content}\n\n{note}"
    return [*content, {"type": "text", "text": f"\n\n{note}"}]
