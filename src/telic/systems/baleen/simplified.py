"""`SimplifiedBaleen`: multi-hop search whose queries a model writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telic.data.prediction import Prediction
from telic.errors import InputError
from telic.modules.chain_of_thought import ChainOfThought
from telic.modules.retrieve import Retrieve
from telic.program.stepped import Call, SteppedModule
from telic.retrieval.retriever import Retriever
from telic.runtime.steps import Do, Steps
from telic.signatures import InputField, OutputField, Signature
from telic.systems.baleen.condensing import _Shared
from telic.systems.baleen.reading import AnswerFromFacts


class SearchQuery(Signature):
    """Write a search query that finds what the context still lacks to answer the question."""

    context: list[str] = InputField(desc="what was found so far")
    question: str = InputField()
    search_query: str = OutputField()


class SimplifiedBaleen(SteppedModule):
    """Baleen with a language model in the place of trained parts (Khattab et al. 2023, arXiv:2310.03714).

    In each hop a model writes a search query, in view of what was found; the passages that are new join the
    context; in the end it answers. Each hop has a predictor of its own, so a compiler can teach each its
    part.

    The prediction has `answer` (and what else the answering predictor gives), `context` (a list of texts) and
    `queries`.

    Args:
        passages_per_hop: how many passages each search gives.
        max_hops: how many searches.
        retriever: where to search; by default the retriever of the settings (`telic.configure(rm=…)`).
        predictor: makes a predictor of a signature: `ChainOfThought`, or `Predict` for models that are better
            off without reasoning.

    Raises:
        InputError: a number is not positive.
    """

    def __init__(
        self,
        passages_per_hop: int = 3,
        max_hops: int = 2,
        *,
        retriever: Retriever | None = None,
        predictor: Any = ChainOfThought,
    ) -> None:
        if min(passages_per_hop, max_hops) < 1:
            raise InputError(
                f"SimplifiedBaleen: passages_per_hop={passages_per_hop!r} and max_hops={max_hops!r} must be "
                "at least 1."
            )
        self.generate_query = [predictor(SearchQuery) for _ in range(max_hops)]
        self.retrieve = Retrieve(k=passages_per_hop)
        self.generate_answer = predictor(AnswerFromFacts)
        self.max_hops = max_hops
        self._retriever = _Shared(retriever)

    def steps(self, question: str) -> Steps[Any]:
        """Search, hop after hop, and answer."""
        context: list[str] = []
        queries: list[str] = []
        for hop in range(self.max_hops):
            written = yield Call(self.generate_query[hop], context=context, question=question)
            query = str(written.search_query).strip() or question
            queries.append(query)
            found = yield self._searched(query)
            context = list(dict.fromkeys([*context, *found]))
        answer = yield Call(self.generate_answer, context=context, question=question)
        return Prediction({**dict(answer.items()), "context": context, "queries": queries})

    def _searched(self, query: str) -> Do:
        async def asearch() -> Sequence[str]:
            if self._retriever.of is None:
                return _texts((await self.retrieve.acall(query)).passages)
            return _texts(await self._retriever.of.asearch(query, self.retrieve.k))

        return Do(lambda: self._search(query), asearch)

    def _search(self, query: str) -> list[str]:
        retriever = self._retriever.of
        if retriever is None:
            return _texts(self.retrieve(query).passages)
        return _texts(retriever.search(query, self.retrieve.k))


def _texts(passages: Sequence[Any]) -> list[str]:
    return [str(passage) for passage in passages]
