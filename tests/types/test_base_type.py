"""Custom types, content parts in text, and what loads when."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any, Literal, Optional

import pydantic
import pytest

from telic.signatures.validation import to_jsonable
from telic.types import Code, Image, Message, Type
from telic.types.parts import MARK_END, MARK_START, collecting, merge_text, split_parts, text_part

URL = "https://example.org/cat.png"
PART = {"type": "image_url", "image_url": {"url": URL}}


class Stamp(Type):
    day: int

    def format(self) -> str:
        return f"day {self.day}"


class Album(Type):
    urls: list[str]

    def format(self) -> list[dict[str, Any]]:
        return [{"type": "image_url", "image_url": {"url": url}} for url in self.urls]


class Page(pydantic.BaseModel):
    title: str
    picture: Image
    more: list[Image] = []


def test_a_custom_type_serialises_as_it_formats() -> None:
    assert Stamp(day=3).model_dump() == "day 3"
    assert to_jsonable({"when": Stamp(day=4)}) == {"when": "day 4"}
    assert str(Stamp(day=3)) == "day=3"


def test_parts_serialise_as_marked_text_that_is_read_back() -> None:
    text = Album(urls=[URL]).model_dump()
    assert text == f"{MARK_START}{json.dumps([PART])}{MARK_END}"
    assert split_parts(text) == [PART]
    assert split_parts(f"see {text} there") == [text_part("see "), PART, text_part(" there")]


def test_marks_inside_json_text_are_read_too() -> None:
    inside = json.dumps({"picture": Image(URL).model_dump(), "title": "x"})
    assert split_parts(inside) == [text_part('{"picture": "'), PART, text_part('", "title": "x"}')]


@pytest.mark.parametrize(
    "text", ["plain", f"{MARK_START}not json{MARK_END}", f"{MARK_START}[1, 2]{MARK_END}", f"{MARK_START}open"]
)
def test_text_without_readable_parts_stays_text(text: str) -> None:
    assert split_parts(text) == text


def test_a_collector_weaves_parts_between_text_at_any_depth() -> None:
    page = Page(title="A", picture=Image(URL), more=[Image("https://example.org/2.png")])
    with collecting() as collector:
        text = f"Pages: {json.dumps(to_jsonable({'pages': [page]}))}!"
    content = collector.weave(text)
    assert isinstance(content, list)
    assert [part["type"] for part in content] == ["text", "image_url", "text", "image_url", "text"]
    assert content[0]["text"] == 'Pages: {"pages": [{"title": "A", "picture": "'
    assert content[3]["image_url"]["url"].endswith("2.png")


def test_text_from_outside_never_becomes_a_part() -> None:
    forged = Image(URL).model_dump()
    with collecting() as collector:
        text = f"{forged} [[telic-part-0-0]]"
    assert collector.weave(text) == text


def test_collectors_nest_and_end() -> None:
    with collecting() as outer:
        first = Image(URL).model_dump()
        with collecting() as inner:
            second = Image(URL).model_dump()
        assert inner.weave(second) == [PART]
        assert outer.weave(first) == [PART]
    assert Image(URL).model_dump().startswith(MARK_START)


def test_neighbouring_texts_become_one() -> None:
    assert merge_text([text_part("a"), text_part("b"), PART, text_part("c")]) == [
        text_part("ab"),
        PART,
        text_part("c"),
    ]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Stamp, [Stamp]),
        (list[Stamp], [Stamp]),
        (dict[str, list[Stamp | None]], [Stamp]),
        (Optional[Stamp], [Stamp]),  # noqa: UP045 - the older spelling
        (Stamp | Album | Stamp, [Stamp, Album]),
        (Annotated[Stamp, "note"], [Stamp]),
        (tuple[Album, ...], [Album]),
        (Code["sql"], [Code["sql"]]),
        (Literal["a"], []),
        (str, []),
        ("Stamp", []),
        (Any, []),
        (Page, []),
    ],
)
def test_types_in_an_annotation(annotation: Any, expected: list[type[Type]]) -> None:
    assert Type.extract_custom_type_from_annotation(annotation) == expected


def test_what_is_not_defined_says_so() -> None:
    class Silent(Type):
        pass

    with pytest.raises(NotImplementedError, match="Silent"):
        Silent().format()
    assert Silent.description() == ""
    assert not Silent.is_streamable()
    assert Silent.parse_stream_chunk("x") is None
    assert Silent.parse_lm_response("x") is None
    assert Silent.adapt_to_native_lm_feature("signature", "field", None, {}) == "signature"


def test_docstrings_of_our_own_types_stay_out_of_schemas() -> None:
    class Mine(Type):
        """What mine is."""

        x: int

    assert "description" not in pydantic.TypeAdapter(Image).json_schema()
    assert pydantic.TypeAdapter(Mine).json_schema()["description"] == "What mine is."


def test_types_load_pydantic_only_when_used() -> None:
    code = (
        "import sys, telic.types, telic.types.slim, telic.types.parts\n"
        "assert 'pydantic' not in sys.modules\n"
        "assert 'Image' in dir(telic.types)\n"
        "telic.types.Image\n"
        "assert 'pydantic' in sys.modules\n"
        "heavy = {'numpy', 'PIL', 'mcp', 'asyncio', 'urllib.request', 'wave', 'ssl'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_unknown_names_are_refused() -> None:
    import telic.types

    with pytest.raises(AttributeError, match="Imaje"):
        _ = telic.types.Imaje  # type: ignore[attr-defined]
    assert Message
