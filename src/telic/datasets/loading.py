"""`load`: a data set by name, from a folder or from where it lives."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from telic.data.example import Example
from telic.datasets import folder
from telic.datasets.catalogue import info
from telic.datasets.records import json_rows
from telic.datasets.spec import Spec
from telic.errors import DataError

Split: TypeAlias = Literal["train", "dev", "test"]
_SPLITS = ("train", "dev", "test")


def load(
    name: str,
    split: Split = "train",
    limit: int | None = None,
    seed: int | None = None,
    *,
    context: bool | None = None,
) -> list[Example]:
    """Examples of a data set, with their inputs set.

    The data folder is `TELIC_DATA`, else `../shared/data` beside the project; it holds
    `<name>/<split>.jsonl`. A set that is not there is fetched from its home and kept; there, splits may be
    larger and other rows.

    Args:
        name: see `available()`.
        split: `"train"` to compile on, `"dev"` to choose with, `"test"` to report on.
        limit: so many examples at most; the first ones, or with a seed a random choice.
        seed: shuffle by it; `None` keeps the order of the file.
        context: add the passages that belong to each question as an input named `context`, a list of texts
            (one text where there is one); by default only where a question makes no sense without.

    Raises:
        DataError: no such set or split, it is found nowhere, or a row is damaged.
        MissingExtraError: it lives on the hub, and the extra `hub` is not installed.
    """
    spec = info(name)
    if split not in _SPLITS:
        raise DataError(f"There is no split '{split}' of '{name}'; there are {', '.join(_SPLITS)}.")
    with_context = spec.context if context is None else context
    if with_context and spec.passage is None:
        raise DataError(f"'{name}' has no passages, so context=True makes no sense for it.")
    rows = _rows(spec, split)
    if seed is not None:
        random.Random(f"{name}:{split}:{seed}").shuffle(rows)
    if with_context:
        rows = _with_context(spec, rows[:limit])
    return _examples(spec, rows[:limit], with_context)


def load_corpus(name: str, limit: int | None = None) -> list[dict[str, Any]]:
    """Passages of a data set, as mappings with `title` and `text` (and `id`, `sentences` where it has them).

    Raises:
        DataError: the set has none, or they are not in the data folder.
    """
    spec = info(name)
    if spec.corpus is None:
        raise DataError(f"'{name}' has no corpus.")
    found: list[dict[str, Any]] = []
    for _, row in json_rows(folder.file_of(spec, spec.corpus)):
        if limit is not None and len(found) >= limit:
            break
        text = row.get("text")
        found.append({**row, "text": " ".join(row["sentences"]) if text is None else text})
    return found


def path(name: str, file: str) -> Path:
    """A further file of a data set in the data folder, e.g. `path("tau_retail", "policy.md")`.

    Raises:
        DataError: it is not there.
    """
    return folder.file_of(info(name), file)


def _rows(spec: Spec, split: str) -> list[Mapping[str, Any]]:
    file = folder.split_file(spec, split)
    if file is not None:
        return [row for _, row in json_rows(file)]
    if spec.home is None:
        raise folder.not_found(spec)
    from telic.datasets.homes import fetch

    return fetch(spec, split)


def _with_context(spec: Spec, rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if all("passages" in row for row in rows):
        return [{**row, "context": _one_or_many(row["passages"])} for row in rows]
    passages = {row[spec.key]: row for row in load_corpus(spec.name)}
    return [{**row, "context": _passages(spec, row, passages)} for row in rows]


def _passages(spec: Spec, row: Mapping[str, Any], passages: Mapping[str, Mapping[str, Any]]) -> Any:
    keys = row[spec.passage or ""]
    if isinstance(keys, str):
        text: str = passages[keys]["text"]
        return text
    return [f"{passages[key]['title']} | {passages[key]['text']}" for key in keys if key in passages]


def _one_or_many(passages: list[str]) -> str | list[str]:
    return passages[0] if len(passages) == 1 else passages


def _examples(spec: Spec, rows: list[Mapping[str, Any]], with_context: bool) -> list[Example]:
    inputs = [key for key in spec.inputs if key != "context" or with_context]
    if with_context and "context" not in inputs:
        inputs.append("context")
    made = []
    for number, row in enumerate(rows):
        lacking = [key for key in inputs if key not in row]
        if lacking:
            raise DataError(f"Row {number} of '{spec.name}' lacks {lacking}; it has {list(row)}.")
        made.append(Example({k: v for k, v in row.items() if k != "passages"}).with_inputs(*inputs))
    return made
