"""A BERT of a few thousand weights that knows the words it is told, in a folder as real ones lie in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]")


def tiny_bert(
    folder: Path,
    words: Iterable[str],
    *,
    hidden: int = 32,
    layers: int = 1,
    positions: int = 64,
    seed: int = 0,
) -> Path:
    """Write `config.json`, `model.safetensors` and `tokenizer.json`; the weights are drawn by the seed."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    known = [*SPECIAL, ".", ",", "?", *sorted(set(words))]
    numbers = {word: number for number, word in enumerate(known)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", numbers["[CLS]"]), ("[SEP]", numbers["[SEP]"])]
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "bert", "vocab_size": len(known), "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": 4, "intermediate_size": 2 * hidden, "max_position_embeddings": positions,
        "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int, size: float = 0.1) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * size

    weights = {
        "embeddings.word_embeddings.weight": drawn(len(known), hidden, size=1.0),
        "embeddings.position_embeddings.weight": drawn(positions, hidden, size=0.02),
        "embeddings.token_type_embeddings.weight": drawn(2, hidden, size=0.02),
    }
    inner = 2 * hidden
    for layer in range(layers):
        name = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            weights[f"{name}.attention.self.{part}.weight"] = drawn(hidden, hidden)
            weights[f"{name}.attention.self.{part}.bias"] = drawn(hidden, size=0.01)
        weights[f"{name}.attention.output.dense.weight"] = drawn(hidden, hidden)
        weights[f"{name}.attention.output.dense.bias"] = drawn(hidden, size=0.01)
        weights[f"{name}.intermediate.dense.weight"] = drawn(inner, hidden)
        weights[f"{name}.intermediate.dense.bias"] = drawn(inner, size=0.01)
        weights[f"{name}.output.dense.weight"] = drawn(hidden, inner)
        weights[f"{name}.output.dense.bias"] = drawn(hidden, size=0.01)
    norms = ["embeddings.LayerNorm"]
    norms += [
        f"encoder.layer.{i}.{p}.LayerNorm" for i in range(layers) for p in ("attention.output", "output")
    ]
    for name in norms:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.ones(hidden), torch.zeros(hidden)
    save_file(weights, str(folder / "model.safetensors"))
    return folder
