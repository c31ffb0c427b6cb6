"""Retrievers in programs: as `rm`, in `Retrieve`, as a tool."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic.retrieval.lexical.bm25 import BM25
from telic.retrieval.passage import Passage
from telic.runtime.events import BaseCallback

CORPUS = [
    {"id": "ulm", "text": "Ulm lies on the Danube", "n": 1},
    {"id": "bonn", "text": "Bonn lies on the Rhine", "n": 2},
    {"id": "mainz", "text": "Mainz lies on the Rhine too", "n": 3},
]


@pytest.fixture
def index() -> BM25:
    pytest.importorskip("bm25s")
    found = BM25(CORPUS)
    telic.configure(rm=found)
    return found


def test_passages_keep_ids_and_scores(index: BM25) -> None:
    found = telic.Retrieve(k=2)("the Rhine")
    assert found.passages == ["Bonn lies on the Rhine", "Mainz lies on the Rhine too"]
    assert found.ids == ["bonn", "mainz"]
    assert found.scores == [p.score for p in index.search("Rhine", 2)]


def test_options_reach_the_retriever(index: BM25) -> None:
    assert telic.Retrieve()("Rhine", k=1, filter={"n": 3}).ids == ["mainz"]
    assert telic.Retrieve()("nothing of it").toDict() == {"passages": [], "ids": [], "scores": []}


def test_several_queries(index: BM25) -> None:
    assert [found.ids for found in telic.Retrieve(k=1)(["Danube", "Rhine"])] == [["ulm"], ["bonn"]]
    with telic.context(rm=lambda query, k: [f"{query}{n}" for n in range(k)]):
        found = telic.Retrieve(k=2)(["a", "b"])
    assert [row.passages for row in found] == [["a0", "a1"], ["b0", "b1"]]


async def test_awaited(index: BM25) -> None:
    assert (await telic.Retrieve(k=1).acall("Danube")).ids == ["ulm"]
    assert [f.ids for f in await telic.Retrieve(k=1).acall(["Danube", "Rhine"])] == [["ulm"], ["bonn"]]


@pytest.mark.parametrize("kind", ["async", "blocking", "object"])
async def test_any_function_is_awaited_in_its_way(kind: str) -> None:
    import threading

    threads: list[str] = []

    async def later(query: str, k: int) -> list[str]:
        threads.append(threading.current_thread().name)
        return [query] * k

    def now(query: str, k: int) -> list[str]:
        threads.append(threading.current_thread().name)
        return [query] * k

    class Both:
        def __call__(self, query: str, k: int) -> list[str]:
            raise AssertionError("the blocking form was called on the loop")

        async def acall(self, query: str, k: int) -> list[str]:
            return await later(query, k)

    rm: Any = {"async": later, "blocking": now, "object": Both()}[kind]
    with telic.context(rm=rm):
        assert (await telic.Retrieve(k=2).acall("q")).passages == ["q", "q"]
    assert (threads[0] == threading.current_thread().name) == (kind != "blocking")


def test_an_async_function_from_blocking_code() -> None:
    async def later(query: str, k: int) -> list[str]:
        return [query] * k

    with telic.context(rm=later):
        assert telic.Retrieve(k=2)("q").passages == ["q", "q"]


async def test_a_forward_of_ones_own_is_awaited() -> None:
    class Own(telic.Retrieve):
        def forward(self, query: str, k: int | None = None, **options: Any) -> Any:
            return telic.Prediction(passages=[query.upper()])

    assert (await Own().acall("a")).passages == ["A"]


async def test_callbacks_are_told_both_ways(index: BM25) -> None:
    class Told(BaseCallback):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
            self.seen.append(inputs["args"])

        def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
            self.seen.append(outputs.ids)

    told = Told()
    retrieve = telic.Retrieve(k=1, callbacks=[told])
    retrieve("Danube")
    await retrieve.acall("Rhine")
    assert told.seen == [("Danube",), ["ulm"], ("Rhine",), ["bonn"]]


def test_a_program_saves_its_k(index: BM25, tmp_path: Any) -> None:
    class Find(telic.Module):
        def __init__(self, k: int) -> None:
            super().__init__()
            self.retrieve = telic.Retrieve(k=k)

        def forward(self, question: str) -> Any:
            return self.retrieve(question)

    Find(1).save(tmp_path / "find.json")
    loaded = Find(3)
    loaded.load(tmp_path / "find.json")
    assert loaded(question="Rhine").ids == ["bonn"]


async def test_a_tool(index: BM25) -> None:
    tool = index.as_tool("search_towns", "Finds towns.", k=2)
    assert (tool.name, tool.desc, list(tool.args or {})) == ("search_towns", "Finds towns.", ["query"])
    assert tool(query="Rhine") == "[1] Bonn lies on the Rhine\n[2] Mainz lies on the Rhine too"
    assert await tool.acall(query="Danube") == "[1] Ulm lies on the Danube"
    assert tool(query="elephants") == "Nothing was found."


def test_a_tool_in_an_agent(index: BM25) -> None:
    lm = telic.testing.DummyLM(
        [
            {
                "next_thought": "look",
                "next_tool_name": "search",
                "next_tool_args": {"query": "Danube"},
            },
            {"next_thought": "done", "next_tool_name": "finish", "next_tool_args": {}},
            {"reasoning": "it says so", "answer": "Ulm"},
        ]
    )
    with telic.context(lm=lm):
        found = telic.ReAct("question -> answer", tools=[index.as_tool(k=1)])(question="Which town?")
    assert found.answer == "Ulm"
    assert "[1] Ulm lies on the Danube" in str(found.trajectory)


def test_a_retriever_is_called_like_a_function(index: BM25) -> None:
    found = index("Danube", k=1)
    assert isinstance(found[0], Passage)
    assert found[0].long_text == "Ulm lies on the Danube"
