"""What a result tells and how it is written, what it took, progress lines, comparing two."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from telic.data import Example, Prediction
from telic.errors import AdapterParseError, DataError, MissingExtraError
from telic.evaluate import Evaluate, EvaluationResult, compare
from telic.evaluate.outcome import Outcome
from telic.evaluate.progress import Lines, progress
from telic.evaluate.statistics import ScoreSummary
from telic.runtime import scope
from telic.types import Choice, Request, Response, Usage


def devset(n: int) -> list[Example]:
    return [Example(question=f"q{i}", answer=str(i), tags=["a", i]).with_inputs("question") for i in range(n)]


def answer(number: int) -> Response:
    return Response((Choice("x"),), Usage(10, number), cost=0.5)


def program(question: str) -> Prediction:
    number = int(question[1:])
    for sink in scope.current().sinks:
        sink.add(Request("m"), answer(number))
        sink.add(Request("m"), Response((Choice("x"),), Usage(100, 100), cost=0.5, cached=True))
    if number == 1:
        raise AdapterParseError("chat", None, "gibberish, with 'quotes'\nand a key sk-abcdefgh12345678")
    if number == 2:
        raise ValueError("boom")
    return Prediction(answer=str(number), reason=f"because, of {number}")


def metric(example: Any, pred: Any) -> Prediction:
    return Prediction(score=0.5, feedback="half")


@pytest.fixture
def result() -> EvaluationResult:
    return Evaluate(devset=devset(4), metric=metric)(program)


def test_what_it_took(result: EvaluationResult) -> None:
    assert result.calls == 4
    assert result.cached_calls == 4
    assert result.usage == Usage(40, 6)
    assert result.cost == 2.0
    assert [o.usage.completion_tokens for o in result.outcomes] == [0, 1, 2, 3]
    assert result.seconds > 0
    assert "$2.0000" in repr(result)


def test_an_unknown_price_is_not_nothing() -> None:
    outcome = Outcome(0, None)
    outcome.add(Request("m"), answer(1))
    outcome.add(Request("m"), Response((Choice("x"),)))
    result = EvaluationResult(outcomes=[outcome])
    assert result.cost is None
    assert "cost unknown" in result.summary()
    assert EvaluationResult(outcomes=[Outcome(0, None)]).cost == 0.0


def test_json(result: EvaluationResult, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    result.save_as_json(path)
    row = json.loads(path.read_text())
    assert row["score"] == result.score == pytest.approx(100 / 3, abs=0.01)
    assert row["interval"] == list(result.interval)
    assert (row["examples"], row["run"], row["scored"]) == (4, 4, 3)
    assert row["cost"] == 2.0
    assert row["rows"][0]["example"] == {"question": "q0", "answer": "0", "tags": ["a", 0]}
    assert row["rows"][0]["prediction"] == {"answer": "0", "reason": "because, of 0"}
    assert row["rows"][0]["feedback"] == "half"
    assert [r["status"] for r in row["rows"]] == ["ok", "failure", "error", "ok"]
    assert row["errors"] == [
        {"index": 2, "type": "ValueError", "error": "ValueError: boom", "program_path": None}
    ]
    assert row["failures"][0]["type"] == "AdapterParseError"
    assert "sk-abc" not in path.read_text()


def test_csv_reads_back(result: EvaluationResult, tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    text = result.to_csv(path)
    assert path.read_text() == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0])[:6] == ["index", "question", "answer", "tags", "pred_answer", "reason"]
    assert rows[3]["pred_answer"] == "3"
    assert rows[3]["tags"] == '["a", 3]'
    assert rows[2]["error"] == "ValueError: boom"
    assert [row["score"] for row in rows] == ["0.5", "0.0", "", "0.5"]


def test_fields_named_like_ours_are_kept() -> None:
    rows = [Example(question="q", score="mine").with_inputs("question")]
    result = Evaluate(devset=rows, metric=lambda e, p: 1)(lambda question: "just a text")
    row = next(csv.DictReader(io.StringIO(result.to_csv())))
    assert (row["example_score"], row["score"], row["prediction"]) == ("mine", "1.0", "just a text")


def test_frame(result: EvaluationResult) -> None:
    try:
        import pandas  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(MissingExtraError, match=r"telic\[frames\]"):
            result.to_frame()
    else:
        frame = result.to_frame()
        assert list(frame["status"]) == ["ok", "failure", "error", "ok"]


def test_text_and_html(result: EvaluationResult) -> None:
    table = result.to_table(3)
    assert "because, of 0" in table
    assert "and 1 more" in table
    html = result._repr_html_()
    assert "3 of 4 examples scored" in html
    assert "&#x27;quotes&#x27;" in html
    assert re.fullmatch(
        r"EvaluationResult\(33\.33 %, 95 % interval \[.*\], 3 of 4 examples scored, 1 unreadable answer, "
        r"1 error, 4 calls, 4 calls from the record, 46 tokens, \$2\.0000, \d+\.\d s\)",
        repr(result),
    )


def test_files_and_table_on_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate = Evaluate(
        devset=devset(4),
        metric=metric,
        display_table=2,
        save_as_csv=tmp_path / "a.csv",
        save_as_json=tmp_path / "a.json",
    )
    evaluate(program, save_as_json=tmp_path / "b.json")
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "b.json"}
    assert "and 2 more" in capsys.readouterr().out


def test_progress_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Evaluate(devset=devset(4), metric=metric, display_progress=True)(program)
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert re.search(r"metric: 4/4, 33\.3 % \[.*\], 1 unreadable, 1 error", shown)
    assert isinstance(progress(True, 3, "metric"), Lines)


def test_progress_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    bar = progress(True, 3, "exact")
    assert not isinstance(bar, Lines)
    bar.update(2, ScoreSummary([1.0, 0.0]), 1, 0)
    bar.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "exact" in shown
    assert "2/3" in shown
    assert "50.0 %" in shown
    assert "1 unreadable" in shown


def test_compare_results_and_programs() -> None:
    rows = devset(30)

    def better(question: str) -> Prediction:
        return Prediction(answer=question[1:])

    def worse(question: str) -> Prediction:
        number = int(question[1:])
        return Prediction(answer=str(number if number % 3 else -1))

    def exact(example: Any, pred: Any) -> bool:
        return bool(example.answer == pred.answer)

    a, b = (Evaluate(devset=rows, metric=exact)(p) for p in (worse, better))
    found = compare(a, b)
    assert (found.wins, found.losses, found.ties) == (10, 0, 20)
    assert found.p == 2 / 2**10
    assert compare(worse, better, exact, rows) == found
    assert compare(a, better, exact) == found
    assert "b is better than a" in found.summary()
    assert compare(b, a).difference == -found.difference
    with pytest.raises(DataError, match="of 30 and 29 examples"):
        compare(a, Evaluate(devset=rows[1:], metric=exact)(better))
    with pytest.raises(DataError, match="different examples"):
        compare(a, Evaluate(devset=rows[::-1], metric=exact)(better))
    with pytest.raises(DataError, match="devset is empty"):
        compare(worse, better, exact)
