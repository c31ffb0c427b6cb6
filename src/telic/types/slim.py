"""Messages without their payloads: what records and logs keep of pictures, sounds and files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from telic._json import dumps
from telic.types.parts import MARK_START, replace_parts
from telic.types.request import Message, Request

_LONGEST = 1_000
"""Characters of an unbroken text that is kept in a content part; addresses are shorter, payloads longer."""


def slim_messages(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages with each inline payload replaced, as by `<image/png, 12.3 kB, #9f86d081>`.

    Returns:
        The very same object where there is no payload, as is usual: one type test a message then.
    """
    for place, message in enumerate(messages):
        content = message.get("content")
        if type(content) is list and (kept := slim_value(content)) is not content:
            rest = [_slim_message(later) for later in messages[place + 1 :]]
            return [*messages[:place], {**message, "content": kept}, *rest]
    return messages


def slim_request(request: Request) -> Request:
    """The request as it is recorded: its key is still that of the whole content."""
    if request.messages is None:
        return request
    kept = slim_messages(request.messages)
    if kept is request.messages:
        return request
    key = request.key
    slim = dataclasses.replace(request, messages=kept)
    slim.__dict__["key"] = key  # where the cached property keeps it
    return slim


def slim_value(value: Any) -> Any:
    """JSON data with payloads replaced, those of serialised values too.

    Returns:
        The very same object where there are none.
    """
    if isinstance(value, str):
        return _slim_text(value)
    if isinstance(value, list):
        items = [slim_value(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        # The text of a text part is what was said, however long.
        fields = {key: item if key == "text" else slim_value(item) for key, item in value.items()}
        return fields if any(fields[key] is not item for key, item in value.items()) else value
    return value


def _slim_message(message: Message) -> Message:
    content = message.get("content")
    if type(content) is not list:
        return message
    kept = slim_value(content)
    return message if kept is content else {**message, "content": kept}


def _slim_text(text: str) -> str:
    if MARK_START in text:  # a value of a `Type` inside other data
        return replace_parts(text, lambda parts: dumps(slim_value(parts)))
    if text[:5].lower() == "data:":
        import telic.types.media as media

        return media.describe_url(text) if len(text) > 100 else text
    if len(text) <= _LONGEST or not text[:200].isascii() or any(mark.isspace() for mark in text[:200]):
        return text
    import telic.types.media as media

    return f"<{media.describe(text)}>"
