"""What an evaluation found, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic.data.prediction import Prediction
from telic.evaluate import table
from telic.evaluate.outcome import Outcome, Problem
from telic.evaluate.statistics import Interval, ScoreSummary
from telic.runtime.settings import settings
from telic.types import Usage


class EvaluationResult:
    """Scores with their confidence, everything that was answered, and everything that went wrong.

    Two kinds of trouble are kept apart. A *failure* is an answer of the model that could not be read: it is
    the program's fault and scored with the failure score. An *error* is anything else that was raised, by the
    metric, the program or the LM: it says nothing about quality, so the example is not scored.

    `float(result)` is its score, and results compare by score with each other and with numbers.

    Args:
        score: a score to state, in percent, where it is not to be the mean of what follows.
        results: `(example, prediction, score)` of each example, for a result made by hand.
        outcomes: one per example that was run, in devset order; in place of `results`.
        total: size of the devset; more than `len(outcomes)` where the run was cut short.
        seconds: wall-clock time.
        metric_name: name of the metric.
        with_traceback: keep tracebacks in `errors` and `failures`.
    """

    def __init__(
        self,
        score: float | None = None,
        results: Sequence[tuple[Any, Any, Any]] = (),
        *,
        outcomes: Sequence[Outcome] | None = None,
        total: int | None = None,
        seconds: float = 0.0,
        metric_name: str = "metric",
        with_traceback: bool = False,
    ) -> None:
        self.outcomes = _by_hand(results) if outcomes is None else list(outcomes)
        self.total = len(self.outcomes) if total is None else total
        self.seconds = seconds
        self.metric_name = metric_name
        self._with_traceback = with_traceback
        self._stated = score
        self._summary = ScoreSummary(o.score for o in self.outcomes if o.score is not None)

    # Scores.

    @property
    def score(self) -> float:
        """Mean score in percent, rounded to two decimals; NaN where nothing was scored."""
        if self._stated is not None:
            return self._stated
        return round(100.0 * self._summary.mean, 2)

    @property
    def interval(self) -> Interval:
        """95 % confidence interval of the score, in percent."""
        return self.confidence_interval(0.95)

    def confidence_interval(self, confidence: float = 0.95) -> Interval:
        """Confidence interval of the score, in percent; see `telic.evaluate.statistics` for the method."""
        return self._summary.interval(confidence).percent()

    @property
    def scores(self) -> list[float | None]:
        """Score of each example (not in percent), in devset order; `None` where an error left none."""
        return [outcome.score for outcome in self.outcomes]

    @property
    def complete(self) -> bool:
        """Whether the whole devset was run."""
        return len(self.outcomes) == self.total

    # Examples.

    @cached_property
    def results(self) -> list[tuple[Any, Any, Any]]:
        """`(example, prediction, what the metric returned)` in devset order.

        An unreadable answer has an empty prediction and the failure score; an error has `None` for its score,
        and for its prediction too unless it was the metric that raised.
        """
        return [(o.example, Prediction() if _unanswered(o) else o.prediction, o.value) for o in self.outcomes]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One JSON-like dict an example: what went in and came out, score, status, what it took."""
        return [table.row(outcome) for outcome in self.outcomes]

    @cached_property
    def failures(self) -> list[Problem]:
        """Answers that could not be read; they count into the score."""
        return self._problems("failure")

    @cached_property
    def errors(self) -> list[Problem]:
        """Examples at which something was raised; they do not count into the score."""
        return self._problems("error")

    def _problems(self, status: str) -> list[Problem]:
        return [
            Problem.of(o, with_traceback=self._with_traceback) for o in self.outcomes if o.status == status
        ]

    # Cost.

    @property
    def calls(self) -> int:
        """LM calls that were paid for."""
        return sum(outcome.calls for outcome in self.outcomes)

    @property
    def cached_calls(self) -> int:
        """LM calls answered from the record."""
        return sum(outcome.cached_calls for outcome in self.outcomes)

    @cached_property
    def usage(self) -> Usage:
        """Tokens of the paid calls."""
        return sum((outcome.usage for outcome in self.outcomes if outcome.calls), Usage())

    @property
    def cost(self) -> float | None:
        """US dollars of the paid calls; `None` where the price of one is not known."""
        costs = [outcome.cost for outcome in self.outcomes]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    # Ways out.

    def keys(self) -> list[str]:
        """`["score", "results"]`, which `result[name]` gives, as of a prediction."""
        return ["score", "results"]

    def to_json(self) -> dict[str, Any]:
        """Everything as one JSON object."""
        return {
            "score": None if isnan(self.score) else self.score,
            "interval": list(self.interval),
            "metric": self.metric_name,
            "examples": self.total,
            "run": len(self.outcomes),
            "scored": self._summary.count,
            "calls": self.calls,
            "cached_calls": self.cached_calls,
            "usage": self.usage.to_json(),
            "cost": self.cost,
            "seconds": round(self.seconds, 3),
            "failures": [problem.to_json() for problem in self.failures],
            "errors": [problem.to_json() for problem in self.errors],
            "rows": self.rows,
        }

    def save_as_json(self, path: str | Path) -> None:
        """Write `to_json()` to a file, atomically; under `settings.state_layout = "dspy"`, rows as DSPy's."""
        if settings.state_layout == "dspy":
            write_atomic(path, dumps(table.dspy_rows(self.results, self.metric_name)))
            return
        write_atomic(path, dumps(self.to_json(), indent=1) + "\n")

    def to_csv(self, path: str | Path | None = None) -> str:
        """One line an example, as CSV text; also written to `path` where given.

        Under `settings.state_layout = "dspy"` it has DSPy's columns.
        """
        if settings.state_layout == "dspy":
            text = table.csv_of(table.dspy_rows(self.results, self.metric_name))
        else:
            text = table.csv_text(self.outcomes)
        if path is not None:
            write_atomic(path, text)
        return text

    def to_frame(self) -> Any:
        """One row an example, as a pandas data frame (needs the extra `frames`)."""
        return table.frame(self.outcomes)

    def to_table(self, rows: int = 20) -> str:
        """The first `rows` examples as a text table."""
        return table.text(self.outcomes, rows)

    def __getitem__(self, name: str) -> Any:
        if name not in ("score", "results"):
            raise KeyError(name)
        return getattr(self, name)

    def __float__(self) -> float:
        return self.score

    def __lt__(self, other: Any) -> bool:
        return self.score < float(other)

    def __le__(self, other: Any) -> bool:
        return self.score <= float(other)

    def __gt__(self, other: Any) -> bool:
        return self.score > float(other)

    def __ge__(self, other: Any) -> bool:
        return self.score >= float(other)

    def __len__(self) -> int:
        return len(self.outcomes)

    def summary(self) -> str:
        """The outcome in a sentence: score, interval, trouble, calls, tokens, cost, seconds."""
        return ", ".join(self._facts())

    def _facts(self) -> list[str]:
        scored = self._summary.count
        said = [f"{self.score:.2f} %, 95 % interval {self.interval}" if scored else "nothing scored"]
        said.append(f"{scored} of {self.total} examples scored")
        for count, one, many in (
            (len(self.failures), "unreadable answer", "unreadable answers"),
            (len(self.errors), "error", "errors"),
            (self.calls, "call", "calls"),
            (self.cached_calls, "call from the record", "calls from the record"),
            (self.usage.total_tokens, "token", "tokens"),
        ):
            if count:
                said.append(f"{count:,} {one if count == 1 else many}")
        if self.calls:
            said.append("cost unknown" if self.cost is None else f"${self.cost:.4f}")
        return [*said, f"{self.seconds:.1f} s"]

    def __repr__(self) -> str:
        return f"EvaluationResult({self.summary()})"

    def _repr_html_(self) -> str:
        from html import escape

        head, *rest = self._facts()
        problems = [*self.errors, *self.failures][:5]
        items = "".join(f"<li>example {p.index}: {escape(p.error[:300])}</li>" for p in problems)
        listing = f"<ul>{items}</ul>" if items else ""
        return f"<div><b>{escape(head)}</b><br>{escape(' · '.join(rest))}{listing}</div>"


def _unanswered(outcome: Outcome) -> bool:
    """Scored, but without an answer that was scored."""
    return outcome.failure is not None or (outcome.error is not None and outcome.score is not None)


def _by_hand(results: Sequence[tuple[Any, Any, Any]]) -> list[Outcome]:
    made = []
    for index, (example, prediction, value) in enumerate(results):
        score = None if value is None else float(value)
        made.append(Outcome(index, example, prediction=prediction, value=value, score=score))
    return made
