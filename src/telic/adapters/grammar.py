"""The GBNF grammar of a whole answer in labelled lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from telic.adapters.gbnf import (
    DATE,
    DATE_TIME,
    DECIMAL,
    DURATION,
    SIGNED,
    TIME,
    UUID,
    integer,
    literal,
    one_of,
    repeated,
)
from telic.adapters.kinds import ANY, BOOLEAN, CHOICE, DATA, INTEGER, NUMBER, TEXT, WORD
from telic.adapters.layout import Slot
from telic.adapters.schema_grammar import SchemaGrammar
from telic.signatures.typenames import type_name
from telic.signatures.validation import json_schema

_FIRST = r"[^ \t\r\n]"
_MORE = r"[^\r\n]"
_WORDS = {
    "date": DATE,
    "datetime": DATE_TIME,
    "time": TIME,
    "timedelta": DURATION,
    "Decimal": DECIMAL,
    "UUID": UUID,
}


def answer_grammar(
    slots: Sequence[Slot], *, lead: str, blocks: bool, max_text: int | None, gaps: bool = False
) -> str:
    """What may follow the first output's label: its value, then each further label with its value.

    Args:
        slots: the outputs, with their labels (`"Answer:"`) as `head`.
        lead: what stands before the first value: a space where a prompt is continued, nothing in a chat.
        blocks: texts may go on over several lines, each indented by two spaces.
        max_text: most characters of a text that is not the last value, so that a model that does not find
            an end still gets to the fields after it; `None` for no limit.
        gaps: texts may be left empty.
    """
    rules = SchemaGrammar()
    parts = []
    for number, slot in enumerate(slots):
        last = number == len(slots) - 1
        if number:
            parts.append(literal(f"\n{slot.head}"))
        before = [literal(" " if number else lead)] if number or lead else []
        value = " ".join([*before, _value(rules, slot, blocks, None if last else max_text)])
        parts.append(f"({value})?" if gaps and _may_be_empty(slot) else value)
    if _may_go_on(slots[-1]):
        # A model ends a line by a line break; without one to choose it rambles on, digit after digit too.
        parts.append('"\\n"? "\\n"?')
    return rules.text({"root": " ".join(parts)})


def _is_open(slot: Slot) -> bool:
    return slot.kind in (TEXT, ANY) or (slot.kind is WORD and not _WORDS.get(_type(slot)))


def _may_go_on(slot: Slot) -> bool:
    """Whether a value that could be the whole may also be the beginning of a longer one."""
    if slot.kind is CHOICE:
        return any(b.startswith(a) for a in slot.choices for b in slot.choices if a != b)
    return _is_open(slot) or slot.kind in (INTEGER, NUMBER, WORD)


def _may_be_empty(slot: Slot) -> bool:
    bounds = slot.field.constraints
    return slot.kind is TEXT and not bounds.get("min_length") and "pattern" not in bounds


def _type(slot: Slot) -> str:
    return type_name(slot.annotation)


def _value(rules: SchemaGrammar, slot: Slot, blocks: bool, most: int | None) -> str:
    if _is_open(slot):
        return _text(rules, slot, blocks, most)
    if slot.kind is DATA:
        schema = json_schema(slot.field)
        return rules.value(schema, schema)
    body = rules.rule(f"field-{slot.name}", _SCALARS[slot.kind](slot))
    return f'({body} | "None")' if slot.none_allowed else body


def _text(rules: SchemaGrammar, slot: Slot, blocks: bool, most: int | None) -> str:
    if blocks and "max_length" not in slot.field.constraints:
        return rules.rule("block", rf'{_FIRST} {_MORE}* ("\n  " {_MORE}*)*')
    longest = slot.field.constraints.get("max_length", most)
    return rules.rule("line", f"{_FIRST} {repeated(_MORE, 0, None if longest is None else longest - 1)}")


def _integer(slot: Slot) -> str:
    bounds = slot.field.constraints
    low = bounds["ge"] if "ge" in bounds else bounds["gt"] + 1 if "gt" in bounds else None
    high = bounds["le"] if "le" in bounds else bounds["lt"] - 1 if "lt" in bounds else None
    whole = all(isinstance(bound, int) for bound in (low, high) if bound is not None)
    return integer(low, high) if whole else SIGNED


_SCALARS: dict[str, Callable[[Slot], str]] = {
    CHOICE: lambda slot: one_of(choice.replace("\n", "\n  ") for choice in slot.choices),
    BOOLEAN: lambda slot: one_of(("True", "False")),
    INTEGER: _integer,
    NUMBER: lambda slot: DECIMAL,
    WORD: lambda slot: _WORDS[_type(slot)],
}


def only_text(slots: Sequence[Any]) -> bool:
    """Whether the answer is one text, which no grammar need hold."""
    return len(slots) == 1 and slots[0].kind in (TEXT, ANY)
