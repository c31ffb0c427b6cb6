"""Several answers to one question, field by field."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from telic.data.example import Example
from telic.errors import DataError


class Completions:
    """`n` answers: `completions.answer` is the list of all values, `completions[i]` the i-th answer.

    Args:
        list_or_dict: a list of mappings with the same fields, or a mapping of field to list, all
            of one length.
        signature: the signature they answer to, if known.

    Raises:
        DataError: the answers do not have the same fields, or the lists not the same length.
    """

    __slots__ = ("_completions", "signature")

    element: ClassVar[type[Example]] = Example
    """What one answer is; `Prediction` puts itself here."""

    def __init__(
        self, list_or_dict: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]], signature: Any = None
    ) -> None:
        if isinstance(list_or_dict, Mapping):
            columns: dict[str, Any] = dict(list_or_dict)
            for name, column in columns.items():
                if not isinstance(column, list):
                    raise DataError(
                        f"Completions: field '{name}' must be a list, not {type(column).__name__}."
                    )
            if len({len(column) for column in columns.values()}) > 1:
                lengths = {name: len(column) for name, column in columns.items()}
                raise DataError(f"Completions: all fields must have as many values: {lengths}.")
        else:
            columns = _transposed(list_or_dict)
        self._completions: dict[str, list[Any]] = columns
        self.signature = signature

    def items(self) -> ItemsView[str, list[Any]]:
        """`(field, values)`."""
        return self._completions.items()

    def keys(self) -> list[str]:
        """Names of the fields."""
        return list(self._completions)

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            return self._completions[key]
        if not isinstance(key, int):
            raise TypeError(f"completions are indexed by number or field name, not {type(key).__name__}")
        if not -len(self) <= key < len(self):
            raise IndexError(f"completion {key} of {len(self)}")
        return self.element({name: column[key] for name, column in self._completions.items()})

    def __getattr__(self, name: str) -> list[Any]:
        if name[:1] != "_" and name in self._completions:
            return self._completions[name]
        raise AttributeError(f"'Completions' object has no attribute '{name}'")

    def __len__(self) -> int:
        return len(next(iter(self._completions.values()), ()))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __contains__(self, name: object) -> bool:
        return name in self._completions

    def __eq__(self, other: object) -> bool:
        return self._completions == other._completions if isinstance(other, Completions) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        body = ",\n    ".join(f"{name}={column!r}" for name, column in self._completions.items())
        return f"Completions(\n    {body}\n)"


def _transposed(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    rows = list(rows)
    if not rows:
        raise DataError("Completions: there is no answer.")
    names = list(rows[0].keys())
    for row in rows:
        if set(row.keys()) != set(names):
            raise DataError(f"Completions: one answer has the fields {names}, another {list(row.keys())}.")
    return {name: [row[name] for row in rows] for name in names}
