"""What a folder holds beside a language model: projection, markers, lengths, in each published layout.

Three layouts are read: ColBERTv2's own (`linear.weight` among the weights, `artifact.metadata`), that of
sentence-transformers and pylate (`modules.json`, a folder for each dense layer,
`config_sentence_transformers.json`), and a plain model. What telic adds lies in `telic_encoder.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from telic._lazy import require
from telic.errors import ModelWeightsError
from telic.retrieval.late_interaction.encoder.architectures import first_position
from telic.retrieval.late_interaction.encoder.bert import Dense
from telic.retrieval.late_interaction.encoder.checkpoint import Checkpoint, read_json
from telic.retrieval.late_interaction.encoder.settings import PUNCTUATION, EncoderSettings

OWN_FILE = "telic_encoder.json"
SENTENCE_FILE = "config_sentence_transformers.json"
COLBERT_FILE = "artifact.metadata"
_MASKS = ("[MASK]", "<mask>")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What was read from a folder.

    Attributes:
        checkpoint: the language model.
        tokenizer: of the `tokenizers` library.
        mask: its mask token, where it has one.
        projection: the linear map after the model, where there is one.
        pooling: how one vector is made of a text's: `"mean"` or `"cls"`.
        settings: as the folder says, else defaults.
    """

    checkpoint: Checkpoint
    tokenizer: Any
    mask: str | None
    projection: Dense | None
    pooling: str
    settings: EncoderSettings


def read_folder(folder: Path) -> ModelFiles:
    """Read a model in any of the layouts.

    Raises:
        ModelWeightsError: something is missing, damaged, or of a kind that is not computed here.
    """
    modules = _modules(folder)
    inner = folder / next((path for kind, path in modules if kind == "Transformer"), "")
    checkpoint = Checkpoint(inner)
    tokenizer = _tokenizer(inner)
    projection = _projection(folder, modules) or _colbert_projection(checkpoint)
    return ModelFiles(
        checkpoint=checkpoint,
        tokenizer=tokenizer,
        mask=_mask(inner, tokenizer),
        projection=projection,
        pooling=_pooling(folder, modules),
        settings=_settings(folder, inner, checkpoint, projection is not None),
    )


def _modules(folder: Path) -> list[tuple[str, str]]:
    """Kind and path of each module of the sentence-transformers layout; none where it is another layout."""
    path = folder / "modules.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [(str(entry["type"]).rpartition(".")[2], str(entry["path"])) for entry in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelWeightsError(f"{path} is not the list of modules that was expected: {error}.") from error


def _projection(folder: Path, modules: list[tuple[str, str]]) -> Dense | None:
    """The dense layers on token vectors, as one map; those after a pooling are for whole texts."""
    whole: Dense | None = None
    for kind, path in modules:
        if kind == "Pooling":
            break
        if kind == "Dense":
            one = _dense(folder / path)
            whole = one if whole is None else _composed(whole, one)
    return whole


def _dense(folder: Path) -> Dense:
    checkpoint = Checkpoint(folder)
    activation = str(checkpoint.config.get("activation_function", "torch.nn.modules.linear.Identity"))
    if activation.rpartition(".")[2] != "Identity":
        raise ModelWeightsError(
            f"{folder}: a dense layer with the activation {activation} is not computed here; linear ones are."
        )
    weight = checkpoint.read("linear.weight")
    if checkpoint.config.get("use_residual"):
        around = "residual.weight"
        square: np.ndarray = np.eye(weight.shape[0], weight.shape[1], dtype=np.float32)
        weight = weight + (checkpoint.read(around) if around in checkpoint else square)
    bias = (
        checkpoint.read("linear.bias")
        if "linear.bias" in checkpoint
        else np.zeros(weight.shape[0], np.float32)
    )
    return Dense(weight, bias)


def _composed(first: Dense, second: Dense) -> Dense:
    return Dense(second.weight @ first.weight, second.weight @ first.bias + second.bias)


def _colbert_projection(checkpoint: Checkpoint) -> Dense | None:
    if "linear.weight" not in checkpoint:
        return None
    weight = checkpoint.read("linear.weight")
    return Dense(weight, np.zeros(weight.shape[0], np.float32))


def _pooling(folder: Path, modules: list[tuple[str, str]]) -> str:
    path = next((path for kind, path in modules if kind == "Pooling"), None)
    said = read_json(folder / path / "config.json") if path else {}
    by_first = said.get("pooling_mode_cls_token") or said.get("pooling_mode") == "cls"
    return "cls" if by_first else "mean"


def _settings(folder: Path, inner: Path, checkpoint: Checkpoint, projected: bool) -> EncoderSettings:
    own = read_json(folder / OWN_FILE)
    if own:
        return EncoderSettings().but(**own)
    sentence = read_json(folder / SENTENCE_FILE)
    if "query_length" in sentence or "query_prefix" in sentence:
        return _pylate_settings(sentence)
    if (folder / COLBERT_FILE).is_file() or projected:
        return _colbert_settings(read_json(folder / COLBERT_FILE))
    longest = int(checkpoint.config.get("max_position_embeddings", 512)) - first_position(checkpoint.config)
    said = read_json(inner / "sentence_bert_config.json").get("max_seq_length") or 256
    return EncoderSettings(
        query_length=min(64, longest),
        passage_length=min(int(said), longest),
        skip_in_queries=True,
        special_in_queries=False,
        special_in_passages=False,
    )


def _pylate_settings(said: dict[str, Any]) -> EncoderSettings:
    def value(name: str, otherwise: Any) -> Any:
        return otherwise if said.get(name) is None else said[name]

    augment = bool(value("do_query_expansion", True))
    return EncoderSettings(
        query_length=int(value("query_length", 32)),
        passage_length=int(value("document_length", 180)),
        query_marker=value("query_prefix", "[Q] ") or None,
        passage_marker=value("document_prefix", "[D] ") or None,
        augment=augment,
        attend_to_masks=augment and bool(value("attend_to_expansion_tokens", False)),
        skipped=tuple(value("skiplist_words", PUNCTUATION)),
    )


def _colbert_settings(said: dict[str, Any]) -> EncoderSettings:
    return EncoderSettings(
        query_length=int(said.get("query_maxlen", 32)),
        passage_length=int(said.get("doc_maxlen", 220)),
        query_marker=str(said.get("query_token_id", "[unused0]")),
        passage_marker=str(said.get("doc_token_id", "[unused1]")),
        augment=True,
        attend_to_masks=bool(said.get("attend_to_mask_tokens", False)),
        skipped=PUNCTUATION if said.get("mask_punctuation", True) else (),
    )


def _tokenizer(folder: Path) -> Any:
    tokenizers = require("tokenizers", extra="retrieval", purpose="an encoder")
    if (folder / "tokenizer.json").is_file():
        said = read_json(folder / "tokenizer.json")
        try:
            return tokenizers.Tokenizer.from_str(json.dumps(said))
        except Exception as error:  # the library raises nothing narrower
            error.add_note(f"{folder / 'tokenizer.json'} is not read by this version of tokenizers.")
            raise
    if (folder / "vocab.txt").is_file():
        return _word_pieces(tokenizers, folder)
    raise ModelWeightsError(
        f"{folder} holds no tokenizer: tokenizer.json or vocab.txt is needed. Where transformers is "
        "installed, AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes the former."
    )


def _word_pieces(tokenizers: Any, folder: Path) -> Any:
    """BERT's tokenizer from its bare vocabulary."""
    words = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    vocabulary = {word: number for number, word in enumerate(words)}
    lower = bool(read_json(folder / "tokenizer_config.json").get("do_lower_case", True))
    try:
        ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    except KeyError as error:
        raise ModelWeightsError(f"{folder / 'vocab.txt'} has no {error.args[0]}.") from error
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=ends
    )
    tokenizer.add_special_tokens(
        [name for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") if name in vocabulary]
    )
    return tokenizer


def _mask(folder: Path, tokenizer: Any) -> str | None:
    said = read_json(folder / "tokenizer_config.json").get("mask_token")
    named = said.get("content") if isinstance(said, dict) else said
    return next((token for token in (named, *_MASKS) if token and tokenizer.token_to_id(token)), None)
