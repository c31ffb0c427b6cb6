"""What travels between the layers: messages, requests, responses, usage."""

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

__all__ = ["Capabilities", "Choice", "Constraint", "FinishReason", "Message", "Request", "Response", "Usage"]
