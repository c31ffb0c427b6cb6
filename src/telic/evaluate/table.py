"""An evaluation as rows: JSON, CSV, data frame, text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from telic._json import dumps
from telic._lazy import require
from telic.data.example import Example
from telic.evaluate.outcome import Outcome, describe

_CELL = 60
"""Characters of a value in a text table."""


def row(outcome: Outcome) -> dict[str, Any]:
    """One outcome as a JSON-like dict, example and prediction nested."""
    problem = outcome.problem
    return {
        "index": outcome.index,
        "example": _plain(outcome.example),
        "prediction": None if outcome.prediction is None else _plain(outcome.prediction),
        "score": outcome.score,
        "feedback": outcome.feedback,
        "status": outcome.status,
        "error": None if problem is None else describe(problem),
        "calls": outcome.calls,
        "cached_calls": outcome.cached_calls,
        "prompt_tokens": outcome.prompt_tokens,
        "completion_tokens": outcome.completion_tokens,
        "cost": outcome.cost,
        "seconds": round(outcome.seconds, 6),
    }


def _plain(value: Any) -> Any:
    return value.toDict() if isinstance(value, Example) else value


def flat_row(outcome: Outcome) -> dict[str, Any]:
    """One outcome with one key a field; `pred_…` where prediction and example share a name."""
    nested = row(outcome)
    example, prediction = nested.pop("example"), nested.pop("prediction")
    fields = dict(example) if isinstance(example, dict) else {"example": example}
    if not isinstance(prediction, dict):
        prediction = {} if prediction is None else {"prediction": prediction}
    named = {(f"pred_{key}" if key in fields else key): value for key, value in prediction.items()}
    index = nested.pop("index")
    # A field of the user's that is called like one of ours keeps its value under another name.
    data = {(f"example_{key}" if key in nested else key): value for key, value in (fields | named).items()}
    return {"index": index, **data, **nested}


def dspy_rows(results: Iterable[tuple[Any, Any, Any]], metric: str) -> list[dict[str, Any]]:
    """`(example, prediction, score)` with one key a field, as DSPy has them: `example_…` and `pred_…` where
    both share a name, and the score under the name of the metric.
    """
    rows = []
    for example, prediction, score in results:
        given = _plain(example)
        answered = _plain(prediction) if isinstance(prediction, Example) else {"prediction": prediction}
        told = {(f"example_{key}" if key in answered else key): value for key, value in given.items()}
        told |= {(f"pred_{key}" if key in given else key): value for key, value in answered.items()}
        rows.append({**told, metric: score})
    return rows


def _columns(rows: Iterable[dict[str, Any]]) -> list[str]:
    """All columns, data before facts, in order of appearance."""
    names: dict[str, None] = {}
    facts: dict[str, None] = {}
    for one in rows:
        keys = list(one)
        start = keys.index("score") if "score" in keys else len(keys)
        names.update(dict.fromkeys(keys[:start]))
        facts.update(dict.fromkeys(keys[start:]))
    return [*names, *(key for key in facts if key not in names)]


def csv_text(outcomes: Sequence[Outcome]) -> str:
    """One line an outcome; values that are no scalars are written as JSON."""
    return csv_of([flat_row(outcome) for outcome in outcomes])


def csv_of(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV."""
    import csv
    from io import StringIO

    out = StringIO()
    writer = csv.DictWriter(out, _columns(rows), lineterminator="\n")
    writer.writeheader()
    for one in rows:
        writer.writerow({key: _cell(value) for key, value in one.items()})
    return out.getvalue()


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float)) else dumps(value)


def frame(outcomes: Sequence[Outcome]) -> Any:
    """One row an outcome, as a pandas data frame."""
    pandas = require("pandas", extra="frames", purpose="data frames of results")
    rows = [flat_row(outcome) for outcome in outcomes]
    return pandas.DataFrame(rows, columns=_columns(rows))


def text(outcomes: Sequence[Outcome], most: int) -> str:
    """The first `most` outcomes as a text table, long values cut."""
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    Console(file=out, width=160, no_color=True).print(rich_table(outcomes, most))
    return out.getvalue()


def rich_table(outcomes: Sequence[Outcome], most: int) -> Any:
    """The first `most` outcomes as a table for a rich console."""
    from rich.table import Table
    from rich.text import Text

    rows = [flat_row(outcome) for outcome in outcomes[:most]]
    hidden = {"calls", "cached_calls", "prompt_tokens", "completion_tokens", "cost", "seconds"}
    columns = [
        name
        for name in _columns(rows)
        if name not in hidden and any(one.get(name) is not None for one in rows)
    ]
    more = len(outcomes) - len(rows)
    made = Table(caption=f"and {more} more" if more > 0 else None)
    for name in columns:
        made.add_column(name, overflow="fold")
    for one in rows:
        made.add_row(*(Text(_short(one.get(name))) for name in columns))
    return made


def _short(value: Any) -> str:
    shown = "" if value is None else value if isinstance(value, str) else dumps(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= _CELL else f"{shown[: _CELL - 1]}…"
