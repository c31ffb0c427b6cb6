"""Type expressions in signature strings. They are parsed and looked up, never evaluated."""

from __future__ import annotations

import ast
import builtins
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from telic.signatures.grammar import fail

Lookup = Callable[[str], Any]
"""From a name to what it stands for; raises `KeyError` where it is unknown."""

_BUILTIN = (
    "bool",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "set",
    "str",
    "tuple",
    "type",
)
_TYPING = (
    "Annotated", "Any", "Callable", "Iterable", "Literal", "Mapping", "NotRequired", "Optional", "Required",
    "Sequence", "Union",
)  # fmt: skip
_OLD_NAMES = ("Dict", "FrozenSet", "List", "Set", "Tuple", "Type")
_STANDARD_MODULES = frozenset({"datetime", "decimal", "fractions", "pathlib", "typing", "uuid"})

KNOWN: Mapping[str, Any] = {
    **{name: getattr(builtins, name) for name in _BUILTIN},
    **{name: getattr(typing, name) for name in _TYPING},
    **{name: getattr(builtins, name.lower()) for name in _OLD_NAMES},
    "None": None,
}
"""Names that mean the same everywhere."""


class _Problem(Exception):
    """Something in a type expression that cannot be, at an AST node."""

    def __init__(self, node: ast.AST, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.column = getattr(node, "col_offset", 0)
        self.hint = hint


def read_type(type_text: str, lookup: Lookup, *, whole: str | None = None, column: int = 0) -> Any:
    """Turn a type expression into the type.

    Args:
        type_text: the expression.
        lookup: finds names that are not in `KNOWN`.
        whole: the signature that the expression stands in, for error messages.
        column: where in `whole` it stands.

    Raises:
        SignatureSyntaxError: it does not parse, names something unknown, or is not a type.
    """
    whole = type_text if whole is None else whole
    try:
        return _read(_tree(type_text), lookup)
    except SyntaxError as error:
        at = (error.offset or 1) - 1
        fail(whole, column + min(at, len(type_text)), f"'{type_text}' is not a type: {error.msg}")
    except _Problem as problem:
        # `col_offset` counts UTF-8 bytes.
        at = len(type_text.encode()[: problem.column].decode(errors="ignore"))
        fail(whole, column + at, str(problem), problem.hint)


@lru_cache(maxsize=1024)
def free_names(type_text: str) -> tuple[str, ...]:
    """The names in a type expression that are not in `KNOWN`; empty also where it does not parse."""
    if type_text in KNOWN:
        return ()
    try:
        tree = _tree(type_text)
    except SyntaxError:
        return ()
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return tuple(sorted(found - KNOWN.keys()))


@lru_cache(maxsize=1024)
def _tree(type_text: str) -> ast.expr:
    try:
        return ast.parse(type_text, mode="eval").body
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, absurd nesting
        raise SyntaxError(str(error) or "nested too deeply") from error


def _read(node: ast.expr, lookup: Lookup) -> Any:
    if isinstance(node, ast.Name):
        return _name(node, lookup)
    if isinstance(node, ast.Attribute):
        return _dotted(node, lookup)
    if isinstance(node, ast.Subscript):
        return _subscript(node, lookup)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return typing.Union[_read(node.left, lookup), _read(node.right, lookup)]  # noqa: UP007 - made at run time
    if isinstance(node, ast.Constant):
        if node.value is None:
            return None
        if isinstance(node.value, str):
            return _quoted(node, lookup)
    raise _Problem(
        node, f"'{ast.unparse(node)}' is not a type", "a fixed set of values is written Literal[...]"
    )


def _quoted(node: ast.Constant, lookup: Lookup) -> Any:
    try:
        return _read(_tree(node.value), lookup)
    except (SyntaxError, _Problem) as error:
        raise _Problem(
            node, f"{node.value!r} is not a type", "a fixed set of values is written Literal[...]"
        ) from error


def _name(node: ast.Name, lookup: Lookup) -> Any:
    found = _find(node, node.id, lookup)
    if isinstance(found, types.ModuleType):
        inside = getattr(found, node.id, None)
        hint = (
            f"write '{node.id}.{node.id}'"
            if isinstance(inside, type)
            else f"name a type in it: '{node.id}.…'"
        )
        raise _Problem(node, f"'{node.id}' is a module, not a type", hint)
    return _typed(node, found)


def _find(node: ast.expr, name: str, lookup: Lookup) -> Any:
    try:
        return lookup(name)
    except KeyError:
        pass
    if name in KNOWN:
        return KNOWN[name]
    if name in _STANDARD_MODULES:
        return __import__(name)
    raise _Problem(node, f"'{name}' is not a type that is known here", _hint_for(name))


def _hint_for(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, KNOWN, n=1)
    ask = "define or import it where the signature is written, or pass custom_types={...}"
    usual = {
        "string": "str",
        "text": "str",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "array": "list",
    }
    guess = usual.get(name.lower()) or (near[0] if near else "")
    return f"did you mean '{guess}'? Otherwise {ask}" if guess else ask


def _dotted(node: ast.Attribute, lookup: Lookup) -> Any:
    if node.attr.startswith("_"):
        raise _Problem(node, f"'{ast.unparse(node)}' is private")
    value = node.value
    if isinstance(value, ast.Name):
        owner = _find(value, value.id, lookup)
    elif isinstance(value, ast.Attribute):
        owner = _dotted(value, lookup)
    else:
        raise _Problem(node, f"'{ast.unparse(node)}' is not a type")
    # Only modules and classes are looked into: reading an attribute of anything else may run a program.
    if not isinstance(owner, (types.ModuleType, type)):
        raise _Problem(node, f"'{ast.unparse(value)}' is neither a module nor a class")
    try:
        return getattr(owner, node.attr)
    except AttributeError:
        raise _Problem(node, f"'{ast.unparse(value)}' has no '{node.attr}'") from None


def _typed(node: ast.expr, found: Any) -> Any:
    """Check that what a name stands for can be a type."""
    if found is None or isinstance(found, (type, typing.TypeVar)) or found is Any:
        return found
    if typing.get_origin(found) is not None or type(found).__module__ in ("typing", "typing_extensions"):
        return found
    shown = repr(found)
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    raise _Problem(node, f"'{ast.unparse(node)}' is {shown} here, not a type")


def _subscript(node: ast.Subscript, lookup: Lookup) -> Any:
    origin = _read(node.value, lookup)
    inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if origin is typing.Literal:
        return typing.Literal[tuple(_constant(item, lookup) for item in inside)]
    if origin is typing.Annotated:
        return _read(inside[0], lookup)  # What else it says would have to be evaluated.
    arguments = tuple(_argument(item, lookup) for item in inside)
    if isinstance(node.slice, ast.Tuple) and not inside:
        arguments = ()  # tuple[()]
    try:
        return origin[arguments[0] if len(arguments) == 1 else arguments]
    except (TypeError, AttributeError) as error:
        raise _Problem(node, f"'{ast.unparse(node)}' is not a type ({error})") from error


def _argument(node: ast.expr, lookup: Lookup) -> Any:
    if isinstance(node, ast.Constant) and node.value is Ellipsis:
        return Ellipsis
    if isinstance(node, ast.List):  # the parameters of a Callable
        return [_argument(item, lookup) for item in node.elts]
    return _read(node, lookup)


def _constant(node: ast.expr, lookup: Lookup) -> Any:
    """One choice of a `Literal`: text, number, truth value, `None`, or a member of an enum."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, bytes, bool, types.NoneType)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = _constant(node.operand, lookup)
        if isinstance(inner, int):
            return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Attribute):
        import enum

        member = _dotted(node, lookup)
        if isinstance(member, enum.Enum):
            return member
    raise _Problem(
        node, f"'{ast.unparse(node)}' cannot be a choice of Literal", "quote text: Literal['yes', 'no']"
    )


_MACHINERY = ("telic.signatures", "telic.program", "telic.modules")


def frame_lookup(custom_types: Mapping[str, Any] | None, depth: int) -> Lookup:
    """Look names up in `custom_types`, then in the frames of the callers, nearest first.

    Frames of what makes signatures, predictors and modules are passed over: their names are not the user's.

    Args:
        custom_types: names given by the caller.
        depth: frames to skip from this function's caller on.
    """

    def lookup(name: str) -> Any:
        if custom_types is not None and name in custom_types:
            return custom_types[name]
        if name in KNOWN:
            raise KeyError(name)
        unfit: Any = None
        for scope in _scopes(sys._getframe(depth)):
            if name in scope:
                found = scope[name]
                if isinstance(found, (type, types.ModuleType)) or typing.get_origin(found) is not None:
                    return found
                # A variable of another kind may hide the type of a caller further out.
                unfit = found if unfit is None else unfit
        if unfit is None:
            raise KeyError(name)
        return unfit

    return lookup


def _scopes(frame: types.FrameType | None) -> Iterator[Mapping[str, Any]]:
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith(_MACHINERY):
            yield frame.f_locals
            yield frame.f_globals
        frame = frame.f_back
