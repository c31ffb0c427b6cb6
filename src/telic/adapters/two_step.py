"""Free text from one model, fields taken out of it by another."""

from __future__ import annotations

from typing import Any, ClassVar

from telic.adapters.base import Adapter, OnParseFailure
from telic.adapters.calling import answers
from telic.adapters.chat import ChatAdapter
from telic.adapters.rendered import Fields, FollowUp, SignatureClass
from telic.adapters.values import render_value
from telic.adapters.wording import field_lines
from telic.errors import InputError
from telic.signatures import InputField, make_signature


class TwoStepAdapter(Adapter):
    """Lets the model answer in its own words, and has a second, smaller one extract the outputs.

    For models that reason well and keep to a form badly. The prompt is plain; demos are `name: value` lines.
    The first answer is never asked for again: what cannot be extracted is repaired, if at all, with the
    second model.

    Args:
        extraction_model: the LM that extracts.
        callbacks: see `Adapter`, as for the next three.
        use_native_function_calling: offer tools to the first model.
        native_response_types: what the first model may give natively.
        parallel_tool_calls: of the first model.
        extraction_adapter: how the second model is spoken to; by default a `ChatAdapter`. With
            `ChatAdapter(constrain=True)` or `JSONAdapter()` its answer is held to a schema where it can be.
        on_parse_failure: of the default `extraction_adapter`.

    Raises:
        InputError: `extraction_model` is no LM (a `ValueError`).
    """

    name: ClassVar[str] = "two_step"
    two_steps: ClassVar[bool] = True

    def __init__(
        self,
        extraction_model: Any,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = False,
        native_response_types: list[type] | None = None,
        parallel_tool_calls: bool | None = None,
        *,
        extraction_adapter: Adapter | None = None,
        on_parse_failure: OnParseFailure | None = None,
    ) -> None:
        super().__init__(
            callbacks,
            use_native_function_calling,
            native_response_types,
            parallel_tool_calls,
            on_parse_failure=on_parse_failure,
        )
        if not hasattr(extraction_model, "asking"):
            raise InputError(
                f"TwoStepAdapter: extraction_model must be an LM, such as LM('openai/gpt-4o-mini'), not "
                f"{extraction_model!r:.100}."
            )
        self.extraction_model = extraction_model
        self._own_adapter = extraction_adapter
        # What the extracting model thinks by itself is not what the first one thought.
        self.extraction_adapter = extraction_adapter or ChatAdapter(
            native_response_types=[], on_parse_failure=on_parse_failure
        )

    def to_json(self) -> dict[str, Any]:
        """Name and options, the second model among them as its `dump_state`."""
        row = {**super().to_json(), "extraction_model": self.extraction_model.dump_state()}
        if self._own_adapter is not None:
            row["extraction_adapter"] = self._own_adapter.to_json()
        return row

    # Rendering.

    def format_system_message(self, signature: SignatureClass) -> str:
        """The task; rendered once per signature."""
        facts = self.layout(signature).facts
        system: str | None = facts.get("system")
        if system is None:
            system = facts["system"] = self.format_task_description(signature)
        return system

    def format_field_description(self, signature: SignatureClass) -> str:
        """The input and output fields, each with its type and what is said about it."""
        given = field_lines("You are given:", signature.input_fields.values())
        wanted = field_lines("Your answer must tell:", signature.output_fields.values())
        return f"{given}\n\n{wanted}"

    def format_field_structure(self, signature: SignatureClass) -> str:
        """Nothing: the answer has no form to keep to."""
        return ""

    def format_task_description(self, signature: SignatureClass) -> str:
        """The fields, how to answer, and the signature's instructions."""
        how = (
            "Answer in your own words. Say in full what each of these is: whoever fills them in sees nothing "
            "but your answer."
        )
        return f"{self.format_field_description(signature)}\n\n{how}\n\nTask:\n{signature.instructions}"

    def format_user_message_content(
        self,
        signature: SignatureClass,
        inputs: Fields,
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        """A user turn: `prefix`, the inputs that are given as `name: value`, `suffix`."""
        layout = self.layout(signature)
        given = [slot for slot in layout.places if slot.name in inputs]
        lines = [
            f"{slot.name}: {render_value(inputs.get(slot.name), in_text_field=slot.is_text)}"
            for slot in given
        ]
        return "\n\n".join(part for part in (prefix, *lines, suffix) if part)

    def format_assistant_message_content(
        self, signature: SignatureClass, outputs: Fields, missing_field_message: str | None = None
    ) -> str:
        """An assistant turn: the outputs that are given as `name: value`, or what is said of missing ones."""
        lines = []
        for slot in self.layout(signature).outputs:
            value = outputs.get(slot.name)
            if value is None and not (slot.none_allowed and slot.name in outputs):
                value = missing_field_message
            if value is not None or slot.none_allowed:
                lines.append(f"{slot.name}: {render_value(value, in_text_field=slot.is_text)}")
        return "\n\n".join(lines)

    # Reading.

    def follow_up(self, signature: SignatureClass, text: str) -> FollowUp:
        """Ask the second model for the outputs in `text`."""
        return FollowUp(
            self.extraction_adapter, self._extraction(signature), {"text": text}, self.extraction_model
        )

    def parse(self, signature: SignatureClass, completion: str) -> dict[str, Any]:
        """The output fields of an answer, by asking the second model, blocking.

        Raises:
            AdapterParseError: its answer cannot be read.
        """
        step = self.follow_up(signature, completion)
        return answers(step.adapter, step.lm, {}, step.signature, (), step.inputs)[0]

    def _extraction(self, signature: SignatureClass) -> SignatureClass:
        facts = self.layout(signature).facts
        made = facts.get("extraction")
        if made is None:
            outputs = signature.output_fields
            names = ", ".join(f"`{name}`" for name in outputs)
            wanted = {name: (field.annotation, field) for name, field in outputs.items()}
            made = facts["extraction"] = make_signature(
                {"text": (str, InputField()), **wanted},
                f"The text gives {names}. Take each from it as it is stated there; add and change nothing.",
            )
        return made
