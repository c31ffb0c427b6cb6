"""METRIC on the command line: a ready-made one by name, or a function in Python code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import typer

from telic.cli.targets import load_object

METRIC_HELP = (
    "'exact' or 'f1' (of all outputs; 'exact:label' of one), 'answer_exact_match', 'answer_passage_match', "
    "or 'module:function', 'file.py:function'."
)


def load_metric(spec: str, outputs: Sequence[str]) -> Callable[..., Any]:
    """The metric that the command line names.

    Args:
        spec: METRIC as written.
        outputs: output fields of the program, which `exact` and `f1` compare where none is named.

    Raises:
        BadParameter: there is no such metric.
    """
    from telic.evaluate import metrics

    if spec in ("answer_exact_match", "answer_passage_match"):
        metric: Callable[..., Any] = getattr(metrics, spec)
        return metric
    kind, _, fields = spec.partition(":")
    if kind in ("exact", "f1"):
        names = [name.strip() for name in fields.split(",") if name.strip()] or list(outputs)
        return FieldMetric(kind, names)
    if ":" not in spec:
        raise typer.BadParameter(f"there is no metric '{spec}'. Known: {METRIC_HELP}")
    found = load_object(spec, "metric")
    if not callable(found):
        raise typer.BadParameter(f"'{spec}' is a {type(found).__name__}, not a function.")
    return found  # type: ignore[no-any-return]


class FieldMetric:
    """Compares fields of the prediction with those of the example.

    Args:
        kind: `exact`: all are equal after normalisation; `f1`: mean token F1, from 0 to 1.
        fields: names of the fields.
    """

    def __init__(self, kind: str, fields: Sequence[str]) -> None:
        self.kind = kind
        self.fields = list(fields)
        self.__name__ = f"{kind}:{','.join(self.fields)}"

    def __call__(self, example: Any, prediction: Any, trace: Any = None) -> float | bool:
        """Score one prediction."""
        from telic.evaluate.metrics import F1, normalize_text

        pairs = [(_text(example[name]), _text(getattr(prediction, name))) for name in self.fields]
        if self.kind == "exact":
            return all(normalize_text(wanted) == normalize_text(given) for wanted, given in pairs)
        return sum(F1(given, [wanted]) for wanted, given in pairs) / len(pairs)


def _text(value: Any) -> str:
    """Numbers, booleans and lists as people write them in a table: 3.0 is 3, True is true."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    from telic.signatures import to_jsonable

    plain = to_jsonable(value)
    if isinstance(plain, str):
        return plain
    from telic._json import canonical

    return canonical(plain)
