"""One field of a signature: its name, type, role and what the model is told about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, NoReturn, TypeAlias

from telic.errors import SignatureError
from telic.signatures.typenames import type_name

Role: TypeAlias = Literal["input", "output"]
_set = object.__setattr__


class _Missing:
    """The default of a field that has none."""

    _instance: _Missing | None = None

    def __new__(cls) -> _Missing:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class _LeftOut:
    """The default of an input that is left out of the prompt where it is not given."""

    def __repr__(self) -> str:
        return "LEFT_OUT"

    def __reduce__(self) -> str:
        return "LEFT_OUT"


LEFT_OUT = _LeftOut()

_CONSTRAINTS: Mapping[str, str] = {
    "gt": "greater than: ",
    "ge": "greater than or equal to: ",
    "lt": "less than: ",
    "le": "less than or equal to: ",
    "min_length": "minimum length: ",
    "max_length": "maximum length: ",
    "multiple_of": "a multiple of: ",
    "pattern": "matching the pattern: ",
    "allow_inf_nan": "infinity and not-a-number allowed: ",
    "max_digits": "maximum number of digits: ",
    "decimal_places": "maximum number of decimal places: ",
}
"""What a value may be held to, by pydantic's names, and how a model is told."""


class Field:
    """A field of a signature. Immutable; `replace` gives a changed copy.

    Attributes:
        name: the field's name; empty until the field stands in a signature.
        annotation: its type; anything pydantic can validate.
        role: `"input"` or `"output"`.
        desc: what a model is told about it; empty where nothing was said.
        prefix: its label in plain-text prompts, `"Some Text:"`.
        default: value of an input that the caller leaves out, or `MISSING`.
        default_factory: makes that value, or `None`.
        constraints: what values are held to: `ge`, `gt`, `le`, `lt`, `min_length`, `pattern`, ….
        has_type: whether a type was given; `annotation` is `str` where none was.
        extra: whatever else was said (`format`, `parser`, `examples`, …), kept for those who know it.
    """

    __slots__ = (
        "_reader",
        "annotation",
        "constraints",
        "default",
        "default_factory",
        "desc",
        "extra",
        "has_type",
        "name",
        "prefix",
        "role",
    )

    name: str
    annotation: Any
    role: Role
    desc: str
    prefix: str
    default: Any
    default_factory: Callable[[], Any] | None
    constraints: Mapping[str, Any]
    extra: Mapping[str, Any]
    has_type: bool
    _reader: Callable[[Any], Any] | None

    def __init__(
        self,
        role: Role,
        name: str = "",
        annotation: Any = MISSING,
        *,
        desc: str = "",
        prefix: str = "",
        default: Any = MISSING,
        default_factory: Callable[[], Any] | None = None,
        constraints: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        _set(self, "role", role)
        _set(self, "name", name)
        _set(self, "has_type", annotation is not MISSING)
        _set(self, "annotation", str if annotation is MISSING else annotation)
        _set(self, "desc", desc)
        _set(self, "prefix", prefix or (f"{infer_prefix(name)}:" if name else ""))
        _set(self, "default", default)
        _set(self, "default_factory", default_factory)
        _set(self, "constraints", constraints or _NOTHING)
        _set(self, "extra", extra or _NOTHING)
        _set(self, "_reader", None)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise SignatureError(
            f"Fields are immutable; to change {name!r} of field '{self.name}' use "
            f"Signature.with_updated_fields({self.name!r}, {name}=...)."
        )

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def replace(self, **changes: Any) -> Field:
        """A copy with some attributes changed; an inferred prefix follows a changed name."""
        values = {name: getattr(self, name) for name in _REPLACEABLE}
        if not self.has_type:
            del values["annotation"]
        if "name" in changes and self.name and self.prefix == f"{infer_prefix(self.name)}:":
            values["prefix"] = ""
        return Field(**{**values, **changes})

    def is_required(self) -> bool:
        """Whether the caller must give a value."""
        return self.default is MISSING and self.default_factory is None

    def get_default(self) -> Any:
        """The value of an input that the caller left out; `MISSING` where there is none."""
        return self.default if self.default_factory is None else self.default_factory()

    @property
    def description(self) -> str | None:
        """`desc`, or `None` where nothing was said."""
        return self.desc or None

    @property
    def constraint_text(self) -> str:
        """The constraints in words, `"greater than: 3, less than: 5"`; empty where there are none."""
        return ", ".join(f"{_CONSTRAINTS[name]}{value}" for name, value in self.constraints.items())

    @property
    def json_schema_extra(self) -> dict[str, Any]:
        """The field as DSPy shows it; a fresh dict, so that changing it changes nothing."""
        view = {
            **self.extra,
            "__dspy_field_type": self.role,
            "prefix": self.prefix,
            "desc": self.desc or f"${{{self.name}}}",
        }
        if self.constraints:
            view["constraints"] = self.constraint_text
        return view

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Field):
            return NotImplemented
        if self is other:
            return True
        # Python holds `Literal["a", "b"]` and `Literal["b", "a"]` equal; a model that is shown them does not.
        return all(getattr(self, name) == getattr(other, name) for name in _REPLACEABLE) and (
            type_name(self.annotation) == type_name(other.annotation)
        )

    def __hash__(self) -> int:
        return hash((self.name, self.role, self.desc, self.prefix))

    def __reduce__(self) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in _REPLACEABLE}
        if not self.has_type:
            del values["annotation"]
        return (_rebuild, (values,))

    def __deepcopy__(self, memo: dict[int, Any]) -> Field:
        return self

    def __repr__(self) -> str:
        parts = [f"{self.name}: {type_name(self.annotation)}", self.role, f"prefix={self.prefix!r}"]
        if self.desc:
            parts.append(f"desc={self.desc!r}")
        if not self.is_required():
            parts.append(
                f"default={self.default!r}" if self.default_factory is None else "default_factory=..."
            )
        parts += [f"{name}={value!r}" for name, value in self.constraints.items()]
        return f"Field({', '.join(parts)})"


_NOTHING: Mapping[str, Any] = {}
_REPLACEABLE = (
    "role",
    "name",
    "annotation",
    "desc",
    "prefix",
    "default",
    "default_factory",
    "constraints",
    "extra",
)


def _rebuild(values: dict[str, Any]) -> Field:
    return Field(**values)


class FieldMap(dict[str, Field]):
    """The fields of a signature by name, in order; a dict that cannot be changed."""

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SignatureError(
            "The fields of a signature cannot be changed in place. Its methods with_updated_fields, append, "
            "prepend, insert and delete return a changed signature."
        )

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> FieldMap:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (FieldMap, (dict(self),))


def InputField(**options: Any) -> Any:
    """Declare a field that the caller gives.

    Args:
        **options: `desc` (or `description`), `prefix`, `default`, `default_factory`, `annotation`, the
            constraints `ge gt le lt multiple_of min_length max_length pattern allow_inf_nan max_digits
            decimal_places`; anything else (`format`, `parser`, `examples`, …) is kept in `extra`.

    Returns:
        A `Field`, typed `Any` so that `question: str = InputField()` type-checks.
    """
    return field_of("input", options)


def OutputField(**options: Any) -> Any:
    """Declare a field that the model writes; options as for `InputField`."""
    return field_of("output", options)


def field_of(role: Role, options: dict[str, Any]) -> Field:
    """Make a field out of the keyword arguments of `InputField` and `OutputField`."""
    known: dict[str, Any] = {}
    constraints: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in options.items():
        if name in ("desc", "description"):
            known["desc"] = value or known.get("desc", "")
        elif name in ("prefix", "default", "default_factory", "annotation"):
            known[name] = value
        elif name in _CONSTRAINTS:
            if value is not None:
                constraints[name] = value
        else:
            extra[name] = value
    if known.get("prefix", "") is None:
        del known["prefix"]
    if known.get("default") is Ellipsis:
        del known["default"]
    return Field(role, constraints=constraints, extra=extra, **known)


_WORD_STARTS = re.compile(
    r"""(?<=[a-z])(?=[A-Z0-9])      # someText, text2
      | (?<=[A-Z])(?=[A-Z][a-z])    # HTMLPage
      | (?<=[A-Z])(?=[0-9])         # GPT4
      | (?<=[0-9])(?=[A-Za-z])      # 4Answer
    """,
    re.VERBOSE,
)


@lru_cache(maxsize=4096)
def infer_prefix(attribute_name: str) -> str:
    """The label of a field by its name: `some_text` → `Some Text`, `isHTMLPage` → `Is HTML Page`."""
    words = _WORD_STARTS.sub("_", attribute_name).split("_")
    return " ".join(word if word.isupper() else word.capitalize() for word in words)
