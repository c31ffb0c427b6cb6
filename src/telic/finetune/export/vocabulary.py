"""The tokenizer inside a GGUF file, as the `tokenizer.json` and `tokenizer_config.json` of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.errors import TrainingError
from telic.finetune.export.splitting import splitter_named

CONTROL, USER_DEFINED, BYTE = 3, 4, 6
"""Kinds of tokens, as GGUF counts them; 1 is normal, 2 unknown, 5 unused."""

SPACE = "\u2581"
"""How SentencePiece writes a space."""

_PREFIX = "tokenizer.ggml."
_SPECIAL = {
    "bos": "bos_token_id",
    "eos": "eos_token_id",
    "unk": "unknown_token_id",
    "pad": "padding_token_id",
}


def tokenizer_files(head: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The contents of `tokenizer.json` and `tokenizer_config.json`.

    Args:
        head: the file's metadata, vocabulary included.

    Raises:
        TrainingError: the tokenizer is of a kind that is not converted.
    """
    facts = {key.removeprefix(_PREFIX): head[key] for key in head if key.startswith(_PREFIX)}
    kind = facts.get("model")
    if kind == "gpt2":
        tokenizer = _byte_level(facts)
    elif kind == "llama":
        tokenizer = _sentence_pieces(facts)
    else:
        raise TrainingError(
            f"The tokenizer is of the kind '{kind}', not converted; those of 'gpt2' and 'llama' are. "
            "Give the folder of the original transformers model as the base instead."
        )
    tokenizer |= {"version": "1.0", "truncation": None, "padding": None}
    tokenizer |= {"added_tokens": _added(facts), "post_processor": _with_bos(facts)}
    return tokenizer, _config(facts, head.get("tokenizer.chat_template"))


def _byte_level(facts: Mapping[str, Any]) -> dict[str, Any]:
    pairs = [merge.split(" ", 1) for merge in facts["merges"]]
    llama3 = facts.get("pre") == "llama-bpe"
    return {
        "normalizer": None,
        "pre_tokenizer": splitter_named(str(facts.get("pre", "gpt-2"))),
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": _bpe(facts["tokens"], pairs, ignore_merges=llama3),
    }


def _sentence_pieces(facts: Mapping[str, Any]) -> dict[str, Any]:
    tokens, prefixed = facts["tokens"], bool(facts.get("add_space_prefix", True))
    spaces: dict[str, Any] = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    normalizer = spaces
    if prefixed:
        normalizer = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": SPACE}, spaces]}
    decoders: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if prefixed:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    merges = merges_of_scores(tokens, facts["scores"], facts["token_type"])
    unknown = tokens[facts.get("unknown_token_id", 0)]
    return {
        "normalizer": normalizer,
        "pre_tokenizer": None,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": _bpe(tokens, merges, unk_token=unknown, byte_fallback=True, fuse_unk=True),
    }


def merges_of_scores(tokens: Sequence[str], scores: Sequence[float], kinds: Sequence[int]) -> list[list[str]]:
    """Every pair of tokens that makes a token, the best of these first.

    SentencePiece merges the two neighbours that make the token of the highest score; `tokenizers` the two
    that stand first in this list.
    """
    number = {token: at for at, token in enumerate(tokens)}
    ranked: list[tuple[float, int, int, int]] = []
    for at, (token, score, kind) in enumerate(zip(tokens, scores, kinds, strict=True)):
        if kind != 1:
            continue
        for cut in range(1, len(token)):
            left, right = number.get(token[:cut]), number.get(token[cut:])
            if left is not None and right is not None:
                ranked.append((-score, at, left, right))
    return [[tokens[left], tokens[right]] for _, _, left, right in sorted(ranked)]


def _bpe(tokens: Sequence[str], merges: Sequence[Sequence[str]], **more: Any) -> dict[str, Any]:
    plain = dict.fromkeys(("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"))
    switches = dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), False)
    vocabulary = {token: at for at, token in enumerate(tokens)}
    return {"type": "BPE", **plain, **switches, **more, "vocab": vocabulary, "merges": [*map(list, merges)]}


def _added(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    kinds = facts.get("token_type") or [1] * len(facts["tokens"])
    switches = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return [
        {"id": at, "content": token, **switches, "special": kind == CONTROL}
        for at, (token, kind) in enumerate(zip(facts["tokens"], kinds, strict=True))
        if kind in (CONTROL, USER_DEFINED)
    ]


def _with_bos(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """What puts the first token before every text, where the model was trained so."""
    if not facts.get("add_bos_token", facts.get("model") == "llama"):
        return None
    at = int(facts["bos_token_id"])
    token = facts["tokens"][at]
    first, text = {"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    second = {"Sequence": {"id": "B", "type_id": 0}}
    return {
        "type": "TemplateProcessing",
        "single": [first, text],
        "pair": [first, text, first, second],
        "special_tokens": {token: {"id": token, "ids": [at], "tokens": [token]}},
    }


def _config(facts: Mapping[str, Any], template: str | None) -> dict[str, Any]:
    tokens = facts["tokens"]
    special = {
        f"{name}_token": tokens[int(facts[key])]
        for name, key in _SPECIAL.items()
        if facts.get(key) is not None
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **special}
    return config | ({"chat_template": template} if template else {})
