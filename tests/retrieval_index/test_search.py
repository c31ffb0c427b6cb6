"""Searching compared with the plain definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from telic.errors import InputError
from telic.retrieval.late_interaction import search
from telic.retrieval.late_interaction.maxsim import maxsim, token_maxima
from telic.retrieval.late_interaction.retriever import LateInteraction
from telic.retrieval.late_interaction.search import EXACT, Stages
from tests.retrieval_index.clusters import ClusterEncoder, exact_scores, recall, texts

MANY = 1500
ASKED = 25


@pytest.fixture(scope="module")
def encoder() -> ClusterEncoder:
    return ClusterEncoder()


@pytest.fixture(scope="module")
def exact(encoder: ClusterEncoder) -> list[list[float]]:
    return [exact_scores(encoder, str(query), texts(MANY)) for query in range(ASKED)]


def found_ids(index: LateInteraction, k: int) -> list[list[str]]:
    return [[passage.id for passage in found] for found in index.search(texts(ASKED), k)]


def built(encoder: ClusterEncoder, bits: int, rescore_bits: int | None = None) -> LateInteraction:
    return LateInteraction.build(texts(MANY), encoder=encoder, bits=bits, rescore_bits=rescore_bits)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_maxsim_is_the_sum_of_best_products(query_tokens: int, tokens: int, dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    query = rng.standard_normal((query_tokens, dim)).astype(np.float32)
    passage = rng.standard_normal((tokens, dim)).astype(np.float32)
    plain = sum(max((float(q @ p) for p in passage), default=-np.inf) for q in query)
    assert maxsim(query, passage) == pytest.approx(plain, rel=1e-4, abs=1e-4)


def test_maxsim_refuses_rows_of_different_lengths() -> None:
    with pytest.raises(InputError, match="one dim"):
        maxsim(np.zeros((2, 3)), np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("bits", "rescore_bits"), [(1, None), (2, None), (4, None), (8, None), (16, None), (2, 8)]
)
def test_nothing_left_out_equals_the_definition(
    encoder: ClusterEncoder, bits: int, rescore_bits: int | None
) -> None:
    index = built(encoder, bits, rescore_bits)
    index.stages = EXACT
    vectors = {identity: index.vectors(identity) for identity in texts(MANY)}
    for query in texts(3):
        rows = encoder.encode_queries([query])[0]
        plain = {identity: maxsim(rows, there) for identity, there in vectors.items()}
        found = index.search(query, k=MANY)
        assert len(found) == MANY
        for passage in found:
            assert passage.score == pytest.approx(plain[passage.id], abs=2e-4)
        assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_16_bits_are_exact_within_rounding(encoder: ClusterEncoder, exact: list[list[float]]) -> None:
    index = built(encoder, 16)
    index.stages = EXACT
    for query in range(5):
        for passage in index.search(str(query), k=MANY):
            assert passage.score == pytest.approx(exact[query][int(passage.id)], abs=0.02)


@settings(max_examples=25, deadline=None)
@example(1, 16, 1, 1, 0)  # one centroid, which is not the origin
@given(
    st.integers(1, 40),
    st.sampled_from([1, 2, 4, 8, 16]),
    st.integers(1, 19),
    st.integers(1, 37),
    st.integers(0, 2**32 - 1),
)
def test_kernels_equal_the_definition(passages: int, bits: int, dim: int, asked: int, seed: int) -> None:
    """Any dimension, number of query tokens and length of a passage, the odd ones too."""
    from telic.retrieval.late_interaction.codec import train_codec
    from telic.retrieval.late_interaction.files import MemoryFiles
    from telic.retrieval.late_interaction.segments import Segment, SegmentWriter
    from telic.retrieval.passage import Passage

    rng = np.random.default_rng(seed)
    rows = [rng.standard_normal((int(rng.integers(0, 5)), dim)).astype(np.float32) for _ in range(passages)]
    sample = np.concatenate([*rows, np.ones((1, dim), np.float32)])
    codec = train_codec(sample, len(sample), bits=bits, seed=seed % 100)
    files = MemoryFiles()
    writer = SegmentWriter(files, 1, codec)
    writer.add([Passage(str(i), "") for i in range(passages)], rows)
    entry = writer.close()
    segment = Segment(entry, {kind: files.read(name) for kind, (name, _) in entry.names().items()}, codec)
    query = rng.standard_normal((asked, dim)).astype(np.float32)
    ready = search.Query(query, codec)
    picked = np.arange(passages, dtype=np.uint32)
    best = search.maxima(ready, segment, picked, finest=True)[:, :asked]
    for place in range(passages):
        assert best[place] == pytest.approx(token_maxima(query, segment.vectors(place)), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("bits", "rescore_bits", "least"),
    [(2, None, 0.85), (4, None, 0.95), (8, None, 0.99), (4, 8, 0.99), (2, 8, 0.99)],
)
def test_staged_search_finds_what_the_definition_finds(
    encoder: ClusterEncoder, exact: list[list[float]], bits: int, rescore_bits: int | None, least: float
) -> None:
    index = built(encoder, bits, rescore_bits)
    index.stages = Stages(listed=0)
    assert recall(found_ids(index, 10), exact, 10) >= least


def test_stages_leave_out_what_they_are_told_to(
    encoder: ClusterEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = built(encoder, 4)
    looked: list[int] = []
    real = search.maxima

    def counting(query: search.Query, segment: object, picked: np.ndarray, *, finest: bool) -> np.ndarray:
        looked.append(len(picked))
        return real(query, segment, picked, finest=finest)  # type: ignore[arg-type]

    monkeypatch.setattr(search, "maxima", counting)
    index.stages = Stages(listed=0, fine=50, growth=0)
    index.search("3", k=2)
    assert sum(looked) <= 60
    with pytest.raises(InputError, match="one passage at least"):
        Stages(fine=0)


def test_a_filter_is_applied_before_anything_is_left_out(encoder: ClusterEncoder) -> None:
    corpus = [
        {"id": number, "text": number, "rare": number in ("700", "701", "999")} for number in texts(MANY)
    ]
    index = LateInteraction.build(corpus, encoder=encoder)
    index.stages = Stages(probes=1, listed=0, fine=2, growth=0)
    assert {p.id for p in index.search("5", k=5, filter={"rare": True})} == {"700", "701", "999"}
    assert {p.id for p in index.search("5", k=5, filter=lambda m: m["rare"])} == {"700", "701", "999"}
    assert index.search("5", k=5, filter={"rare": "no such"}) == []
    assert index.candidates(encoder.encode_queries(["5"])[0], 2, {"rare": True}) == [
        p.id for p in index.search("5", k=2, filter={"rare": True})
    ]


def test_many_queries_at_once_find_the_same(encoder: ClusterEncoder) -> None:
    index = built(encoder, 4)
    together = index.search(texts(ASKED), k=7)
    assert together == [index.search(query, k=7) for query in texts(ASKED)]


def test_threads_search_at_the_same_time(encoder: ClusterEncoder) -> None:
    from concurrent.futures import ThreadPoolExecutor

    index = built(encoder, 4)
    alone = [index.search(query, k=5) for query in texts(ASKED)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            assert list(pool.map(lambda query: index.search(query, k=5), texts(ASKED))) == alone


def test_explanations_add_up_to_the_score(encoder: ClusterEncoder) -> None:
    index = built(encoder, 4)
    best = index.search("12", k=1)[0]
    matches = index.explain("12", best.id)
    assert [match.query_token for match in matches] == encoder.query_tokens("12")
    assert sum(match.score for match in matches) == pytest.approx(best.score, abs=1e-3)
    maxima = index.token_maxima(encoder.encode_queries(["12"])[0], [best.id, "77"])
    assert maxima.shape == (2, len(matches))
    assert [match.score for match in matches] == pytest.approx(maxima[0].tolist(), abs=1e-3)
    assert all(match.passage_token == f"p{match.position}" for match in matches)
    with pytest.raises(InputError, match="no-such"):
        index.token_maxima(encoder.encode_queries(["12"])[0], ["no-such"])
