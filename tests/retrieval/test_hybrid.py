"""Several retrievers as one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from telic.errors import InputError
from telic.retrieval.filters import Filter, admits
from telic.retrieval.fusion import by_ranks, by_scores
from telic.retrieval.hybrid import Hybrid
from telic.retrieval.lexical.bm25 import BM25
from telic.retrieval.passage import Passage, passages
from telic.retrieval.retriever import Retriever
from telic.testing import check_retriever

pytest.importorskip("bm25s")


class Fixed(Retriever):
    """Always finds the same, after a pause."""

    def __init__(self, *found: tuple[str, float], pause: float = 0.0) -> None:
        self.found = [Passage(name, f"text of {name}", score, {"name": name}) for name, score in found]
        self.pause = pause
        self.asked: list[int] = []

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        time.sleep(self.pause)
        self.asked.append(k)
        admitted = admits(wanted or {})
        return [[p for p in self.found if admitted(p.metadata)][:k] for _ in queries]

    async def _asearch(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        await asyncio.sleep(self.pause)
        return self._search(queries, k, wanted) if not self.pause else [self.found[:k] for _ in queries]


ONE = Fixed(("a", 9.0), ("b", 5.0), ("c", 1.0))
TWO = Fixed(("c", 0.9), ("d", 0.5), ("a", 0.1))


def test_contract() -> None:
    check_retriever(lambda corpus: Hybrid(BM25(corpus), BM25(corpus, language=None)))
    check_retriever(
        lambda corpus: Hybrid({"x": BM25(corpus)}, method="scores", weights={"x": 2}), sensible=True
    )


def test_fusion_by_ranks() -> None:
    found = Hybrid(ONE, TWO).search("q", 9)
    assert [p.id for p in found] == ["a", "c", "b", "d"]
    assert found[0].score == pytest.approx(1 / 61 + 1 / 63)
    assert found[2].score == pytest.approx(1 / 62)


def test_equal_scores_come_by_id() -> None:
    fused = by_ranks([[Passage("b", "")], [Passage("a", "")]], [1, 1])
    assert [p.id for p in fused] == ["a", "b"]


def test_fusion_by_scores() -> None:
    found = Hybrid(ONE, TWO, method="scores", weights=[1, 3]).search("q", 9)
    assert [(p.id, p.score) for p in found] == [("c", 3.0), ("d", 1.5), ("a", 1.0), ("b", 0.5)]
    same = [Passage("x", "", 2.0), Passage("y", "", 2.0)]
    assert [p.score for p in by_scores([same, []], [1, 1])] == [1.0, 1.0]


def test_weights_by_name() -> None:
    found = Hybrid({"one": ONE, "two": TWO}, weights={"one": 0, "two": 1}).search("q", 1)
    assert found[0].id == "c"


def test_parts_are_asked_for_more_than_k() -> None:
    one = Fixed(("a", 1.0))
    Hybrid(one, depth=20).search("q", 5)
    Hybrid(one, depth=20).search("q", 50)
    assert one.asked == [20, 50]


def test_filters_reach_the_parts() -> None:
    assert [p.id for p in Hybrid(ONE, TWO).search("q", 9, filter={"name": ["b", "d"]})] == ["b", "d"]


async def test_parts_are_awaited_together() -> None:
    slow = [Fixed(("a", 1.0), pause=0.3), Fixed(("b", 1.0), pause=0.3)]
    began = time.perf_counter()
    found = await Hybrid(*slow).asearch("q")
    assert len(found) == 2
    assert time.perf_counter() - began < 0.55


def test_parts_that_wait_are_asked_together() -> None:
    slow = [Fixed(("a", 1.0), pause=0.3), Fixed(("b", 1.0), pause=0.3)]
    began = time.perf_counter()
    assert len(Hybrid(*slow).search("q")) == 2
    assert time.perf_counter() - began < 0.55


def test_a_part_that_fails_fails_the_search() -> None:
    class Broken(Retriever):
        def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
            raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        Hybrid(ONE, Broken()).search("q")


@pytest.mark.parametrize(
    ("parts", "options", "message"),
    [
        ((), {}, "give the retrievers"),
        ((lambda query: [],), {}, "not a Retriever"),
        ((ONE,), {"method": "magic"}, "magic"),
        ((ONE, TWO), {"weights": [1]}, "weight"),
        ((ONE, TWO), {"weights": [0, 0]}, "zero"),
        (({"a": ONE},), {"weights": {"b": 1}}, "weight"),
    ],
)
def test_what_does_not_fit_is_refused(parts: Any, options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Hybrid(*parts, **options)


def test_a_corpus_can_be_read_many_ways() -> None:
    read = list(
        passages(["x", {"text": "y", "id": 7, "title": "T", "metadata": {"n": 1}}, Passage("p", "z")])
    )
    assert [(p.id, p.text, dict(p.metadata)) for p in read] == [
        ("0", "x", {}),
        ("7", "y", {"title": "T", "n": 1}),
        ("p", "z", {}),
    ]
