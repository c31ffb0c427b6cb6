"""Strategies that ask a model for something: run once, journaled, and never asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import telic
from telic.errors import CompileError
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Ask, Choice, Reply, Strategy
from telic.testing import DummyLM

EXAMPLES = [telic.Example(question=str(n), answer="yes").with_inputs("question") for n in range(4)]


class Proposer(Optimizer):
    """Asks for two instructions, then chooses the second."""

    metric = staticmethod(lambda example, prediction, trace=None: True)

    def __init__(self, lm: Any = None) -> None:
        self.lm = lm
        self.replies: Sequence[Reply] = ()
        self.program: Any = telic.Predict("task -> instruction")

    def compile(self, student: Any, *, trainset: Sequence[Any], run_id: str | None = None) -> Any:
        problem = make_problem(student, trainset=trainset, valset=None, metric=self.metric)
        return self.run(problem, self.strategy(problem), run_id=run_id)

    def strategy(self, problem: Problem) -> Strategy:
        self.replies = yield [
            Ask(self.program, {"task": task}, lm=self.lm, why="instructions") for task in ("one", "two")
        ]
        found = self.replies[1].value or {"instruction": "none"}
        (path,) = problem.start.paths
        return Choice(problem.start.with_instructions({path: found["instruction"]}))

    def get_params(self) -> dict[str, Any]:
        return {}


def scripted(*texts: str) -> DummyLM:
    return DummyLM([{"instruction": text} for text in texts])


def test_replies_come_in_the_order_of_the_asks_with_what_they_took() -> None:
    optimizer = Proposer(scripted("first", "second"))
    compiled = optimizer.compile(telic.Predict("question -> answer"), trainset=EXAMPLES)
    assert {reply.value["instruction"] for reply in optimizer.replies} == {"first", "second"}
    assert [reply.calls for reply in optimizer.replies] == [1, 1]
    assert compiled.signature.instructions == optimizer.replies[1].value["instruction"]


def test_a_run_that_goes_on_asks_nothing_again() -> None:
    optimizer = Proposer(scripted("first", "second"))
    problem = make_problem(
        telic.Predict("question -> answer"), trainset=EXAMPLES, valset=None, metric=Proposer.metric
    )

    def dies(problem: Problem) -> Strategy:
        yield from ([one] for one in next(optimizer.strategy(problem)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimizer.run(problem, dies(problem), run_id="run")
    silent = Proposer(optimizer.lm)
    before = len(optimizer.lm.history)
    compiled = silent.compile(telic.Predict("question -> answer"), trainset=EXAMPLES, run_id="run")
    assert len(optimizer.lm.history) == before
    assert compiled.signature.instructions == silent.replies[1].value["instruction"]
    assert compiled.report.resumed == 2


def test_an_unreadable_reply_is_a_failure_and_the_strategy_goes_on() -> None:
    optimizer = Proposer(scripted(*["not a number"] * 9))
    optimizer.program = telic.Predict("task -> instruction: int")
    optimizer.compile(telic.Predict("question -> answer"), trainset=EXAMPLES)
    assert all(reply.value is None for reply in optimizer.replies)
    assert all(str(reply.failure).startswith("AdapterParse") for reply in optimizer.replies)


def test_errors_are_counted_and_end_the_run_when_there_are_too_many() -> None:
    optimizer = Proposer()
    optimizer.max_errors = 1

    def broken(task: str) -> Any:
        raise ValueError(f"no {task}")

    optimizer.program = broken
    with pytest.raises(CompileError, match="Stopped after 2 errors"):
        optimizer.compile(telic.Predict("question -> answer"), trainset=EXAMPLES)


def test_a_function_may_do_the_work() -> None:
    optimizer = Proposer()
    optimizer.program = lambda task: {"instruction": task.upper()}
    compiled = optimizer.compile(telic.Predict("question -> answer"), trainset=EXAMPLES)
    assert compiled.signature.instructions == "TWO"


def test_a_step_of_both_kinds_is_refused() -> None:
    from telic.optimize.strategy import Trial

    optimizer = Proposer()
    problem = make_problem(
        telic.Predict("question -> answer"), trainset=EXAMPLES, valset=None, metric=Proposer.metric
    )

    def mixed(problem: Problem) -> Strategy:
        yield [Trial(problem.start, (0,)), Ask(optimizer.program, {"task": "one"})]  # type: ignore[misc]
        raise AssertionError

    with pytest.raises(CompileError, match="either trials or asks"):
        optimizer.run(problem, mixed(problem))
