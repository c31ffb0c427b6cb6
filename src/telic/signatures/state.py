"""Signatures as JSON, and back onto the signature they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from telic.errors import SignatureError
from telic.signatures.meta import SignatureMeta
from telic.signatures.typenames import type_name


def state_of(signature: SignatureMeta) -> dict[str, Any]:
    """`{"instructions", "fields": [{"name", "type", "role", "prefix", "desc"}]}`, types as people write."""
    rows = [
        {
            "name": field.name,
            "type": type_name(field.annotation),
            "role": field.role,
            "prefix": field.prefix,
            "desc": field.desc,
        }
        for field in signature.fields.values()
    ]
    return {"instructions": signature.instructions, "fields": rows}


def with_state(signature: Any, state: Mapping[str, Any]) -> Any:
    """Put saved instructions, prefixes and descriptions onto `signature`.

    Args:
        signature: the signature class that the state was saved from, or one with the same fields.
        state: from `state_of`, or from DSPy, whose rows have no names (`{"prefix", "description"}`).

    Raises:
        SignatureError: the state does not fit; the message names each difference in names, order, roles and
            types.
    """
    rows = state.get("fields") if isinstance(state, Mapping) else None
    if not isinstance(rows, Sequence) or not isinstance(state.get("instructions"), str):
        raise SignatureError(
            f"This is not the state of a signature: it needs 'instructions' and 'fields', but is "
            f"{state!r:.200}."
        )
    problems = _differences(signature, rows)
    if problems:
        raise SignatureError(
            f"The saved signature does not fit {signature.__name__} ({signature.typed_signature}):\n"
            + "\n".join(f"  - {problem}" for problem in problems)
        )
    made = signature.with_instructions(state["instructions"])
    for field, row in zip(signature.fields.values(), rows, strict=True):
        desc = row.get("desc", row.get("description")) or ""
        # DSPy writes this where nothing was said.
        desc = "" if re.fullmatch(r"\$\{\w+\}", desc) else desc
        prefix = row.get("prefix") or field.prefix
        if (desc, prefix) != (field.desc, field.prefix):
            made = made.with_updated_fields(field.name, desc=desc, prefix=prefix)
    return made


def _differences(signature: SignatureMeta, rows: Sequence[Any]) -> list[str]:
    """What keeps saved rows from fitting, one sentence each."""
    fields = list(signature.fields.values())
    if not all(isinstance(row, Mapping) for row in rows):
        return ["its fields are not JSON objects"]
    if not all("name" in row for row in rows):  # from DSPy
        return [] if len(rows) == len(fields) else [f"it has {len(rows)} fields, not {len(fields)}"]
    saved = {row["name"]: row for row in rows}
    problems = [
        f"field '{name}' was saved, but is not in the signature"
        for name in saved
        if name not in signature.fields
    ]
    for field in fields:
        row = saved.get(field.name)
        if row is None:
            problems.append(f"field '{field.name}' was not saved")
            continue
        if row.get("role", field.role) != field.role:
            problems.append(f"field '{field.name}' was saved as {row['role']}, but is {field.role}")
        kind = type_name(field.annotation)
        if row.get("type", kind) != kind:
            problems.append(f"field '{field.name}' was saved as {row['type']}, but is {kind}")
    if not problems and list(saved) != list(signature.fields):
        problems.append(f"the order was {', '.join(saved)}, but is {', '.join(signature.fields)}")
    return problems
