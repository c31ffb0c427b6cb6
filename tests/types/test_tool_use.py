"""Tools at work: arguments made to fit, sync and async programs, tools as values."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import datetime
import enum
import functools
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

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
