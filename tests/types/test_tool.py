"""Tools from functions: what a model is told, and what the function is given."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import functools
import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import pydantic
import pytest

from telic.errors import InputError
from telic.types import Tool


class Guest(pydantic.BaseModel):
    """Somebody who comes."""

    name: str
    age: int | None = None
    tags: list[str] = pydantic.Field(default_factory=list, description="words about them")


class Tree(pydantic.BaseModel):
    value: int
    children: list[Tree] = []


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


def greet(x: int, y: str = "hello") -> str:
    """Greet somebody."""
    return f"{x} {y}"


async def agreet(x: int) -> str:
    """Greet, later."""
    await asyncio.sleep(0)
    return f"later {x}"


# What a model is told


def test_a_function_describes_itself() -> None:
    tool = Tool(greet)
    assert (tool.name, tool.desc, tool.has_kwargs) == ("greet", "Greet somebody.", False)
    assert tool.args == {"x": {"type": "integer"}, "y": {"type": "string", "default": "hello"}}
    assert tool.arg_types == {"x": int, "y": str}
    assert tool.func is greet
    assert tool.format_as_litellm_function_call() == {
        "type": "function",
        "function": {
            "name": "greet",
            "description": "Greet somebody.",
            "parameters": {"type": "object", "properties": tool.args, "required": ["x"]},
        },
    }
    for text in (str(tool), tool.format(), tool.model_dump()):
        assert text.startswith("greet: Greet somebody. Arguments: {")
        assert json.loads(text.partition("Arguments: ")[2]) == tool.args


def test_what_is_given_goes_before_what_is_found() -> None:
    tool = Tool(greet, name="hi", desc="Says hi.", arg_desc={"x": "how often"})
    assert (tool.name, tool.desc) == ("hi", "Says hi.")
    assert tool.args is not None
    assert tool.args["x"] == {"type": "integer", "description": "how often"}
    assert tool.arg_desc == {"x": "how often"}
    by_schema = Tool(lambda x, y=1: (x, y), name="f", desc="D", args={"x": {"type": "integer"}, "y": {}})
    assert by_schema.args == {"x": {"type": "integer"}, "y": {}}
    assert by_schema.arg_types == {"x": int, "y": Any}
    assert by_schema.format_as_litellm_function_call()["function"]["parameters"]["required"] == ["x"]
    assert Tool(lambda x: x, args={"x": {"type": "integer"}}, arg_types={"x": float}).arg_types == {
        "x": float
    }


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, {"type": "integer"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (datetime.date, {"type": "string", "format": "date"}),
        (Size, {"type": "string", "enum": ["s", "l"], "title": "Size"}),
        (Annotated[int, pydantic.Field(ge=1, description="at least one")],
         {"type": "integer", "minimum": 1, "description": "at least one"}),
        (Any, {}),
    ],
)  # fmt: skip
def test_annotations_become_schemas(annotation: Any, schema: dict[str, Any]) -> None:
    def function(x): ...  # type: ignore[no-untyped-def]

    function.__annotations__["x"] = annotation
    tool = Tool(function)
    assert tool.args == {"x": schema}
    assert tool.arg_types == {"x": annotation}


def test_models_are_written_out() -> None:
    def invite(guest: Guest, others: list[Guest], at: Point | None = None) -> None: ...

    tool = Tool(invite)
    assert tool.args is not None
    text = json.dumps(tool.args)
    assert "$ref" not in text
    assert "$defs" not in text
    assert tool.args["guest"]["properties"]["tags"]["description"] == "words about them"
    assert tool.args["others"]["items"]["required"] == ["name"]


def test_types_that_contain_themselves_are_written_out_once() -> None:
    def plant(tree: Tree) -> None: ...

    args = Tool(plant).args
    assert args is not None
    assert args["tree"]["properties"]["children"]["items"] == {"title": "Tree"}
    assert "$ref" not in json.dumps(args)


def test_defaults_are_json_and_make_an_argument_optional() -> None:
    def f(a: Size = Size.LARGE, b: tuple[int, str] = (1, "x"), c: Any = object(), d=None) -> None: ...  # type: ignore[no-untyped-def]  # noqa: B008

    tool = Tool(f)
    assert tool.args is not None
    assert tool.args["a"]["default"] == "l"
    assert tool.args["b"]["default"] == [1, "x"]
    assert tool.args["c"] == {}
    assert tool.args["d"] == {"default": None}
    assert tool.format_as_litellm_function_call()["function"]["parameters"]["required"] == []


def google(a: int, b: str, *rest: int, **more: Any) -> None:
    """Do it.

    At length.

    Args:
        a (int): the first,
            which goes on.
        b: the second: with a colon
        *rest: others.

    Returns:
        Nothing.
    """


def numpy_style(a: int, b: str) -> None:
    """Do it.

    At length.

    Parameters
    ----------
    a : int
        the first,
        which goes on.
    b : str, optional
        the second: with a colon

    Returns
    -------
    None
    """


def sphinx(a: int, b: str) -> None:
    """Do it.

    At length.

    :param a: the first,
        which goes on.
    :param str b: the second: with a colon
    :returns: nothing
    """


@pytest.mark.parametrize("function", [google, numpy_style, sphinx])
def test_docstrings_describe_arguments(function: Callable[..., Any]) -> None:
    tool = Tool(function)
    assert tool.args == {
        "a": {"type": "integer", "description": "the first, which goes on."},
        "b": {"type": "string", "description": "the second: with a colon"},
    }
    assert tool.desc is not None
    assert tool.desc.startswith("Do it.\n\nAt length.\n\n")
    assert "the first" not in tool.desc
    assert "eturns" in tool.desc


@pytest.mark.parametrize(
    ("doc", "desc"),
    [
        (None, None),
        ("  ", None),
        ("Args:", "Args:"),
        ("One.\n\nArgs:\n\nTwo.", "One.\n\nArgs:\n\nTwo."),
        ("Parameters of the sea.", "Parameters of the sea."),
        ("Do.\n\nExample:\n    x: 1\n\nMore.", "Do.\n\nExample:\n    x: 1\n\nMore."),
    ],
)
def test_odd_docstrings_are_left_alone(doc: str | None, desc: str | None) -> None:
    def function(x: int) -> None: ...

    function.__doc__ = doc
    tool = Tool(function)
    assert (tool.desc, tool.args) == (desc, {"x": {"type": "integer"}})


class Counter:
    """Counts."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self, by: int = 1) -> int:
        self.total += by
        return self.total

    def add(self, by: int) -> int:
        """Add some."""
        return self(by)

    @classmethod
    def zero(cls, a: int) -> int:
        """Zero."""
        return 0 * a

    @staticmethod
    def one(a: int) -> int:
        """One."""
        return a**0


class Bare:
    def __call__(self, by: int) -> int:
        """Calls.

        Args:
            by: how many
        """
        return by


@pytest.mark.parametrize(
    ("function", "name", "desc", "args"),
    [
        (Counter(), "Counter", "Counts.", {"by": {"type": "integer", "default": 1}}),
        (Bare(), "Bare", "Calls.", {"by": {"type": "integer", "description": "how many"}}),
        (Counter().add, "add", "Add some.", {"by": {"type": "integer"}}),
        (Counter.zero, "zero", "Zero.", {"a": {"type": "integer"}}),
        (Counter.one, "one", "One.", {"a": {"type": "integer"}}),
        (functools.partial(greet, y="z"), "greet", "Greet somebody.",
         {"x": {"type": "integer"}, "y": {"type": "string", "default": "z"}}),
        (Counter, "Counter", "Counts.", {}),
        (len, "len", "Return the number of items in a container.", {"obj": {}}),
        (lambda q: q, "<lambda>", None, {"q": {}}),
    ],
)  # fmt: skip
def test_whatever_can_be_called(function: Any, name: str, desc: str | None, args: dict[str, Any]) -> None:
    tool = Tool(function)
    assert (tool.name, tool.desc, tool.args) == (name, desc, args)


def test_a_tool_of_a_tool_is_the_same_with_changes() -> None:
    tool = Tool(greet, arg_desc={"x": "how often"})
    assert Tool(tool) == tool
    other = Tool(tool, name="hi", arg_desc={"x": "times"})
    assert (other.name, other.desc, other(x=1)) == ("hi", tool.desc, "1 hello")
    assert other.args is not None
    assert other.args["x"]["description"] == "times"
    assert tool.args is not None
    assert tool.args["x"]["description"] == "how often"
    with pytest.raises(InputError, match="'x'"):
        other()


def test_what_cannot_be_described_says_what_to_do() -> None:
    class Odd:
        __module__ = "elsewhere"

    def takes_odd(x: Iterator[Odd]) -> None: ...

    def unresolved(x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    def of_function(x: Callable[[int], int], y: int) -> int:
        return x(y)

    with pytest.raises(InputError, match=r"no JSON schema.*'x'"):
        Tool(of_function)
    with pytest.raises(InputError, match=r"Nowhere.*arg_types"):
        Tool(unresolved)
    assert Tool(unresolved, arg_types={"x": int}).args == {"x": {"type": "integer"}}
    assert Tool(takes_odd, args={"x": {"type": "string"}}, arg_types={"x": str}).arg_types == {"x": str}
    for nothing in (3, None, "greet"):
        with pytest.raises(ValueError, match="called"):
            Tool(nothing)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Tool()  # type: ignore[call-arg]


def test_other_fields_are_not_in_the_way_of_an_annotation_that_can_be_resolved() -> None:
    def f(x: int) -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821

    assert Tool(f).arg_types == {"x": int}
