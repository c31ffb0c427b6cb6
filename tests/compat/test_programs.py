"""Modules as trees, their runs and copies, and batches, in DSPy's terms."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.compat.scripts import dummy
from tests.compat.target import dspy


class Pair(dspy.Module):
    """Two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first = dspy.Predict("question -> query")
        self.second = dspy.ChainOfThought("question, query -> answer")

    def forward(self, question: str) -> Any:
        query = self.first(question=question).query
        return self.second(question=question, query=query)


class Many(dspy.Module):
    """Parts in lists and dicts."""

    def __init__(self) -> None:
        super().__init__()
        self.hops = [dspy.Predict("a -> b"), dspy.Predict("b -> c")]
        self.by_name = {"x": dspy.Predict("c -> d")}
        self.inner = Pair()
        self.again = self.hops[0]


# The tree.


def test_named_predictors() -> None:
    assert [name for name, _ in Pair().named_predictors()] == ["first", "second.predict"]


def test_predictors_in_lists_and_dicts() -> None:
    names = [name for name, _ in Many().named_predictors()]
    assert names == ["hops[0]", "hops[1]", "by_name['x']", "inner.first", "inner.second.predict"]


def test_a_shared_predictor_counts_once() -> None:
    assert len(Many().predictors()) == 5


def test_named_parameters_are_the_predictors() -> None:
    program = Many()
    assert dict(program.named_parameters()).keys() == dict(program.named_predictors()).keys()
    assert len(program.parameters()) == 5


def test_a_predictor_is_its_own_parameter() -> None:
    predict = dspy.Predict("a -> b")
    assert predict.named_parameters() == [("self", predict)]
    assert predict.named_predictors() == [("self", predict)]


def test_named_sub_modules() -> None:
    names = [name for name, _ in Pair().named_sub_modules()]
    assert names == ["self", "self.first", "self.second", "self.second.predict"]


def test_sub_modules_of_a_type() -> None:
    found = [name for name, _ in Many().named_sub_modules(dspy.ChainOfThought)]
    assert found == ["self.inner.second"]


def test_a_compiled_part_is_left_alone() -> None:
    program = Many()
    program.inner._compiled = True
    assert [name for name, _ in program.named_predictors()] == ["hops[0]", "hops[1]", "by_name['x']"]
    assert "self.inner.first" not in [name for name, _ in program.named_sub_modules(skip_compiled=True)]


def test_map_named_predictors() -> None:
    program = Pair()

    def with_demo(predict: Any) -> Any:
        predict.demos = ["demo"]
        return predict

    program.map_named_predictors(with_demo)
    assert [predict.demos for predict in program.predictors()] == [["demo"], ["demo"]]


def test_predictors_can_be_replaced() -> None:
    program = Pair()
    program.map_named_predictors(lambda predict: dspy.Predict("question -> other"))
    assert list(program.first.signature.output_fields) == ["other"]
    assert list(program.second.predict.signature.output_fields) == ["other"]


# LMs.


def test_set_and_get_lm() -> None:
    program, lm = Pair(), dspy.utils.DummyLM([])
    program.set_lm(lm)
    assert all(predict.lm is lm for predict in program.predictors())
    assert program.get_lm() is lm


def test_get_lm_of_several() -> None:
    program = Pair()
    program.first.lm = dspy.utils.DummyLM([])
    with pytest.raises(ValueError):
        program.get_lm()


# Running.


def test_a_program_runs() -> None:
    lm = dummy({"query": "q1"}, {"reasoning": "r", "answer": "a"})
    assert Pair()(question="?").answer == "a"
    assert "q1" in lm.history[1]["messages"][-1]["content"]


def test_positional_arguments_reach_forward() -> None:
    dummy({"query": "q1"}, {"reasoning": "r", "answer": "a"})
    assert Pair()("?").answer == "a"


def test_a_program_can_be_awaited() -> None:
    class Async(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step = dspy.Predict("question -> answer")

        async def aforward(self, question: str) -> Any:
            return await self.step.acall(question=question)

    dummy({"answer": "a"})
    assert asyncio.run(Async().acall(question="?")).answer == "a"


def test_forward_may_return_anything() -> None:
    class Odd(dspy.Module):
        def forward(self, x: int) -> Any:
            return {"twice": 2 * x}

    assert Odd()(x=2) == {"twice": 4}


def test_super_init_may_be_forgotten() -> None:
    class Careless(dspy.Module):
        def __init__(self) -> None:
            self.step = dspy.Predict("question -> answer")

        def forward(self, question: str) -> Any:
            return self.step(question=question)

    dummy({"answer": "a"})
    assert Careless()(question="?").answer == "a"


# Copies.


def test_a_deepcopy_learns_alone() -> None:
    program = Pair()
    copy = program.deepcopy()
    copy.first.demos.append("demo")
    assert program.first.demos == []
    assert copy.first is not program.first


def test_a_reset_copy_has_learnt_nothing() -> None:
    program = Pair()
    program.first.demos = ["demo"]
    assert program.reset_copy().first.demos == []
    assert program.first.demos == ["demo"]


def test_what_cannot_be_copied_is_shared() -> None:
    import threading

    program = Pair()
    program.lock = threading.Lock()
    assert program.deepcopy().lock is program.lock


# Batches.


def test_batch_in_order() -> None:
    class Echo(dspy.Module):
        def forward(self, n: int) -> Any:
            return dspy.Prediction(n=n)

    rows = [dspy.Example(n=n).with_inputs("n") for n in range(20)]
    assert [p.n for p in Echo().batch(rows, num_threads=4)] == list(range(20))


class Fragile(dspy.Module):
    """Fails at 2."""

    def forward(self, n: int) -> Any:
        if n == 2:
            raise ValueError("no twos")
        return n


ROWS = [dspy.Example(n=n).with_inputs("n") for n in range(4)]


def test_batch_with_failures() -> None:
    assert Fragile().batch(ROWS, num_threads=1) == [0, 1, None, 3]


def test_batch_gives_failures_back() -> None:
    results, failed, errors = Fragile().batch(ROWS, num_threads=2, return_failed_examples=True)
    assert results == [0, 1, None, 3]
    assert [row.n for row in failed] == [2]
    assert isinstance(errors[0], ValueError)


def test_batch_stops_at_too_many_failures() -> None:
    with pytest.raises(Exception):
        Fragile().batch([ROWS[2]] * 5, num_threads=1, max_errors=2)


def test_parallel_runs_pairs() -> None:
    class Add(dspy.Module):
        def __init__(self, more: int) -> None:
            super().__init__()
            self.more = more

        def forward(self, n: int) -> int:
            return n + self.more

    pairs = [(Add(10), ROWS[1]), (Add(20), ROWS[3]), (Add(30), {"n": 5})]
    assert dspy.Parallel(num_threads=2)(pairs) == [11, 23, 35]


def test_parallel_with_failures() -> None:
    parallel = dspy.Parallel(num_threads=2, return_failed_examples=True)
    results, failed, errors = parallel([(Fragile(), row) for row in ROWS])
    assert results == [0, 1, None, 3]
    assert [row.n for row in failed] == [2]
    assert len(errors) == 1


def test_parallel_sees_the_callers_settings() -> None:
    class Asks(dspy.Module):
        def forward(self, n: int) -> Any:
            return dspy.settings.get("mark")

    with dspy.context(mark="here"):
        assert dspy.Parallel(num_threads=3)([(Asks(), row) for row in ROWS]) == ["here"] * 4


def test_parallel_executor() -> None:
    executor = dspy.utils.parallelizer.ParallelExecutor(num_threads=3, disable_progress_bar=True)
    assert executor.execute(lambda n: n * n, list(range(10))) == [n * n for n in range(10)]


def test_parallel_executor_counts_failures() -> None:
    def half(n: int) -> int:
        if n % 2:
            raise ValueError(n)
        return n

    executor = dspy.utils.parallelizer.ParallelExecutor(
        num_threads=2, max_errors=9, disable_progress_bar=True
    )
    assert executor.execute(half, [0, 1, 2, 3]) == [0, None, 2, None]
    assert sorted(executor.failed_indices) == [1, 3]
    assert executor.error_count == 2


def test_parallel_executor_stops() -> None:
    def bad(n: int) -> int:
        raise ValueError(n)

    executor = dspy.utils.parallelizer.ParallelExecutor(
        num_threads=1, max_errors=2, disable_progress_bar=True
    )
    with pytest.raises(Exception):
        executor.execute(bad, list(range(10)))


def test_unbatchify_answers_single_calls_together() -> None:
    from concurrent.futures import ThreadPoolExecutor

    sizes: list[int] = []

    def doubled(items: list[int]) -> list[int]:
        sizes.append(len(items))
        return [2 * item for item in items]

    together = dspy.utils.unbatchify.Unbatchify(doubled, max_batch_size=4, max_wait_time=0.05)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(together, range(8))) == [2 * n for n in range(8)]
    together.close()
    assert max(sizes) <= 4
