"""Bounds for JSON schemas, so that a small model gets to the end of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def bounded(schema: Mapping[str, Any], max_tokens: int) -> dict[str, Any]:
    """`schema`, with a length for every text and list that has none."""
    return dict(schema)
