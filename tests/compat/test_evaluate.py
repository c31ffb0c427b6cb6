"""Evaluation and metrics in DSPy's terms."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.compat.scripts import dummy
from tests.compat.target import dspy


def rows(count: int = 4) -> list[Any]:
    return [dspy.Example(n=str(n), answer=str(n)).with_inputs("n") for n in range(count)]


class Echo(dspy.Module):
    """Answers with its input; fails where it is told to."""

    def __init__(self, wrong: tuple[str, ...] = (), broken: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.wrong, self.broken = wrong, broken

    def forward(self, n: str) -> Any:
        if n in self.broken:
            raise ValueError(f"broken at {n}")
        return dspy.Prediction(answer="x" if n in self.wrong else n)


def exact(example: Any, prediction: Any, trace: Any = None) -> bool:
    return bool(example.answer == prediction.answer)


def evaluate(**options: Any) -> Any:
    given = {"devset": rows(), "metric": exact, "num_threads": 1, "display_progress": False, **options}
    return dspy.Evaluate(**given)


def test_a_perfect_score() -> None:
    assert evaluate()(Echo()).score == 100.0


def test_a_score_in_percent() -> None:
    assert evaluate()(Echo(wrong=("1",))).score == 75.0


def test_a_score_is_rounded() -> None:
    assert evaluate(devset=rows(3))(Echo(wrong=("1",))).score == 66.67


def test_results_in_order() -> None:
    results = evaluate()(Echo(wrong=("1",))).results
    assert [example.n for example, _, _ in results] == ["0", "1", "2", "3"]
    assert [prediction.answer for _, prediction, _ in results] == ["0", "x", "2", "3"]
    assert [score for _, _, score in results] == [True, False, True, True]


def test_threads_do_not_change_the_order() -> None:
    results = evaluate(devset=rows(30), num_threads=5)(Echo()).results
    assert [example.n for example, _, _ in results] == [str(n) for n in range(30)]


def test_metric_and_devset_of_a_call() -> None:
    result = evaluate()(Echo(), metric=lambda e, p, trace=None: 0.5, devset=rows(2))
    assert (result.score, len(result.results)) == (50.0, 2)


@pytest.mark.parametrize("value", [0.25, 1, True, 0])
def test_scores_of_several_kinds(value: Any) -> None:
    assert evaluate(metric=lambda e, p, trace=None: value)(Echo()).score == 100.0 * float(value)


def test_scores_with_feedback() -> None:
    result = evaluate(metric=lambda e, p, trace=None: dspy.Prediction(score=0.5, feedback="so so"))(Echo())
    assert result.score == 50.0


def test_a_metric_of_two_arguments() -> None:
    assert evaluate(metric=lambda example, prediction: 1.0)(Echo()).score == 100.0


def test_a_failing_example_has_the_failure_score() -> None:
    result = evaluate()(Echo(broken=("1",)))
    assert result.score == 75.0
    assert result.results[1][2] == 0.0
    assert isinstance(result.results[1][1], dspy.Prediction)


def test_a_failure_score_of_ones_own() -> None:
    assert evaluate(failure_score=0.5)(Echo(broken=("1", "2"))).score == 75.0


def test_a_failing_metric_has_the_failure_score() -> None:
    def bad(example: Any, prediction: Any, trace: Any = None) -> bool:
        if example.n == "2":
            raise KeyError("metric")
        return True

    assert evaluate(metric=bad)(Echo()).score == 75.0


def test_too_many_failures_end_it() -> None:
    with pytest.raises(Exception):
        evaluate(max_errors=2)(Echo(broken=("0", "1", "2")))


def test_as_many_failures_as_allowed_end_it() -> None:
    with pytest.raises(Exception):
        evaluate(max_errors=2)(Echo(broken=("0", "1")))


def test_fewer_failures_do_not() -> None:
    assert evaluate(max_errors=3)(Echo(broken=("0", "1"))).score == 50.0


def test_all_may_fail() -> None:
    assert evaluate(max_errors=10)(Echo(broken=("0", "1", "2", "3"))).score == 0.0


def test_max_errors_of_the_settings() -> None:
    with pytest.raises(Exception), dspy.context(max_errors=1):
        evaluate()(Echo(broken=("0",)))


def test_an_empty_devset_is_refused() -> None:
    with pytest.raises(ValueError):
        evaluate(devset=[])(Echo())


def test_an_unreadable_answer_has_the_failure_score() -> None:
    dummy(*[{"nothing": "x"}] * 2, {"answer": "a"})
    devset = [dspy.Example(question=str(n), answer="a").with_inputs("question") for n in range(2)]
    predict = dspy.Predict("question -> answer, more")
    assert evaluate(devset=devset)(predict).score in (0.0, 50.0)


def test_the_result_is_shown() -> None:
    shown = repr(evaluate()(Echo()))
    assert "EvaluationResult" in shown
    assert "100.0" in shown


def test_the_result_can_be_read_like_a_dict() -> None:
    result = evaluate()(Echo())
    assert result["score"] == 100.0
    assert len(result["results"]) == 4


def test_the_result_is_a_number() -> None:
    assert float(evaluate()(Echo())) == 100.0
    assert evaluate()(Echo()) >= evaluate()(Echo(wrong=("1",)))


def test_a_result_can_be_made() -> None:
    result = dspy.evaluate.EvaluationResult(
        score=12.5, results=[(rows()[0], dspy.Prediction(answer="x"), 0.0)]
    )
    assert result.score == 12.5
    assert len(result.results) == 1


def test_results_as_json(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    evaluate(save_as_json=str(path))(Echo(wrong=("1",)))
    table = json.loads(path.read_text())
    assert [row["n"] for row in table] == ["0", "1", "2", "3"]
    assert [row["exact"] for row in table] == [True, False, True, True]
    assert [row["pred_answer"] for row in table] == ["0", "x", "2", "3"]
    assert [row["example_answer"] for row in table] == ["0", "1", "2", "3"]


def test_results_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    evaluate()(Echo(), save_as_csv=str(path))
    with path.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["n"] for row in table] == ["0", "1", "2", "3"]
    assert {row["exact"] for row in table} == {"True"}


def test_a_program_may_be_a_function() -> None:
    assert evaluate()(lambda n: dspy.Prediction(answer=n)).score == 100.0


def test_the_settings_reach_the_threads() -> None:
    class Marked(dspy.Module):
        def forward(self, n: str) -> Any:
            return dspy.Prediction(answer=dspy.settings.get("mark"))

    with dspy.context(mark="here"):
        result = evaluate(num_threads=3, metric=lambda e, p, trace=None: p.answer == "here")(Marked())
    assert result.score == 100.0


# Metrics.


@pytest.mark.parametrize(
    ("given", "expected", "same"),
    [
        ("Paris", "paris", True),
        ("The Paris.", "paris", True),
        ("Paris", "London", False),
        ("Paris", ["London", "Paris"], True),
        ("Paris", ["London"], False),
        ("  new   york ", "New York", True),
    ],
)
def test_answer_exact_match(given: str, expected: Any, same: bool) -> None:
    example, prediction = dspy.Example(answer=expected), dspy.Prediction(answer=given)
    assert dspy.evaluate.answer_exact_match(example, prediction) is same


def test_answer_exact_match_of_a_fraction() -> None:
    example, prediction = dspy.Example(answer="a red big house"), dspy.Prediction(answer="red big house here")
    assert not dspy.evaluate.answer_exact_match(example, prediction)
    assert dspy.evaluate.answer_exact_match(example, prediction, frac=0.8)


@pytest.mark.parametrize(
    ("passages", "found"),
    [(["It is in Paris, France."], True), (["Nothing here.", "In paris."], True), (["Parisian."], False)],
)
def test_answer_passage_match(passages: list[str], found: bool) -> None:
    example, prediction = dspy.Example(answer="Paris"), dspy.Prediction(context=passages)
    assert bool(dspy.evaluate.answer_passage_match(example, prediction)) is found


@pytest.mark.parametrize(
    ("text", "normal"),
    [("The Cat!", "cat"), ("A  big   dog", "big dog"), ("an apple, a day", "apple day"), ("ÉCOLE", "école")],
)
def test_normalize_text(text: str, normal: str) -> None:
    import unicodedata

    assert unicodedata.normalize("NFC", dspy.evaluate.normalize_text(text)) == normal


def test_em() -> None:
    assert dspy.evaluate.EM("The cat", ["dog", "cat"])
    assert not dspy.evaluate.EM("cow", ["dog", "cat"])


@pytest.mark.parametrize(("given", "accepted", "score"), [("a b c", ["b c"], 1.0), ("x y", ["x z"], 0.5),
                                                          ("q", ["r"], 0.0), ("x y", ["r", "x y"], 1.0)])  # fmt: skip
def test_f1(given: str, accepted: list[str], score: float) -> None:
    assert dspy.evaluate.metrics.F1(given, accepted) == pytest.approx(score, abs=0.01)


def test_hotpot_f1_of_closed_answers() -> None:
    assert dspy.evaluate.metrics.HotPotF1("yes indeed", ["yes"]) == 0.0
    assert dspy.evaluate.metrics.HotPotF1("yes", ["yes"]) == 1.0


def test_precision() -> None:
    assert dspy.evaluate.metrics.precision_score("red house", "a red big house") == 1.0
    assert dspy.evaluate.metrics.precision_score("red cow", "a red big house") == 0.5


# Judges.


def test_semantic_f1() -> None:
    dummy({"reasoning": "r", "recall": "0.5", "precision": "1.0"})
    example, prediction = dspy.Example(question="q", response="gold"), dspy.Prediction(response="said")
    result = dspy.evaluate.SemanticF1()(example, prediction)
    assert float(getattr(result, "score", result)) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("threshold", "enough"), [(0.5, True), (0.9, False)])
def test_semantic_f1_while_bootstrapping(threshold: float, enough: bool) -> None:
    dummy({"reasoning": "r", "recall": "0.5", "precision": "1.0"})
    example, prediction = dspy.Example(question="q", response="gold"), dspy.Prediction(response="said")
    result = dspy.evaluate.SemanticF1(threshold=threshold)(example, prediction, trace=[])
    assert bool(getattr(result, "score", result)) is enough


def test_semantic_f1_decomposed() -> None:
    judge = dspy.evaluate.SemanticF1(decompositional=True)
    assert list(judge.module.predict.signature.output_fields) == [
        "reasoning", "ground_truth_key_ideas", "system_response_key_ideas", "discussion", "recall", "precision",
    ]  # fmt: skip


def test_complete_and_grounded() -> None:
    dummy(
        {"reasoning": "r", "ground_truth_key_ideas": "a", "system_response_key_ideas": "b", "discussion": "d",
         "completeness": "0.5"},
        {"reasoning": "r", "system_response_claims": "a", "discussion": "b", "groundedness": "1.0"},
    )  # fmt: skip
    example = dspy.Example(question="q", response="gold")
    prediction = dspy.Prediction(response="said", context=["passage"])
    result = dspy.evaluate.CompleteAndGrounded()(example, prediction)
    assert float(getattr(result, "score", result)) == pytest.approx(2 / 3)


def test_a_result_is_read_like_a_prediction() -> None:
    result = dspy.evaluate.EvaluationResult(score=50.0, results=[])
    assert (result["score"], result["results"], list(result.keys())) == (50.0, [], ["score", "results"])


def test_parallel_takes_tuples_of_positional_arguments() -> None:
    class Twice(dspy.Module):  # type: ignore[misc,unused-ignore]
        def forward(self, first: int, second: int = 1) -> int:
            return first * second

    pairs = [
        (Twice(), (2, 3)),
        (Twice(), {"first": 4}),
        (Twice(), dspy.Example(first=5).with_inputs("first")),
    ]
    assert dspy.Parallel(num_threads=2, disable_progress_bar=True)(pairs) == [6, 4, 5]
