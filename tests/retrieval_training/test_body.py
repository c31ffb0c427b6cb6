"""The body computes what `transformers` computes."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from telic.errors import ModelWeightsError  # noqa: E402
from telic.retrieval.late_interaction.encoder.checkpoint import Checkpoint  # noqa: E402
from telic.retrieval.late_interaction.training.body import BertShape, hidden_rows, layer_of, weights_of  # noqa: E402

CONFIG = {
    "model_type": "bert", "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2,
    "num_attention_heads": 4, "intermediate_size": 32, "max_position_embeddings": 24,
    "layer_norm_eps": 1e-6,
}  # fmt: skip


def read(folder: Path) -> tuple[BertShape, dict[str, torch.Tensor]]:
    checkpoint = Checkpoint(folder)
    return BertShape.from_config(checkpoint.config), weights_of(checkpoint)


@pytest.fixture(params=["gelu", "gelu_new", "relu"])
def theirs(request: pytest.FixtureRequest) -> torch.nn.Module:
    config = transformers.BertConfig(
        **{k: v for k, v in CONFIG.items() if k != "model_type"},
        hidden_act=request.param, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    torch.manual_seed(1)
    model = transformers.BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model.eval()


def test_rows_and_gradients_are_those_of_transformers(theirs: torch.nn.Module, tmp_path: Path) -> None:
    theirs.save_pretrained(tmp_path)
    shape, weights = read(tmp_path)
    assert shape.epsilon == 1e-6
    ids = torch.randint(0, 50, (3, 10), generator=torch.Generator().manual_seed(0))
    attended = torch.arange(10)[None, :] < torch.tensor([10, 4, 7])[:, None]
    segments = (torch.arange(10) > 5).long().expand(3, 10)
    weights = {name: w.requires_grad_() for name, w in weights.items()}
    ours = hidden_rows(weights, shape, ids, attended, segments)
    wanted = theirs(input_ids=ids, attention_mask=attended.long(), token_type_ids=segments).last_hidden_state
    assert torch.allclose(ours[attended], wanted[attended], atol=2e-5)
    ours[attended].pow(3).sum().backward()
    wanted[attended].pow(3).sum().backward()
    for name, theirs_too in theirs.named_parameters():
        assert torch.allclose(weights[name].grad, theirs_too.grad, atol=2e-3, rtol=1e-3), name


def test_dropout_drops_only_where_it_is_asked_for(tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = transformers.BertConfig(**{k: v for k, v in CONFIG.items() if k != "model_type"})
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    shape, weights = read(tmp_path)
    ids, attended = torch.arange(8)[None, :], torch.ones(1, 8, dtype=torch.bool)
    still = [hidden_rows(weights, shape, ids, attended) for _ in range(2)]
    moving = [hidden_rows(weights, shape, ids, attended, dropout=0.5) for _ in range(2)]
    assert torch.equal(*still)
    assert not torch.allclose(*moving)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "roberta"}, "roberta"),
        ({"position_embedding_type": "relative_key"}, "absolute"),
        ({"hidden_act": "swish"}, "swish"),
        ({"num_hidden_layers": None}, "num_hidden_layers"),
    ],
)
def test_a_model_of_another_kind_is_refused(change: dict[str, object], said: str) -> None:
    config = {name: value for name, value in {**CONFIG, **change}.items() if value is not None}
    with pytest.raises(ModelWeightsError, match=said):
        BertShape.from_config(config)


def test_weights_know_how_deep_they_lie() -> None:
    shape = BertShape(layers=6, hidden=8, heads=2, inner=16, positions=8, vocabulary=9)
    names = [
        "embeddings.LayerNorm.bias",
        "encoder.layer.0.output.dense.bias",
        "encoder.layer.5.x",
        "linear.weight",
    ]
    assert [layer_of(name, shape) for name in names] == [-1, 0, 5, 6]
