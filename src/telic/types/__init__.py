"""What travels between the layers: messages, requests, responses, usage; and the kinds of values in them.

The kinds of values (`Image`, `Tool`, …) load with pydantic when they are first asked for.
"""

from typing import TYPE_CHECKING

from telic._lazy import exports
from telic.types.request import (
    Capabilities,
    Choice,
    Constraint,
    FinishReason,
    Message,
    Request,
    Response,
    Usage,
)

if TYPE_CHECKING:
    from telic.types.audio import Audio
    from telic.types.base_type import Type
    from telic.types.citations import Citations
    from telic.types.code import Code
    from telic.types.document import Document
    from telic.types.file import File
    from telic.types.history import History
    from telic.types.image import Image
    from telic.types.reasoning import Reasoning
    from telic.types.tool import Tool
    from telic.types.tool_calls import ToolCalls
    from telic.types.tool_results import ToolCallResults

_TABLE = {
    "Audio": "telic.types.audio",
    "Citations": "telic.types.citations",
    "Code": "telic.types.code",
    "Document": "telic.types.document",
    "File": "telic.types.file",
    "History": "telic.types.history",
    "Image": "telic.types.image",
    "Reasoning": "telic.types.reasoning",
    "Tool": "telic.types.tool",
    "ToolCallResults": "telic.types.tool_results",
    "ToolCalls": "telic.types.tool_calls",
    "Type": "telic.types.base_type",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = [
    "Audio",
    "Capabilities",
    "Choice",
    "Citations",
    "Code",
    "Constraint",
    "Document",
    "File",
    "FinishReason",
    "History",
    "Image",
    "Message",
    "Reasoning",
    "Request",
    "Response",
    "Tool",
    "ToolCallResults",
    "ToolCalls",
    "Type",
    "Usage",
]
