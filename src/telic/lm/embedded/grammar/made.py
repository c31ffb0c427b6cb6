"""From a request's constraint to the grammar that is sent, made once and kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from telic.lm.embedded.grammar.gbnf import NotReadError, read_gbnf
from telic.lm.embedded.grammar.limits import LADDER, expected_tokens, most_tokens
from telic.lm.embedded.grammar.pattern import Pattern, expression, lark, recursive
from telic.lm.embedded.grammar.schema import SchemaPatterns


@dataclass(frozen=True, slots=True)
class Made:
    """A grammar ready to be sent.

    Attributes:
        text: for llama.cpp.
        check: what a finished answer must match; `None` where llama.cpp itself reports what it cannot read.
        most_tokens: of the longest answer; `None` where there is no longest.
    """

    text: str
    check: re.Pattern[str] | None = None
    most_tokens: int | None = None


@lru_cache(maxsize=256)
def from_gbnf(text: str) -> Made:
    """The same grammar for the quick engine; as it is where it is recursive or not understood."""
    try:
        rules = read_gbnf(text)
        if recursive(rules):
            return Made(text)
    except (NotReadError, KeyError):
        return Made(text)
    return _made(rules)


def from_schema(schema: Mapping[str, Any], tokens: int) -> Made:
    """A grammar for the values of a JSON schema, such that a full answer is expected to fit into `tokens`.

    Raises:
        TooDeepError: no value of the schema is flat enough.
    """
    return _from_schema(json.dumps(schema, sort_keys=False), tokens)


@lru_cache(maxsize=256)
def _from_schema(schema: str, tokens: int) -> Made:
    root = json.loads(schema)
    for limits in LADDER:
        rules = SchemaPatterns(root, limits).build()
        if expected_tokens(rules["root"], rules) <= tokens or limits is LADDER[-1]:
            break
    made = _made(rules)
    return Made(made.text, made.check, most_tokens(rules["root"], rules))


def _made(rules: Mapping[str, Pattern]) -> Made:
    return Made(lark(rules, "root"), expression(rules, "root"))
