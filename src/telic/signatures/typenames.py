"""Types as text: for prompts, for saved state, for error messages."""

from __future__ import annotations

import types
import typing
from typing import Any


def type_name(annotation: Any, *, qualified: bool = False) -> str:
    """A type as a person writes it: `int`, `list[str]`, `Literal['a', 'b']`, `str | None`, `Person`.

    Args:
        annotation: the type.
        qualified: classes by module and qualified name, so that two classes of one name differ.
    """
    if annotation is None or annotation is types.NoneType:
        return "None"
    if annotation is Ellipsis:
        return "..."
    if annotation is Any:
        return "Any"
    origin = typing.get_origin(annotation)
    if origin is None:
        return _plain_name(annotation, qualified)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        inner = type_name(arguments[0], qualified=qualified)
        return f"{inner}{list(arguments[1:])!r}" if qualified else inner
    if origin is typing.Literal:
        return f"Literal[{', '.join(_literal(value) for value in arguments)}]"
    if origin is typing.Union or origin is types.UnionType:
        return " | ".join(type_name(argument, qualified=qualified) for argument in arguments)
    inner = ", ".join(_argument(argument, qualified) for argument in arguments)
    return f"{_plain_name(origin, qualified)}[{inner or '()'}]"


def _plain_name(annotation: Any, qualified: bool) -> str:
    if isinstance(annotation, str):
        return annotation
    name = getattr(annotation, "__name__", None)
    if name is None:
        forward = getattr(annotation, "__forward_arg__", None)
        return forward or repr(annotation).replace("typing.", "")
    module = getattr(annotation, "__module__", "builtins")
    if qualified and isinstance(annotation, type) and module != "builtins":
        return f"{module}.{annotation.__qualname__}"
    # `typing.List` and the like are the built-in ones.
    bare = typing.get_origin(annotation)
    return str(getattr(bare, "__name__", name))


def _argument(argument: Any, qualified: bool) -> str:
    if isinstance(argument, (list, tuple)):  # the parameters of a Callable
        return f"[{', '.join(type_name(item, qualified=qualified) for item in argument)}]"
    return type_name(argument, qualified=qualified)


def _literal(value: Any) -> str:
    enum_name = getattr(value, "name", None)
    if enum_name is not None and type(value).__module__ != "builtins":
        return f"{type(value).__name__}.{enum_name}"
    return repr(value)
