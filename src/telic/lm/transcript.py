"""Calls printed for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

_MAX_PART = 200


def print_transcript(entries: Iterable[Mapping[str, Any]], file: TextIO | None = None) -> None:
    """Print history entries: what was sent, message by message, and what came back.

    Colours are used where `file` is a terminal. Payloads that are not text are named, not printed.
    """
    out = file or sys.stdout
    paint = _ansi if getattr(out, "isatty", lambda: False)() else _no_colour
    for entry in entries:
        out.write("\n" + paint(f"[{entry['timestamp']}]  {entry['model']}", "1") + "\n")
        messages = entry["messages"] or [{"role": "prompt", "content": entry["prompt"]}]
        for message in messages:
            out.write("\n" + paint(f"{str(message.get('role', '')).capitalize()}:", "31") + "\n\n")
            out.write(content_text(message.get("content")) + "\n")
            for call in message.get("tool_calls") or ():
                out.write(f"[tool call] {call.get('function', call)}\n")
        for output in entry["outputs"]:
            out.write("\n" + paint("Response:", "31") + "\n\n")
            out.write(paint(_output_text(output), "32") + "\n")
        out.write("\n")


def content_text(content: Any) -> str:
    """A message's content as text; images, audio and files are named with their size."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = []
    for part in content:
        if isinstance(part, Mapping) and part.get("type") == "text":
            parts.append(str(part.get("text", "")))
        else:
            kind = part.get("type", "part") if isinstance(part, Mapping) else type(part).__name__
            parts.append(
                f"<{kind}: {len(repr(part))} characters>" if len(repr(part)) > _MAX_PART else f"<{part}>"
            )
    return "\n".join(parts)


def _output_text(output: Any) -> str:
    if isinstance(output, Mapping):
        lines = [str(output.get("text") or "")]
        if output.get("reasoning_content"):
            lines.insert(0, f"[reasoning] {output['reasoning_content']}")
        lines += [f"[tool call] {call.get('function', call)}" for call in output.get("tool_calls") or ()]
        return "\n".join(line for line in lines if line)
    return str(output)


def _ansi(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _no_colour(text: str, code: str) -> str:
    return text
