"""Callbacks are told of every start and end, with ids that make one tree, in threads and tasks too."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import telic
from telic.errors import AdapterParseError
from telic.runtime.events import ACTIVE_CALL_ID, BaseCallback
from tests.scripted import ScriptedLM, chat

KINDS = [name[3:-6] for name in dir(BaseCallback) if name.startswith("on_") and name.endswith("_start")]


class Recorder(BaseCallback):
    """Keeps what it is told, as rows; the tree of calls can be drawn from them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        for kind in KINDS:
            setattr(self, f"on_{kind}_start", self._starting(kind))
            setattr(self, f"on_{kind}_end", self._ending(kind))

    def _starting(self, kind: str) -> Any:
        def start(call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
            row = {"kind": kind, "id": call_id, "parent": ACTIVE_CALL_ID.get(), "instance": instance}
            with self._lock:
                self.rows.append({**row, "inputs": inputs, "thread": threading.get_ident()})

        return start

    def _ending(self, kind: str) -> Any:
        def end(call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
            (row,) = [row for row in self.rows if row["id"] == call_id]
            assert row["kind"] == kind
            assert "outputs" not in row, "ended twice"
            row.update(outputs=outputs, exception=exception, ended=threading.get_ident())

        return end

    @property
    def kinds(self) -> list[str]:
        return [row["kind"] for row in self.rows]

    def tree(self, parent: str | None = None) -> list[Any]:
        """Nested lists of `name, [children]`, in the order of the starts."""
        rows = [row for row in self.rows if row["parent"] == parent]
        return [(_name(row), self.tree(row["id"])) for row in rows]


def _name(row: dict[str, Any]) -> str:
    return type(row["instance"]).__name__ if row["kind"] == "module" else row["kind"]


ONE = ("Predict", [("adapter_format", []), ("lm", []), ("adapter_parse", [])])


class Pair(telic.Module):
    def __init__(self) -> None:
        self.first = telic.ChainOfThought("question -> answer")
        self.second = telic.Predict("question -> answer")

    def forward(self, question: str) -> Any:
        self.first(question=question)
        return self.second(question=question)

    async def aforward(self, question: str) -> Any:
        await self.first.acall(question=question)
        return await self.second.acall(question=question)


PAIR = ("Pair", [("ChainOfThought", [ONE]), ONE])


@pytest.fixture
def told() -> Recorder:
    recorder = Recorder()
    lm = ScriptedLM(lambda _: chat(reasoning="r", answer="so"))
    telic.configure(lm=lm, callbacks=[recorder])
    return recorder


def ended(told: Recorder) -> bool:
    assert ACTIVE_CALL_ID.get() is None
    return all("outputs" in row for row in told.rows) and len({r["id"] for r in told.rows}) == len(told.rows)


def test_a_program_of_several_modules(told: Recorder) -> None:
    prediction = Pair()(question="q")
    assert told.tree() == [PAIR]
    assert ended(told)
    whole, *_ = told.rows
    assert whole["inputs"] == {"args": (), "kwargs": {"question": "q"}}
    assert whole["outputs"] is prediction
    lm = next(row for row in told.rows if row["kind"] == "lm")
    assert lm["inputs"]["prompt"] is None
    assert lm["inputs"]["messages"][-1]["role"] == "user"
    assert lm["inputs"]["kwargs"] == {}
    assert lm["outputs"] == [chat(reasoning="r", answer="so")]
    rendered = next(row for row in told.rows if row["kind"] == "adapter_format")
    assert rendered["inputs"].keys() == {"signature", "demos", "inputs"}
    assert rendered["outputs"] == lm["inputs"]["messages"]
    read = next(row for row in told.rows if row["kind"] == "adapter_parse")
    assert read["inputs"]["completion"] == lm["outputs"][0]
    assert read["outputs"] == {"reasoning": "r", "answer": "so"}


async def test_the_same_awaited(told: Recorder) -> None:
    await Pair().acall(question="q")
    assert told.tree() == [PAIR]
    assert ended(told)


async def test_tasks_keep_their_trees_apart(told: Recorder) -> None:
    await asyncio.gather(*(Pair().acall(question=str(n)) for n in range(5)))
    assert told.tree() == [PAIR] * 5
    assert ended(told)


async def test_tasks_of_one_program_are_its_children(told: Recorder) -> None:
    class Wide(telic.Module):
        def __init__(self) -> None:
            self.step = telic.Predict("question -> answer")

        async def aforward(self) -> Any:
            return (await asyncio.gather(*(self.step.acall(question=str(n)) for n in range(3))))[-1]

    await Wide().acall()
    assert told.tree() == [("Wide", [ONE] * 3)]
    assert ended(told)


def test_threads_of_one_program_are_its_children(told: Recorder) -> None:
    class Wide(telic.Module):
        def __init__(self) -> None:
            self.step = telic.Predict("question -> answer")

        def forward(self) -> Any:
            pairs = [(self.step, {"question": str(n)}) for n in range(4)]
            return telic.Parallel(num_threads=4, disable_progress_bar=True)(pairs)

    Wide()()
    assert told.tree() == [("Wide", [ONE] * 4)]
    assert ended(told)
    assert len({row["thread"] for row in told.rows}) > 1
    assert all(row["thread"] == row["ended"] for row in told.rows)


def test_an_exception_is_told_at_every_level_and_goes_on(told: Recorder) -> None:
    class Broken(ScriptedLM):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            raise LookupError("no model")

    with telic.context(lm=Broken([])), pytest.raises(LookupError) as caught:
        Pair()(question="q")
    failed = [row for row in told.rows if row["exception"] is not None]
    assert [_name(row) for row in failed] == ["Pair", "ChainOfThought", "Predict", "lm"]
    assert all(row["exception"] is caught.value and row["outputs"] is None for row in failed)
    assert ended(told)


def test_an_answer_that_cannot_be_read_and_the_repair(told: Recorder) -> None:
    with telic.context(lm=ScriptedLM(["[[ ## x ## ]]\nno", chat(answer="so")])):
        telic.Predict("question -> answer")(question="q")
    assert [row["kind"] for row in told.rows] == [
        *("module", "adapter_format", "lm", "adapter_parse", "lm", "adapter_parse")
    ]
    assert isinstance(told.rows[3]["exception"], AdapterParseError)
    assert told.rows[5]["exception"] is None
    assert ended(told)


def test_an_answer_from_the_record_is_told_of(told: Recorder) -> None:
    class Recorded(ScriptedLM):
        recorded = True

    with telic.context(lm=Recorded([chat(answer="so")])):
        for _ in range(2):
            telic.Predict("question -> answer")(question="q")
    assert told.tree() == [ONE, ONE]


def test_those_of_an_instance_are_told_of_it_alone() -> None:
    own, of_lm = Recorder(), Recorder()
    lm = ScriptedLM(lambda _: chat(reasoning="r", answer="so"), callbacks=[of_lm])
    telic.configure(lm=lm)
    program = Pair()
    program.second.callbacks = [own]
    program(question="q")
    assert own.tree() == [("Predict", [])]
    assert of_lm.kinds == ["lm", "lm"]
    assert ended(own)
    assert ended(of_lm)


def test_tools_called_both_ways(told: Recorder) -> None:
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    def fail() -> None:
        raise LookupError("no")

    assert telic.Tool(add)(a=1, b=2) == 3
    assert asyncio.run(telic.Tool(add).acall(a=1, b=2)) == 3
    with pytest.raises(LookupError):
        telic.Tool(fail)()
    assert told.kinds == ["tool", "tool", "tool"]
    assert told.rows[0]["inputs"] == {"kwargs": {"a": 1, "b": 2}}
    assert told.rows[0]["instance"].name == "add"
    assert [row["outputs"] for row in told.rows] == [3, 3, None]
    assert isinstance(told.rows[2]["exception"], LookupError)
    assert ended(told)


DATA = [telic.Example(question=str(n), answer="so").with_inputs("question") for n in range(3)]


def exact(example: Any, prediction: Any, trace: Any = None) -> float:
    return float(example.answer == prediction.answer)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_evaluation_and_its_examples(told: Recorder, threads: int) -> None:
    evaluate = telic.Evaluate(devset=DATA, metric=exact, num_threads=threads)
    result = evaluate(telic.Predict("question -> answer"))
    assert told.tree() == [("evaluate", [ONE] * 3)]
    whole = told.rows[0]
    assert whole["instance"] is evaluate
    assert whole["outputs"] is result
    assert whole["inputs"]["devset"] == DATA
    assert ended(told)


def test_a_compile_its_steps_and_their_examples(told: Recorder) -> None:
    optimizer = telic.BootstrapFewShot(metric=exact, max_bootstrapped_demos=1)
    compiled = optimizer.compile(telic.Predict("question -> answer"), trainset=DATA)
    whole = told.rows[0]
    assert whole["kind"] == "compile"
    assert whole["instance"] is optimizer
    assert whole["outputs"] is compiled
    assert whole["inputs"]["trainset"] is not None
    steps = [row for row in told.rows if row["kind"] == "optimizer_step"]
    assert [row["inputs"]["step"] for row in steps] == list(range(len(steps)))
    assert steps
    assert all(row["parent"] == whole["id"] for row in steps)
    assert all(len(row["outputs"]) == len(row["inputs"]["trials"]) for row in steps)
    assert "module" in told.kinds
    assert ended(told)


def test_a_compile_that_fails_is_told_to_have(told: Recorder) -> None:
    def broken(example: Any, prediction: Any, trace: Any = None) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        telic.BootstrapFewShot(metric=broken).compile(telic.Predict("question -> answer"), trainset=DATA)
    assert isinstance(told.rows[0]["exception"], KeyboardInterrupt)
    assert ended(told)


async def test_a_cancelled_program_is_told_to_have_ended(told: Recorder) -> None:
    class Sleeping(telic.Module):
        async def aforward(self) -> None:
            await asyncio.sleep(60)

    task = asyncio.create_task(Sleeping().acall())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(told.rows[0]["exception"], asyncio.CancelledError)
    assert ended(told)
