"""Decisions with a stated confidence: one of several options, a place on a scale, yes or no."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, Strict, create_model, model_serializer
from pydantic.json_schema import SkipJsonSchema

from telic.errors import SignatureError
from telic.types.base_type import Type

_HIDDEN: Any = SkipJsonSchema
Share = Annotated[float, Field(ge=0, le=1)]


class Decision(Type):
    """What the kinds of decision share; their criteria go in brackets."""

    model_config = ConfigDict(extra="forbid")

    declared: ClassVar[tuple[Any, ...]] = ()
    """What the brackets held."""

    confidence: Share = Field(description="From 0 to 1: how sure the decision is.")

    def __class_getitem__(cls, declared: Any) -> Any:
        criteria = declared if isinstance(declared, tuple) else (declared,)
        key = (cls, repr(criteria))
        if key not in _DECLARED:
            _DECLARED[key] = cls._declare(criteria)
        return _DECLARED[key]

    def __reduce__(self) -> tuple[Any, ...]:
        # The classes made by brackets are no attributes of a module, so pickle cannot find them by name.
        kind = type(self)
        base = next(known for known in kind.__mro__ if "[" not in known.__name__)
        return (_rebuild, (base, kind.declared, dict(self)))

    @classmethod
    def _declare(cls, criteria: tuple[Any, ...]) -> type[Decision]:
        raise SignatureError(f"{cls.__name__} has no criteria to declare.")

    @classmethod
    def criteria(cls) -> Any:
        """What was declared, as JSON data; `None` if nothing was."""
        return None

    @model_serializer()
    def serialize_model(self) -> dict[str, Any]:
        """The fields, without those that are not known."""
        return {name: value for name, value in self if value is not None or name == "value"}

    def format(self) -> dict[str, Any]:
        """The same."""
        return self.serialize_model()


_DECLARED: dict[tuple[type[Decision], str], type[Decision]] = {}


class Choice(Decision):
    """One of several options: `Choice[("refund", "wants the money back"), ("repair", "wants it mended")]`.

    `choice.value` is the option; options are texts, whole numbers, truth values or `None`.
    """

    value: str | int | bool | None
    probabilities: SkipJsonSchema[dict[str, Share] | None] = None

    @classmethod
    def _declare(cls, criteria: tuple[Any, ...]) -> type[Decision]:
        _check_pairs(criteria)
        values = [value for value, _ in criteria]
        if not all(value is None or isinstance(value, (str, int)) for value in values):
            raise SignatureError("Choice: an option is a text, a whole number, a truth value or None.")
        if len({_label(value) for value in values}) < len(values):
            raise SignatureError(
                "Choice: two options have the same text (1 and '1' are told apart by nobody)."
            )
        return _declared(cls, criteria, value=(Literal[tuple(values)], ...))

    @classmethod
    def criteria(cls) -> dict[str, Any] | None:
        """Description by option."""
        return {_label(value): text for value, text in cls.declared} or None

    @classmethod
    def description(cls) -> str:
        """Lists the options."""
        if not cls.declared:
            return "Exactly one of the options."
        return f"Exactly one option. The options, each with what it means: {_json(cls.declared)}"


class Score(Decision):
    """A place on a scale with described levels, from the lowest: `Score["poor", "fair", "excellent"]`.

    `score.value` goes continuously from 0 to the number of levels less one; `float(score)` is the same.
    """

    value: float = Field(allow_inf_nan=False)
    probabilities: SkipJsonSchema[dict[int, Share] | None] = None
    level: SkipJsonSchema[int | None] = Field(default=None, strict=True, ge=0)

    @classmethod
    def _declare(cls, criteria: tuple[Any, ...]) -> type[Decision]:
        if len(criteria) < 2:
            raise SignatureError(
                "Score: at least two levels are needed, from the lowest: Score['poor', 'good']."
            )
        for text in criteria:
            _check_text(text)
        top = len(criteria) - 1
        return _declared(
            cls,
            criteria,
            value=(float, Field(ge=0, le=top, allow_inf_nan=False)),
            level=(_HIDDEN[int | None], Field(default=None, strict=True, ge=0, le=top)),
        )

    @classmethod
    def criteria(cls) -> list[Any] | None:
        """Descriptions of the levels, from the lowest."""
        return list(cls.declared) or None

    @classmethod
    def description(cls) -> str:
        """Lists the levels."""
        if not cls.declared:
            return "A number on a scale."
        levels = _json(list(enumerate(cls.declared)))
        return f"A number from 0 to {len(cls.declared) - 1}; between the levels too. The levels: {levels}"

    def __float__(self) -> float:
        return float(self.value)


class Noul(Decision):
    """Yes or no; `Noul[(True, "spam"), (False, "a wanted message")]` says what each means.

    `noul.value` is the truth value, and so is `bool(noul)`.
    """

    value: Annotated[bool, Strict()]
    probability: SkipJsonSchema[Share | None] = None

    @classmethod
    def _declare(cls, criteria: tuple[Any, ...]) -> type[Decision]:
        if isinstance(criteria[0], bool):  # Noul[(True, "spam")]: Python drops the outer brackets
            criteria = (criteria,)
        _check_pairs(criteria)
        values = [value for value, _ in criteria]
        if not all(isinstance(value, bool) for value in values) or len(set(values)) < len(values):
            raise SignatureError("Noul: True and False, each once, are what can be described.")
        return _declared(cls, criteria)

    @classmethod
    def criteria(cls) -> dict[str, Any] | None:
        """Description by `"true"` and `"false"`."""
        return {_label(value): text for value, text in cls.declared} or None

    @classmethod
    def description(cls) -> str:
        """Says what yes and no mean."""
        meaning = f" What each means: {_json(cls.criteria())}" if cls.declared else ""
        return f"True or false.{meaning}"

    def __bool__(self) -> bool:
        return self.value


def _declared(base: type[Decision], criteria: tuple[Any, ...], **fields: Any) -> type[Decision]:
    inner = ", ".join(repr(item) for item in criteria)
    made = create_model(f"{base.__name__}[{inner}]", __base__=base, __module__=base.__module__, **fields)
    made.declared = criteria
    made.__doc__ = made.description()
    return made


def _rebuild(base: Any, declared: tuple[Any, ...], fields: dict[str, Any]) -> Decision:
    kind: type[Decision] = base[declared] if declared else base
    return kind.model_construct(**fields)


def _check_pairs(criteria: tuple[Any, ...]) -> None:
    if not all(isinstance(item, tuple) and len(item) == 2 for item in criteria):
        raise SignatureError(
            "Options are declared as pairs of a value and its description: Choice[('a', 'means a')]."
        )
    for _, text in criteria:
        _check_text(text)


def _check_text(text: Any) -> None:
    if not (text is None or isinstance(text, (str, dict, list))):
        raise SignatureError(f"A description is a text, or JSON data: {text!r} is neither.")


def _label(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
