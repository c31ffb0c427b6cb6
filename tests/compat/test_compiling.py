"""Compiled programs in DSPy's terms: demos, flags, candidates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.scripts import dummy
from tests.compat.target import dspy

TRAINSET = [dspy.Example(question=str(n), answer="x").with_inputs("question") for n in range(4)]


def exact(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.answer == prediction.answer)


def searched(**options: Any) -> Any:
    dummy(*[{"answer": "x"}] * 100)
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=exact, max_bootstrapped_demos=1, max_labeled_demos=1, num_threads=1, **options
    )
    return optimizer.compile(dspy.Predict("question -> answer"), trainset=TRAINSET, valset=TRAINSET)


def test_candidates_are_kept() -> None:
    candidates = searched(num_candidate_programs=2).candidate_programs
    assert {"program", "score", "seed", "subscores"} <= set(candidates[0])
    assert isinstance(candidates[0]["program"], dspy.Predict)
    assert candidates[0]["score"] == 100.0
    assert list(candidates[0]["subscores"]) == [1.0] * 4
    assert {c["seed"] for c in candidates} <= {-3, -2, -1, 0, 1}
    scores = [c["score"] for c in candidates]
    assert scores == sorted(scores, reverse=True)


def test_a_bootstrapped_program() -> None:
    dummy(*[{"answer": "x"}] * 20)
    student = dspy.Predict("question -> answer")
    optimizer = dspy.BootstrapFewShot(metric=exact, max_bootstrapped_demos=2, max_labeled_demos=0)
    program = optimizer.compile(student, trainset=TRAINSET)
    assert program is not student
    assert program._compiled
    assert not student.demos
    assert [(demo["question"], demo["answer"]) for demo in program.demos] == [("0", "x"), ("1", "x")]
    assert all(demo["augmented"] for demo in program.demos)


def test_what_the_metric_refuses_is_no_demo() -> None:
    dummy(*[{"answer": "wrong"}] * 20)
    optimizer = dspy.BootstrapFewShot(metric=exact, max_bootstrapped_demos=2, max_labeled_demos=0)
    assert not optimizer.compile(dspy.Predict("question -> answer"), trainset=TRAINSET).demos


@pytest.mark.parametrize(("k", "count"), [(2, 2), (16, 4)])
def test_labelled_demos(k: int, count: int) -> None:
    program = dspy.LabeledFewShot(k=k).compile(dspy.Predict("question -> answer"), trainset=TRAINSET)
    assert len(program.demos) == count
    first = dspy.LabeledFewShot(k=k).compile(
        dspy.Predict("question -> answer"), trainset=TRAINSET, sample=False
    )
    assert [demo["question"] for demo in first.demos] == ["0", "1", "2", "3"][:count]


def test_a_threshold() -> None:
    dummy(*[{"answer": "x"}] * 20)

    def half(example: Any, prediction: Any, trace: Any = None) -> float:
        return 0.5

    def kept(threshold: float) -> int:
        optimizer = dspy.BootstrapFewShot(
            metric=half, metric_threshold=threshold, max_bootstrapped_demos=2, max_labeled_demos=0
        )
        return len(optimizer.compile(dspy.Predict("question -> answer"), trainset=TRAINSET).demos)

    assert (kept(0.4), kept(0.6)) == (2, 0)
