"""The base of values that know how they are shown to a model: images, tools, code, your own."""

from __future__ import annotations

import json
import typing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, model_serializer

from telic.types.parts import MARK_END, MARK_START, current_collector

if TYPE_CHECKING:
    from typing import Self


class Type(BaseModel):
    """Derive from it to decide how values of a type are shown to a model, and read back from it.

    A subclass defines `format`. A value that formats as a list of content parts (OpenAI's shapes: `text`,
    `image_url`, `input_audio`, `file`) stands among the text of a message as those parts, wherever in the
    inputs it is: in a field, a list, a dict or a model.
    """

    def format(self) -> Any:
        """The value as a model is shown it: text, JSON data, or a list of content parts."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is shown: define `format`.")

    @classmethod
    def description(cls) -> str:
        """What a model is told about the type; empty for nothing."""
        return ""

    @classmethod
    def extract_custom_type_from_annotation(cls, annotation: Any) -> list[type[Type]]:
        """The `Type` classes in an annotation, at any depth of lists, dicts, unions and `Annotated`."""
        return list(dict.fromkeys(_types_in(annotation)))

    @classmethod
    def is_streamable(cls) -> bool:
        """Whether `parse_stream_chunk` can say anything."""
        return False

    @classmethod
    def adapt_to_native_lm_feature(
        cls, signature: Any, field_name: str, lm: Any, lm_kwargs: dict[str, Any]
    ) -> Any:
        """Give the field over to a native feature of `lm`, where it has one.

        Args:
            signature: the signature with the field.
            field_name: the output field of this type.
            lm: who will be asked.
            lm_kwargs: parameters of the request; may be changed.

        Returns:
            The signature as the prompt should have it: without the field if the feature fills it.
        """
        return signature

    @classmethod
    def parse_stream_chunk(cls, chunk: Any) -> Any:
        """What a chunk of a streamed answer adds to a value of this type; `None` for nothing."""
        return None

    @classmethod
    def parse_lm_response(cls, response: Any) -> Self | None:
        """The value in a native answer (a text, or a dict with more than text), or `None`."""
        return None

    @model_serializer()
    def serialize_model(self) -> Any:
        """As `format` gives it; a list of content parts as one text that `split_parts` takes apart again."""
        shown = self.format()
        if not isinstance(shown, list):
            return shown
        collector = current_collector()
        if collector is not None:
            return collector.keep(shown)
        return f"{MARK_START}{json.dumps(shown, ensure_ascii=False)}{MARK_END}"

    def __str__(self) -> str:
        # In a message that is being written, so that an adapter's f-string shows what the model is to see.
        if current_collector() is None:
            # A type with a `repr` of its own leaves out there what is too large to show.
            return super().__str__() if type(self).__repr__ is BaseModel.__repr__ else repr(self)
        shown: Any = self.model_dump()
        return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        schema: dict[str, Any] = handler(core_schema)
        if cls.__module__.startswith("telic."):
            # The docstrings of telic's own types speak to programmers, not to models.
            shown = handler.resolve_ref_schema(schema)
            shown.pop("description", None)
            if text := cls.description():
                shown["description"] = text
        return schema


def _types_in(annotation: Any) -> list[type[Type]]:
    if not isinstance(annotation, type) and hasattr(annotation, "__value__"):  # an alias made by `type X = …`
        return _types_in(annotation.__value__)
    arguments = typing.get_args(annotation)
    if arguments:
        return [found for argument in arguments for found in _types_in(argument)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, Type) else []
