"""Tools from functions: what a model is told, and what the function is given."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import datetime
import enum
import functools
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any, Literal

import pydantic
import pytest

from telic.errors import InputError
from telic.types import Image, Tool
from telic.types.tool_host import ToolHost, install_tool_host, tool_host


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


# Calls


def everything(
    guest: Guest,
    others: list[Guest],
    kind: Literal["a", "b"],
    size: Size = Size.SMALL,
    at: Point | None = None,
    on: datetime.date | None = None,
    pair: tuple[int, str] = (1, "a"),
    number: int = 3,
    zip_code: str = "",
    sure: bool = False,
    loose: Any = None,
) -> tuple[Any, ...]:
    return guest, others, kind, size, at, on, pair, number, zip_code, sure, loose


def call_everything(**given: Any) -> dict[str, Any]:
    first = {"guest": {"name": "Ada"}, "others": [], "kind": "a"}
    names = everything.__annotations__
    return dict(zip(names, Tool(everything)(**{**first, **given}), strict=False))


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("guest", {"name": "Ada", "age": "36"}, Guest(name="Ada", age=36)),
        ("guest", '{"name": "Ada"}', Guest(name="Ada")),
        ("guest", Guest(name="Ada"), Guest(name="Ada")),
        ("others", [{"name": "Ada"}], [Guest(name="Ada")]),
        ("others", '[{"name": "Ada"}]', [Guest(name="Ada")]),
        ("kind", "b", "b"),
        ("size", "l", Size.LARGE),
        ("size", Size.LARGE, Size.LARGE),
        ("at", {"x": 1}, Point(1)),
        ("on", "2024-02-29", datetime.date(2024, 2, 29)),
        ("pair", [2, "b"], (2, "b")),
        ("number", "7", 7),
        ("number", 7.0, 7),
        ("number", None, 3),
        ("zip_code", 94103, "94103"),
        ("sure", "true", True),
        ("loose", {"a": [1]}, {"a": [1]}),
    ],
)
def test_arguments_are_converted(name: str, given: Any, expected: Any) -> None:
    assert call_everything(**{name: given})[name] == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"guest": {"age": 3}}, r"'guest'.*Field required \(at name\)"),
        ({"others": [{"name": "Ada", "age": "x"}]}, r"'others'.*at 0\.age"),
        ({"kind": "z"}, "'kind'.*'a' or 'b'.*'z'"),
        ({"number": "seven"}, "'number'.*integer"),
        ({"number": 7.5}, "'number'"),
        ({"guest": None}, "'guest'"),
        ({"colour": "red"}, "no argument 'colour'; it takes: guest, others"),
    ],
)
def test_arguments_that_do_not_fit_are_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        call_everything(**given)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, TypeError)


def test_missing_arguments_are_named() -> None:
    with pytest.raises(InputError, match=r"'greet'.*without its argument 'x'"):
        Tool(greet)(y="a")


def test_arguments_of_any_name_and_by_position_only() -> None:
    def loose(x: int, **more: Any) -> Any:
        return x, more

    def strict(a: int, b: int, /, c: int) -> Any:
        return a, b, c

    tool = Tool(loose)
    assert tool.args == {"x": {"type": "integer"}}
    assert tool.has_kwargs
    assert tool(x=1, y="a", z=[1]) == (1, {"y": "a", "z": [1]})
    assert Tool(strict)(c=3, b="2", a=1) == (1, 2, 3)

    def with_self(self: int, other: int) -> int:
        return self - other

    assert Tool(with_self)(self=3, other=1) == 2


def test_arguments_by_schema_alone_are_checked_as_far_as_it_goes() -> None:
    tool = Tool(
        lambda **given: given,
        name="f",
        args={
            "n": {"type": "integer"},
            "kind": {"enum": ["a", 1]},
            "any": {"anyOf": []},
            "m": {"type": "object"},
        },
    )
    assert tool(n="3", kind="a", any=object, m={"x": 1})["n"] == 3
    for wrong in ({"n": "x"}, {"kind": "c"}, {"m": "x"}):
        with pytest.raises(InputError):
            tool(**{"n": 1, "kind": "a", "any": 1, "m": {}, **wrong})


def test_what_the_function_raises_goes_through() -> None:
    def boom() -> None:
        raise KeyError("z")

    async def aboom() -> None:
        raise KeyError("z")

    for function in (boom, aboom):
        with pytest.raises(KeyError, match="z"):
            Tool(function)()
        with pytest.raises(KeyError, match="z"):
            asyncio.run(Tool(function).acall())


# Sync and async


place: ContextVar[str] = ContextVar("place", default="nowhere")


def where() -> tuple[str, int]:
    return place.get(), threading.get_ident()


async def awhere() -> tuple[str, int]:
    return where()


def test_a_sync_program_calls_an_async_tool() -> None:
    assert Tool(agreet)(x="1") == "later 1"
    place.set("outside")
    assert Tool(awhere)()[0] == "outside"
    assert Tool(functools.partial(agreet, x=2))() == "later 2"
    assert Tool(lambda x: agreet(x))(x=3) == "later 3"


async def test_a_sync_call_of_an_async_tool_under_a_running_loop() -> None:
    place.set("inside")
    assert Tool(agreet)(x=1) == "later 1"
    assert Tool(awhere)()[0] == "inside"


async def test_an_async_program_calls_tools_of_both_kinds() -> None:
    place.set("inside")
    assert await Tool(agreet).acall(x=1) == "later 1"
    assert await Tool(greet).acall(x="1") == "1 hello"
    assert await Tool(lambda x: agreet(x)).acall(x=3) == "later 3"
    name, thread = await Tool(where).acall()
    assert name == "inside"
    assert thread != threading.get_ident()
    assert await Tool(awhere).acall() == ("inside", threading.get_ident())


async def test_blocking_tools_do_not_hold_up_the_loop() -> None:
    meeting = threading.Barrier(3, timeout=20)

    def wait() -> int:
        return meeting.wait()

    assert sorted(await asyncio.gather(*(Tool(wait).acall() for _ in range(3)))) == [0, 1, 2]


async def test_a_cancelled_async_tool_stops() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    task = asyncio.create_task(Tool(long).acall())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cancelled"]


class WatchingHost(ToolHost):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def run(self, tool: Any, start: Callable[[], Any]) -> Any:
        self.seen.append(("run", tool.name))
        return super().run(tool, start)

    @contextmanager
    def around(self, tool: Any, inputs: dict[str, Any]) -> Iterator[Callable[[Any], None]]:
        self.seen.append(("start", inputs))
        try:
            yield lambda value: self.seen.append(("end", value))
        except BaseException as error:
            self.seen.append(("failed", type(error)))
            raise


class RefusingHost(ToolHost):
    def run(self, tool: Any, start: Callable[[], Any]) -> Any:
        raise InputError("async tools are not run from sync code here")


@pytest.fixture
def installed() -> Iterator[Callable[[ToolHost], Any]]:
    before = tool_host()
    yield install_tool_host
    install_tool_host(before)


async def test_a_host_is_told_of_calls(installed: Callable[[ToolHost], Any]) -> None:
    host = WatchingHost()
    installed(host)
    Tool(agreet)(x=1)
    await Tool(greet).acall(x=2)
    with pytest.raises(InputError):
        Tool(greet)(x="a")
    assert host.seen == [
        ("start", {"x": 1}),
        ("run", "agreet"),
        ("end", "later 1"),
        ("start", {"x": 2}),
        ("end", "2 hello"),
        ("start", {"x": "a"}),
        ("failed", InputError),
    ]


async def test_a_host_may_refuse_to_wait_for_async_tools(installed: Callable[[ToolHost], Any]) -> None:
    installed(RefusingHost())
    for tool in (Tool(agreet), Tool(lambda x: agreet(x))):
        with pytest.raises(InputError, match="not run from sync code"):
            tool(x=1)
        assert await tool.acall(x=1) == "later 1"


# Tools as values


def test_tools_compare_copy_and_pickle() -> None:
    tool = Tool(greet)
    assert tool == Tool(greet) == copy.deepcopy(tool) == pickle.loads(pickle.dumps(tool))
    assert len({tool, Tool(greet), Tool(greet, name="other")}) == 2
    assert tool != Tool(greet, desc="other")
    assert pickle.loads(pickle.dumps(tool))(x=1) == "1 hello"
    with pytest.raises(InputError):
        pickle.loads(pickle.dumps(tool))()
    tool.desc = "Changed."
    assert "Changed." in tool.format()


def test_a_copy_shares_what_the_function_is_bound_to() -> None:
    counter = Counter()
    counter.lock = threading.Lock()  # type: ignore[attr-defined]  # cannot be copied
    tool = Tool(counter.add)
    other = copy.deepcopy(tool)
    other(by=2)
    assert counter.total == 2
    assert other.args is not None
    other.args["by"] = {"type": "number"}
    assert tool.args == {"by": {"type": "integer"}}


def test_tools_in_models_and_lists() -> None:
    adapter = pydantic.TypeAdapter(list[Tool])
    tool = Tool(greet)
    assert adapter.validate_python([tool])[0] is tool
    assert adapter.validate_python([greet]) == [tool]
    assert adapter.dump_python([tool]) == [tool.format()]


def test_media_as_arguments() -> None:
    def look(at: Image) -> str:
        return at.url

    tool = Tool(look)
    assert tool(at={"url": "https://a.b/c.png"}) == tool(at="https://a.b/c.png") == "https://a.b/c.png"


def test_making_and_calling_a_tool_is_cheap() -> None:
    tool = Tool(everything)
    start = time.perf_counter()
    for _ in range(1000):
        tool(guest={"name": "Ada"}, others=[], kind="a", number="3")
    assert time.perf_counter() - start < 2  # about 15 µs each on an idle core
