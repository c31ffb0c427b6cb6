"""A table as a task: the program that its columns call for, where nobody wrote one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import typer

from telic.cli.examples import load_examples
from telic.cli.exits import say

SMALL = "local/smollm2-135m"
MOST_LABELS = 50
"""A column with more different values than this is not taken for labels."""
_REPEATS = 2
"""Rows for each label, on average, that make a column one of labels."""
_TRUTHS = frozenset({"true", "false"})


def program_of(data: str, inputs: str | None, outputs: str | None, limit: int | None) -> Any:
    """A predictor from the columns `inputs` to the columns `outputs`.

    A column whose values repeat becomes a choice of these values, one of numbers a number, any other text.

    Args:
        data: DATA as written.
        inputs: `--inputs`.
        outputs: `--outputs`.
        limit: use only the first so many rows.

    Raises:
        BadParameter: the columns are not said, or are not there.
        DataError: the file is missing, damaged or empty.
    """
    if not inputs or not outputs:
        raise typer.BadParameter(
            "say which PROGRAM to compile; or name columns of the data with --inputs and --outputs, and one "
            "is made of them."
        )
    from telic.program.predict import Predict
    from telic.signatures import InputField, OutputField, Signature

    examples = load_examples(data, None, inputs, limit)
    columns = {name: _column(examples, name, data) for name in _names(outputs)}
    fields: dict[str, Any] = {name: (str, InputField()) for name in _names(inputs)}
    if both := sorted(fields.keys() & columns.keys()):
        raise typer.BadParameter(f"{', '.join(both)}: a column is an input or an output, not both.")
    fields |= {name: (kind_of(values), OutputField()) for name, values in columns.items()}
    return Predict(Signature(fields))


def metric_for(program: Any) -> str:
    """The metric where none is named: equality, or the overlap of words where an output is free text."""
    free = any(field.annotation is str for field in program.signature.output_fields.values())
    return "f1" if free else "exact"


def model_for_all() -> str | None:
    """The model where none is named: the one that runs anywhere, unless another is set."""
    from telic.runtime.settings import settings

    if settings.lm is not None:
        return None
    say(f"No model is named with --lm: {SMALL}, which runs here.")
    return SMALL


def kind_of(values: Sequence[Any]) -> Any:
    """The type of a column: `bool`, `int`, `float`, a `Literal` of its values, or `str`."""
    texts = [str(value).strip() for value in values]
    if {text.lower() for text in texts} == _TRUTHS:
        return bool
    if all(_is(int, text) for text in texts):
        return int
    if all(_is(float, text) for text in texts):
        return float
    labels = sorted(set(texts))
    if len(labels) <= MOST_LABELS and len(texts) >= _REPEATS * len(labels):
        return Literal[tuple(labels)]
    return str


def _names(spec: str) -> list[str]:
    return [name.strip() for name in spec.split(",") if name.strip()]


def _column(examples: Sequence[Any], name: str, data: str) -> list[Any]:
    known = list(examples[0].keys())
    if name not in known:
        raise typer.BadParameter(f"--outputs {name}: '{data}' has the columns {', '.join(known)}.")
    empty = [at for at, example in enumerate(examples, 1) if example.get(name) in (None, "")]
    if empty:
        raise typer.BadParameter(
            f"--outputs {name}: row {empty[0]} of '{data}' has no value there ({len(empty)} rows have none)."
        )
    return [example[name] for example in examples]


def _is(kind: type[int] | type[float], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
