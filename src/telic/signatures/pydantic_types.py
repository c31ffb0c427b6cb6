"""The only door to pydantic: type adapters, built when the first value has to be validated."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from telic.errors import SignatureError
from telic.signatures.failure import Unfit, shown
from telic.signatures.typenames import type_name

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

_MOST_PROBLEMS = 4


def adapter_of(annotation: Any, constraints: Mapping[str, Any]) -> TypeAdapter[Any]:
    """The validator of a type held to constraints; the same one for equal arguments.

    Raises:
        SignatureError: pydantic cannot validate the type, or not hold it to the constraints.
    """
    key = tuple(constraints.items())
    try:
        hash((annotation, key))
    except TypeError:
        return _adapter(annotation, key)
    # `int | str` equals `str | int`, but is not read the same way; hence the name in the key.
    return _cached_adapter(annotation, key, type_name(annotation))


def _adapter(annotation: Any, constraints: tuple[tuple[str, Any], ...], name: str = "") -> TypeAdapter[Any]:
    import pydantic

    target = _portable(annotation)
    if constraints:
        target = typing.Annotated[target, pydantic.Field(**dict(constraints))]
    try:
        try:
            adapter = pydantic.TypeAdapter(target)
            if not adapter.pydantic_complete:  # it names a class that was not there yet
                adapter.rebuild(force=True)
            return adapter
        except pydantic.errors.PydanticSchemaGenerationError:
            # A class that pydantic knows nothing of: its instances are all that can be checked.
            return pydantic.TypeAdapter(target, config=pydantic.ConfigDict(arbitrary_types_allowed=True))
    except (pydantic.errors.PydanticUserError, TypeError, NameError) as error:
        held = f" held to {dict(constraints)}" if constraints else ""
        reason = str(error).partition("\n")[0]
        raise SignatureError(
            f"Values of type {type_name(annotation)}{held} cannot be validated: {reason}"
        ) from error


_cached_adapter = lru_cache(maxsize=1024)(_adapter)


def checked(annotation: Any, constraints: Mapping[str, Any], value: Any) -> Any:
    """`value` through pydantic alone.

    Raises:
        Unfit: with pydantic's reasons.
    """
    from pydantic import ValidationError

    try:
        return adapter_of(annotation, constraints).validate_python(value)
    except ValidationError as error:
        raise Unfit(explain(error)) from error
    except TypeError as error:
        # pydantic finds out only now that a list has no lower bound.
        if "Unable to apply constraint" not in str(error):
            raise
        held = ", ".join(f"{name}={value!r}" for name, value in constraints.items())
        raise SignatureError(f"{type_name(annotation)} cannot be held to {held}: {error}") from error


def _portable(annotation: Any) -> Any:
    """`annotation` with `typing.TypedDict`s replaced by those of `typing_extensions`, before Python 3.12.

    Older Pythons do not keep in a TypedDict what pydantic needs.
    """
    if sys.version_info >= (3, 12):
        return annotation
    if type(annotation) is type(typing.TypedDict("_Probe", {})):  # type: ignore[operator]
        import typing_extensions

        hints = typing.get_type_hints(annotation, include_extras=True)
        required = annotation.__required_keys__
        rows = {
            name: _portable(kind) if name in required else typing_extensions.NotRequired[_portable(kind)]
            for name, kind in hints.items()
        }
        return typing_extensions.TypedDict(annotation.__name__, rows)  # type: ignore[operator]
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is typing.Literal:
        return annotation
    changed = tuple(_portable(argument) for argument in arguments)
    if all(new is old for new, old in zip(changed, arguments, strict=True)):
        return annotation
    if isinstance(annotation, types.UnionType):
        return typing.Union[changed]  # noqa: UP007 - made at run time
    return (
        annotation.copy_with(changed) if hasattr(annotation, "copy_with") else annotation.__origin__[changed]
    )


def explain(error: ValidationError) -> str:
    """What pydantic found, in a line: the first few problems with the places where they are."""
    problems = error.errors(include_url=False, include_context=False)
    parts = [_explained(problem) for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > len(parts):
        parts.append(f"and {len(problems) - len(parts)} more")
    return "; ".join(dict.fromkeys(parts))


def _explained(problem: Mapping[str, Any]) -> str:
    message = str(problem["msg"])
    place = _place(problem["loc"])
    if not place:
        return message
    if problem["type"] == "missing":
        return f"{place} is missing"
    return f"{place}: {message} (got {shown(problem['input'], 60)})"


def _place(location: Iterable[int | str]) -> str:
    """`("people", 0, "name")` → `people[0].name`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
