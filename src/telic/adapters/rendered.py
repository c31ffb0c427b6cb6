"""What an adapter makes of a signature, demos and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from telic.types import Capabilities, Constraint, Message

SignatureClass: TypeAlias = Any
"""A `Signature` class; read only through `instructions`, `input_fields`, `output_fields` and `delete`."""
AdapterObject: TypeAlias = Any
"""An `Adapter`; under this name so that what adapters are made of can speak of them."""
Fields: TypeAlias = Mapping[str, Any]
"""Names to values: a dict, or an `Example`, which answers `get` and `items` alike."""

DEFAULT_CAPABILITIES = Capabilities()
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send. Exactly one of `messages` and `prompt` is set.

    Attributes:
        messages: chat messages; what never changes first, the new input last.
        prompt: text to continue.
        constraint: how the engine may narrow the answer.
        params: request parameters the adapter wants (`stop`, `tools`); the caller's own win.
        asked: the signature that the prompt is of, where that is not the whole one: without the fields that
            native features of the model take care of.
    """

    messages: list[Message] | None = None
    prompt: str | None = None
    constraint: Constraint | None = None
    params: dict[str, Any] = field(default_factory=dict)
    asked: SignatureClass | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A second question, asked to read the answer to the first.

    Attributes:
        adapter: who asks it.
        signature: what is asked; its outputs are those of the first question.
        inputs: the input fields.
        lm: who is asked.
    """

    adapter: AdapterObject
    signature: SignatureClass
    inputs: Fields
    lm: Any
