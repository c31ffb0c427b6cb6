"""BERT with gradients: a function of named weights, as the files of `transformers` name them.

Devlin et al. 2019 (arXiv:1810.04805), encoder only. Weights stay a plain mapping of name to tensor: it is
what is read, trained, checkpointed and written. This module needs PyTorch; import it where training begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telic._lazy import require
from telic.errors import ModelWeightsError
from telic.retrieval.late_interaction.encoder.checkpoint import Checkpoint

torch = require("torch", extra="finetune", purpose="training an encoder")
functional = torch.nn.functional
Tensor = Any
Weights = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BertShape:
    """The numbers of `config.json` that the computation depends on.

    Attributes:
        layers: transformer blocks.
        hidden: numbers of a token's row.
        heads: attention heads.
        inner: numbers between the two halves of a feed-forward part.
        positions: tokens of the longest text.
        vocabulary: known tokens.
        epsilon: of layer normalisation.
        activation: `"gelu"`, `"gelu_new"` (by tanh) or `"relu"`.
    """

    layers: int
    hidden: int
    heads: int
    inner: int
    positions: int
    vocabulary: int
    epsilon: float = 1e-12
    activation: str = "gelu"

    @classmethod
    def from_config(cls, config: Mapping[str, Any], where: object = "config.json") -> BertShape:
        """Read it.

        Raises:
            ModelWeightsError: it is not of a BERT, or of one with parts that are not known here.
        """
        kind, positions = config.get("model_type"), config.get("position_embedding_type") or "absolute"
        activation = config.get("hidden_act", "gelu")
        if kind != "bert" or positions != "absolute":
            raise ModelWeightsError(
                f"{where}: a BERT with absolute positions is needed for training, "
                f"not {kind!r} with {positions!r} ones."
            )
        if activation not in _ACTIVATIONS:
            raise ModelWeightsError(f"{where}: activation {activation!r} is none of {sorted(_ACTIVATIONS)}.")
        try:
            return cls(
                layers=config["num_hidden_layers"],
                hidden=config["hidden_size"],
                heads=config["num_attention_heads"],
                inner=config["intermediate_size"],
                positions=config["max_position_embeddings"],
                vocabulary=config["vocab_size"],
                epsilon=config.get("layer_norm_eps", 1e-12),
                activation=activation,
            )
        except KeyError as error:
            raise ModelWeightsError(f"{where} lacks {error}.") from None


_ACTIVATIONS: dict[str, Any] = {
    "gelu": functional.gelu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
    "relu": functional.relu,
}


def weights_of(checkpoint: Checkpoint) -> Weights:
    """The tensors of a checkpoint that training knows, copied, by the names of a bare `BertModel`.

    Raises:
        ModelWeightsError: one of them is not of floating-point numbers.
    """
    found = {}
    for name in sorted(checkpoint.names):
        short = name.removeprefix("bert.").replace(".gamma", ".weight").replace(".beta", ".bias")
        if short.partition(".")[0] in _PARTS:
            found[short] = torch.from_numpy(checkpoint.read(name).copy())
    return found


_PARTS = {"embeddings", "encoder", "qa_outputs"}


def hidden_rows(
    weights: Mapping[str, Tensor],
    shape: BertShape,
    ids: Tensor,
    attended: Tensor,
    segments: Tensor | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """The last layer's row of each token, `(texts, tokens, hidden)`.

    Args:
        weights: by name.
        shape: of the model.
        ids: token numbers, `(texts, tokens)`.
        attended: true where a token may be looked at, `(texts, tokens)`.
        segments: which of two texts a token belongs to, `(texts, tokens)`; all of the first by default.
        dropout: share of numbers that are dropped while learning.
    """
    places = torch.arange(ids.shape[1], device=ids.device)
    rows = functional.embedding(ids, weights["embeddings.word_embeddings.weight"])
    rows = rows + weights["embeddings.position_embeddings.weight"][places]
    kinds = weights["embeddings.token_type_embeddings.weight"]
    rows = rows + (kinds[0] if segments is None else functional.embedding(segments, kinds))
    rows = functional.dropout(_normed(weights, "embeddings.LayerNorm", rows, shape), dropout, dropout > 0)
    seen = attended[:, None, None, :]
    for layer in range(shape.layers):
        rows = _block(weights, f"encoder.layer.{layer}", rows, seen, shape, dropout)
    return rows


def _block(
    weights: Mapping[str, Tensor], name: str, rows: Tensor, seen: Tensor, shape: BertShape, dropout: float
) -> Tensor:
    texts, tokens, hidden = rows.shape

    def heads(part: str) -> Tensor:
        made = _linear(weights, f"{name}.attention.self.{part}", rows)
        return made.view(texts, tokens, shape.heads, hidden // shape.heads).transpose(1, 2)

    mixed = functional.scaled_dot_product_attention(
        heads("query"), heads("key"), heads("value"), attn_mask=seen, dropout_p=dropout
    )
    mixed = mixed.transpose(1, 2).reshape(texts, tokens, hidden)
    mixed = functional.dropout(
        _linear(weights, f"{name}.attention.output.dense", mixed), dropout, dropout > 0
    )
    rows = _normed(weights, f"{name}.attention.output.LayerNorm", rows + mixed, shape)
    inner = _ACTIVATIONS[shape.activation](_linear(weights, f"{name}.intermediate.dense", rows))
    outer = functional.dropout(_linear(weights, f"{name}.output.dense", inner), dropout, dropout > 0)
    return _normed(weights, f"{name}.output.LayerNorm", rows + outer, shape)


def _linear(weights: Mapping[str, Tensor], name: str, rows: Tensor) -> Tensor:
    return functional.linear(rows, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _normed(weights: Mapping[str, Tensor], name: str, rows: Tensor, shape: BertShape) -> Tensor:
    scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return functional.layer_norm(rows, (shape.hidden,), scale, shift, shape.epsilon)


def layer_of(name: str, shape: BertShape) -> int:
    """How deep a weight lies: -1 in the embeddings, its layer's number in a layer, beyond the last above."""
    if name.startswith("embeddings."):
        return -1
    if name.startswith("encoder.layer."):
        return int(name.split(".")[2])
    return shape.layers
