from __future__ import annotations

import telic
from benchmarks.baleen import __main__ as bench, simplified
from benchmarks.baleen.collection import Collection
from benchmarks.baleen.remembered import Remembered
from benchmarks.baleen.ways import ways
from telic.retrieval import BM25, LateInteraction
from telic.systems.baleen import Titles
from telic.testing import HashEncoder
from tests.systems_baleen.world import CHAIN, CORPUS


class Counting(HashEncoder):
    texts = 0

    def encode_passages(self, texts):  # type: ignore[no-untyped-def]
        self.texts += len(texts)
        return super().encode_passages(texts)


def test_every_way_is_run_and_scored_the_same() -> None:
    encoder = Counting(dim=96)
    index = LateInteraction.build(CORPUS, encoder=Remembered(encoder))
    of = Collection({p.id: p for p in CORPUS}, BM25(CORPUS), index, Titles(CORPUS))
    rows = bench._measured("set", [CHAIN], ways(of), "")
    found = {row["way"]: row["in_passages"] for row in rows}
    assert found["late interaction"] == found["Baleen, fused, titles"] == [1.0]  # ten of five are all
    assert found["BM25"] == [0.0]  # it finds no passage that shares no word
    assert encoder.texts == len(CORPUS)  # sentences are not encoded anew
    assert all(len(bench._cells(row, rows)) == len(bench.HEAD) for row in rows)
    assert rows[-1]["to_hybrid"][0] == 0.0


def test_remembered_rows_are_those_of_the_encoder() -> None:
    encoder = HashEncoder()
    texts = ["one two", "three", "one two"]
    kept = Remembered(encoder)
    for _ in range(2):
        for rows, wanted in zip(kept.encode_passages(texts), encoder.encode_passages(texts), strict=True):
            assert abs(rows - wanted).max() < 1e-3
    assert kept.fingerprint == encoder.fingerprint


def test_the_simplified_forms_scores() -> None:
    example = telic.Example(question="q", answer="London", gold_titles=["A", "B"])
    half = telic.Prediction(context=["A | text", "C | text"], answer="london")
    assert simplified.gold_found(example, half) == 0.5
    assert simplified.metric(example, half) == 0.75
    assert simplified.metric(example, half, trace=[]) is False
    assert simplified.metric(example, telic.Prediction(context=["A | x", "B | y"], answer="no")) == 0.5
