"""Checking the inputs of a call against its signature."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from telic.errors import InputError
from telic.signatures.field import LEFT_OUT, MISSING
from telic.signatures.meta import SignatureMeta, near


def check_inputs(
    signature: SignatureMeta, inputs: Mapping[str, Any], args: Sequence[Any] = ()
) -> Mapping[str, Any]:
    """Check that a call gives every input of the signature and nothing else.

    Args:
        signature: what is called.
        inputs: the keyword arguments.
        args: the positional arguments; there may be none.

    Returns:
        `inputs`, or a copy with the defaults of inputs that were left out.

    Raises:
        InputError: naming what is missing, unknown or positional, and what was probably meant.
    """
    if inputs.keys() == signature._input_names and not args:
        return inputs
    if args:
        _fail_positional(signature, args)
    unknown = [name for name in inputs if name not in signature._input_names]
    filled = dict(inputs)
    missing = []
    for name, field in signature._input_fields.items():
        if name not in inputs:
            filled[name] = field.get_default()
            if filled[name] is MISSING:
                missing.append(name)
            elif filled[name] is LEFT_OUT:
                del filled[name]
    if unknown or missing:
        _fail(signature, unknown, missing)
    return filled


def _fail_positional(signature: SignatureMeta, args: Sequence[Any]) -> NoReturn:
    names = list(signature._input_fields)
    shown = ", ".join(f"{name}=..." for name in names)
    raise InputError(
        f"Inputs are given by name: call it with ({shown}), not with {len(args)} positional "
        f"argument{'s' if len(args) > 1 else ''} ({args[0]!r:.60})."
    )


def _fail(signature: SignatureMeta, unknown: list[str], missing: list[str]) -> NoReturn:
    parts = []
    if missing:
        parts.append(f"missing: {', '.join(missing)}.")
    for name in unknown:
        what = "an output, not an input" if name in signature._output_fields else "unknown"
        hint = near(name, missing or signature._input_names)
        parts.append(f"'{name}' is {what}.{hint}")
    raise InputError(f"The inputs do not fit the signature '{signature.signature}': {' '.join(parts)}")


def misfits(
    signature: SignatureMeta, inputs: Mapping[str, Any]
) -> tuple[list[str], list[str], dict[str, Any]]:
    """For a call that goes on although its inputs do not fit.

    Returns:
        Names of missing inputs, names of unknown ones, and the inputs that are known, with defaults.
    """
    known = {name: value for name, value in inputs.items() if name in signature._input_names}
    missing = []
    for name, field in signature._input_fields.items():
        if name not in known:
            default = field.get_default()
            if default is MISSING:
                missing.append(name)
            elif default is not LEFT_OUT:
                known[name] = default
    return missing, [name for name in inputs if name not in signature._input_names], known


def type_mismatches(signature: SignatureMeta, inputs: Mapping[str, Any]) -> list[str]:
    """Inputs whose values are plainly of another type than declared, one sentence each.

    Only built-in classes and their generic forms are looked at, and only from the outside: it is a hint for a
    person, not a validation.
    """
    found = []
    for name, field in signature._input_fields.items():
        value = inputs.get(name)
        if type(value) is field.annotation:
            continue
        expected = typing.get_origin(field.annotation) or field.annotation
        if expected in _CHECKED and value is not None and not isinstance(value, _CHECKED[expected]):
            found.append(
                f"'{name}' is {type(value).__name__} ({value!r:.80}), but declared as {expected.__name__}"
            )
    return found


_CHECKED: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (float, int),
    bool: (bool,),
    list: (list, tuple),
    dict: (Mapping,),
    tuple: (tuple, list),
    set: (set, frozenset),
}
