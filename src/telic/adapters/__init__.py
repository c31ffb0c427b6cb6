"""Adapters: signature, demos and inputs to what is sent, and the answer back to typed values."""

from typing import TYPE_CHECKING

from telic._lazy import exports
from telic.adapters.base import Adapter
from telic.adapters.chat import ChatAdapter
from telic.adapters.completion import CompletionAdapter
from telic.adapters.json_adapter import JSONAdapter
from telic.adapters.named import adapter_by_name
from telic.adapters.rendered import Rendered
from telic.adapters.xml_adapter import XMLAdapter

if TYPE_CHECKING:
    from telic.adapters.baml import BAMLAdapter
    from telic.adapters.two_step import TwoStepAdapter

__getattr__, __dir__ = exports(
    __name__, {"BAMLAdapter": "telic.adapters.baml", "TwoStepAdapter": "telic.adapters.two_step"}
)
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
