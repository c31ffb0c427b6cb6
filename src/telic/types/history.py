"""Earlier turns of a conversation, as an input field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class History(BaseModel):
    """The turns so far, oldest first: each a dict of the signature's fields, inputs and outputs.

    In a field of a signature, the turns become user and assistant messages before the question:

        history = telic.History(messages=[{"question": "…", "answer": "…"}])
        predict(question="And then?", history=history)

    Examples and predictions are taken as turns too.
    """

    model_config = ConfigDict(
        frozen=True, str_strip_whitespace=True, validate_assignment=True, extra="forbid"
    )

    messages: list[dict[str, Any]]

    @field_validator("messages", mode="before")
    @classmethod
    def _turns(cls, messages: Any) -> Any:
        if not isinstance(messages, (list, tuple)):
            return messages
        return [_turn(message) for message in messages]


def _turn(message: Any) -> Any:
    if isinstance(message, Mapping):
        return dict(message)
    as_dict = getattr(message, "toDict", None)  # an Example or a Prediction
    return as_dict() if as_dict is not None else message
