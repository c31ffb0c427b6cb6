"""Small random models of the BERT family, in the layouts in which such models are published."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WIDTH, HEADS, DEPTH, INNER, LONGEST = 32, 4, 2, 64, 40

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIAL, "[unused0]", "[unused1]", "[Q] ", "[D] ", *string.punctuation]
WORDS += ["the", "cat", "sat", "on", "mat", "who", "wrote", "hamlet", "river", "bank"]
WORDS += [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase), *string.digits]


def tokenizer() -> Tokenizer:
    """Word pieces in lower case; letters are the last resort."""
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.add_special_tokens([*SPECIAL, "[Q] ", "[D] "])
    return made


def config(kind: str = "bert", **changes: Any) -> dict[str, Any]:
    """`config.json` of a tiny model of that family."""
    if kind == "distilbert":
        sizes = {"dim": WIDTH, "n_heads": HEADS, "n_layers": DEPTH, "hidden_dim": INNER, "activation": "gelu"}
    else:
        sizes = {
            "hidden_size": WIDTH,
            "num_attention_heads": HEADS,
            "num_hidden_layers": DEPTH,
            "intermediate_size": INNER,
            "hidden_act": "gelu",
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12,
        }
    padding = 1 if kind == "roberta" else 0
    places = LONGEST + (2 if kind == "roberta" else 0)
    common = {"vocab_size": len(WORDS), "max_position_embeddings": places, "pad_token_id": padding}
    return {"model_type": kind, **common, **sizes, **changes}


def tensors(kind: str = "bert", seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights, named as the family's library names them."""
    drawn = np.random.default_rng(seed)

    def weight(*shape: int) -> np.ndarray:
        return (drawn.standard_normal(shape) * 0.3).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": weight(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": weight(LONGEST + (2 if kind == "roberta" else 0), WIDTH),
        "embeddings.LayerNorm.weight": 1 + weight(WIDTH),
        "embeddings.LayerNorm.bias": weight(WIDTH),
    }
    if kind != "distilbert":
        made["embeddings.token_type_embeddings.weight"] = weight(2, WIDTH)
    for number in range(DEPTH):
        for name, (out, into) in _dense_names(kind).items():
            made[f"{_layer(kind, number)}{name}.weight"] = weight(out, into)
            made[f"{_layer(kind, number)}{name}.bias"] = weight(out)
        for name in _norm_names(kind):
            made[f"{_layer(kind, number)}{name}.weight"] = 1 + weight(WIDTH)
            made[f"{_layer(kind, number)}{name}.bias"] = weight(WIDTH)
    return made


def _layer(kind: str, number: int) -> str:
    return f"transformer.layer.{number}." if kind == "distilbert" else f"encoder.layer.{number}."


def _dense_names(kind: str) -> dict[str, tuple[int, int]]:
    square, up, down = (WIDTH, WIDTH), (INNER, WIDTH), (WIDTH, INNER)
    if kind == "distilbert":
        attention = {f"attention.{name}": square for name in ("q_lin", "k_lin", "v_lin", "out_lin")}
        return {**attention, "ffn.lin1": up, "ffn.lin2": down}
    attention = {f"attention.self.{name}": square for name in ("query", "key", "value")}
    rest = {"attention.output.dense": square, "intermediate.dense": up, "output.dense": down}
    return {**attention, **rest}


def _norm_names(kind: str) -> tuple[str, str]:
    if kind == "distilbert":
        return "sa_layer_norm", "output_layer_norm"
    return "attention.output.LayerNorm", "output.LayerNorm"


def write_plain(folder: Path, kind: str = "bert", *, seed: int = 0, **changes: Any) -> Path:
    """A folder with a language model and its tokenizer, as transformers writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors(kind, seed), folder / "model.safetensors", {"format": "pt"})
    write_json(folder / "config.json", config(kind, **changes))
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def write_colbert(folder: Path, *, dim: int = 8, metadata: dict[str, Any] | None = None) -> Path:
    """A folder as ColBERTv2's own code writes it: the projection among the weights, `artifact.metadata`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {f"bert.{name}": tensor for name, tensor in tensors().items()}
    weights["linear.weight"] = projection(dim)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    write_json(folder / "config.json", config(architectures=["HF_ColBERT"]))
    said = {"query_maxlen": 12, "doc_maxlen": 20, "query_token_id": "[unused0]", "doc_token_id": "[unused1]"}
    said |= {"dim": dim, "mask_punctuation": True, "attend_to_mask_tokens": False}
    write_json(folder / "artifact.metadata", {**said, **(metadata or {})})
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def write_pylate(folder: Path, *, dim: int = 8, inner: str = "", **said: Any) -> Path:
    """A folder as pylate writes it: a dense layer of its own, `config_sentence_transformers.json`."""
    write_plain(folder / inner)
    kinds = [(inner, "sentence_transformers.models.Transformer"), ("1_Dense", "pylate.models.Dense.Dense")]
    rows = [{"idx": n, "name": str(n), "path": path, "type": kind} for n, (path, kind) in enumerate(kinds)]
    write_json(folder / "modules.json", rows)
    write_dense(folder / "1_Dense", {"linear.weight": projection(dim)})
    settings = {"query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 12, "document_length": 20}
    settings |= {
        "attend_to_expansion_tokens": False,
        "do_query_expansion": True,
        "skiplist_words": [".", ","],
    }
    write_json(folder / "config_sentence_transformers.json", {**settings, **said})
    return folder


def write_dense(folder: Path, weights: dict[str, np.ndarray], **said: Any) -> None:
    """A module of sentence-transformers that is a linear layer."""
    folder.mkdir(parents=True, exist_ok=True)
    identity = "torch.nn.modules.linear.Identity"
    write_json(folder / "config.json", {"activation_function": identity, "bias": False, **said})
    save_file(weights, folder / "model.safetensors")


def projection(dim: int) -> np.ndarray:
    """A random linear map from the model's width."""
    return np.random.default_rng(7).standard_normal((dim, WIDTH)).astype(np.float32)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON."""
    path.write_text(json.dumps(value), encoding="utf-8")


def write_modern(folder: Path, **changes: Any) -> Path:
    """A ModernBERT whose local layers reach two tokens to either side."""
    drawn = np.random.default_rng(5)

    def weight(*shape: int) -> np.ndarray:
        return (drawn.standard_normal(shape) * 0.3).astype(np.float32)

    made = {"embeddings.tok_embeddings.weight": weight(len(WORDS), WIDTH)}
    made |= {f"{name}.weight": 1 + weight(WIDTH) for name in ("embeddings.norm", "final_norm")}
    for number in range(4):
        where = f"layers.{number}."
        made |= {
            f"{where}attn.Wqkv.weight": weight(3 * WIDTH, WIDTH),
            f"{where}attn.Wo.weight": weight(WIDTH, WIDTH),
        }
        made |= {
            f"{where}mlp.Wi.weight": weight(2 * INNER, WIDTH),
            f"{where}mlp.Wo.weight": weight(WIDTH, INNER),
        }
        made |= {f"{where}{name}.weight": 1 + weight(WIDTH) for name in ("attn_norm", "mlp_norm")}
    del made["layers.0.attn_norm.weight"]
    folder.mkdir(parents=True, exist_ok=True)
    save_file({f"model.{name}": tensor for name, tensor in made.items()}, folder / "model.safetensors")
    said = {
        "model_type": "modernbert",
        "vocab_size": len(WORDS),
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
    }
    said |= {"num_hidden_layers": 4, "num_attention_heads": HEADS, "max_position_embeddings": 64}
    said |= {"global_attn_every_n_layers": 3, "local_attention": 4, "norm_eps": 1e-5, "pad_token_id": 0}
    said |= {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    write_json(folder / "config.json", {**said, **changes})
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder
