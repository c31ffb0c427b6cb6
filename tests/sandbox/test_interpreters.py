"""What both interpreters do alike: values, state, tools, answers, errors, the life of a session."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import telic
from telic.errors import BudgetExceededError, CodeExecutionError, CodeInterpreterError, CodeSyntaxError
from telic.sandbox import CodeInterpreter, FinalOutput, LocalInterpreter, PythonInterpreter
from telic.types.tool import Tool

pytest.importorskip("pydantic_monty")


def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


def fail(kind: str) -> None:
    raise {"value": ValueError("no good"), "own": telic.TelicError("ours"), "key": KeyError("k")}[kind]


@pytest.fixture(scope="module", params=[PythonInterpreter, LocalInterpreter])
def box(request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param(tools={"add": add, "fail": fail, "tool": Tool(add)}) as made:
        yield made


def make(kind: type, seconds: float, **options: Any) -> Any:
    limit = {"timeout" if kind is PythonInterpreter else "execution_timeout": seconds}
    return kind(**limit, **options)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("1 + 1", 2),
        ("x = 5", None),
        ("print('a'); print('b', end='')", "a\nb"),
        ("print('a')\n'b'", "a\nb"),
        ("print(1)\n[2]", "1\n[2]"),
        ("'text'", "text"),
        ("{'a': [1, 2.5, None, True]}", {"a": [1, 2.5, None, True]}),
        ("None", None),
        ("add(1, 2)", 3),
        ("add(a=1)", 2),
        ("tool(1, 2) + tool(1, b=4)", 8),
        ("class A: pass\ntype(A()).__name__", "A"),
        ("for i in range(3): pass", None),
    ],
)
def test_results(box: Any, code: str, result: Any) -> None:
    assert box.execute(code) == result


def test_other_values_come_as_text(box: Any) -> None:
    assert "A" in box.execute("class A: pass\nA()")
    assert isinstance(box.execute("lambda: 1"), str)


def test_state_lasts(box: Any) -> None:
    box.execute("import math\nkept = [1]\ndef twice(x): return 2 * x")
    with pytest.raises(CodeExecutionError):
        box.execute("kept.append(2)\n1 / 0")
    assert box.execute("kept, twice(math.floor(2.5))") in ((([1, 2]), 4), [[1, 2], 4])


def test_variables_go_in_as_they_are(box: Any) -> None:
    given = {
        "text": "ä\n'\"",
        "number": 2**80,
        "nested": {"a": [1, (2, 3)], 7: {4}},
        "data": b"\x00\xff",
        "none": None,
        "many": list(range(100_000)),
    }
    code = (
        "(text, number, nested['a'][1] == (2, 3), nested[7] == {4}, data == bytes([0, 255]), none, len(many))"
    )
    if isinstance(box, PythonInterpreter):
        code = code.replace("bytes([0, 255])", "b'\\x00\\xff'")
    assert list(box.execute(code, given)) == ["ä\n'\"", 2**80, True, True, True, None, 100_000]


def test_models_and_the_like_go_in_as_dicts(box: Any) -> None:
    import datetime
    from dataclasses import dataclass
    from pathlib import Path

    from pydantic import BaseModel

    class Person(BaseModel):
        name: str

    @dataclass
    class Point:
        x: int

    given = {"p": Person(name="Ada"), "q": [Point(3)], "day": datetime.date(2026, 1, 2), "path": Path("/a")}
    assert list(box.execute("p['name'], q[0]['x'], day, path", given)) == ["Ada", 3, "2026-01-02", "/a"]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("v", object(), "'v' cannot be passed on"),
        ("v", len, "'v' cannot be passed on"),
        ("1a", 1, "'1a' cannot be the name"),
        ("class", 1, "'class' cannot be the name"),
        ("add", 1, "that no tool has"),
        ("SUBMIT", 1, "'SUBMIT' cannot be the name"),
    ],
)
def test_variables_that_cannot_go_in(box: Any, name: str, value: Any, problem: str) -> None:
    with pytest.raises(CodeInterpreterError, match=problem) as caught:
        box.execute("1", {name: value})
    assert not isinstance(caught.value, CodeExecutionError)


def test_errors_say_what_and_where(box: Any) -> None:
    with pytest.raises(CodeExecutionError) as caught:
        box.execute("print('so far')\ndef f(x):\n    return 1 / x\nf(0)")
    text = str(caught.value)
    assert text.startswith("ZeroDivisionError: division by zero (line 3: return 1 / x)")
    assert text.endswith("Printed before that:\nso far")
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(SyntaxError) as syntax:
        box.execute("def f(:\n  pass")
    assert isinstance(syntax.value, CodeSyntaxError)
    assert "line 1" in str(syntax.value)


def test_what_tools_raise_can_be_caught_in_the_code(box: Any) -> None:
    assert box.execute("try:\n    fail('value')\nexcept ValueError as e:\n    r = str(e)\nr") == "no good"
    with pytest.raises(CodeExecutionError, match="RuntimeError: TelicError: ours"):
        box.execute("fail('own')")
    with pytest.raises(CodeExecutionError, match="KeyError"):
        box.execute("fail('key')")
    with pytest.raises(CodeExecutionError, match="there are only: a, b"):
        box.execute("tool(1, 2, 3)")
    with pytest.raises(CodeExecutionError, match="argument"):
        box.execute("tool('x', 'y')")


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_submit(kind: type) -> None:
    with kind() as box:
        assert box.execute("SUBMIT(3)\nprint('never')") == FinalOutput({"output": 3})
        assert box.execute("SUBMIT(a=1, b=[2])") == FinalOutput({"a": 1, "b": [2]})
        assert box.execute("try:\n    SUBMIT('x')\nexcept Exception:\n    pass").output == {"output": "x"}
        for code in ("SUBMIT()", "SUBMIT(1, 2)", "SUBMIT(1, a=2)"):
            with pytest.raises(CodeExecutionError, match="TypeError: SUBMIT takes one value"):
                box.execute(code)
        box.output_fields = [{"name": "a"}, {"name": "b"}]
        for code in ("SUBMIT(1, 2)", "SUBMIT(1, b=2)", "SUBMIT({'b': 2, 'a': 1})", "SUBMIT(b=2, a=1)"):
            assert box.execute(code) == FinalOutput({"a": 1, "b": 2})
        for code in ("SUBMIT(1)", "SUBMIT(1, 2, 3)", "SUBMIT(a=1, c=2)", "SUBMIT(1, a=1, b=2)"):
            with pytest.raises(CodeExecutionError, match="Call SUBMIT\\(a, b\\)"):
                box.execute(code)
        box.execute("kept = 1")
        assert box.execute("kept") == 1


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_a_stopped_step_and_the_state(kind: type) -> None:
    with make(kind, 0.3) as box:
        box.execute("kept = [1]")
        with pytest.raises(
            CodeExecutionError, match=r"TimeoutError: the code ran for more than 0\.3 s"
        ) as caught:
            box.execute("print('on it')\nwhile True: pass")
        assert "Printed before that:\non it" in str(caught.value)
        assert not caught.value.state_lost
        assert box.execute("kept") == [1]


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_the_time_of_tools_does_not_count(kind: type) -> None:
    with make(kind, 0.3, tools={"slow": lambda: time.sleep(0.5)}) as box:
        assert box.execute("slow()\nslow()\n7") == 7


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_async_tools(kind: type) -> None:
    async def fetch(n: int) -> int:
        await asyncio.sleep(0)
        return n

    with kind(tools={"fetch": fetch, "tool": Tool(fetch, name="tool")}) as box:
        assert box.execute("fetch(1) + tool(2)") == 3


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_a_spent_budget_goes_through_the_code(kind: type) -> None:
    def spend() -> None:
        raise BudgetExceededError("spent", spent={}, caps={})

    with kind(tools={"spend": spend}) as box:
        box.execute("kept = 1")
        with pytest.raises(BudgetExceededError):
            box.execute("while True:\n    try:\n        spend()\n    except BaseException:\n        pass")
        assert box.execute("6 * 7") == 42


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_long_output_keeps_its_two_ends(kind: type) -> None:
    with kind(max_output_chars=100) as box:
        text = box.execute("for n in range(200): print(n)")
        assert text.startswith("0\n1\n2")
        assert text.endswith("198\n199")
        assert "left out" in text
        assert len(text) < 200
        assert len(box.execute("'x' * 10_000")) < 200


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_the_life_of_a_session(kind: type) -> None:
    box = kind()
    assert isinstance(box, CodeInterpreter)
    box.start()
    box.start()
    assert box("1") == 1
    box.shutdown()
    box.shutdown()
    for call in (box.start, lambda: box.execute("1")):
        with pytest.raises(CodeInterpreterError, match="was shut down"):
            call()
    never_started = kind()
    never_started.shutdown()


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_shutdown_from_another_thread_ends_what_runs(kind: type) -> None:
    box = make(kind, 30)
    box.start()
    begun = time.monotonic()
    threading.Timer(0.2, box.shutdown).start()
    with pytest.raises(CodeInterpreterError, match="shut down while it ran"):
        box.execute("while True: pass")
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_one_thread_at_a_time(kind: type) -> None:
    box: Any = kind()
    seen: list[str] = []

    def again() -> None:
        try:
            box.execute("1")
        except CodeInterpreterError as error:
            seen.append(str(error))

    box.tools["again"] = again
    with box:
        assert box.execute("again()\n5") == 5
    assert "running code already" in seen[0]


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_bad_tool_names(kind: type) -> None:
    for name in ("print", "SUBMIT", "a b", "if"):
        with kind(tools={name: add}) as box, pytest.raises(CodeInterpreterError, match="name of a tool"):
            box.execute("1")


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
async def test_a_cancelled_program_leaves_nothing(kind: type) -> None:
    from telic.modules.program_of_thought import ProgramOfThought
    from tests.scripted import ScriptedLM, chat

    made: list[Any] = []

    def factory() -> Any:
        made.append(make(kind, 30))
        return made[0]

    lm = ScriptedLM([chat(reasoning="r", generated_code="while True: pass")])
    with telic.context(lm=lm):
        task = asyncio.create_task(ProgramOfThought("q -> a", interpreter_factory=factory).acall(q="?"))
        while not made or not made[0]._started:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with pytest.raises(CodeInterpreterError, match="was shut down"):
        made[0].execute("1")
    for _ in range(500):
        if not made[0]._busy.locked():
            break
        await asyncio.sleep(0.01)
    assert not made[0]._busy.locked(), "the thread that ran the code is done with it"


@pytest.mark.parametrize("kind", [PythonInterpreter, LocalInterpreter])
def test_callbacks_are_told(kind: type) -> None:
    told: list[tuple[str, Any]] = []

    class Watch(telic.BaseCallback):
        def __getattr__(self, name: str) -> Any:
            if not name.startswith("on_interpreter"):
                raise AttributeError(name)
            return lambda **facts: told.append((name, facts))

        def __getattribute__(self, name: str) -> Any:
            if name.startswith("on_interpreter"):
                return self.__getattr__(name)
            return super().__getattribute__(name)

    with kind(tools={"add": add}, callbacks=[Watch()]) as box:
        box.execute("add(1, b=2)", {"v": 1})
        with pytest.raises(CodeExecutionError):
            box.execute("1 / 0")
    names = [name.removeprefix("on_interpreter_") for name, _ in told]
    assert names == [
        "startup_start", "startup_end", "execute_start", "tool_call_start", "tool_call_end", "execute_end",
        "execute_start", "execute_end", "shutdown_start", "shutdown_end",
    ]  # fmt: skip
    assert told[2][1]["inputs"] == {"code": "add(1, b=2)", "variables": {"v": 1}}
    assert told[3][1]["inputs"] == {"tool_name": "add", "args": [1], "kwargs": {"b": 2}}
    assert told[5][1]["outputs"] == 3
    assert isinstance(told[7][1]["exception"], CodeExecutionError)
