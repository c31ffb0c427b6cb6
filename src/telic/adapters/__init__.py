"""Adapters: signature, demos and inputs to what is sent, and the answer back to typed values."""

from typing import TYPE_CHECKING

from telic._lazy import exports

if TYPE_CHECKING:
    from telic.adapters.baml import BAMLAdapter
    from telic.adapters.base import Adapter
    from telic.adapters.chat import ChatAdapter
    from telic.adapters.completion import CompletionAdapter
    from telic.adapters.json_adapter import JSONAdapter
    from telic.adapters.named import adapter_by_name
    from telic.adapters.rendered import Rendered
    from telic.adapters.two_step import TwoStepAdapter
    from telic.adapters.xml_adapter import XMLAdapter

_TABLE = {
    "Adapter": "telic.adapters.base",
    "BAMLAdapter": "telic.adapters.baml",
    "ChatAdapter": "telic.adapters.chat",
    "CompletionAdapter": "telic.adapters.completion",
    "JSONAdapter": "telic.adapters.json_adapter",
    "Rendered": "telic.adapters.rendered",
    "TwoStepAdapter": "telic.adapters.two_step",
    "XMLAdapter": "telic.adapters.xml_adapter",
    "adapter_by_name": "telic.adapters.named",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = [
    "Adapter",
    "BAMLAdapter",
    "ChatAdapter",
    "CompletionAdapter",
    "JSONAdapter",
    "Rendered",
    "TwoStepAdapter",
    "XMLAdapter",
    "adapter_by_name",
]
