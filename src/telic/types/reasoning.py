"""A model's reasoning: text of its own, native where the provider gives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex

from pydantic import model_validator

from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.wrapped import unwrapped

if TYPE_CHECKING:
    from typing import Self


class Reasoning(Type):
    """Behaves like the text `content`: compare, slice, join with `+`, search, and call any method of `str`.

    As an output field it is filled from the model's native reasoning where that is on, and asked for in the
    prompt where not.
    """

    content: str

    def __init__(self, content: str | None = None, /, **data: Any) -> None:
        super().__init__(**({**data, "content": content} if content is not None else data))

    def format(self) -> str:
        """The text."""
        return self.content

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, data: Any) -> Any:
        """Reasoning from text or from `{"content": text}`."""
        if isinstance(data, Reasoning):
            return {"content": data.content}
        if isinstance(data, str):
            return {"content": unwrapped(data, "content")}
        if isinstance(data, dict) and isinstance(data.get("content"), str):
            return data
        raise InputError(f"Reasoning: text or {{'content': text}} is needed, not {data!r:.200}.")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string"}

    @classmethod
    def adapt_to_native_lm_feature(
        cls, signature: Any, field_name: str, lm: Any, lm_kwargs: dict[str, Any]
    ) -> Any:
        """Without the field, if `lm` reasons natively and an effort is set (in `lm_kwargs` or on the LM)."""
        if "reasoning_effort" in lm_kwargs:
            effort = lm_kwargs["reasoning_effort"]
        else:
            effort = getattr(lm, "kwargs", {}).get("reasoning_effort")
        if effort is None or effort == "none" or not getattr(lm, "supports_reasoning", False):
            return signature
        lm_kwargs["reasoning_effort"] = effort
        return signature.delete(field_name)

    @classmethod
    def is_streamable(cls) -> bool:
        """Native reasoning arrives in pieces."""
        return True

    @classmethod
    def parse_stream_chunk(cls, chunk: Any) -> str | None:
        """The reasoning in a chunk: `chunk.reasoning` of telic's, `delta.reasoning_content` of OpenAI's."""
        own = getattr(chunk, "reasoning", None)
        if isinstance(own, str):
            return own
        choices = getattr(chunk, "choices", None)
        delta = getattr(choices[0], "delta", None) if choices else None
        text = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        return text if isinstance(text, str) else None

    @classmethod
    def parse_lm_response(cls, response: Any) -> Self | None:
        """The native reasoning in an answer that is a dict with `reasoning_content`."""
        text = response.get("reasoning_content") if isinstance(response, dict) else None
        return cls(content=text) if isinstance(text, str) else None

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return repr(self.content)

    def __format__(self, spec: str) -> str:
        return format(self.content, spec)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (str, Reasoning)):
            return self.content == str(other)
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.content < str(other) if isinstance(other, (str, Reasoning)) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.content > str(other) if isinstance(other, (str, Reasoning)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.content)

    def __len__(self) -> int:
        return len(self.content)

    def __contains__(self, part: object) -> bool:
        return str(part) in self.content

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # characters, as of a str
        return iter(self.content)

    def __getitem__(self, index: SupportsIndex | slice) -> str:
        return self.content[index]

    def __add__(self, other: object) -> Any:
        if isinstance(other, Reasoning):
            return Reasoning(content=self.content + other.content)
        return self.content + other if isinstance(other, str) else NotImplemented

    def __radd__(self, other: object) -> str:
        return other + self.content if isinstance(other, str) else NotImplemented

    def __getattr__(self, name: str) -> Any:
        content = self.__dict__.get("content")
        if name.startswith("_") or content is None or not hasattr(str, name):
            raise AttributeError(
                f"'Reasoning' has no attribute '{name}'; it has those of a str, and its text is `content`."
            )
        return getattr(content, name)
