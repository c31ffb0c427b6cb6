"""The default encoder, with its real weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from telic.retrieval.late_interaction.encoder import Encoder

pytestmark = pytest.mark.model

TEXTS = [
    "The Eiffel Tower, completed in 1889, stands on the Champ de Mars in Paris.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "The stock exchange fell sharply after the central bank raised its rates.",
]


@pytest.fixture(scope="module")
def encoder(minilm: Path) -> Encoder:
    return Encoder.load(minilm)


def test_token_vectors_are_those_of_transformers(encoder: Encoder, minilm: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModel.from_pretrained(minilm).eval()
    cut = transformers.AutoTokenizer.from_pretrained(minilm)
    texts = [*TEXTS, "", " ".join(TEXTS * 20)]
    every = Encoder.load(minilm, skipped=(), special_in_passages=True)
    for text, rows in zip(texts, every.encode_passages(texts), strict=True):
        with torch.inference_mode():
            theirs = model(**cut([text], return_tensors="pt", truncation=True, max_length=256))
        states = theirs.last_hidden_state[0].numpy()
        states /= np.linalg.norm(states, axis=1, keepdims=True)
        assert (states * rows).sum(axis=1).min() >= 0.9999


@pytest.mark.parametrize(
    ("query", "best"),
    [("When was the Eiffel Tower built?", 0), ("How do plants make sugar?", 1), ("Why did shares drop?", 2)],
)
def test_the_passage_that_answers_scores_best(encoder: Encoder, query: str, best: int) -> None:
    (rows,) = encoder.encode_queries([query])
    scores = [(rows @ passage.T).max(axis=1).sum() for passage in encoder.encode_passages(TEXTS)]
    assert int(np.argmax(scores)) == best
    assert int(np.argmax(encoder.pooled(TEXTS) @ encoder(query))) == best


def test_the_default_is_found_by_name() -> None:
    assert Encoder.default().settings == Encoder.load("local/minilm").settings
    assert Encoder.default().dim == 384
