"""Published layouts are read as their own code reads them; what cannot be read is refused with what to do."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from telic.errors import InputError, ModelWeightsError
from telic.retrieval.late_interaction import TokenEncoder
from telic.retrieval.late_interaction.encoder import Encoder, EncoderSettings
from telic.testing import HashEncoder
from tests.retrieval_encoder import tiny

TEXT = "The cat sat, on the mat."


def test_colberts_own_layout(tmp_path: Path) -> None:
    encoder = Encoder.load(tiny.write_colbert(tmp_path))
    assert encoder.dim == 8
    assert encoder.settings == EncoderSettings(
        query_length=12,
        passage_length=20,
        query_marker="[unused0]",
        passage_marker="[unused1]",
        augment=True,
    )
    assert encoder.passage_tokens(TEXT) == [
        "[CLS]",
        "[unused1]",
        "the",
        "cat",
        "sat",
        "on",
        "the",
        "mat",
        "[SEP]",
    ]
    assert encoder.query_tokens("Cat.") == ["[CLS]", "[unused0]", "cat", ".", "[SEP]", *["[MASK]"] * 7]
    (rows,) = encoder.encode_passages([TEXT])
    assert rows.shape == (9, 8)


def test_pylates_layout(tmp_path: Path) -> None:
    encoder = Encoder.load(tiny.write_pylate(tmp_path))
    assert encoder.dim == 8
    assert encoder.settings.skipped == (".", ",")
    assert encoder.passage_tokens(TEXT) == ["[CLS]", "[D] ", "the", "cat", "sat", "on", "the", "mat", "[SEP]"]
    assert encoder.query_tokens("Cat!")[:5] == ["[CLS]", "[Q] ", "cat", "!", "[SEP]"]
    assert len(encoder.query_tokens("cat")) == 12


def test_pylate_without_expansion_or_prefixes(tmp_path: Path) -> None:
    said = {"do_query_expansion": False, "query_prefix": "", "document_prefix": "", "query_length": 32}
    encoder = Encoder.load(tiny.write_pylate(tmp_path, **said, attend_to_expansion_tokens=True))
    assert encoder.query_tokens("cat") == ["[CLS]", "cat", "[SEP]"]
    assert encoder.settings.query_length == 32
    assert not encoder.settings.attend_to_masks


def test_all_three_layouts_of_one_model_give_the_same_rows(tmp_path: Path) -> None:
    pylate = tiny.write_pylate(
        tmp_path / "pylate", query_prefix="[unused0]", document_prefix="[unused1]", skiplist_words=None
    )
    inner = tiny.write_pylate(
        tmp_path / "inner", inner="0_Transformer", query_prefix="[unused0]", document_prefix="[unused1]"
    )
    colbert = Encoder.load(tiny.write_colbert(tmp_path / "colbert"))
    for folder in (pylate, inner):
        other = Encoder.load(folder)
        for ways in ("encode_queries", "encode_passages"):
            (left,), (right,) = getattr(colbert, ways)([TEXT]), getattr(other, ways)([TEXT])
            np.testing.assert_allclose(left, right, atol=1e-6)
    assert Encoder.load(pylate).fingerprint == colbert.fingerprint


def test_dense_layers_on_end_are_one_map(tmp_path: Path) -> None:
    folder = tiny.write_pylate(tmp_path, dim=8)
    second = np.random.default_rng(3).standard_normal((8, 8)).astype(np.float32)
    bias = np.arange(8, dtype=np.float32)
    tiny.write_dense(folder / "2_Dense", {"linear.weight": second, "linear.bias": bias}, use_residual=True)
    rows = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    rows.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "pylate.models.Dense.Dense"})
    plain = Encoder.load(tiny.write_plain(tmp_path / "plain"))
    tiny.write_json(folder / "modules.json", rows)
    encoder = Encoder.load(folder, passage_marker=None, skipped=())
    states = plain._model([np.array(tiny.tokenizer().encode(TEXT).ids)], [10])[0]
    first = states @ tiny.projection(8).T
    expected = first @ second.T + bias + first
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode_passages([TEXT])[0], expected, atol=2e-5)


def test_dense_layers_after_a_pooling_are_for_whole_texts_only(tmp_path: Path) -> None:
    folder = tiny.write_pylate(tmp_path, query_prefix="", document_prefix="")
    kinds = [("", "models.Transformer"), ("1_Pooling", "models.Pooling"), ("1_Dense", "models.Dense")]
    rows = [{"idx": n, "name": str(n), "path": path, "type": kind} for n, (path, kind) in enumerate(kinds)]
    tiny.write_json(folder / "modules.json", rows)
    assert Encoder.load(folder).dim == tiny.WIDTH


def test_pooling_by_the_first_token(tmp_path: Path) -> None:
    folder = tiny.write_plain(tmp_path)
    kinds = [("", "models.Transformer"), ("1_Pooling", "models.Pooling")]
    rows = [{"idx": n, "name": str(n), "path": path, "type": kind} for n, (path, kind) in enumerate(kinds)]
    tiny.write_json(folder / "modules.json", rows)
    (folder / "1_Pooling").mkdir()
    tiny.write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True})
    encoder = Encoder.load(folder, special_in_passages=True)
    np.testing.assert_allclose(encoder(TEXT), encoder.encode_passages([TEXT])[0][0], atol=1e-6)


def test_a_bare_vocabulary_gives_the_same_tokens(tmp_path: Path) -> None:
    full = tiny.write_plain(tmp_path / "full")
    bare = tiny.write_plain(tmp_path / "bare")
    (bare / "tokenizer.json").unlink()
    (bare / "vocab.txt").write_text("\n".join(tiny.WORDS), encoding="utf-8")
    lengths = {"passage_length": 32, "query_length": 32}
    left, right = Encoder.load(full, **lengths), Encoder.load(bare, **lengths)
    assert left.passage_tokens("The CAT wróte [MASK]!") == right.passage_tokens("The CAT wróte [MASK]!")
    np.testing.assert_array_equal(left.encode_queries([TEXT])[0], right.encode_queries([TEXT])[0])


def test_weights_in_several_files_and_of_half_precision(tmp_path: Path) -> None:
    whole = Encoder.load(tiny.write_plain(tmp_path / "whole"), passage_length=32, query_length=32)
    folder = tiny.write_plain(tmp_path / "parts")
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {"a.safetensors": names[:9], "b.safetensors": names[9:]}
    for file, some in shards.items():
        save_file({name: tensors[name].astype(np.float16) for name in some}, folder / file)
    where = {name: file for file, some in shards.items() for name in some}
    tiny.write_json(folder / "model.safetensors.index.json", {"weight_map": where})
    half = Encoder.load(folder, passage_length=32, query_length=32)
    products = (half.encode_passages([TEXT])[0] * whole.encode_passages([TEXT])[0]).sum(axis=1)
    assert products.min() > 0.9999


def test_weights_in_bfloat16_are_read(tmp_path: Path) -> None:
    folder = tiny.write_plain(tmp_path)
    tensors = {n: t.view(np.uint32) & np.uint32(0xFFFF0000) for n, t in tiny.tensors().items()}
    save_file({n: t.view(np.float32) for n, t in tensors.items()}, folder / "model.safetensors")
    expected = Encoder.load(folder, passage_length=32, query_length=32).encode_passages([TEXT])[0]
    _write_bfloat16(folder / "model.safetensors", tensors)
    got = Encoder.load(folder, passage_length=32, query_length=32).encode_passages([TEXT])[0]
    np.testing.assert_array_equal(got, expected)


def _write_bfloat16(path: Path, tensors: dict[str, np.ndarray]) -> None:
    head: dict[str, Any] = {}
    body = b""
    for name, tensor in tensors.items():
        data = (tensor >> np.uint32(16)).astype("<u2").tobytes()
        head[name] = {
            "dtype": "BF16",
            "shape": tensor.shape,
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "weights_only=True"),
        (lambda f: (f / "model.safetensors").unlink(), "holds no weights"),
        (lambda f: os.truncate(f / "model.safetensors", 2000), "cut short"),
        (lambda f: os.truncate(f / "model.safetensors", 3), "cut short"),
        (lambda f: (f / "tokenizer.json").unlink(), "save_pretrained"),
        (lambda f: (f / "tokenizer.json").write_text("{"), "not readable JSON"),
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (
            lambda f: tiny.write_json(f / "config.json", tiny.config(model_type="t5")),
            "'t5' are not read; known",
        ),
        (lambda f: tiny.write_json(f / "config.json", tiny.config(hidden_act="relu")), "'gelu' is"),
        (
            lambda f: tiny.write_json(f / "config.json", tiny.config(position_embedding_type="relative_key")),
            "'absolute' is",
        ),
        (lambda f: tiny.write_json(f / "config.json", tiny.config(num_hidden_layers=3)), "no tensor"),
        (lambda f: tiny.write_json(f / "config.json", {"model_type": "bert"}), "num_attention_heads"),
        (lambda f: (f / "modules.json").write_text("3"), "list of modules"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(tmp_path: Path, change: Any, says: str) -> None:
    change(tiny.write_plain(tmp_path))
    with pytest.raises(ModelWeightsError, match=says):
        Encoder.load(tmp_path)


def test_quantised_weights_and_nonlinear_layers_are_refused(tmp_path: Path) -> None:
    folder = tiny.write_pylate(tmp_path)
    tensors = tiny.tensors()
    whole = tensors["embeddings.LayerNorm.weight"].astype(np.int8)
    save_file({**tensors, "embeddings.LayerNorm.weight": whole}, folder / "model.safetensors")
    with pytest.raises(ModelWeightsError, match="of type I8"):
        Encoder.load(folder)
    said = {"activation_function": "torch.nn.modules.activation.Tanh"}
    tiny.write_dense(folder / "1_Dense", {"linear.weight": tiny.projection(8)}, **said)
    with pytest.raises(ModelWeightsError, match="Tanh is not computed"):
        Encoder.load(folder)


def test_a_marker_that_is_no_token_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelWeightsError, match=r"no token '\[query\]'"):
        Encoder.load(tiny.write_plain(tmp_path), query_marker="[query]", passage_length=32, query_length=32)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"passage_length": 41}, "at most 40"),
        ({"passage_length": 3}, "at least 4"),
        ({"overlap": 30}, "half of"),
        ({"lenght": 3}, "has no lenght; it has: query_length"),
        ({"threads": 0}, "threads=0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Encoder.load(tiny.write_plain(tmp_path), **{"passage_length": 32, "query_length": 32, **changes})


@pytest.mark.parametrize("write", [tiny.write_plain, tiny.write_colbert, tiny.write_pylate])
def test_what_is_saved_is_loaded_as_it_was(tmp_path: Path, write: Any) -> None:
    small = {"passage_length": 18, "query_length": 10, "overlap": 4, "special_in_queries": False}
    encoder = Encoder.load(write(tmp_path / "from"), **small)
    again = Encoder.load(encoder.save(tmp_path / "deep" / "to"))
    assert again.settings == encoder.settings
    assert again.fingerprint == encoder.fingerprint
    np.testing.assert_array_equal(again.encode_queries([TEXT])[0], encoder.encode_queries([TEXT])[0])
    assert not list((tmp_path / "deep").glob(".*"))
    with pytest.raises(ModelWeightsError, match="there already"):
        again.save(tmp_path / "from")


def test_others_read_what_is_saved(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    encoder = Encoder.load(
        tiny.write_pylate(tmp_path / "from", query_prefix="[unused0]", document_prefix="[unused1]")
    )
    folder = encoder.save(tmp_path / "to")
    model, loading = transformers.AutoModel.from_pretrained(folder, output_loading_info=True)
    assert {name.split(".")[0] for name in loading["missing_keys"]} <= {"pooler"}
    assert type(model).__name__ == "BertModel"
    assert transformers.AutoTokenizer.from_pretrained(folder)("the cat").input_ids[1:-1] == [
        tiny.WORDS.index("the"),
        tiny.WORDS.index("cat"),
    ]
    for file in ("telic_encoder.json", "modules.json", "config_sentence_transformers.json"):
        (folder / file).unlink()  # what is left is ColBERT's own layout, but for the marks left out
    ours = Encoder.load(folder, skipped=(".", ","))
    assert ours.settings == encoder.settings
    assert ours.fingerprint == encoder.fingerprint


def test_a_fingerprint_tells_weights_settings_and_vocabulary_apart(tmp_path: Path) -> None:
    lengths = {"passage_length": 32, "query_length": 32}
    folder = tiny.write_plain(tmp_path / "a")
    first = Encoder.load(folder, **lengths)
    assert Encoder.load(folder, **lengths, threads=3).fingerprint == first.fingerprint
    others = [
        Encoder.load(tiny.write_plain(tmp_path / "b", seed=1), **lengths),
        Encoder.load(folder, **{**lengths, "query_length": 31}),
        Encoder.load(folder, **lengths, skipped=(",",)),
        Encoder.load(folder, **lengths, special_in_passages=True),
        Encoder.load(folder, **lengths, augment=True),
        Encoder.load(tiny.write_colbert(tmp_path / "c")),
        Encoder.load(tiny.write_colbert(tmp_path / "d", dim=9)),
    ]
    cased = tiny.write_plain(tmp_path / "e")
    text = (
        (cased / "tokenizer.json")
        .read_text(encoding="utf-8")
        .replace('"lowercase":true', '"lowercase":false')
    )
    text = text.replace('"lowercase": true', '"lowercase": false')
    (cased / "tokenizer.json").write_text(text, encoding="utf-8")
    others.append(Encoder.load(cased, **lengths))
    assert len({one.fingerprint for one in [first, *others]}) == len(others) + 1


def test_both_encoders_are_what_late_interaction_asks_for(tmp_path: Path) -> None:
    real: TokenEncoder = Encoder.load(tiny.write_colbert(tmp_path))
    double: TokenEncoder = HashEncoder(8)
    for encoder in (real, double):
        assert isinstance(encoder, TokenEncoder)
        for ways, names in (
            (encoder.encode_queries, encoder.query_tokens),
            (encoder.encode_passages, encoder.passage_tokens),
        ):
            for text in ("", " ", "?!", TEXT):
                (rows,) = ways([text])
                assert rows.dtype == np.float32
                assert rows.shape == (len(names(text)), encoder.dim)
                np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert HashEncoder(8).fingerprint == double.fingerprint != HashEncoder(8, seed=1).fingerprint
