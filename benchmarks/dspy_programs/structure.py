"""The structure of a request: everything but the words that a library chose."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

_MARKER = re.compile(r"^\[\[ ## (\w+) ## \]\]\s*", re.M)
_TOKENS = re.compile(
    r"\[\[ ## \w+ ## \]\]"  # a marker
    r"|^\d+\. `\w+` \([^\n]*?\)(?=:|\s*$)"  # a numbered field with its type
    r"|^</?\w+>"  # a tag
    r'|^\s*"\w+":',  # a key of an object
    re.M,
)
_ERROR = re.compile(r"\b([A-Z]\w*Error)\b")
_LIBRARY_TEXT = {"program_code", "modules_defn", "program_trajectory", "tools"}
"""Fields whose values a library words, such as the source of its own modules."""
_NAMES = {"max_completion_tokens": "max_tokens"}
_SHORTEST = 8
_LONGEST_NUMBER = 20


def texts(program: Path) -> list[str]:
    """What a program itself says: all texts in it, docstrings among them."""
    tree = ast.parse(program.read_text(encoding="utf-8"))
    found = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return sorted(set(found))


def structures(bodies: list[dict[str, Any]], said: list[str]) -> list[dict[str, Any]]:
    """What of a run's requests must be the same; one for several choices counts as so many requests.

    Args:
        bodies: their JSON.
        said: texts that the program and its script of answers are made of.
    """
    return [structure(body, said) for body in bodies for _ in range(body.get("n") or 1)]


def structure(body: dict[str, Any], said: list[str]) -> dict[str, Any]:
    """What of a request must be the same: `messages`, and `parameters` as they are, tools and the form of the
    response among them. The limit of tokens has one name here, of the two that OpenAI takes.
    """
    parameters = {
        _NAMES.get(name, name): body[name] for name in sorted(body) if name not in ("messages", "n")
    }
    schema = parameters.get("response_format", {}).get("json_schema", {}).get("schema")
    if schema is not None and not schema.get("properties"):  # an answer of tool calls alone has no form
        del parameters["response_format"]
    return {"parameters": parameters, "messages": [_message(m, said) for m in body.get("messages", ())]}


def _message(message: dict[str, Any], said: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message["role"]}
    for name in sorted(message.keys() - {"role", "content"}):
        found[name] = message[name]
    content = message.get("content")
    if isinstance(content, list):
        found["parts"] = [part["type"] for part in content]
        content = "\n".join(part.get("text", "") for part in content)
    if content is None:
        return found
    if message["role"] == "system":
        one_line = " ".join(content.split())
        found["tokens"] = [_squeezed(token) for token in _TOKENS.findall(content)]
        longer = sorted({_squeezed(text) for text in said if len(_squeezed(text)) >= _SHORTEST})
        found["phrases"] = [phrase for phrase in longer if phrase in one_line]
    else:
        found.update(_turn(content, message["role"], said))
    return found


def _turn(content: str, role: str, said: list[str]) -> dict[str, Any]:
    pieces = _MARKER.split(content)
    if len(pieces) == 1:
        return _unmarked(content, said)
    names, values = pieces[1::2], pieces[2::2]
    found: dict[str, Any] = {"lead": bool(pieces[0].strip())}
    if role == "user":
        values[-1], found["asks_for"] = _without_reminder(values[-1], said)
    known = said if role == "assistant" else None
    rows = zip(names, values, strict=True)
    found["fields"] = [[name, _value(name, value.strip(), known)] for name, value in rows]
    return found


def _unmarked(content: str, said: list[str]) -> dict[str, Any]:
    """Of a message without markers: its tags, keys and lines that begin with a label."""
    labelled = re.findall(r"^(\w+): (.*)$", content, re.M)
    lines = [[name, _value(name, value.strip(), said)] for name, value in labelled]
    return {"tokens": [_squeezed(token) for token in _TOKENS.findall(content)], "lines": lines}


def _without_reminder(value: str, said: list[str]) -> tuple[str, list[str]]:
    """A value, and the names that the words after it ask for: those in backquotes."""
    kept: list[str] = []
    asked: list[str] = []
    for paragraph in value.split("\n\n"):
        names = re.findall(r"`(?:\[\[ ## )?(\w+)(?: ## \]\])?`", paragraph)
        if names:
            asked.extend(names)
        elif not kept or any(paragraph.strip() in text for text in said):
            kept.append(paragraph)
    if asked == ["completed"]:  # no field is asked for
        asked = []
    return "\n\n".join(kept), asked


def _value(name: str, value: str, said: list[str] | None) -> str:
    """A value, with what a library wrote itself left out: its own code, its report of an error, and (in turns
    whose texts are all known) what it says of an output that is missing.
    """
    if name in _LIBRARY_TEXT:
        return "(made by the library)"
    if value[:1] in ("{", "["):
        value = _canonical(value)
    error = _ERROR.search(value)
    if error is not None and (name == "error" or name.startswith("observation")):
        return f"(tells of {error[1]})"
    if said is not None and len(value) > _LONGEST_NUMBER and not any(value in text for text in said):
        return "(the library's words)"
    return value


def _canonical(text: str) -> str:
    """JSON written one way; other text as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def _squeezed(text: str) -> str:
    return " ".join(text.split())
