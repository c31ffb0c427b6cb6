"""What a program answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from telic.data.completions import Completions
from telic.data.example import Example
from telic.errors import DataError

_set = object.__setattr__


class Prediction(Example):
    """The answer of a module: its output fields, and where known all completions and the tokens it took.

    A prediction with a field `score` compares, adds and converts to `float` as that score.
    """

    _completions: Completions | None = None
    _single: Any = None
    """`(signature,)` where this is the only answer, whose `Completions` are made when somebody asks for
    them.
    """
    _lm_usage: Mapping[str, Any] | None = None

    @classmethod
    def from_completions(
        cls, list_or_dict: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]], signature: Any = None
    ) -> Self:
        """The first of several answers, with all of them as `.completions` (see `Completions` for the forms).

        Raises:
            DataError: there is no answer, or the answers do not have the same fields.
        """
        if isinstance(list_or_dict, list) and len(list_or_dict) == 1:
            made = cls(dict(list_or_dict[0]))
            _set(made, "_single", (signature,))
            return made
        completions = Completions(list_or_dict, signature)
        if not len(completions):
            raise DataError("A prediction needs at least one completion.")
        made = cls({name: column[0] for name, column in completions.items()})
        _set(made, "_completions", completions)
        return made

    @property
    def completions(self) -> Completions | None:
        """All answers, where more than the fields is known of them; else `None`."""
        if self._completions is None and self._single is not None:
            _set(self, "_completions", Completions([dict(self._store)], *self._single))
        return self._completions

    def get_lm_usage(self) -> Mapping[str, Any] | None:
        """Tokens by model, `{"provider/model": {"prompt_tokens": …}}`, if usage was tracked."""
        return self._lm_usage

    def set_lm_usage(self, value: Mapping[str, Any] | None) -> None:
        """Attach the tokens that this prediction took."""
        _set(self, "_lm_usage", value)

    def _with_store(self, store: dict[str, Any]) -> Self:
        made = super()._with_store(store)
        # The other answers no longer belong to changed fields.
        made.__dict__.pop("_completions", None)
        made.__dict__.pop("_single", None)
        return made

    def __repr__(self) -> str:
        body = ",\n    ".join(f"{name}={value!r}" for name, value in self._store.items())
        extra = len(self._completions) - 1 if self._completions is not None else 0
        if extra <= 0:
            return f"{type(self).__name__}(\n    {body}\n)"
        body += ",\n    completions=Completions(...)"
        return f"{type(self).__name__}(\n    {body}\n) ({extra} completions omitted)"

    # Arithmetic by score.

    def __float__(self) -> float:
        try:
            return float(self._store["score"])
        except KeyError:
            raise DataError(
                "This prediction has no field 'score', so it is not a number; "
                f"its fields are: {', '.join(self._store) or 'none'}."
            ) from None

    def __add__(self, other: Any) -> float:
        number = _number(other)
        return NotImplemented if number is None else float(self) + number

    __radd__ = __add__

    def __truediv__(self, other: Any) -> float:
        number = _number(other)
        return NotImplemented if number is None else float(self) / number

    def __rtruediv__(self, other: Any) -> float:
        number = _number(other)
        return NotImplemented if number is None else number / float(self)

    def __lt__(self, other: Any) -> bool:
        number = _number(other)
        return NotImplemented if number is None else float(self) < number

    def __le__(self, other: Any) -> bool:
        number = _number(other)
        return NotImplemented if number is None else float(self) <= number

    def __gt__(self, other: Any) -> bool:
        number = _number(other)
        return NotImplemented if number is None else float(self) > number

    def __ge__(self, other: Any) -> bool:
        number = _number(other)
        return NotImplemented if number is None else float(self) >= number


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float, Prediction)) else None


Completions.element = Prediction
