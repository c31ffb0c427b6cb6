"""How signature classes are made, and what they show of themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from typing import Any, ClassVar, NoReturn

from telic._json import stable_hash
from telic.errors import SignatureError
from telic.signatures.field import Field, FieldMap
from telic.signatures.typenames import type_name

RESERVED_INPUTS = frozenset({"self", "signature", "demos", "config", "lm"})
"""Names that a predictor's call takes for itself, so that no input can have them."""

_SETTABLE = frozenset({"__module__", "__name__", "__qualname__", "__abstractmethods__"})


class SignatureMeta(type):
    """Gives signature classes their attributes (`fields`, `instructions`, …) and keeps them unchangeable."""

    _fields: FieldMap
    _input_fields: FieldMap
    _output_fields: FieldMap
    _input_names: frozenset[str]
    _instructions: str
    _own_instructions: bool
    _key: str | None
    _sealed: bool
    _maker: ClassVar[Callable[..., Any] | None] = None  # `make_signature`, which sets itself here

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> SignatureMeta:
        """A `class` statement: read its body."""
        from telic.signatures.classbody import fields_of_body

        fields, instructions = fields_of_body(name, bases, namespace)
        return assemble(name, fields, instructions, bases=bases, namespace=namespace, meta=mcs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """`Signature("question -> answer")` makes a signature; see `make_signature`."""
        if cls.__bases__ == (object,) and SignatureMeta._maker is not None:
            return SignatureMeta._maker(*args, **kwargs)
        raise SignatureError(
            f"{cls.__name__} is a signature, and signatures are not called. Give it to a module: "
            f"Predict({cls.__name__})(...)."
        )

    @property
    def instructions(cls) -> str:
        """What the model is told to do: the docstring, or a sentence that names the fields."""
        return cls._instructions

    @property
    def fields(cls) -> Mapping[str, Field]:
        """All fields by name, inputs first."""
        return cls._fields

    model_fields = fields
    """By pydantic's name, for programs that look at a signature as at a model."""

    @property
    def input_fields(cls) -> Mapping[str, Field]:
        """Fields that the caller gives."""
        return cls._input_fields

    @property
    def output_fields(cls) -> Mapping[str, Field]:
        """Fields that the model writes."""
        return cls._output_fields

    @property
    def signature(cls) -> str:
        """The names, `"question, context -> answer"`."""
        return f"{', '.join(cls._input_fields)} -> {', '.join(cls._output_fields)}"

    @property
    def typed_signature(cls) -> str:
        """Names and types as `make_signature` reads them, `"question, context: list[str] -> answer: int"`."""
        sides = (cls._input_fields.values(), cls._output_fields.values())
        return " -> ".join(", ".join(map(_written, side)) for side in sides)

    @property
    def signature_key(cls) -> str:
        """A hash of the content (instructions, fields, types, constraints); the same in every process."""
        if cls._key is None:
            type.__setattr__(cls, "_key", stable_hash([cls._instructions, *map(_row, cls._fields.values())]))
        return str(cls._key)

    def __getattr__(cls, name: str) -> Any:
        hint = f"; the field is read as {cls.__name__}.fields[{name!r}]" if name in cls._fields else ""
        raise AttributeError(f"signature '{cls.__name__}' has no attribute '{name}'{hint}")

    def __setattr__(cls, name: str, value: Any) -> None:
        # A class without fields is not sealed: cloudpickle makes it empty, then sets what it had, by name.
        if cls._sealed and name not in _SETTABLE and vars(cls).get(name) != value:
            _refuse(cls, name)
        type.__setattr__(cls, name, value)

    def __delattr__(cls, name: str) -> None:
        _refuse(cls, name)

    def __repr__(cls) -> str:
        lines = [f"{cls.__name__}({cls.signature}", f"    instructions={cls._instructions!r}"]
        return "\n".join([*lines, *(f"    {field!r}" for field in cls._fields.values()), ")"])


def _refuse(cls: type, name: str) -> NoReturn:
    raise SignatureError(
        f"Signatures are immutable: '{name}' of {cls.__name__} cannot be set. with_instructions, "
        "with_updated_fields, append, prepend, insert and delete return a changed signature."
    )


def _written(field: Field) -> str:
    return field.name if field.annotation is str else f"{field.name}: {type_name(field.annotation)}"


def _row(field: Field) -> list[Any]:
    kind = type_name(field.annotation, qualified=True)
    default = None if field.is_required() else repr(field.default)
    return [field.name, field.role, kind, field.desc, field.prefix, dict(field.constraints), default]


def default_instructions(inputs: Iterable[str], outputs: Iterable[str]) -> str:
    """The instructions of a signature without any of its own."""
    given, wanted = (", ".join(f"`{name}`" for name in names) for names in (inputs, outputs))
    return (
        f"Given the fields {given}, produce the fields {wanted}."
        if given
        else f"Produce the fields {wanted}."
    )


def assemble(
    name: str,
    fields: Iterable[Field],
    instructions: str | None,
    *,
    bases: tuple[type, ...],
    namespace: dict[str, Any],
    own_instructions: bool | None = None,
    meta: type[SignatureMeta] = SignatureMeta,
) -> SignatureMeta:
    """Make a signature class out of fields of distinct names, sorting inputs first.

    Args:
        name: of the class.
        fields: in order.
        instructions: `None` or blank for the default ones.
        bases: of the class.
        namespace: further attributes of the class, `__module__` among them.
        own_instructions: whether a subclass should take the instructions over; by default, if any were given.
        meta: the metaclass.

    Raises:
        SignatureError: a field cannot have its name.
    """
    inputs, outputs = FieldMap(), FieldMap()
    for field in fields:
        check_name(field)
        dict.__setitem__(inputs if field.role == "input" else outputs, field.name, field)
    own = bool(instructions and not instructions.isspace())
    text = inspect.cleandoc(instructions) if own and instructions else ""
    if not own and (inputs or outputs):
        text = default_instructions(inputs, outputs)
    namespace["__doc__"] = text or namespace.get("__doc__")
    namespace["__slots__"] = ()
    namespace["_fields"] = FieldMap({**inputs, **outputs})
    namespace["_input_fields"] = inputs
    namespace["_output_fields"] = outputs
    namespace["_input_names"] = frozenset(inputs)
    namespace["_instructions"] = text
    namespace["_own_instructions"] = own if own_instructions is None else own_instructions
    namespace["_key"] = None
    namespace["_sealed"] = bool(inputs or outputs or not bases)
    return type.__new__(meta, name, bases, namespace)


def check_name(field: Field) -> None:
    """Refuse names that are no identifiers, are private, or stand in the way of a call.

    Raises:
        SignatureError: naming the field, the reason and a remedy.
    """
    name = field.name
    if not name.isidentifier() or iskeyword(name):
        raise SignatureError(f"'{name}' cannot name a field: it is not a Python identifier.")
    if name[0] == "_":
        raise SignatureError(f"'{name}' cannot name a field: names with a leading '_' are private.")
    if field.role == "input" and name in RESERVED_INPUTS:
        raise SignatureError(
            f"'{name}' cannot name an input field: a predictor's call takes '{name}' for itself. "
            f"Choose another name, for example '{name}_text'."
        )


def near(name: str, names: Iterable[str]) -> str:
    """`" Did you mean 'answer'?"`, or nothing."""
    from difflib import get_close_matches  # only errors need it

    found = get_close_matches(name, list(names), n=1)
    return f" Did you mean '{found[0]}'?" if found else ""
