"""telic's side. Each case is made once and gives a function from a number of operations to seconds taken.

No text is used twice for a signature, so that nobody measures a look-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from time import perf_counter
from typing import Any

import telic
from benchmarks.framework import stub

Run = Callable[[int], float]


class Stub(telic.BaseLM):
    def __init__(self) -> None:
        super().__init__("stub/fixed")

    def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        return stub.response()

    async def aforward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        return stub.response()


def predictor(lm: Any, demos: int = 0) -> Any:
    telic.configure(lm=lm)
    program = telic.Predict(stub.SIGNATURE)
    program.demos = [telic.Example(**demo) for demo in stub.demos(demos)]
    return program


def devset(n: int) -> list[Any]:
    return [telic.Example(question=q, answer="Paris").with_inputs("question") for q in stub.questions(n)]


def metric(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.answer == prediction.answer)


def signature() -> Run:
    numbers = count()

    def run(n: int) -> float:
        texts = [
            f"question{next(numbers)}, context: list[str] -> answer: int, confidence: float" for _ in range(n)
        ]
        start = perf_counter()
        for text in texts:
            telic.Signature(text)
        return perf_counter() - start

    return run


def construction() -> Run:
    numbers = count()

    def run(n: int) -> float:
        texts = [f"question{next(numbers)} -> answer" for _ in range(n)]
        start = perf_counter()
        for text in texts:
            telic.Predict(text)
        return perf_counter() - start

    return run


def predict(demos: int = 0) -> Run:
    program = predictor(Stub(), demos)

    def run(n: int) -> float:
        questions = stub.questions(n)
        start = perf_counter()
        for question in questions:
            program(question=question)
        return perf_counter() - start

    return run


def acall() -> Run:
    program = predictor(Stub())

    async def ask(questions: list[str]) -> float:
        start = perf_counter()
        for question in questions:
            await program.acall(question=question)
        return perf_counter() - start

    return lambda n: asyncio.run(ask(stub.questions(n)))


def cached(url: str) -> Run:
    program = predictor(telic.LM("openai/stub", api_base=url, api_key="none"))
    program(question="the same")

    def run(n: int) -> float:
        start = perf_counter()
        for _ in range(n):
            program(question="the same")
        return perf_counter() - start

    return run


def evaluate() -> Run:
    program = predictor(Stub())

    def run(n: int) -> float:
        evaluator = telic.Evaluate(devset=devset(n), metric=metric, num_threads=8)
        start = perf_counter()
        result = evaluator(program)
        seconds = perf_counter() - start
        assert result.score == 100.0
        return seconds

    return run


def served(url: str, in_flight: int) -> Run:
    """Answers go to the store on disk, as they do by default; no question is asked twice."""
    program = predictor(telic.LM("openai/stub", api_base=url, api_key="none"))
    asked = 0

    def run(n: int) -> float:
        nonlocal asked
        rows = devset(asked + n)[asked:]
        asked += n
        start = perf_counter()
        result = telic.Evaluate(devset=rows, metric=metric, num_threads=in_flight)(program)
        seconds = perf_counter() - start
        assert result.score == 100.0
        return seconds

    return run


def growth() -> Run:
    """Gives MB, not seconds: what the calls after the first 1,000 leave behind, history and all."""
    program = predictor(Stub())
    filler = "x" * 2000

    def run(n: int) -> float:
        for i in range(1000):
            program(question=f"{i} {filler}")
        before = stub.resident_mb()
        for i in range(n):
            program(question=f"{1000 + i} {filler}")
        return stub.resident_mb() - before

    return run
