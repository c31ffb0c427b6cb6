"""`DataLoader`: examples from files, frames and the hub, by DSPy's names."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.compat.dspy.datasets import Dataset
from telic.data.example import Example
from telic.datasets.records import json_rows, parquet_rows
from telic.errors import DataError
from telic.runtime.settings import settings


class DataLoader(Dataset):
    """Makes examples. `fields` are those to keep (all by default), `input_keys` the inputs among them."""

    def __init__(self) -> None:
        super().__init__()

    def from_huggingface(
        self,
        dataset_name: str,
        *args: Any,
        input_keys: tuple[str, ...] = (),
        fields: tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> Mapping[str, list[Example]] | list[Example]:
        """A data set of the hub, by the `datasets` package; other arguments go to its `load_dataset`.

        Returns:
            Examples; by split, where there is more than one.
        """
        library = require("datasets", extra="hub", purpose="data sets of the hub")
        found = library.load_dataset(dataset_name, *args, **kwargs)
        if isinstance(found, list):  # several splits were asked for
            return {str(part.split): _examples(part, fields, input_keys) for part in found}
        if hasattr(found, "items"):
            return {split: _examples(rows, fields, input_keys) for split, rows in found.items()}
        return _examples(found, fields, input_keys)

    def from_csv(
        self, file_path: str, fields: list[str] | None = None, input_keys: tuple[str, ...] = ()
    ) -> list[Example]:
        """A CSV file with a header line; numbers become numbers."""
        pandas = require("pandas", extra="frames", purpose="reading CSV files with their types")
        return self.from_pandas(pandas.read_csv(file_path), fields, input_keys)

    def from_pandas(
        self, df: Any, fields: list[str] | None = None, input_keys: tuple[str, ...] = ()
    ) -> list[Example]:
        """A data frame."""
        return _examples(df.to_dict(orient="records"), fields, input_keys)

    def from_json(
        self, file_path: str, fields: list[str] | None = None, input_keys: tuple[str, ...] = ()
    ) -> list[Example]:
        """A file of JSON objects: one a line, or one list of them."""
        return _examples((row for _, row in json_rows(Path(file_path))), fields, input_keys)

    def from_parquet(
        self, file_path: str, fields: list[str] | None = None, input_keys: tuple[str, ...] = ()
    ) -> list[Example]:
        """A Parquet file."""
        return _examples(parquet_rows(Path(file_path)), fields, input_keys)

    def from_rm(self, num_samples: int, fields: list[str], input_keys: list[str]) -> list[Example]:
        """Rows of the retriever of the settings, if it gives rows (`get_objects(num_samples, fields)`)."""
        retriever = settings.rm
        if retriever is None or not hasattr(retriever, "get_objects"):
            raise DataError("from_rm needs a retriever in the settings (rm=…) that has `get_objects`.")
        return _examples(retriever.get_objects(num_samples=num_samples, fields=fields), fields, input_keys)

    def sample(self, dataset: list[Example], n: int, *args: Any, **kwargs: Any) -> list[Example]:
        """`n` of the examples, at random."""
        if not isinstance(dataset, list):
            raise DataError(f"A list of examples is needed, not {type(dataset).__name__}.")
        return random.sample(dataset, n, *args, **kwargs)

    def train_test_split(
        self,
        dataset: list[Example],
        train_size: int | float = 0.75,
        test_size: int | float | None = None,
        random_state: int | None = None,
    ) -> Mapping[str, list[Example]]:
        """Two parts at random: `{"train": …, "test": …}`.

        Args:
            dataset: the examples.
            train_size: a share of them, or a number.
            test_size: likewise; the rest by default.
            random_state: equal ones give equal parts.

        Raises:
            DataError: a size is neither, or there are not so many examples.
        """
        total = len(dataset)
        train = _count("train_size", train_size, total)
        test = total - train if test_size is None else _count("test_size", test_size, total)
        if train + test > total:
            raise DataError(
                f"train_size ({train}) and test_size ({test}) are more than the {total} there are."
            )
        shuffled = list(dataset)
        random.Random(random_state).shuffle(shuffled)
        return {"train": shuffled[:train], "test": shuffled[train : train + test]}


def _count(name: str, size: int | float, total: int) -> int:
    if isinstance(size, float) and 0 < size < 1:
        return int(total * size)
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    raise DataError(f"{name}={size!r} must be a share between 0 and 1, or a number of examples.")


def _examples(
    rows: Iterable[Mapping[str, Any]], fields: Sequence[str] | None, input_keys: Sequence[str]
) -> list[Example]:
    if isinstance(input_keys, str) or (fields is not None and isinstance(fields, str)):
        raise DataError("fields and input_keys are lists of names, not one text.")
    return [Example({name: row[name] for name in (fields or row)}).with_inputs(*input_keys) for row in rows]
