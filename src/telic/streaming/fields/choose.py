"""Which reader follows the answers of an adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telic.adapters.base import Adapter
from telic.adapters.chat import ChatAdapter
from telic.adapters.completion import CompletionAdapter
from telic.adapters.json_adapter import JSONAdapter
from telic.adapters.kinds import DATA, SCALARS
from telic.adapters.layout import Slot
from telic.adapters.xml_adapter import XMLAdapter
from telic.streaming.fields.base import FieldReader
from telic.streaming.fields.chat import ChatReader
from telic.streaming.fields.json_object import JsonReader
from telic.streaming.fields.labels import Labelled, LabelReader
from telic.streaming.fields.xml_elements import XmlReader


def reader_for(adapter: Adapter, signature: Any, rendered: Any = None) -> FieldReader | None:
    """A reader for one answer, or `None` where only the whole answer can be read.

    An adapter that reads in a way of its own may say how its answers are followed: by a method
    `field_reader(signature)` that gives a `FieldReader`.

    Args:
        adapter: whose answer it is.
        signature: what is asked.
        rendered: what was sent, where the form of the answer depends on it.
    """
    own = getattr(adapter, "field_reader", None)
    if own is not None:
        reader: FieldReader | None = own(signature)
        return reader
    # By how it reads, not by its class: one that reads otherwise than its base must not be followed as that.
    make = _MAKERS.get(type(adapter).parse)
    return None if make is None else make(adapter, signature, rendered)


def _chat(adapter: Adapter, signature: Any, _: Any) -> FieldReader:
    return ChatReader(adapter.layout(signature).by_output)


def _json(adapter: Adapter, signature: Any, _: Any) -> FieldReader:
    return JsonReader(adapter.layout(signature).by_output)


def _xml(adapter: Adapter, signature: Any, _: Any) -> FieldReader:
    outputs = adapter.layout(signature).outputs
    return XmlReader([slot.name for slot in outputs], [slot.name for slot in outputs if slot.kind is DATA])


def _labels(adapter: Adapter, signature: Any, rendered: Any) -> FieldReader:
    layout = adapter.layout(signature)
    stops = [label for slot in layout.inputs for label in _spellings(slot)]
    # Who goes on with a prompt begins with the value; who answers a message may talk first.
    chatty = rendered is not None and getattr(rendered, "prompt", None) is None
    return LabelReader([_labelled(slot) for slot in layout.outputs], stops, chatty=chatty)


def _labelled(slot: Slot) -> Labelled:
    if slot.kind in SCALARS and not any("\n" in choice for choice in slot.choices):
        return Labelled(slot.name, _spellings(slot), "line")
    return Labelled(slot.name, _spellings(slot), "data" if slot.kind is DATA else "text")


def _spellings(slot: Slot) -> list[str]:
    return [slot.head.removesuffix(":"), slot.name]


_MAKERS: dict[Any, Callable[[Adapter, Any, Any], FieldReader]] = {
    ChatAdapter.parse: _chat,
    JSONAdapter.parse: _json,
    XMLAdapter.parse: _xml,
    CompletionAdapter.parse: _labels,
}
