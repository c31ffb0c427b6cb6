"""`Signature`: what goes into a predictor, what comes out, and what the model is told to do."""

from __future__ import annotations

import copyreg
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from telic.errors import SignatureError
from telic.signatures.field import Field, field_of
from telic.signatures.meta import SignatureMeta, assemble, near
from telic.signatures.state import state_of, with_state


class Signature(metaclass=SignatureMeta):
    """The declaration of one step: typed inputs, typed outputs, instructions.

    Written as a class, whose docstring is the instructions::

        class Sort(Signature):
            \"\"\"Sort a customer's message.\"\"\"

            message: str = InputField()
            intent: Literal["refund", "delivery", "other"] = OutputField(desc="what the customer wants")

    or as a string, `Signature("message -> intent: Literal['refund', 'other']", "Sort a message.")`.

    Signatures are immutable: what would edit one returns another. They are compared by identity; `equals` and
    `signature_key` compare content. Making one builds no validation model: types are looked at when the first
    value has to be validated.

    To a type checker, a signature class is also what its predictions are: it knows their outputs, and what
    modules add to them.
    """

    if TYPE_CHECKING:
        reasoning: Any
        trajectory: Any
        completions: Any

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            """A signature made from a string or a dict of fields."""
            ...

        def get_lm_usage(self) -> Mapping[str, Any] | None:
            """Of a prediction: the tokens it took."""
            ...

        def keys(self) -> Any:
            """Of a prediction: the names of its outputs."""
            ...

        def toDict(self) -> dict[str, Any]:
            """Of a prediction: its outputs as JSON data."""
            ...

        def __getitem__(self, name: str) -> Any: ...

    @classmethod
    def with_instructions(cls, instructions: str) -> type[Self]:
        """This signature with other instructions (indentation is removed); blank ones give the default."""
        return cast("type[Self]", _edited(cls, cls._fields.values(), instructions, None))

    @classmethod
    def append_instructions(cls, instructions: str) -> type[Self]:
        """This signature with a paragraph added to the instructions."""
        return cls.with_instructions(f"{cls._instructions}\n\n{instructions}".strip())

    @classmethod
    def with_updated_fields(cls, name: str, type_: Any = None, **kwargs: Any) -> type[Any]:
        """This signature with one field changed.

        Args:
            name: the field.
            type_: its new type; `None` keeps the old one.
            **kwargs: what `InputField` takes: `desc`, `prefix`, constraints, …; the rest of the field stays.

        Raises:
            SignatureError: there is no such field.
        """
        old = _field(cls, name)
        said = field_of(old.role, kwargs)
        changes: dict[str, Any] = {
            "constraints": {**old.constraints, **said.constraints},
            "extra": {**old.extra, **said.extra},
        }
        if type_ is not None:
            changes["annotation"] = type_
        for key in ("desc", "prefix", "default", "default_factory", "annotation"):
            if key in kwargs or (key == "desc" and "description" in kwargs):
                changes[key] = getattr(said, key)
        new = old.replace(**changes)
        return _edited(cls, (new if field is old else field for field in cls._fields.values()))

    @classmethod
    def append(cls, name: str, field: Field, type_: Any = None) -> type[Any]:
        """This signature with a field added after the others of its role; see `insert`."""
        return cls.insert(-1, name, field, type_)

    @classmethod
    def prepend(cls, name: str, field: Field, type_: Any = None) -> type[Any]:
        """This signature with a field added before the others of its role; see `insert`."""
        return cls.insert(0, name, field, type_)

    @classmethod
    def insert(cls, index: int, name: str, field: Field, type_: Any = None) -> type[Any]:
        """This signature with a field added.

        Args:
            index: its place among the fields of its role; negative ones count from the end, -1 is last.
            name: of the new field.
            field: an `InputField()` or `OutputField()`.
            type_: its type; `None` means what `field` says, or `str`.

        Raises:
            SignatureError: the name is taken or cannot be one, `field` is no field, or there is no such
                place.
        """
        if not isinstance(field, Field):
            raise SignatureError(
                f"'{name}' must be an InputField() or OutputField(), not {type(field).__name__}."
            )
        if name in cls._fields:
            raise SignatureError(
                f"{cls.__name__} already has a field '{name}'. "
                "Change it with with_updated_fields, or delete it first."
            )
        inputs, outputs = list(cls._input_fields.values()), list(cls._output_fields.values())
        side = inputs if field.role == "input" else outputs
        place = index + len(side) + 1 if index < 0 else index
        if not 0 <= place <= len(side):
            raise SignatureError(
                f"Place {index} for '{name}' does not exist: {cls.__name__} has "
                f"{len(side)} {field.role} fields."
            )
        changes = {"name": name} if type_ is None else {"name": name, "annotation": type_}
        side.insert(place, field.replace(**changes))
        return _edited(cls, inputs + outputs)

    @classmethod
    def delete(cls, name: str) -> type[Any]:
        """This signature without a field; unchanged where there is no such field."""
        return _edited(cls, (field for field in cls._fields.values() if field.name != name))

    @classmethod
    def equals(cls, other: Any) -> bool:
        """Whether `other` is a signature of the same content: instructions and fields, in order."""
        if not isinstance(other, SignatureMeta):
            return False
        return cls._instructions == other._instructions and (
            list(cls._fields.values()) == list(other._fields.values())
        )

    @classmethod
    def dump_state(cls) -> dict[str, Any]:
        """The signature as JSON; see `telic.signatures.state.state_of`."""
        return state_of(cls)

    @classmethod
    def load_state(cls, state: Mapping[str, Any]) -> type[Self]:
        """This signature with what was saved; see `telic.signatures.state.with_state`.

        Raises:
            SignatureError: the state is of a signature with other fields; the message names each difference.
        """
        return cast("type[Self]", with_state(cls, state))


def _field(cls: SignatureMeta, name: str) -> Field:
    field = cls._fields.get(name)
    if field is None:
        raise SignatureError(
            f"{cls.__name__} has no field '{name}'.{near(name, cls._fields)} "
            f"It has: {', '.join(cls._fields)}."
        )
    return field


def _edited(
    cls: SignatureMeta, fields: Iterable[Field], instructions: str | None = None, own: bool | None = False
) -> type[Any]:
    """A signature like `cls` with other fields or (with `own=None`) other instructions."""
    if own is False:
        # Like DSPy's, default instructions do not follow an edit: a step that a module adds (say, reasoning)
        # is not what the user asked for.
        instructions, own = cls._instructions, cls._own_instructions
    namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    made: Any = assemble(
        cls.__name__,
        fields,
        instructions,
        bases=(Signature,),
        namespace=namespace,
        own_instructions=own,
    )
    return made  # type: ignore[no-any-return]


def _reduce(cls: SignatureMeta) -> Any:
    """Pickle a signature by name where it can be imported, by content otherwise."""
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is cls:
        return cls.__qualname__
    content = (cls.__name__, tuple(cls._fields.values()), cls._instructions, cls._own_instructions)
    return (_rebuild, (*content, cls.__module__))


def _rebuild(
    name: str, fields: tuple[Field, ...], instructions: str, own: bool, module: str
) -> SignatureMeta:
    namespace = {"__module__": module}
    return assemble(name, fields, instructions, bases=(Signature,), namespace=namespace, own_instructions=own)


copyreg.pickle(SignatureMeta, _reduce)
