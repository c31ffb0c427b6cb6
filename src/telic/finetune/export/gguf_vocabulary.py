"""The tokenizer of a transformers folder, as the metadata that llama.cpp reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telic.errors import TrainingError
from telic.finetune.export.splitting import name_of_splitter
from telic.finetune.export.vocabulary import BYTE, CONTROL, USER_DEFINED

_NORMAL, _UNKNOWN, _UNUSED = 1, 2, 5


def vocabulary_metadata(folder: Path, size: int) -> dict[str, Any]:
    """The `tokenizer.*` metadata of a model folder; lists stay lists.

    Args:
        folder: holds `tokenizer.json`, and beside it `tokenizer_config.json`.
        size: rows of the embedding; numbers without a token are filled with unused ones.

    Raises:
        TrainingError: there is no `tokenizer.json`, or its kind is not converted.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise TrainingError(
            f"{folder} has no tokenizer.json. Make one with: transformers.AutoTokenizer.from_pretrained(…)"
            ".save_pretrained(…)"
        )
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    model = tokenizer["model"]
    if model.get("type") != "BPE":
        raise TrainingError(
            f"The tokenizer of {folder} is of the kind {model.get('type')}, which is not converted; BPE is."
        )
    about = _about(folder)
    tokens, kinds = _tokens(tokenizer, size)
    facts: dict[str, Any] = {"tokens": tokens, "token_type": kinds}
    facts |= _pieces(tokenizer, tokens) if model.get("byte_fallback") else _merges(tokenizer)
    facts |= _special(about, tokens)
    facts["add_bos_token"] = _adds_bos(tokenizer, tokens, facts.get("bos_token_id"))
    facts["add_eos_token"] = False
    metadata = {f"tokenizer.ggml.{key}": value for key, value in facts.items()}
    template = chat_template(folder)
    return metadata | ({"tokenizer.chat_template": template} if template else {})


def chat_template(folder: Path) -> str | None:
    """The chat template of a model folder: of its own file, or of `tokenizer_config.json`."""
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    kept = _about(folder).get("chat_template")
    if isinstance(kept, list):  # several with names
        kept = next((one["template"] for one in kept if one.get("name") == "default"), None)
    return kept


def _about(folder: Path) -> dict[str, Any]:
    path = folder / "tokenizer_config.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _tokens(tokenizer: Mapping[str, Any], size: int) -> tuple[list[str], list[int]]:
    """All tokens by number, and the kind of each."""
    model = tokenizer["model"]
    named = {at: token for token, at in model["vocab"].items()}
    kinds = dict.fromkeys(named, _NORMAL)
    if model.get("byte_fallback"):
        kinds |= {at: BYTE for at, token in named.items() if _is_byte(token)}
    if model.get("unk_token") in model["vocab"]:
        kinds[model["vocab"][model["unk_token"]]] = _UNKNOWN
    for added in tokenizer.get("added_tokens") or ():
        named[added["id"]] = added["content"]
        if kinds.get(added["id"]) != _UNKNOWN:
            kinds[added["id"]] = CONTROL if added["special"] else USER_DEFINED
    if named and max(named) >= size:
        raise TrainingError(f"The tokenizer has {max(named) + 1} tokens, but the model knows {size}.")
    tokens = [named.get(at, f"[PAD{at}]") for at in range(size)]
    return tokens, [kinds.get(at, _UNUSED) for at in range(size)]


def _is_byte(token: str) -> bool:
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


def _merges(tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    pairs = tokenizer["model"]["merges"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in pairs]
    return {"model": "gpt2", "pre": name_of_splitter(tokenizer.get("pre_tokenizer")), "merges": merges}


def _pieces(tokenizer: Mapping[str, Any], tokens: list[str]) -> dict[str, Any]:
    """A tokenizer of SentencePiece's kind: a token's score is the place of the first merge to make it."""
    rank: dict[str, int] = {}
    for place, pair in enumerate(tokenizer["model"]["merges"]):
        left, right = pair.split(" ", 1) if isinstance(pair, str) else pair
        rank.setdefault(left + right, place)
    worst = float(len(rank) + 1)
    scores = [-float(rank[token]) if token in rank else -worst for token in tokens]
    prefixed = '"Prepend"' in json.dumps(tokenizer.get("normalizer")) or _prepends(tokenizer)
    return {"model": "llama", "pre": "default", "scores": scores, "add_space_prefix": prefixed}


def _prepends(tokenizer: Mapping[str, Any]) -> bool:
    """Whether a space is put before the text by the newer way, the splitter `Metaspace`."""
    splitter = tokenizer.get("pre_tokenizer") or {}
    return splitter.get("type") == "Metaspace" and splitter.get("prepend_scheme", "always") != "never"


def _special(about: Mapping[str, Any], tokens: list[str]) -> dict[str, int]:
    found = {}
    keys = {
        "bos": "bos_token_id",
        "eos": "eos_token_id",
        "unk": "unknown_token_id",
        "pad": "padding_token_id",
    }
    for name, key in keys.items():
        token = about.get(f"{name}_token")
        content = token.get("content") if isinstance(token, Mapping) else token
        if content in tokens:
            found[key] = tokens.index(content)
    return found


def _adds_bos(tokenizer: Mapping[str, Any], tokens: list[str], bos: int | None) -> bool:
    """Whether the first token is put before every text, by what the tokenizer does after splitting."""
    if bos is None:
        return False
    parts = [tokenizer.get("post_processor") or {}]
    while parts:
        part = parts.pop()
        parts.extend(part.get("processors") or ())
        first = (part.get("single") or [{}])[0]
        if part.get("type") == "TemplateProcessing" and "SpecialToken" in first:
            return bool(first["SpecialToken"]["id"] == tokens[bos])
    return False
