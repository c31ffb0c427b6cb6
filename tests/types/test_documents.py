"""Documents, citations, and decisions with a confidence."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

import telic
from telic.errors import SignatureError
from telic.types import Citations, Document, Type
from telic.types.decisions import Choice, Noul, Score

ROW = {
    "cited_text": "the sea",
    "document_index": 0,
    "document_title": "Tides",
    "start_char_index": 3,
    "end_char_index": 10,
    "supported_text": "It is the sea.",
}


def test_documents() -> None:
    assert Document(data="text").format() == [
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "text"},
            "citations": {"enabled": True},
        }
    ]
    full = Document(data="QUJD", title="T", media_type="application/pdf", context="c").format()[0]
    assert full["source"] == {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}
    assert (full["title"], full["context"]) == ("T", "c")
    assert Document.model_validate("hello") == Document(data="hello")
    assert Document.model_validate(Document(data="hello")).data == "hello"
    assert str(Document(data="x" * 5000, title="T")) == "Document('T', text/plain, 5.0 kB)"
    assert len(repr(Document(data="QUJD" * 900, media_type="application/pdf"))) < 80
    for wrong in (3, {}, {"data": "x", "media_type": "image/png"}):
        with pytest.raises(ValueError, match="Document"):
            Document.model_validate(wrong)


def test_citations() -> None:
    citations = Citations.from_dict_list([ROW])
    assert len(citations) == 1
    assert [c.cited_text for c in citations] == ["the sea"]
    assert citations[0].end_char_index == 10
    assert citations.format() == citations.model_dump() == [{"type": "char_location", **ROW}]
    bare = {name: value for name, value in ROW.items() if name not in ("document_title", "supported_text")}
    assert Citations.from_dict_list([bare])[0].format() == {"type": "char_location", **bare}
    for same in ([ROW], {"citations": [ROW]}, ROW, citations):
        assert Citations.model_validate(same) == citations
    for wrong in ("x", 3, {}, [{"cited_text": "x"}]):
        with pytest.raises(ValueError, match="Citation"):
            Citations.model_validate(wrong)


def test_native_citations() -> None:
    assert Citations.parse_lm_response({"text": "x", "citations": [ROW]}) == Citations.from_dict_list([ROW])
    assert Citations.parse_lm_response({"text": "x"}) is None
    assert Citations.parse_lm_response("x") is None
    delta = SimpleNamespace(provider_specific_fields={"citation": ROW})
    chunk = SimpleNamespace(choices=[SimpleNamespace(delta=delta)])
    assert Citations.parse_stream_chunk(chunk) == Citations.from_dict_list([ROW])
    assert Citations.parse_stream_chunk(SimpleNamespace(choices=[])) is None
    assert Citations.is_streamable()
    fields = {
        "q": (str, telic.InputField()),
        "c": (Citations, telic.OutputField()),
        "a": (str, telic.OutputField()),
    }
    signature = telic.Signature(fields, "Answer.")
    for model, kept in (("openai/gpt-4o", True), ("anthropic/claude-x", False)):
        lm = SimpleNamespace(model=model)
        assert ("c" in Citations.adapt_to_native_lm_feature(signature, "c", lm, {}).output_fields) is kept


def test_choice() -> None:
    kind = Choice[("refund", "wants money back"), ("repair", "wants it mended")]
    assert kind is Choice[("refund", "wants money back"), ("repair", "wants it mended")]
    assert kind.criteria() == {"refund": "wants money back", "repair": "wants it mended"}
    assert '["refund", "wants money back"]' in kind.description()
    assert pydantic.TypeAdapter(kind).json_schema()["properties"]["value"]["enum"] == ["refund", "repair"]
    value = kind(value="refund", confidence=0.5)
    assert value.model_dump() == value.format() == {"confidence": 0.5, "value": "refund"}
    assert pickle.loads(pickle.dumps(value)) == value
    assert kind(value="refund", confidence=1, probabilities={"refund": 1}).model_dump()["probabilities"] == {
        "refund": 1
    }
    assert Choice(value=None, confidence=1).model_dump() == {"confidence": 1, "value": None}
    assert Type.extract_custom_type_from_annotation(list[kind]) == [kind]  # type: ignore[valid-type]
    for wrong in (
        {"value": "other", "confidence": 1},
        {"value": "refund", "confidence": 2},
        {"value": "refund"},
    ):
        with pytest.raises(pydantic.ValidationError):
            kind(**wrong)


def test_score() -> None:
    kind = Score["poor", "fair", "good"]
    assert kind.criteria() == ["poor", "fair", "good"]
    assert float(kind(value=1.2, confidence=0.5)) == 1.2
    assert kind(value=1, confidence=0.5, level=1).level == 1
    schema = pydantic.TypeAdapter(kind).json_schema()["properties"]
    assert (schema["value"]["minimum"], schema["value"]["maximum"]) == (0, 2)
    assert set(schema) == {"confidence", "value"}
    for wrong in (
        {"value": 3, "confidence": 1},
        {"value": float("nan"), "confidence": 1},
        {"value": 1, "confidence": 1, "level": 3},
        {"value": 1, "confidence": 1, "extra": 3},
    ):
        with pytest.raises(pydantic.ValidationError):
            kind(**wrong)


def test_noul() -> None:
    kind = Noul[(True, "spam"), (False, "wanted")]
    assert kind.criteria() == {"true": "spam", "false": "wanted"}
    assert Noul[(True, "spam")].criteria() == {"true": "spam"}
    assert Noul.criteria() is None
    assert not kind(value=False, confidence=1)
    assert bool(kind(value=True, confidence=1, probability=0.9))
    with pytest.raises(pydantic.ValidationError):
        kind(value="true", confidence=1)


@pytest.mark.parametrize(
    ("base", "declared"),
    [
        (Choice, ("a", "b")),
        (Choice, ((1.5, "x"), ("a", "y"))),
        (Choice, ((1, "x"), ("1", "y"))),
        (Choice, (("a", 3), ("b", "y"))),
        (Score, "poor"),
        (Score, (1, 2)),
        (Noul, (("true", "x"),)),
        (Noul, ((True, "x"), (True, "y"))),
    ],
)
def test_declarations_that_make_no_sense(base: Any, declared: Any) -> None:
    with pytest.raises(SignatureError):
        base[declared]
