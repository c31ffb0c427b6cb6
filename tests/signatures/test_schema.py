"""JSON schemas, for engines that hold a model to them."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import Any, Literal

import pytest

from telic.errors import SignatureError
from telic.signatures import OutputField, Signature, json_schema, object_schema
from tests.signatures.shapes import Mood, Person, Point, Row


def schema(kind: Any, **options: Any) -> dict[str, Any]:
    return json_schema(OutputField(**options).replace(name="x", annotation=kind))


def test_simple_types() -> None:
    assert schema(str) == {"type": "string"}
    assert schema(int, desc="how many") == {"type": "integer", "description": "how many"}
    assert schema(Literal["a", "b"]) == {"type": "string", "enum": ["a", "b"]}
    assert schema(list[float]) == {"type": "array", "items": {"type": "number"}}
    assert schema(int | None) == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert schema(int, ge=0, lt=5) == {"type": "integer", "minimum": 0, "exclusiveMaximum": 5}


def test_all_outputs_in_one_object() -> None:
    signature = Signature("q -> person: Person, people: list[Person], mood: Mood, row: Row, point: Point")
    made = object_schema(signature.output_fields)
    names = ["person", "people", "mood", "row", "point"]
    assert list(made["properties"]) == made["required"] == names
    assert made["additionalProperties"] is False
    assert made["properties"]["people"] == {"type": "array", "items": {"$ref": "#/$defs/Person"}}
    assert made["$defs"]["Mood"]["enum"] == ["good", "quite bad"]
    assert set(made["$defs"]) == {"Person", "Mood", "Row", "Point"}
    assert object_schema(signature.output_fields) is made
    assert {Person, Mood, Row, Point}


def test_objects_list_all_members_and_allow_no_others() -> None:
    person = schema(Person)["$defs"]["Person"]
    assert person["required"] == ["name", "age", "mood", "friend"]
    assert person["additionalProperties"] is False
    assert "default" not in person["properties"]["mood"]
    assert "title" not in person["properties"]["mood"]
    assert person["properties"]["friend"]["anyOf"][0] == {"$ref": "#/$defs/Person"}
    assert schema(dict[str, int]) == {"type": "object", "additionalProperties": {"type": "integer"}}


def test_members_named_like_words_of_json_schema() -> None:
    from pydantic import BaseModel

    class Book(BaseModel):
        title: str
        default: int = 3

    assert set(schema(Book)["$defs"]["Book"]["properties"]) == {"title", "default"}


def test_patterns_with_look_ahead_are_left_out() -> None:
    assert "pattern" not in str(schema(decimal.Decimal))
    assert schema(str, pattern="^a+$") == {"type": "string", "pattern": "^a+$"}


def test_two_classes_of_one_name() -> None:
    def another() -> type:
        from pydantic import BaseModel

        class Person(BaseModel):
            title: str

        return Person

    signature = Signature("q -> a: Person, b: Other", custom_types={"Person": Person, "Other": another()})
    made = object_schema(signature.output_fields)
    assert made["properties"]["a"] != made["properties"]["b"]
    assert len(made["$defs"]) == 2


def test_a_type_without_a_schema() -> None:
    with pytest.raises(SignatureError, match="no JSON schema for 'x'"):
        schema(Callable[[int], int])
