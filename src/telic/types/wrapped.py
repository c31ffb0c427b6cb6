"""Text that a model put into the JSON object it was never asked for."""

from __future__ import annotations

import json


def unwrapped(text: str, key: str) -> str:
    """The text in `{"key": "text"}`, where that is all there is; otherwise `text` as it is."""
    stripped = text.strip()
    if not (stripped.startswith("{") and f'"{key}"' in stripped):
        return text
    try:
        data = json.loads(stripped, strict=False)
    except ValueError:
        return text
    inner = data.get(key) if isinstance(data, dict) and len(data) == 1 else None
    return inner if isinstance(inner, str) else text
