"""Evaluate over programs that are plain functions: scores, trouble kept apart, stopping, both drivers."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from telic.data import Example, Prediction
from telic.errors import (
    AdapterParseError,
    BudgetExceededError,
    DataError,
    EvaluationError,
    InputError,
    LMAuthError,
    MetricError,
)
from telic.evaluate import Evaluate, run_examples
from telic.runtime import scope
from telic.runtime.events import BaseCallback
from telic.runtime.settings import settings


def devset(n: int) -> list[Example]:
    return [Example(question=str(i), answer=str(i)).with_inputs("question") for i in range(n)]


def echo(question: str) -> Prediction:
    return Prediction(answer=question)


async def aecho(question: str) -> Prediction:
    await asyncio.sleep(0)
    return Prediction(answer=question)


def match(example: Any, pred: Any, trace: Any = None) -> bool:
    return bool(example.answer == pred.answer)


def even(example: Any, pred: Any, trace: Any = None) -> bool:
    return int(pred.answer) % 2 == 0


def failing_at(*numbers: int, error: type[Exception] = ValueError) -> Any:
    def program(question: str) -> Prediction:
        if int(question) in numbers:
            raise error(f"boom at {question}")
        return echo(question)

    return program


def unreadable_at(*numbers: int) -> Any:
    def program(question: str) -> Prediction:
        if int(question) in numbers:
            raise AdapterParseError("chat", None, "gibberish")
        return echo(question)

    return program


@pytest.mark.parametrize("program", [echo, aecho])
@pytest.mark.parametrize("num_threads", [1, 7])
def test_scores_in_devset_order(program: Any, num_threads: int) -> None:
    rows = devset(50)
    result = Evaluate(devset=rows, metric=even, num_threads=num_threads)(program)
    assert result.score == float(result) == 50.0
    assert [example for example, _, _ in result.results] == rows
    assert [pred.answer for _, pred, _ in result.results] == [str(i) for i in range(50)]
    assert [value for _, _, value in result.results] == [i % 2 == 0 for i in range(50)]
    assert result.interval.low < 50.0 < result.interval.high
    assert not result.errors
    assert not result.failures
    assert result.complete
    assert 40 < result < 60
    assert "50.00 %" in repr(result)


@pytest.mark.parametrize("program", [echo, aecho])
async def test_await_leaves_the_loop_free(program: Any) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    def slow(example: Any, pred: Any) -> bool:
        time.sleep(0.005)
        return True

    ticking = asyncio.create_task(tick())
    result = await Evaluate(devset=devset(20), metric=slow, num_threads=2).acall(program)
    ticking.cancel()
    assert result.score == 100.0
    assert ticks > 10


@pytest.mark.parametrize("program", [echo, aecho])
async def test_async_metrics(program: Any) -> None:
    async def metric(example: Any, pred: Any) -> Prediction:
        await asyncio.sleep(0)
        return Prediction(score=0.25, feedback=f"saw {pred.answer}")

    evaluate = Evaluate(devset=devset(9), metric=metric, num_threads=3)
    for result in (await evaluate.acall(program), await asyncio.to_thread(evaluate, program)):
        assert result.score == 25.0
        assert [outcome.feedback for outcome in result.outcomes] == [f"saw {i}" for i in range(9)]
        assert result.results[2][2].feedback == "saw 2"


def test_a_metric_may_return_a_coroutine_without_saying_so() -> None:
    async def really(example: Any, pred: Any) -> float:
        return 0.5

    result = Evaluate(devset=devset(4), metric=lambda example, pred: really(example, pred))(echo)
    assert result.score == 50.0


def test_a_metric_that_raises_is_an_error_not_a_zero(caplog: pytest.LogCaptureFixture) -> None:
    def metric(example: Any, pred: Any) -> bool:
        if example.question in ("3", "5"):
            raise KeyError("no such field")
        return True

    with caplog.at_level(logging.WARNING, "telic.evaluate"):
        result = Evaluate(devset=devset(10), metric=metric, num_threads=1)(echo)
    assert result.score == 100.0
    assert [problem.index for problem in result.errors] == [3, 5]
    error = result.errors[0].exception
    assert isinstance(error, MetricError)
    assert isinstance(error.__cause__, KeyError)
    assert "The metric 'metric' raised KeyError: 'no such field' (example 3)" in result.errors[0].error
    assert result.results[3] == (devset(10)[3], Prediction(answer="3"), None)
    assert result.scores[3] is None
    assert len(caplog.records) == 1, "the first error is shown, the others are counted"
    assert "no such field" in caplog.text


@pytest.mark.parametrize("bad", [None, "good", float("nan")])
def test_a_metric_without_a_score_is_an_error(bad: Any) -> None:
    result = Evaluate(devset=devset(3), metric=lambda e, p: True if e.question != "1" else bad)(echo)
    assert [problem.index for problem in result.errors] == [1]
    assert "example 1" in result.errors[0].error


def test_unreadable_answers_are_scored_and_counted_apart() -> None:
    result = Evaluate(devset=devset(4), metric=match, max_errors=0)(unreadable_at(0, 2))
    assert result.score == 50.0
    assert [problem.index for problem in result.failures] == [0, 2]
    assert not result.errors
    assert result.results[0][1:] == (Prediction(), 0.0)
    assert "gibberish" in str(result.failures[0])
    assert result.failures[0].exception.__traceback__ is None, "frames of failures are not kept"
    assert "2 unreadable answers" in repr(result)
    assert Evaluate(devset=devset(4), metric=match, failure_score=-1.0)(unreadable_at(0, 2)).score == 0.0


def test_errors_up_to_the_limit_are_reported() -> None:
    result = Evaluate(devset=devset(20), metric=match, max_errors=2, provide_traceback=True)(failing_at(4, 9))
    assert result.score == 100.0
    assert [(p.index, p.type, p.error) for p in result.errors] == [
        (4, "ValueError", "ValueError: boom at 4"),
        (9, "ValueError", "ValueError: boom at 9"),
    ]
    assert "in program" in (result.errors[0].traceback or "")
    assert result.results[4][1:] == (None, None)


@pytest.mark.parametrize("max_errors", [2, 0.1])
def test_too_many_errors_stop_the_run_and_keep_what_came_in(max_errors: float) -> None:
    evaluate = Evaluate(devset=devset(20), metric=match, max_errors=max_errors, num_threads=1)
    with pytest.raises(
        EvaluationError, match=r"3 examples raised an error \(at most 2 are allowed\)"
    ) as caught:
        evaluate(failing_at(4, 5, 6, 7, 8))
    result = caught.value.result
    assert result is evaluate.last_result
    assert len(result) == 7
    assert len(result.errors) == 3
    assert not result.complete
    assert result.score == 100.0
    assert "1 × ValueError: boom at 4 (first at example 4)" in str(caught.value)


def test_the_setting_is_the_default_limit() -> None:
    with settings.context(max_errors=1), pytest.raises(EvaluationError):
        Evaluate(devset=devset(9), metric=match)(failing_at(1, 2))
    assert len(Evaluate(devset=devset(9), metric=match)(failing_at(1, 2)).errors) == 2


def test_nothing_scored_is_an_error_whatever_the_limit() -> None:
    with pytest.raises(EvaluationError, match="every example did"):
        Evaluate(devset=devset(2), metric=match, max_errors=float("inf"))(failing_at(0, 1))


@pytest.mark.parametrize("max_errors", [-1, 1.5, "3", True])
def test_limits_that_make_no_sense(max_errors: Any) -> None:
    with pytest.raises(InputError, match="a count"):
        Evaluate(devset=devset(2), metric=match, max_errors=max_errors)


@pytest.mark.parametrize(
    "error",
    [
        LMAuthError("wrong key", status=401),
        BudgetExceededError("5 calls", spent={"calls": 5}, caps={"calls": 5}),
    ],
)
def test_what_every_example_would_meet_ends_the_run_at_once(error: Exception) -> None:
    calls = []

    def program(question: str) -> Prediction:
        calls.append(question)
        if len(calls) > 3:
            raise error
        return echo(question)

    evaluate = Evaluate(devset=devset(100), metric=match, num_threads=1)
    with pytest.raises(type(error)) as caught:
        evaluate(program)
    assert len(calls) == 4
    assert evaluate.last_result is not None
    assert len(evaluate.last_result) == 4
    assert "stopped at 4 of 100 examples" in caught.value.__notes__[0]


def test_ctrl_c_keeps_what_came_in() -> None:
    def program(question: str) -> Prediction:
        if question == "5":
            raise KeyboardInterrupt
        return echo(question)

    evaluate = Evaluate(devset=devset(100), metric=match, num_threads=2)
    with pytest.raises(KeyboardInterrupt) as caught:
        evaluate(program)
    assert evaluate.last_result is not None
    assert len(evaluate.last_result) >= 5
    assert caught.value.result is evaluate.last_result  # type: ignore[attr-defined]


async def test_cancelling_stops_the_threads() -> None:
    begun = 0

    def program(question: str) -> Prediction:
        nonlocal begun
        begun += 1
        time.sleep(0.01)
        return echo(question)

    evaluate = Evaluate(devset=devset(1_000), metric=match, num_threads=2)
    task = asyncio.create_task(evaluate.acall(program))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)
    after = begun
    await asyncio.sleep(0.05)
    assert after == begun < 100


def test_concurrency_is_bounded() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def program(question: str) -> Prediction:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1
        return echo(question)

    Evaluate(devset=devset(40), metric=match, num_threads=5)(program)
    assert 2 <= most <= 5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "devset is empty"),
        ([{"question": "1"}], r"Row 0 of the devset is a dict, not an Example.*with_inputs"),
        ([*devset(1), Example(question="1", answer="2")], r"Row 1 of the devset: .*example.with_inputs"),
    ],
)
def test_a_devset_that_cannot_be_used(rows: Any, message: str) -> None:
    def never(question: str) -> Prediction:
        pytest.fail("nothing may be run")

    with pytest.raises(DataError, match=message):
        Evaluate(devset=rows, metric=match)(never)


@pytest.mark.parametrize("metric", [None, lambda pred: True, "exact"])
def test_a_metric_that_cannot_be_used(metric: Any) -> None:
    with pytest.raises(MetricError):
        Evaluate(devset=devset(1), metric=metric)(lambda question: pytest.fail("nothing may be run"))


def test_call_arguments_win() -> None:
    evaluate = Evaluate(devset=devset(3), metric=match)
    assert evaluate(echo, metric=lambda e, p: 0.0, devset=devset(7)).total == 7
    assert evaluate(echo, metric=lambda e, p: 0.0).score == 0.0


def test_the_metric_sees_no_trace_in_an_evaluation() -> None:
    seen: list[Any] = []
    Evaluate(devset=devset(2), metric=lambda e, p, trace: seen.append(trace) or True)(echo)
    assert seen == [None, None]


def test_traces_are_captured_where_asked_for() -> None:
    def program(question: str) -> Prediction:
        trace = scope.current().trace
        assert trace is not None
        trace.append(("predictor", {"question": question}, question))
        return echo(question)

    def metric(example: Any, pred: Any, trace: Any = None) -> bool:
        assert scope.current().trace is None, "what a judge asks is no part of the program's trace"
        assert scope.current().rollout_id is None
        return len(trace) == 1

    outcomes = run_examples(program, devset(3), metric, num_threads=2, capture_trace=True, rollout_id=7)
    assert [o.score for o in outcomes] == [1.0, 1.0, 1.0]
    assert outcomes[1].trace == [("predictor", {"question": "1"}, "1")]


def test_settings_and_scope_of_the_caller_reach_the_program() -> None:
    def program(question: str) -> Prediction:
        assert settings.num_threads == 3
        assert scope.current().rollout_id == "r1"
        return echo(question)

    with settings.context(num_threads=3), scope.within(rollout_id="r1"):
        assert Evaluate(devset=devset(10), metric=match, max_errors=0)(program).score == 100.0


@pytest.mark.parametrize("program", [echo, aecho])
def test_results_are_told_one_at_a_time_as_they_come(program: Any) -> None:
    told: list[int] = []
    outcomes = run_examples(
        program, devset(30), match, num_threads=4, on_result=lambda o: told.append(o.index)
    )
    assert sorted(told) == list(range(30))
    assert [o.index for o in outcomes] == list(range(30))


def test_callbacks_hear_of_it() -> None:
    class Listener(BaseCallback):
        def __init__(self) -> None:
            self.heard: list[Any] = []

        def on_evaluate_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
            self.heard.append((instance, len(inputs["devset"]), inputs["callback_metadata"]))

        def on_evaluate_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
            self.heard.append((outputs, type(exception)))

    listener = Listener()
    evaluate = Evaluate(devset=devset(3), metric=match)
    with settings.context(callbacks=[listener]):
        result = evaluate(echo, callback_metadata={"step": 1})
        with pytest.raises(EvaluationError):
            evaluate(failing_at(0, 1, 2))
    told = (evaluate, 3, {"step": 1})
    assert listener.heard[:2] == [told, (result, type(None))]
    assert listener.heard[3] == (None, EvaluationError)


def test_overhead_is_small_and_flat() -> None:
    def seconds_each(n: int) -> float:
        rows = devset(n)
        evaluate = Evaluate(devset=rows, metric=match, num_threads=8)
        start = time.process_time()
        evaluate(echo)
        return (time.process_time() - start) / n

    small, large = min(seconds_each(1_000) for _ in range(3)), seconds_each(20_000)
    assert large < 2.5 * small + 20e-6
    assert large < 200e-6
