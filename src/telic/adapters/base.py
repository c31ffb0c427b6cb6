"""What an adapter is: signature, demos and inputs to a prompt, and the answer back to typed values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self
from weakref import WeakKeyDictionary

from telic.adapters.calling import aanswers, answers
from telic.adapters.content import text_of
from telic.adapters.pieces import Pieces
from telic.adapters.rendered import DEFAULT_CAPABILITIES, NOTHING, Fields, FollowUp, Rendered, SignatureClass
from telic.errors import AdapterParseError
from telic.types import Capabilities, Choice, Constraint

OnParseFailure = Literal["repair", "json", "none"]


class Adapter(Pieces):
    """Turns a signature with demos and inputs into what is sent, and what came back into typed values.

    Adapters are pure and keep no state but a cache of what they worked out per signature, so one instance
    serves all threads. The `format_*` methods are the pieces to override; those that depend on the signature
    alone are called once per signature. A subclass must define `parse` and the `format_*` methods that raise
    here. One that overrides `__call__` (or `acall`) has the whole exchange with the model in its own hands.

    Args:
        callbacks: told of each prompt this adapter makes and each answer it reads.
        use_native_function_calling: give tools (inputs of type `Tool` or `list[Tool]`) to models that can
            call them natively, and read the output of type `ToolCalls` from the calls; neither is then in
            the prompt.
        native_response_types: output types that models may fill natively; `Citations` and `Reasoning` by
            default.
        parallel_tool_calls: whether a model may make several native calls at once; `None` leaves it to the
            model.
        on_parse_failure: what is done about an answer that cannot be read. `"repair"` shows the model what
            was wrong and asks again; `"json"` asks anew for JSON, where the adapter has that way out;
            `"none"` raises. Under the latter two, an answer that is nothing but the value of the only field
            cannot be read. `None` leaves it to the settings (`json_fallback`); without them it is `"repair"`.

    Attributes:
        name: what `adapter_by_name` and saved programs call it.
        options: the keyword arguments that differ from the defaults; JSON values.
        two_steps: whether its answers are read by asking another model, see `follow_up`.
    """

    name: ClassVar[str] = ""
    two_steps: ClassVar[bool] = False
    options: dict[str, Any]
    callbacks: list[Any]
    use_native_function_calling: bool = False
    parallel_tool_calls: bool | None = None
    on_parse_failure: OnParseFailure | None = None
    _native_types: list[type] | None

    def __new__(cls, *args: Any, **options: Any) -> Self:  # noqa: D102
        # Here rather than in `__init__`, which a subclass may forget to call.
        made = super().__new__(cls)
        made.options = {}
        made.callbacks = []
        made._native_types = None
        made._layouts = WeakKeyDictionary()
        return made

    def __init__(
        self,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = False,
        native_response_types: list[type] | None = None,
        parallel_tool_calls: bool | None = None,
        *,
        on_parse_failure: OnParseFailure | None = None,
    ) -> None:
        self.callbacks = list(callbacks or ())
        self._native_types = native_response_types
        self._choose(
            use_native_function_calling=use_native_function_calling,
            parallel_tool_calls=parallel_tool_calls,
            on_parse_failure=on_parse_failure or type(self).on_parse_failure,
        )

    def _choose(self, **options: Any) -> None:
        """Set options, and keep for saved programs those that differ from the class's own."""
        for name, value in options.items():
            if value != getattr(type(self), name):
                setattr(self, name, value)
                self.options[name] = value

    @property
    def native_response_types(self) -> list[type]:
        """Output types that models may fill natively."""
        if self._native_types is None:
            from telic.types import Citations, Reasoning

            return [Citations, Reasoning]
        return self._native_types

    # The whole exchange with a model, for those who have no predictor, or override it.

    def __call__(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
    ) -> list[dict[str, Any]]:
        """Ask `lm`, blocking.

        Args:
            lm: called as `lm(messages=…, **lm_kwargs)`.
            lm_kwargs: parameters of the request.
            signature: what is asked.
            demos: examples shown before the question.
            inputs: the input fields.

        Returns:
            The output fields, once for each answer.

        Raises:
            AdapterParseError: an answer cannot be read, and asking again did not help.
        """
        return answers(self, lm, lm_kwargs, signature, demos, inputs)

    async def acall(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
    ) -> list[dict[str, Any]]:
        """`__call__` on the running loop, with `lm.acall`."""
        return await aanswers(self, lm, lm_kwargs, signature, demos, inputs)

    # What the rest of telic calls.

    def render(
        self,
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
        capabilities: Capabilities = DEFAULT_CAPABILITIES,
        lm: Any = None,
        params: Fields = NOTHING,
    ) -> Rendered:
        """What to send.

        Fields that the model takes or gives natively are left out of the prompt. A model without chat is
        sent the same text as one prompt.

        Args:
            signature: what is asked.
            demos: examples shown before the question.
            inputs: the input fields.
            capabilities: what the model can do.
            lm: who will be asked, for types with native features.
            params: what the caller sets in the request.
        """
        if not self.layout(signature).natives:
            return self.compose(signature, demos, inputs, capabilities, params)
        from telic.adapters.native import plan

        planned = plan(self, signature, inputs, capabilities, lm, params)
        rendered = self.compose(planned.asked, demos, planned.inputs, capabilities, params)
        return replace(rendered, params={**rendered.params, **planned.params}, asked=planned.asked)

    def compose(
        self,
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
        capabilities: Capabilities,
        params: Fields = NOTHING,
    ) -> Rendered:
        """What to send for a signature of which nothing is left to native features."""
        messages = self.format(signature, demos, inputs)
        # The caller's own form of the answer comes before the adapter's.
        constraint = None if "response_format" in params else self.constraint(signature, capabilities)
        if capabilities.chat or not capabilities.completion:
            return Rendered(messages, constraint=constraint)
        prompt = "".join(f"{text_of(message['content']).strip()}\n\n" for message in messages)
        return Rendered(prompt=prompt, constraint=constraint)

    def read(self, signature: SignatureClass, text: str) -> dict[str, Any]:
        """The output fields of an answer, each valid for its type.

        Raises:
            AdapterParseError: a field is missing or does not fit; says which, and why.
        """
        return self.parse(signature, text)

    def read_choice(self, signature: SignatureClass, rendered: Rendered, choice: Choice) -> dict[str, Any]:
        """The output fields of one of the answers to what was rendered: from its text and from what came
        natively.

        A field that only a native feature could give is `None` where it gave nothing. Where the model called
        tools, fields that its text does not give are `None` too.

        Raises:
            AdapterParseError: as for `read`.
        """
        if not self.layout(signature).natives:
            return self.read(signature, choice.text or "")
        from telic.adapters.native import read

        return read(self, signature, rendered.asked or signature, choice)

    def speaker(self, capabilities: Capabilities) -> Adapter:
        """Who speaks to a model of these capabilities: this adapter, or another in its place."""
        return self

    def fallback(self) -> Adapter | None:
        """Who asks anew under `on_parse_failure="json"`, if anyone does."""
        return None

    def follow_up(self, signature: SignatureClass, text: str) -> FollowUp:
        """How to have an answer read, for adapters of `two_steps`.

        Args:
            signature: whose outputs.
            text: the answer.
        """
        raise NotImplementedError(f"{type(self).__name__} must define follow_up")

    def repair(
        self, signature: SignatureClass, rendered: Rendered, text: str, error: AdapterParseError
    ) -> Rendered:
        """The same request, the model's own answer, what was wrong with it, and the question again."""
        note = self.repair_note(signature, error)
        if rendered.messages is None:
            prompt = f"{rendered.prompt}{text.rstrip()}\n\n{note}\n\n"
            return replace(rendered, prompt=prompt)
        asked = {"role": "user", "content": note}
        if text.strip():
            turns = [*rendered.messages, {"role": "assistant", "content": text}, asked]
        elif rendered.messages[-1]["role"] == "tool":
            turns = [*rendered.messages, asked]
        else:
            # Several providers refuse an empty turn, and two turns of one role in a row.
            *earlier, last = rendered.messages
            turns = [*earlier, {**last, "content": _appended(last["content"], note)}]
        return replace(rendered, messages=turns)

    def constraint(self, signature: SignatureClass, capabilities: Capabilities) -> Constraint | None:
        """How the answer can be narrowed on a model of these capabilities; by default not at all."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Name and options; `adapter_by_name(**row)` makes the adapter again."""
        return {"name": self.name, **self.options}

    def repair_note(self, signature: SignatureClass, error: AdapterParseError) -> str:
        """What a model is told about an answer that could not be read."""
        return (
            f"That answer cannot be used: {error.detail}\nGive the whole answer again, with this put right."
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_layouts"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.options.items())})"


def _appended(content: Any, note: str) -> Any:
    if isinstance(content, str):
        return f"{content}\n\n{note}"
    return [*content, {"type": "text", "text": f"\n\n{note}"}]
