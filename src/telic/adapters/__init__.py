"""Adapters: signature, demos and inputs to what is sent, and the answer back to typed values."""

from telic.adapters.base import Adapter
from telic.adapters.chat import ChatAdapter
from telic.adapters.completion import CompletionAdapter
from telic.adapters.json_adapter import JSONAdapter
from telic.adapters.named import adapter_by_name
from telic.adapters.rendered import Rendered
from telic.adapters.xml_adapter import XMLAdapter

__all__ = [
    "Adapter",
    "ChatAdapter",
    "CompletionAdapter",
    "JSONAdapter",
    "Rendered",
    "XMLAdapter",
    "adapter_by_name",
]
