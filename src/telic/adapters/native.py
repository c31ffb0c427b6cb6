"""What a model takes or gives natively instead of in its text: tools, calls of them, reasoning, citations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from telic.adapters.kinds import unwrap
from telic.adapters.layout import Layout, Slot
from telic.adapters.rendered import AdapterObject, Fields, SignatureClass
from telic.adapters.unmarked import Bare
from telic.errors import AdapterParseError
from telic.types import Capabilities, Choice
from telic.types.reasoning import Reasoning
from telic.types.tool import Tool
from telic.types.tool_calls import ToolCalls
from telic.types.tool_lookup import as_tool


@dataclass(slots=True)
class Plan:
    """What is left for the prompt, and what goes into the request.

    Attributes:
        asked: the signature without the fields that need no words.
        inputs: the inputs without them.
        params: request parameters.
    """

    asked: SignatureClass
    inputs: Fields
    params: dict[str, Any] = field(default_factory=dict)


def plan(
    adapter: AdapterObject,
    signature: SignatureClass,
    inputs: Fields,
    capabilities: Capabilities,
    lm: Any,
    params: Fields,
) -> Plan:
    """Decide what the model takes care of, by the adapter's settings and what the model can.

    Args:
        adapter: with the settings.
        signature: with at least one output of a custom type.
        inputs: the input fields.
        capabilities: what the model can do.
        lm: who will be asked; `None` leaves everything but tools in the prompt.
        params: what the caller sets in the request.
    """
    layout: Layout = adapter.layout(signature)
    made = Plan(signature, inputs)
    if adapter.use_native_function_calling and capabilities.tools:
        _leave_tools(made, adapter, layout)
    if lm is not None:
        types = adapter.native_response_types
        for slot in layout.natives:
            if slot.annotation in types:
                _leave_response(made, adapter, layout, slot, lm, params)
    return made


def _leave_tools(made: Plan, adapter: AdapterObject, layout: Layout) -> None:
    facts = layout.facts
    if "tools" not in facts:
        calls = next((slot.name for slot in layout.natives if issubclass(slot.annotation, ToolCalls)), None)
        facts["tools"] = (tuple(slot.name for slot in layout.inputs if _takes_tools(slot)), calls)
    given, calls = facts["tools"]
    if not given or calls is None:
        return
    tools = [as_tool(tool) for name in given for tool in _listed(made.inputs.get(name))]
    if tools:
        made.params["tools"] = [tool.format_as_litellm_function_call() for tool in tools]
        if adapter.parallel_tool_calls is not None:
            made.params["parallel_tool_calls"] = adapter.parallel_tool_calls
            made.params["tool_choice"] = "auto"
    made.asked = without(layout, made.asked, (*given, calls))
    made.inputs = {name: value for name, value in made.inputs.items() if name not in given}
    adapter.layout(made.asked).calls = calls


def _takes_tools(slot: Slot) -> bool:
    """Whether a field is of type `Tool`, or a list of them."""
    from typing import get_args, get_origin

    kind = slot.annotation
    if get_origin(kind) in (list, tuple) and get_args(kind):
        kind, _ = unwrap(get_args(kind)[0])
    return isinstance(kind, type) and issubclass(kind, Tool)


def _listed(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _leave_response(
    made: Plan, adapter: AdapterObject, layout: Layout, slot: Slot, lm: Any, params: Fields
) -> None:
    """Ask the type whether the model fills the field by itself."""
    kwargs = {**params, **made.params}
    before = dict(kwargs)
    adapted = slot.annotation.adapt_to_native_lm_feature(made.asked, slot.name, lm, kwargs)
    made.params.update({name: value for name, value in kwargs.items() if before.get(name) != value})
    if adapted is made.asked:
        return
    calls = adapter.layout(made.asked).calls
    left = tuple(name for name in made.asked.output_fields if name not in adapted.output_fields)
    same = adapted.instructions == made.asked.instructions
    # One class each time for one prompt, so that what is known about it is worked out once.
    made.asked = without(layout, made.asked, left) if same and left else adapted
    adapter.layout(made.asked).calls = calls


def without(layout: Layout, signature: SignatureClass, names: tuple[str, ...]) -> SignatureClass:
    """The signature without some fields; always the same class for the same names.

    Args:
        layout: keeps it.
        signature: the one with the fields.
        names: of the fields.
    """
    key = ("without", tuple(signature.output_fields), tuple(signature.input_fields), names)
    found = layout.facts.get(key)
    if found is None:
        found = signature
        for name in names:
            found = found.delete(name)
        layout.facts[key] = found
    return found


def read(
    adapter: AdapterObject, signature: SignatureClass, asked: SignatureClass, choice: Choice
) -> dict[str, Any]:
    """The output fields of an answer with native parts.

    Args:
        adapter: reads the text.
        signature: whose outputs.
        asked: the signature that the prompt was of.
        choice: the answer.

    Raises:
        AdapterParseError: neither the text nor what came natively gives a field that the text should give.
    """
    text = choice.text or ""
    given = _given(adapter, signature, choice)
    called = any(isinstance(value, ToolCalls) for value in given.values())
    try:
        fields = adapter.read(asked, text) if asked.output_fields else {}
    except AdapterParseError as error:
        missing_came = bool(error.missing) and all(name in given for name in error.missing)
        if not (called or missing_came):
            raise
        fields = dict(error.parsed_result or {})
    if called and type(fields) is Bare and not _is_thought(adapter, signature, *fields):
        fields = {}  # text beside calls, with nothing to mark it as the field, is said in passing
    if text.strip() and not (called or asked.output_fields):
        _add_thought(adapter, signature, text.strip(), given)
    return _merged(signature, fields, given)


def _is_thought(adapter: AdapterObject, signature: SignatureClass, name: str) -> bool:
    return any(
        slot.name == name and issubclass(slot.annotation, Reasoning)
        for slot in adapter.layout(signature).natives
    )


def _add_thought(adapter: AdapterObject, signature: SignatureClass, text: str, given: dict[str, Any]) -> None:
    """Text that no field is for, from a model that neither called a tool: it is the end of its thoughts."""
    for slot in adapter.layout(signature).natives:
        if issubclass(slot.annotation, Reasoning):
            before = given.get(slot.name)
            given[slot.name] = slot.annotation(text if before is None else f"{before}\n\n{text}")
            return


def merged(
    adapter: AdapterObject, signature: SignatureClass, choice: Choice, fields: Fields
) -> dict[str, Any]:
    """Fields that were read, and what came natively."""
    return _merged(signature, fields, _given(adapter, signature, choice))


def _merged(signature: SignatureClass, fields: Fields, given: Fields) -> dict[str, Any]:
    return {name: given.get(name, fields.get(name)) for name in signature.output_fields}


def _given(adapter: AdapterObject, signature: SignatureClass, choice: Choice) -> dict[str, Any]:
    """What came natively, by the name of its field."""
    given: dict[str, Any] = {}
    types = adapter.native_response_types
    for slot in adapter.layout(signature).natives:
        value: Any = None
        if issubclass(slot.annotation, ToolCalls):
            if choice.tool_calls:
                value = _calls(adapter, signature, slot, choice)
        elif slot.annotation in types:
            value = slot.annotation.parse_lm_response(_output(choice))
        if value is not None:
            given[slot.name] = value
    return given


def _calls(adapter: AdapterObject, signature: SignatureClass, slot: Slot, choice: Choice) -> ToolCalls:
    from pydantic import ValidationError

    try:
        calls: ToolCalls = slot.annotation.model_validate(list(choice.tool_calls))
    except ValidationError as error:
        wrong = "; ".join(str(problem["msg"]) for problem in error.errors(include_url=False))
        name = type(adapter).__name__
        raise AdapterParseError(
            name, signature, choice.text or "", f"its calls of tools: {wrong}.", missing=(slot.name,)
        ) from error
    return calls


def _output(choice: Choice) -> Any:
    """The answer as `lm(…)` gives it: text, or a dict where there is more."""
    more = {
        "reasoning_content": choice.reasoning,
        "citations": list(choice.citations),
        "tool_calls": list(choice.tool_calls),
        "logprobs": choice.logprobs,
    }
    told = {name: value for name, value in more.items() if value}
    return {"text": choice.text, **told} if told else choice.text
