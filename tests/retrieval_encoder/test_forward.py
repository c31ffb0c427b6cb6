"""The forward pass against the family's own library, and what a batch must not change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from telic.retrieval.late_interaction.encoder import Encoder
from telic.retrieval.late_interaction.encoder.arithmetic import (
    add_and_normalise,
    gelu,
    softmax,
    to_unit_length,
)
from telic.retrieval.late_interaction.encoder.blas import default_threads, one_thread_a_product
from tests.retrieval_encoder import tiny

TEXTS = [
    "the cat sat on the mat.",
    "who wrote hamlet?",
    "",
    "river bank, river bank; the the the a b c d e f",
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Encoder.load(
        tiny.write_plain(tmp_path_factory.mktemp("plain")), passage_length=32, query_length=32
    )


def their_states(folder: Path, ids: list[int], seen: int) -> np.ndarray:
    """Last hidden states of one sequence, by transformers."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    mask = torch.tensor([[1] * seen + [0] * (len(ids) - seen)])
    with torch.inference_mode():
        states: np.ndarray = (
            model(input_ids=torch.tensor([ids]), attention_mask=mask).last_hidden_state[0].numpy()
        )
    return states


def unit(rows: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta"])
def test_vectors_are_those_of_the_familys_own_library(tmp_path: Path, kind: str) -> None:
    folder = tiny.write_plain(tmp_path, kind)
    mine = Encoder.load(folder, passage_length=32, skipped=(), special_in_passages=True)
    encoded = mine.encode_passages(TEXTS)
    for text, rows in zip(TEXTS, encoded, strict=True):
        ids = tiny.tokenizer().encode(text).ids
        theirs = unit(their_states(folder, ids, len(ids)))
        assert rows.shape == theirs.shape
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, theirs, atol=2e-5)


@pytest.mark.parametrize("thetas", [{}, {"global_rope_theta": 500.0, "local_rope_theta": 70.0}])
def test_modern_bert_is_that_of_its_own_library(tmp_path: Path, thetas: dict[str, float]) -> None:
    folder = tiny.write_modern(tmp_path, **thetas)
    sizes = {"passage_length": 48, "query_length": 16, "augment": True}
    special = {"special_in_queries": True, "special_in_passages": True}
    mine = Encoder.load(folder, **sizes, **special, skipped=())
    texts = [*TEXTS, "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 2]
    for text, rows in zip(texts, mine.encode_passages(texts), strict=True):
        ids = [2, *tiny.tokenizer().encode(text, add_special_tokens=False).ids[:46], 3]
        np.testing.assert_allclose(rows, unit(their_states(folder, ids, len(ids))), atol=5e-5)
    ids = [*tiny.tokenizer().encode("cat").ids, *[4] * 13]
    theirs = unit(their_states(folder, ids, 3))
    # Mask tokens further along see no token at all, for which there is no right answer.
    np.testing.assert_allclose(mine.encode_queries(["cat"])[0][:5], theirs[:5], atol=5e-5)
    again = Encoder.load(mine.save(tmp_path / "saved"))
    assert again.fingerprint == mine.fingerprint


@pytest.mark.parametrize("attend", [False, True])
def test_queries_filled_up_with_masks_are_those_of_the_familys_own_library(
    tmp_path: Path, attend: bool
) -> None:
    folder = tiny.write_colbert(tmp_path, metadata={"attend_to_mask_tokens": attend})
    mine = Encoder.load(folder)
    words = ["[CLS]", "[unused0]", "who", "wrote", "hamlet", "[SEP]"]
    ids = [tiny.WORDS.index(word) for word in [*words, *["[MASK]"] * 6]]
    theirs = unit(their_states(folder, ids, 12 if attend else 6) @ tiny.projection(8).T)
    (rows,) = mine.encode_queries(["Who wrote Hamlet"])
    assert mine.query_tokens("Who wrote Hamlet") == [*words, *["[MASK]"] * 6]
    np.testing.assert_allclose(rows, theirs, atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(max_size=60), max_size=12))
def test_company_does_not_change_a_texts_vectors(encoder: Encoder, texts: list[str]) -> None:
    together = encoder.encode_passages(texts)
    assert len(together) == len(texts)
    for text, rows in zip(texts, together, strict=True):
        (alone,) = encoder.encode_passages([text])
        np.testing.assert_allclose(rows, alone, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert len(rows) == len(encoder.passage_tokens(text)) > 0


def test_more_texts_than_fit_a_batch_keep_their_order_on_any_number_of_threads(tmp_path: Path) -> None:
    folder = tiny.write_plain(tmp_path)
    texts = [" ".join(["cat", "mat", "sat"][: n % 3 + 1] * (n % 7)) for n in range(1500)]
    one, many = (Encoder.load(folder, threads=n, passage_length=24) for n in (1, 4))
    for left, right in zip(one.encode_passages(texts), many.encode_passages(texts), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)
    assert [len(rows) for rows in many.encode_passages(texts)] == [len(one.passage_tokens(t)) for t in texts]


def test_several_threads_may_encode_at_once(encoder: Encoder) -> None:
    expected = encoder.encode_queries(TEXTS)
    with ThreadPoolExecutor(6) as pool:
        for got in pool.map(lambda _: encoder.encode_queries(TEXTS), range(24)):
            for left, right in zip(got, expected, strict=True):
                np.testing.assert_allclose(left, right, atol=1e-5)


def test_pooled_vectors_are_means_of_all_tokens(tmp_path: Path) -> None:
    folder = tiny.write_plain(tmp_path)
    encoder = Encoder.load(folder, passage_length=32, query_length=32)
    pooled = encoder.pooled(TEXTS)
    assert pooled.shape == (len(TEXTS), tiny.WIDTH)
    for text, vector in zip(TEXTS, pooled, strict=True):
        ids = tiny.tokenizer().encode(text).ids
        mean = their_states(folder, ids, len(ids)).mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(encoder(TEXTS[0]), pooled[0], atol=1e-6)
    np.testing.assert_allclose(encoder(TEXTS), pooled, atol=1e-6)
    assert encoder.pooled([]).shape == (0, tiny.WIDTH)


def test_an_encoder_serves_as_an_embedders_function_and_as_a_vectorizer(encoder: Encoder) -> None:
    import telic

    expected = encoder.pooled(TEXTS)
    np.testing.assert_allclose(telic.Embedder(encoder)(TEXTS), expected, atol=1e-6)
    trainset: Any = [telic.Example(question=text).with_inputs("question") for text in TEXTS if text]
    (nearest,) = telic.KNN(1, trainset, encoder)(question="who wrote hamlet?")
    assert nearest.question == "who wrote hamlet?"


def test_gelu_is_exact() -> None:
    x = np.linspace(-12, 12, 40_001, dtype=np.float32).reshape(1, -1)
    expected = [value * 0.5 * (1 + erf(value / 2**0.5)) for value in x[0].astype(float)]
    got = x - np.float32(0.25)
    gelu(got, np.full(x.shape[1], 0.25, np.float32))
    np.testing.assert_allclose(got[0], expected, atol=2e-6, rtol=1e-6)


def test_softmax_is_that_of_doubles() -> None:
    scores = np.random.default_rng(1).standard_normal((50, 33)).astype(np.float32) * 30
    scores[0] = -1e30
    scores[1, 5] = 200.0
    wide = scores.astype(float)
    expected = np.exp(wide - wide.max(axis=1, keepdims=True))
    softmax(scores)
    np.testing.assert_allclose(scores, expected / expected.sum(axis=1, keepdims=True), rtol=3e-5, atol=1e-12)


def test_normalisation_is_that_of_doubles() -> None:
    drawn = np.random.default_rng(2)
    hidden, change = (drawn.standard_normal((5, 48)).astype(np.float32) for _ in range(2))
    bias, weight, shift = (drawn.standard_normal(48).astype(np.float32) for _ in range(3))
    total = (hidden + change + bias).astype(float)
    centred = total - total.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12) * weight + shift
    add_and_normalise(hidden, change, bias, weight, shift, 1e-12)
    np.testing.assert_allclose(hidden, expected, atol=1e-5)
    rows = np.array([[3, 4], [0, 0]], np.float32)
    to_unit_length(rows)
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]], atol=1e-6)


def test_products_run_on_one_thread_until_the_last_block_ends() -> None:
    from threadpoolctl import threadpool_info, threadpool_limits

    def now() -> list[int]:
        ours = [pool for pool in threadpool_info() if "numpy" in pool["filepath"]]
        return [pool["num_threads"] for pool in ours]

    with threadpool_limits(2, user_api="blas"):
        before = now()
        assert before
        outer, inner = one_thread_a_product(), one_thread_a_product()
        outer.__enter__()
        inner.__enter__()
        assert set(now()) == {1}
        outer.__exit__(None, None, None)
        assert set(now()) == {1}
        inner.__exit__(None, None, None)
        assert now() == before


def test_the_default_number_of_threads_respects_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert default_threads() == 8
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert default_threads() == 3
