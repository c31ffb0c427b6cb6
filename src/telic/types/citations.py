"""What a model quoted, and from where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import model_serializer, model_validator

from telic.errors import InputError
from telic.types.base_type import Type

if TYPE_CHECKING:
    from typing import Self


class Citations(Type):
    """Citations of an answer, in order; behaves like a list of them.

    As an output field they are filled natively by providers that cite from `Document` inputs.
    """

    class Citation(Type):
        """One quotation.

        Attributes:
            cited_text: the words quoted.
            document_index: which of the documents given, from 0.
            start_char_index: where in it the quotation begins, in characters.
            end_char_index: where it ends (not included).
            supported_text: the part of the answer that rests on it.
        """

        type: str = "char_location"
        cited_text: str
        document_index: int
        document_title: str | None = None
        start_char_index: int
        end_char_index: int
        supported_text: str | None = None

        def format(self) -> dict[str, Any]:
            """The fields, without title and supported text where there are none."""
            optional = ("document_title", "supported_text")
            shown = {name: getattr(self, name) for name in type(self).model_fields if name not in optional}
            return shown | {name: getattr(self, name) for name in optional if getattr(self, name)}

    citations: list[Citation]

    @classmethod
    def from_dict_list(cls, citations_dicts: list[dict[str, Any]]) -> Citations:
        """From dicts of the fields, as providers give them."""
        return cls(citations=[cls.Citation(**item) for item in citations_dicts])

    @classmethod
    def description(cls) -> str:
        """Asks for quotations with their sources."""
        return "Quotations that the answer rests on: the exact words of each, and where in which document."

    def format(self) -> list[dict[str, Any]]:
        """A list of dicts."""
        return [citation.format() for citation in self.citations]

    @model_serializer()
    def serialize_model(self) -> list[dict[str, Any]]:
        """The same: data, not parts of a message's content."""
        return self.format()

    @classmethod
    def adapt_to_native_lm_feature(
        cls, signature: Any, field_name: str, lm: Any, lm_kwargs: dict[str, Any]
    ) -> Any:
        """Without the field for Anthropic's models, which cite natively."""
        cites = str(getattr(lm, "model", "")).startswith("anthropic/")
        return signature.delete(field_name) if cites else signature

    @classmethod
    def is_streamable(cls) -> bool:
        """Native citations arrive one by one."""
        return True

    @classmethod
    def parse_stream_chunk(cls, chunk: Any) -> Citations | None:
        """The citation in a streamed chunk, if it carries one."""
        choices = getattr(chunk, "choices", None)
        delta = getattr(choices[0], "delta", None) if choices else None
        own = getattr(delta, "provider_specific_fields", None)
        citation = own.get("citation") if isinstance(own, dict) else None
        return cls.from_dict_list([citation]) if isinstance(citation, dict) else None

    @classmethod
    def parse_lm_response(cls, response: Any) -> Self | None:
        """The citations in an answer that is a dict with `citations`."""
        found = response.get("citations") if isinstance(response, dict) else None
        return cls.model_validate(found) if isinstance(found, list) and found else None

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, data: Any) -> Any:
        """Citations from a list of them, one of them, or `{"citations": list}`."""
        if isinstance(data, Citations):
            return {"citations": data.citations}
        if isinstance(data, (list, tuple)):
            return {"citations": list(data)}
        if isinstance(data, dict) and "citations" in data:
            return data
        if isinstance(data, dict) and "cited_text" in data:
            return {"citations": [data]}
        raise InputError(f"Citations: a list of citations is needed, not {data!r:.200}.")

    def __len__(self) -> int:
        return len(self.citations)

    def __iter__(self) -> Iterator[Citation]:  # type: ignore[override]  # the citations, as of a list
        return iter(self.citations)

    def __getitem__(self, index: int) -> Citation:
        return self.citations[index]
