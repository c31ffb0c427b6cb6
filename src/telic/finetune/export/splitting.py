"""How tokenizers cut a text before they merge: by llama.cpp's names, and as `tokenizers` describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import TrainingError

_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)


def _bytes(use_regex: bool) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def _sequence(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Sequence", "pretokenizers": list(parts)}


_SPLITTERS: dict[str, dict[str, Any]] = {
    "gpt-2": _bytes(True),
    "smollm": _sequence({"type": "Digits", "individual_digits": True}, _bytes(True)),
    "llama-bpe": _sequence(
        {"type": "Split", "pattern": {"Regex": _LLAMA3}, "behavior": "Isolated", "invert": False},
        _bytes(False),
    ),
}


def splitter_named(name: str) -> dict[str, Any]:
    """The `pre_tokenizer` of a `tokenizer.json`, for llama.cpp's `tokenizer.ggml.pre`.

    Raises:
        TrainingError: it is not known.
    """
    if name not in _SPLITTERS:
        raise TrainingError(
            f"The tokenizer splits texts in the way '{name}', which is not known here; known are "
            f"{', '.join(_SPLITTERS)}. Give the original transformers folder as the base instead."
        )
    return _SPLITTERS[name]


def name_of_splitter(described: Mapping[str, Any] | None) -> str:
    """The inverse of `splitter_named`.

    Raises:
        TrainingError: it is not known.
    """
    for name, ours in _SPLITTERS.items():
        if described is not None and _same(described, ours):
            return name
    raise TrainingError(
        "The tokenizer of this model splits texts in a way that cannot be told to llama.cpp: "
        f"{described}. Known are those of {', '.join(_SPLITTERS)}."
    )


def _same(one: Any, other: Any) -> bool:
    """Equality, but for offsets, which only the way back to the text needs."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = (one.keys() | other.keys()) - {"trim_offsets"}
        return all(_same(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
