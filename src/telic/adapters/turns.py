"""Earlier turns of a conversation as messages, with the calls of tools that were made in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from telic._json import dumps
from telic.adapters.content import content_of
from telic.adapters.rendered import AdapterObject, Fields, SignatureClass
from telic.signatures.validation import to_jsonable
from telic.types import Message

if TYPE_CHECKING:
    from telic.adapters.layout import Layout

RESULTS = "tool_call_results"
"""Under which name results of tools stand where they are no field of the signature."""


def conversation(adapter: AdapterObject, signature: SignatureClass, history: Any) -> list[Message]:
    """A user and an assistant turn for each turn of the history, and what tools gave back.

    Args:
        adapter: writes the turns.
        signature: whose fields the turns hold.
        history: a `History`, its `messages`, or a dict with them.
    """
    messages: list[Message] = []
    layout: Layout = adapter.layout(signature)
    for turn in turns_of(history):
        if any(slot.name in turn for slot in layout.inputs):
            messages.append({"role": "user", "content": _asked(adapter, signature, layout, turn)})
        messages += _answered(adapter, signature, layout, turn)
    return messages


def turns_of(history: Any) -> Sequence[Fields]:
    """The turns in a `History`, in a dict of one, or in a list of turns."""
    turns: Any = history["messages"] if isinstance(history, Mapping) else history
    found: Sequence[Fields] = getattr(turns, "messages", turns)
    return found


def _asked(adapter: AdapterObject, signature: SignatureClass, layout: Layout, turn: Fields) -> Any:
    def write() -> Any:
        return adapter.format_user_message_content(signature, turn, main_request=True)

    return content_of(layout, turn, write)


def _answered(
    adapter: AdapterObject, signature: SignatureClass, layout: Layout, turn: Fields
) -> list[Message]:
    calls, results = _calls_in(layout, turn)
    if layout.calls is None or calls is None:
        # The calls, if any, are a field like others.
        said: list[Message] = [{"role": "assistant", "content": _said(adapter, signature, layout, turn)}]
        if results is not None:
            shown = adapter.format_section(RESULTS, dumps(to_jsonable(results)))
            said.append({"role": "user", "content": shown})
        return said
    told = any(turn.get(slot.name) is not None for slot in layout.outputs)
    content = adapter.format_assistant_message_content(signature, turn) if told else None
    if results is None:  # servers refuse calls whose results are not there
        parts = [content, adapter.format_section(layout.calls, dumps(to_jsonable(calls)))]
        return [{"role": "assistant", "content": "\n\n".join(part for part in parts if part)}]
    message = {"role": "assistant", "content": content, "tool_calls": calls.format_as_openai()}
    return [message, *results.format_as_openai()]


def _said(adapter: AdapterObject, signature: SignatureClass, layout: Layout, turn: Fields) -> str:
    """The outputs; where a turn has none of them, as in an agent that was asked step by step, what it has."""
    asked = {slot.name for slot in layout.inputs}
    others = {name: value for name, value in turn.items() if name not in asked and value is not None}
    if not others or any(slot.name in turn for slot in layout.outputs):
        content: str = adapter.format_assistant_message_content(signature, turn)
        return content
    return "\n\n".join(
        adapter.format_section(name, value if isinstance(value, str) else dumps(to_jsonable(value)))
        for name, value in others.items()
    )


def _calls_in(layout: Layout, turn: Fields) -> tuple[Any, Any]:
    """The calls made in a turn and their results, each `None` where there are none.

    Results are those of the calls themselves, or a `ToolCallResults` that is no field of the signature.
    """
    name = layout.calls or next((slot.name for slot in layout.natives if _makes_calls(slot.annotation)), None)
    if name is None or turn.get(name) is None:
        return None, None
    from telic.types import ToolCallResults, ToolCalls

    calls = ToolCalls.model_validate(turn[name])
    known = {slot.name for slot in (*layout.inputs, *layout.outputs)}
    others = (turn[key] for key in turn if key not in known)
    results = calls.tool_call_results or next(
        (value for value in others if isinstance(value, ToolCallResults)), None
    )
    return calls, None if results is None else ToolCallResults.model_validate(results)


def _makes_calls(annotation: Any) -> bool:
    from telic.types import ToolCalls

    return issubclass(annotation, ToolCalls)
