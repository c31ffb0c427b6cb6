"""`ColBERTQA`: question in, passages by late interaction, answer out of a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telic.data.prediction import Prediction
from telic.errors import DataError, InputError
from telic.program.module import Module
from telic.retrieval.retriever import Retriever


class ColBERTQA(Module):
    """Open-domain question answering (Khattab, Potts and Zaharia, TACL 2021, arXiv:2007.00814).

    Args:
        retriever: finds passages; any retriever.
        reader: a `SpanReader`, or a telic program with the inputs `question` and `context` (a list of texts)
            and the output `answer`; an optimizer then finds its predictors in here.
        k: passages that are read.

    Raises:
        InputError: the reader cannot be called.
    """

    def __init__(self, retriever: Retriever, reader: Any, k: int = 5) -> None:
        super().__init__()
        if not callable(reader):
            raise InputError(f"reader: a SpanReader or a program is needed, not {reader!r:.100}.")
        self.retriever = retriever
        self.reader = reader
        self.k = k

    def forward(self, question: str) -> Prediction:
        """Answer a question.

        Returns:
            All that the reader gave (`answer` at least), with `context`, the texts, and `passages`.
        """
        passages = self.retriever.search(question, self.k)
        context = [passage.text for passage in passages]
        read = self.reader(question=question, context=context)
        return Prediction(**{**dict(read.items()), "context": context, "passages": passages})

    async def aforward(self, question: str) -> Prediction:
        """`forward`, on the running loop."""
        passages = await self.retriever.asearch(question, self.k)
        context = [passage.text for passage in passages]
        if isinstance(self.reader, Module):
            read = await self.reader.acall(question=question, context=context)
        else:
            import asyncio

            read = await asyncio.to_thread(self.reader, question=question, context=context)
        return Prediction(**{**dict(read.items()), "context": context, "passages": passages})

    @classmethod
    def of_round(cls, folder: str | Path, number: int, *, reader: Any = None, k: int = 5) -> ColBERTQA:
        """The system of a round of a run of `train_colbert_qa`.

        Args:
            folder: of the run.
            number: of the round.
            reader: the run's own extractive reader where `None`.
            k: passages that are read.
        """
        from telic.systems.colbert_qa.reader.span_reader import SpanReader

        return cls(open_round(Path(folder), number), reader or SpanReader(Path(folder) / "reader"), k)


def open_round(folder: Path, number: int) -> Retriever:
    """The index of a round of a run, with that round's encoder.

    Raises:
        DataError: the run did not get there.
    """
    from telic.retrieval.late_interaction.encoder.encoder import Encoder
    from telic.retrieval.late_interaction.retriever import LateInteraction

    place = folder / f"round-{number}"
    if not (place / "index").exists():
        raise DataError(f"There is no index of round {number} in '{folder}'.")
    opened: Retriever = LateInteraction.open(place / "index", encoder=Encoder.load(place / "encoder"))
    return opened
