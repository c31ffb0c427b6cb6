"""DATA on the command line: a file, or a data set by name, made into examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from telic.cli.programs import input_names
from telic.errors import DataError

_FILES = (".csv", ".jsonl", ".json", ".jsonl.gz", ".json.gz", ".parquet")


def load_examples(spec: str, program: Any, inputs: str | None, limit: int | None) -> list[Any]:
    """The examples that the command line names, with their inputs set.

    Args:
        spec: DATA as written.
        program: tells which fields are inputs, where `inputs` does not.
        inputs: `--inputs`.
        limit: use only the first so many.

    Raises:
        BadParameter: it cannot be told which fields are inputs.
        DataError: the file or data set is missing, damaged or empty, or lacks an input field.
    """
    if spec.endswith(_FILES):
        names = input_names(program, inputs)
        if not names:
            raise typer.BadParameter("say with --inputs which fields are the program's inputs.")
        examples = _from_file(Path(spec), names)
    else:
        examples = _from_catalogue(spec, inputs)
    if not examples:
        raise DataError(f"'{spec}' has no examples.")
    return examples[:limit]


def _from_file(path: Path, names: Sequence[str]) -> list[Any]:
    from telic.datasets import records

    if path.suffix == ".csv":
        return records.from_csv(path, names)
    if path.suffix == ".parquet":
        return records.from_parquet(path, names)
    return records.from_json(path, names)


def _from_catalogue(spec: str, inputs: str | None) -> list[Any]:
    from telic.datasets.loading import load

    name, _, split = spec.partition(":")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise typer.BadParameter(
            f"'{spec}' is neither a .csv, .jsonl, .json or .parquet file nor a data set."
        )
    examples = load(name, split or "train")  # type: ignore[arg-type] # checked there, with a message
    if inputs is None:
        return examples
    names = [part.strip() for part in inputs.split(",") if part.strip()]
    return [example.with_inputs(*names) for example in examples]
