"""Evaluate over real programs: predictors, modules, judges, servers that fail, budgets, the record."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from typing import Any

import pytest

import telic
from telic.errors import BudgetExceededError, LMNotConfiguredError
from telic.evaluate import Evaluate, run_examples
from telic.evaluate.runner import Job, run_jobs
from telic.testing import DummyLM, Faults, LocalServer

ASK = "question -> answer, note"
ANSWER = "[[ ## answer ## ]]\n{}\n\n[[ ## note ## ]]\nsure\n\n[[ ## completed ## ]]"


def devset(n: int) -> list[telic.Example]:
    return [telic.Example(question=f"number {i}?", answer=f"n{i}").with_inputs("question") for i in range(n)]


def exact(example: Any, pred: Any, trace: Any = None) -> bool:
    return bool(example.answer == pred.answer)


def reply(body: dict[str, Any]) -> str:
    """Every number that is asked for; an unreadable answer for 13."""
    (number, *_) = re.findall(r"number (\d+)", json.dumps(body["messages"]))
    return "no fields here" if number == "13" else ANSWER.format(f"n{number}")


class Twice(telic.Module):
    """A user's sync program that asks two times."""

    def __init__(self) -> None:
        self.first = telic.Predict(ASK)
        self.second = telic.Predict(ASK)

    def forward(self, question: str) -> Any:
        self.first(question=question)
        return self.second(question=question)


def test_a_predictor_on_a_scripted_lm() -> None:
    lm = DummyLM([{"answer": f"n{i}", "note": "x"} for i in range(6)])
    with telic.context(lm=lm):
        result = Evaluate(devset=devset(8), metric=exact, num_threads=1)(telic.Predict(ASK))
    assert result.score == 75.0
    assert len(result.failures) == 2, "the script is used up, and what is said then lacks a field"
    assert result.calls == 6 + 2 * 2


def test_network_programs_run_on_the_loop_and_blocking_ones_on_threads() -> None:
    seen: dict[str, set[str]] = {"program": set(), "metric": set()}

    class Watched(telic.Module):
        def __init__(self) -> None:
            self.ask = telic.Predict(ASK)

        async def aforward(self, question: str) -> Any:
            seen["program"].add(threading.current_thread().name)
            return await self.ask.acall(question=question)

    def metric(example: Any, pred: Any) -> bool:
        seen["metric"].add(threading.current_thread().name)
        return exact(example, pred)

    with LocalServer(reply=reply) as server, telic.context(lm=lm_of(server)):
        assert Evaluate(devset=devset(12), metric=metric, num_threads=4)(Watched()).score == 100.0
        assert seen["program"] == {"telic-portal"}
        assert all(name.startswith("telic-stage") for name in seen["metric"])
        assert Evaluate(devset=devset(12), metric=exact, num_threads=4)(Twice()).calls == 0


def lm_of(server: LocalServer, **options: Any) -> telic.LM:
    return telic.LM("openai/test", api_base=server.url, api_key="none", **options)


@pytest.mark.parametrize("program", [telic.Predict(ASK), Twice()])
def test_calls_usage_and_the_record(program: Any) -> None:
    with LocalServer(reply=reply) as server, telic.context(lm=lm_of(server)):
        evaluate = Evaluate(devset=devset(10), metric=exact, num_threads=4)
        first, again = evaluate(program), evaluate(program)
        assert server.count == 10
    assert first.score == again.score == 100.0
    assert first.calls == 10
    assert first.usage.total_tokens > 0
    assert first.cost is None, "nobody knows the price of this model"
    assert (again.calls, again.cached_calls) == (0, first.calls + first.cached_calls)
    assert again.usage.total_tokens == 0


def test_an_unreadable_answer_is_a_failure_with_its_place() -> None:
    with LocalServer(reply=reply) as server, telic.context(lm=lm_of(server), max_repairs=1):
        result = Evaluate(devset=devset(20), metric=exact, max_errors=0)(Twice())
    assert result.score == 95.0
    (failure,) = result.failures
    assert failure.index == 13
    assert failure.program_path == "first"
    assert "no fields here" in failure.error
    assert result.outcomes[13].calls == 2, "asked once more with the error"


def test_a_judge_is_counted_but_not_traced() -> None:
    judge = telic.Predict("question, answer -> verdict")
    program = telic.Predict(ASK)
    lm = DummyLM({"verdict": {"verdict": "good"}, "number": {"answer": "n", "note": "x"}})
    traces: list[Any] = []

    def metric(example: Any, pred: Any, trace: Any = None) -> float:
        traces.append(trace)
        return 1.0 if judge(question=example.question, answer=pred.answer).verdict == "good" else 0.0

    with telic.context(lm=lm):
        assert Evaluate(devset=devset(3), metric=metric)(program).calls == 6
        outcomes = run_examples(program, devset(3), metric, capture_trace=True)
    assert traces[:3] == [None] * 3
    assert [[step[0] for step in trace] for trace in traces[3:]] == [[program]] * 3
    assert [o.score for o in outcomes] == [1.0] * 3


def test_many_programs_in_one_run() -> None:
    programs = [telic.Predict(ASK) for _ in range(3)]
    for number, program in enumerate(programs):
        program.lm = DummyLM({"number": {"answer": f"n{number}", "note": "x"}})
    rows = devset(3)
    jobs = [Job(program, row) for program in programs for row in rows]
    outcomes = run_jobs(jobs, exact, num_threads=4)
    assert [o.score for o in outcomes] == [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0]


def test_without_an_lm_nothing_goes_on() -> None:
    evaluate = Evaluate(devset=devset(50), metric=exact, num_threads=2)
    with pytest.raises(LMNotConfiguredError, match="No LM is set"):
        evaluate(telic.Predict(ASK))
    assert evaluate.last_result is not None
    assert len(evaluate.last_result) <= 3


def test_a_budget_ends_the_run_and_what_was_paid_is_kept() -> None:
    with LocalServer(reply=reply, latency=0.005) as server, telic.context(lm=lm_of(server)):
        evaluate = Evaluate(devset=devset(40), metric=exact, num_threads=4)
        with pytest.raises(BudgetExceededError), telic.budget(calls=11):
            evaluate(telic.Predict(ASK))
        assert server.count == 11
        assert evaluate.last_result is not None
        assert evaluate.last_result.calls == 11
        assert evaluate.last_result.score == 100.0
        assert evaluate(telic.Predict(ASK)).calls == 40 - 11 + 1
        assert server.count == 40 + 1, "13 is asked again with its error"


async def test_on_the_users_own_loop() -> None:
    with LocalServer(reply=reply) as server, telic.context(lm=lm_of(server)):
        evaluate = Evaluate(devset=devset(10), metric=exact, num_threads=4)
        one, other = await asyncio.gather(evaluate.acall(telic.Predict(ASK)), evaluate.acall(Twice()))
        assert server.count == 10, "identical questions in flight are asked once"
    assert one.score == other.score == 100.0


def test_a_server_that_fails_one_time_in_five() -> None:
    faults = Faults(rate=0.2, retry_after=0.01, seed=4)
    with LocalServer(reply=reply, faults=faults) as server:
        lm = lm_of(server, timeout=2, num_retries=2)
        rows = [row for row in devset(1001) if row.answer != "n13"]
        with telic.context(lm=lm):
            evaluate = Evaluate(devset=rows, metric=exact, num_threads=64, max_errors=0.5)
            first = evaluate(telic.Predict(ASK))
            asked = server.count
            assert asked > 1150
            assert len(first) == 1000
            assert first.score == 100.0
            assert all(issubclass(type(problem.exception), telic.LMError) for problem in first.errors)
            assert max(server.answered.values()) == 1, "nothing is paid for twice"
            second = evaluate(telic.Predict(ASK))
            assert second.calls + len(second.errors) == len(first.errors)
            assert max(server.answered.values()) == 1
