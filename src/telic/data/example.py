"""A row of data: named values, some of which are the inputs of a program."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Self

from telic.errors import DataError

_set = object.__setattr__  # `Example.__setattr__` writes fields; this writes the object's own attributes.
_HIDDEN = "dspy_"  # Fields with this prefix are bookkeeping of data loaders, not data.


class Example:
    """Named values, read as attributes or items: `example.question`, `example["question"]`.

    A field whose name is also a method's (`labels`, `items`, …) is read as an item; the attribute stays the
    method.

    Args:
        base: a mapping or another example to start from; an example's input keys are taken over.
        **fields: further fields; they win over those of `base`.

    Raises:
        DataError: `base` is neither a mapping nor an example.
    """

    _store: dict[str, Any]
    _input_keys: frozenset[str] | None = None

    def __init__(self, /, base: Mapping[str, Any] | Example | None = None, **fields: Any) -> None:
        if base is None:
            _set(self, "_store", fields)
        elif isinstance(base, Example):
            _set(self, "_store", {**base._store, **fields})
            if base._input_keys is not None:
                _set(self, "_input_keys", base._input_keys)
        elif isinstance(base, Mapping):
            _set(self, "_store", {**base, **fields})
        else:
            raise DataError(
                f"{type(self).__name__}(base) takes a mapping or an example, not {type(base).__name__}. "
                f"For a field named 'base' write {type(self).__name__}({{'base': ...}})."
            )

    # Fields.

    def __getattr__(self, name: str) -> Any:
        if name[:1] != "_":
            try:
                return self._store[name]
            except KeyError:
                pass
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        if name[:1] == "_":
            _set(self, name, value)
        else:
            self._store[name] = value

    def __delattr__(self, name: str) -> None:
        if name in self._store:
            del self._store[name]
        else:
            object.__delattr__(self, name)

    def __getitem__(self, name: str) -> Any:
        return self._store[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._store[name] = value

    def __delitem__(self, name: str) -> None:
        del self._store[name]

    def __contains__(self, name: object) -> bool:
        return name in self._store

    def __iter__(self) -> Iterator[str]:
        return iter(self._store)

    def __len__(self) -> int:
        return len(self.keys())

    def __bool__(self) -> bool:
        # An example without fields is still an example.
        return True

    def keys(self, include_dspy: bool = False) -> list[str]:
        """Names of the fields; with `include_dspy` also the bookkeeping ones (`dspy_…`)."""
        return [name for name in self._store if include_dspy or not name.startswith(_HIDDEN)]

    def values(self, include_dspy: bool = False) -> list[Any]:
        """Values of the fields, in the order of `keys`."""
        return [self._store[name] for name in self.keys(include_dspy)]

    def items(self, include_dspy: bool = False) -> list[tuple[str, Any]]:
        """`(name, value)` of the fields."""
        return [(name, self._store[name]) for name in self.keys(include_dspy)]

    def get(self, key: str, default: Any = None) -> Any:
        """The field `key`, or `default`."""
        return self._store.get(key, default)

    # Inputs and labels.

    def with_inputs(self, *keys: str) -> Self:
        """A copy that knows which fields are inputs of the program; all others are labels."""
        made = self.copy()
        _set(made, "_input_keys", frozenset(keys))
        return made

    def inputs(self) -> Self:
        """Only the input fields.

        Raises:
            DataError: no input keys are set.
        """
        keys = self._known_input_keys()
        return self._with_store({name: value for name, value in self._store.items() if name in keys})

    def labels(self) -> Self:
        """Only the fields that are not inputs.

        Raises:
            DataError: no input keys are set.
        """
        keys = self._known_input_keys()
        made = self._with_store({name: value for name, value in self.items() if name not in keys})
        _set(made, "_input_keys", None)
        return made

    def _known_input_keys(self) -> frozenset[str]:
        if self._input_keys is None:
            raise DataError(
                "It is not known which fields of this example are inputs. Say so with "
                f"example.with_inputs(...); its fields are: {', '.join(self.keys()) or 'none'}."
            )
        return self._input_keys

    # Copies.

    def copy(self, /, **fields: Any) -> Self:
        """A shallow copy, with some fields set."""
        return self._with_store({**self._store, **fields})

    def without(self, *keys: str) -> Self:
        """A copy without some fields.

        Raises:
            KeyError: there is no such field.
        """
        store = dict(self._store)
        for key in keys:
            del store[key]
        return self._with_store(store)

    def _with_store(self, store: dict[str, Any]) -> Self:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.__dict__["_store"] = store
        return made

    def toDict(self) -> dict[str, Any]:
        """The fields as plain data: nested examples become dicts, models their JSON form."""
        return {name: _unwrapped(value) for name, value in self._store.items()}

    # Comparison and display.

    def __eq__(self, other: object) -> bool:
        return self._store == other._store if isinstance(other, Example) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset((name, _hash_of(value)) for name, value in self._store.items()))

    def __repr__(self) -> str:
        keys = (
            "None" if self._input_keys is None else "{" + ", ".join(map(repr, sorted(self._input_keys))) + "}"
        )
        shown = {name: value for name, value in self._store.items() if not name.startswith(_HIDDEN)}
        return f"{type(self).__name__}({shown}) (input_keys={keys})"


def _unwrapped(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_unwrapped(item) for item in value]
    if isinstance(value, dict):
        return {key: _unwrapped(item) for key, item in value.items()}
    if isinstance(value, Example):
        return value.toDict()
    dump = getattr(value, "model_dump", None)
    return value if dump is None or isinstance(value, type) else dump()


def _hash_of(value: Any) -> int:
    """A hash that equal values share, for values that Python refuses to hash too (lists, dicts, sets)."""
    if isinstance(value, list):
        return hash(("list", *map(_hash_of, value)))
    if isinstance(value, tuple):
        return hash(("tuple", *map(_hash_of, value)))
    if isinstance(value, dict):
        return hash(frozenset((key, _hash_of(item)) for key, item in value.items()))
    if isinstance(value, (set, frozenset)):
        return hash(frozenset(value))
    # Whatever else cannot be hashed shares one hash per class: slower to look up, never wrong.
    return hash(value) if isinstance(value, Hashable) else hash(type(value))
