"""The contract of retrievers: what programs rely on, whatever finds the passages.

def test_contract():
    check_retriever(MyRetriever)            # or any function from a list of passages to a retriever
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from telic.errors import DataError, InputError
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever

Make: TypeAlias = Callable[[Sequence[Passage]], Retriever]

CORPUS = (
    Passage("ulm", "Ulm lies on the Danube, and its minster has a very high steeple.", metadata={"n": 1}),
    Passage("bonn", "Bonn lies on the Rhine; Beethoven was born there.", metadata={"n": 2, "river": "Rhine"}),
    Passage(
        "köln", "Cologne lies on the Rhine too 😀, and has a cathedral.", metadata={"n": 3, "river": "Rhine"}
    ),
    Passage("kiel", "Kiel is a port on the Baltic Sea, known for its sailing week.", metadata={"n": 4}),
    Passage("عربي", "القاهرة مدينة كبيرة على نهر النيل", metadata={"n": 5, "river": "Nile"}),
    Passage("東京", "東京は日本の首都です。", metadata={"n": 6}),
    Passage("🚀", "🚀🚀 rockets 🚀", metadata={"n": 7}),
)
QUERIES = (
    "Which town lies on the Rhine?",
    "sailing on the Baltic Sea",
    "نهر النيل",
    "東京 首都",
    "🚀 rockets",
)
FIRST = (("bonn", "köln"), ("kiel",), ("عربي",), ("東京",), ("🚀",))
"""What a retriever that understands words finds first for each query."""


def check_retriever(make: Make, *, sensible: bool = True) -> None:
    """Check what programs rely on.

    Args:
        make: makes a retriever over some passages.
        sensible: it should find passages that hold the query's words; turn it off for encoders that are
            doubles.

    Raises:
        AssertionError: the retriever breaks the contract; says how.
    """
    retriever = make(CORPUS)
    _gives_what_it_was_given(retriever)
    _is_repeatable(make, retriever)
    _batch_and_async_agree(retriever)
    _filters(retriever)
    _edges(make, retriever)
    _refuses(make, retriever)
    if sensible:
        for query, expected in zip(QUERIES, FIRST, strict=True):
            found = retriever.search(query, 1)
            assert found, f"Nothing was found for {query!r}."
            assert found[0].id in expected, f"{query!r} found {found[0].id!r} first, not one of {expected}."


def _gives_what_it_was_given(retriever: Retriever) -> None:
    given = {passage.id: passage for passage in CORPUS}
    for query in QUERIES:
        found = retriever.search(query, 4)
        assert len(found) <= 4, f"{len(found)} passages for k=4."
        _ordered(found)
        for passage in found:
            known = given.get(passage.id)
            assert known is not None, f"The id {passage.id!r} is not in the corpus."
            assert passage.text == known.text, (
                f"{passage.id!r} came back with another text: {passage.text!r}."
            )
            lost = {name for name, value in known.metadata.items() if passage.metadata.get(name) != value}
            assert not lost, f"{passage.id!r} came back without its metadata {lost}."


def _ordered(found: Sequence[Passage]) -> None:
    keys = [(-passage.score, passage.id) for passage in found]
    assert keys == sorted(keys), f"Not best first with equal scores by id: {_facts(found)}."
    assert len({passage.id for passage in found}) == len(found), f"A passage came twice: {_facts(found)}."


def _is_repeatable(make: Make, retriever: Retriever) -> None:
    again = make(CORPUS)
    for query in QUERIES:
        once, twice, other = retriever.search(query), retriever.search(query), again.search(query)
        assert _facts(once) == _facts(twice), f"Two searches for {query!r} differ."
        assert _facts(once) == _facts(other), f"Two retrievers over one corpus differ for {query!r}."
    some = make(list(reversed(CORPUS)))
    for query in QUERIES:
        ids = {passage.id for passage in retriever.search(query, len(CORPUS))}
        turned = {passage.id for passage in some.search(query, len(CORPUS))}
        assert ids == turned, f"The order of the corpus changes what {query!r} finds: {ids} and {turned}."


def _batch_and_async_agree(retriever: Retriever) -> None:
    singly = [_facts(retriever.search(query, 3)) for query in QUERIES]
    together = [_facts(found) for found in retriever.search(list(QUERIES), 3)]
    assert singly == together, f"Searched together: {together}\nsingly: {singly}"

    async def both() -> tuple[Any, Any]:
        one_by_one = [await retriever.asearch(query, 3) for query in QUERIES]
        return one_by_one, await retriever.asearch(list(QUERIES), 3)

    for found in asyncio.run(both()):
        awaited = [_facts(passages) for passages in found]
        assert awaited == singly, f"Awaited: {awaited}\nblocking: {singly}"
    assert retriever.search([]) == [], "No queries must give no answers."


def _filters(retriever: Retriever) -> None:
    every = len(CORPUS)
    for query in QUERIES:
        rhine = {passage.id for passage in retriever.search(query, every, filter={"river": "Rhine"})}
        assert rhine <= {"bonn", "köln"}, f"A filter let through {rhine - {'bonn', 'köln'}}."
        either = retriever.search(query, every, filter={"river": ["Rhine", "Nile"]})
        assert {passage.id for passage in either} <= {"bonn", "köln", "عربي"}, "A filter of two values."
        small = retriever.search(query, every, filter=lambda metadata: metadata["n"] < 3)
        assert {passage.id for passage in small} <= {"ulm", "bonn"}, "A filter that is a function."
        _ordered(small)
        whole = {passage.id for passage in retriever.search(query, every) if passage.metadata["n"] < 3}
        assert {p.id for p in small} == whole, f"Filtered, {query!r} finds others than picked out: {whole}."
        assert retriever.search(query, every, filter={"none": 1}) == [], "A filter that nothing passes."


def _edges(make: Make, retriever: Retriever) -> None:
    above = retriever.search(QUERIES[0], 10_000)
    assert len(above) <= len(CORPUS), f"{len(above)} passages of {len(CORPUS)}."
    nothing = make([])
    assert nothing.search(QUERIES[0]) == [], "An empty corpus must give no passages."
    assert nothing.search(list(QUERIES)) == [[] for _ in QUERIES], "An empty corpus, several queries."
    for query in ("", "   ", "\n", "?!…", "\x00", "e\u0301\u200d", "word " * 5_000):
        found = retriever.search(query)
        _ordered(found)
    long = Passage("long", "Ulm lies on the Danube. " * 4_300)
    assert len(long.text) > 100_000
    found = make([long, *CORPUS]).search("Danube", 3)
    assert any(passage.text == long.text for passage in found), "A passage of 100 kB was not found whole."
    odd = [Passage("empty", ""), Passage("white", " \n "), Passage("ulm", "Ulm on the Danube")]
    _ordered(make(odd).search("Danube", 3))
    twins = [Passage(name, "the very same words") for name in ("b", "c", "a", "d")]
    same = make(twins).search("the very same words", 2)
    assert [passage.id for passage in same] == ["a", "b"], f"Equal scores must come by id: {_facts(same)}."


def _refuses(make: Make, retriever: Retriever) -> None:
    twice = [Passage("same-id", "one"), Passage("other", "two"), Passage("same-id", "three")]
    message = _message(lambda: make(twice), DataError)
    assert "same-id" in message, f"The error of a repeated id must name it: {message}"
    anything: Any = retriever
    for k in (0, -1, True, 1.5):
        _message(partial(anything.search, "x", k), InputError)
    _message(lambda: anything.search(5), InputError)
    _message(lambda: anything.search("x", filter=5), InputError)


def _message(act: Callable[[], Any], kind: type[Exception]) -> str:
    try:
        act()
    except kind as error:
        return str(error)
    raise AssertionError(f"{kind.__name__} was not raised.")


def _facts(found: Sequence[Passage]) -> list[tuple[str, float]]:
    """Scores rounded: sums in another order may differ in their last bits."""
    return [(passage.id, round(passage.score, 4)) for passage in found]
