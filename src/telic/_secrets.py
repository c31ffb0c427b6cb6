"""Keeping credentials out of messages."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"(?i)(?:(?<=bearer )|(?<=basic )|(?<=api[-_]key[\"'=: ])|(?<=api[-_]key[\"'=:] )|(?<=key=))"
    r"[\w\-.~+/=]{6,}"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|ghp|key)[-_][\w\-]{8,}"
)


def redact(text: str) -> str:
    """Replace anything in `text` that looks like a credential by `***`."""
    return _SECRET.sub("***", text)
