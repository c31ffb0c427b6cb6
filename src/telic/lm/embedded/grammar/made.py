"""From a request's constraint to the grammar that is sent, made once and kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from telic.lm.embedded.grammar.gbnf import NotReadError, read_gbnf
from telic.lm.embedded.grammar.limits import LADDER, expected_tokens, most_tokens
from telic.lm.embedded.grammar.pattern import Pattern, beginning, expression, lark, recursive
from telic.lm.embedded.grammar.schema import SchemaPatterns


@dataclass(frozen=True)
class Made:
    """A grammar ready to be sent.

    Attributes:
        text: for llama.cpp.
        rules: the pattern, by `root`; `None` where llama.cpp itself reports a grammar it cannot read.
        most_tokens: of the longest answer; `None` where there is no longest.
    """

    text: str
    rules: Mapping[str, Pattern] | None = field(default=None, compare=False, hash=False)
    most_tokens: int | None = None

    def allows(self, text: str, *, cut: bool) -> bool:
        """Whether the pattern lets an answer through, or (`cut`) one that begins so."""
        if self.rules is None:
            return True
        return bool(self.whole.fullmatch(text)) or (cut and bool(self.begun.fullmatch(text)))

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """What a finished answer matches."""
        return expression(self.rules or {}, "root")

    @cached_property
    def begun(self) -> re.Pattern[str]:
        """What a cut answer matches."""
        return beginning(self.rules or {}, "root")


@lru_cache(maxsize=256)
def from_gbnf(text: str) -> Made:
    """The same grammar for the quick engine; as it is where it is recursive or not understood."""
    try:
        rules = read_gbnf(text)
        if recursive(rules):
            return Made(text)
    except (NotReadError, KeyError):
        return Made(text)
    return Made(lark(rules, "root"), rules)


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
    return Made(lark(rules, "root"), rules, most_tokens(rules["root"], rules))
